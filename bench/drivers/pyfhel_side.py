"""Pyfhel, https://github.com/ibarrond/Pyfhel, behind the protocol of `serve.py`.

Arguments: CKKS or BFV, log2 N, the bits of the scale or the plain modulus, the bits of every prime; the last
is special.
"""

import sys

import numpy as np
from Pyfhel import Pyfhel
from serve import peak_mebibytes, right_bits, serve


class Side:
    def __init__(self, scheme, log_degree, given, bits):
        self.ckks, degree = scheme == "CKKS", 1 << log_degree
        self.he = he = Pyfhel()
        if self.ckks:
            he.contextGen(scheme="CKKS", n=degree, scale=2.0**given, qi_sizes=bits)
            self.values = np.arange(degree // 2) % 100 / 100 - 0.5
        else:
            he.contextGen(scheme="BFV", n=degree, t=given, qi_sizes=bits)
            self.values = np.arange(degree, dtype=np.int64) % 100
        he.keyGen()
        he.relinKeyGen()
        he.rotateKeyGen(rot_steps=[1])
        self.plain = self.encode()
        self.x, self.y = he.encryptPtxt(self.plain), he.encryptPtxt(self.plain)
        self.tensor = he.multiply(self.x, self.y, in_new_ctxt=True)
        self.right_bits = right_bits(he.decrypt(self.product()), self.values**2)

    def encode(self):
        return self.he.encodeFrac(self.values) if self.ckks else self.he.encodeInt(self.values)

    def product(self):
        found = self.he.multiply(self.x, self.y, in_new_ctxt=True)
        self.he.relinearize(found)
        if self.ckks:
            self.he.rescale_to_next(found)
        return found

    def calls(self):
        he, x, y = self.he, self.x, self.y
        return {
            "add": lambda: he.add(x, y, in_new_ctxt=True),
            "multiply": lambda: he.multiply(x, y, in_new_ctxt=True),
            "product": self.product,
            "multiply_plain": lambda: he.multiply_plain(x, self.plain, in_new_ctxt=True),
            "rotate": lambda: he.rotate(x, 1, in_new_ctxt=True),
            "encode": self.encode,
            "encrypt": lambda: he.encryptPtxt(self.plain),
            "encode_encrypt": lambda: he.encryptPtxt(self.encode()),
            "decrypt_decode": lambda: he.decrypt(x),
        }

    def facts(self):
        return {
            "library": "Pyfhel",
            "right_bits": self.right_bits,
            "bytes": {"ciphertext sent": len(self.x.to_bytes())},
            "peak_mebibytes": peak_mebibytes(),
        }


def main(scheme, log_degree, given, *bits):
    side = Side(scheme, int(log_degree), int(given), [int(b) for b in bits])
    serve(side.calls(), side.facts())


if __name__ == "__main__":
    main(*sys.argv[1:])
