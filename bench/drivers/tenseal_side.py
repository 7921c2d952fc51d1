"""TenSEAL, https://github.com/OpenMined/TenSEAL, behind the protocol of `serve.py`.

Arguments: CKKS or BFV, log2 N, the bits of the scale or the plain modulus, threads, the bits of every prime, the last
one special. Its vectors encode while they encrypt, relinearise and rescale while they multiply, and do not rotate.
"""

import sys

import tenseal as ts
from serve import peak_mebibytes, right_bits, serve

LARGEST_WITH_ROTATIONS = 14  # log2 N; keys of all rotations grow beyond any use
POLYNOMIAL = [0.5, 0.197, 0.0, -0.004]
SIGMOID = [0.5, 0.24966, 0.0, -0.0198, 0.0, 0.00124, 0.0, -0.00003]  # of degree 7, on (-4, 4)
SIGMOID_LEVELS = 5


class Side:
    def __init__(self, scheme, log_degree, given, threads, bits):
        self.ckks, degree = scheme == "CKKS", 1 << log_degree
        kind = ts.SCHEME_TYPE.CKKS if self.ckks else ts.SCHEME_TYPE.BFV
        plain = -1 if self.ckks else given
        self.context = ts.context(kind, degree, plain, bits, n_threads=threads)
        if self.ckks:
            self.context.global_scale = 2.0**given
        self.levels, self.log_degree = len(bits) - 2, log_degree
        self.values = (
            [(i % 100) / 100 - 0.5 for i in range(degree // 2)] if self.ckks else [i % 100 for i in range(degree)]
        )
        if log_degree <= LARGEST_WITH_ROTATIONS:
            self.context.generate_galois_keys()
        self.x, self.y = self.encrypted(), self.encrypted()
        self.right_bits = right_bits((self.x * self.y).decrypt(), [v * v for v in self.values])

    def encrypted(self):
        return (ts.ckks_vector if self.ckks else ts.bfv_vector)(self.context, self.values)

    def calls(self):
        x, y = self.x, self.y
        found = {
            "add": lambda: x + y,
            "product": lambda: x * y,
            "encode_encrypt": self.encrypted,
            "decrypt_decode": x.decrypt,
        }
        if self.ckks and self.log_degree <= LARGEST_WITH_ROTATIONS:
            found["dot"] = lambda: x.dot(y)
            short = ts.ckks_vector(self.context, self.values[:128])
            matrix = [[((3 * i + j) % 100) / 100 - 0.5 for j in range(64)] for i in range(128)]
            found["matvec"] = lambda: short.mm(matrix)
        if self.ckks:
            found["polynomial"] = lambda: x.polyval(POLYNOMIAL)
        if self.ckks and self.levels >= SIGMOID_LEVELS:
            found["sigmoid"] = lambda: x.polyval(SIGMOID)
        return found

    def facts(self):
        return {
            "library": "TenSEAL " + ts.__version__,
            "levels": self.levels,
            "right_bits": self.right_bits,
            "bytes": {"ciphertext sent": len(self.x.serialize())},
            "peak_mebibytes": peak_mebibytes(),
        }


def main(scheme, log_degree, given, threads, *bits):
    side = Side(scheme, int(log_degree), int(given), int(threads), [int(b) for b in bits])
    serve(side.calls(), side.facts())


if __name__ == "__main__":
    main(*sys.argv[1:])
