"""desilofhe, https://fhe.desilo.dev, behind the protocol of `serve.py`. Arguments: CKKS, log2 N, threads.

Its parameters follow from the number of levels alone: the most levels that it gives a ring of this degree.
"""

import sys

import desilofhe
from serve import peak_mebibytes, right_bits, serve

POLYNOMIAL = [0.5, 0.197, 0.0, -0.004]
MOST_LEVELS = 30


def engine_of(log_degree, threads):
    for levels in range(MOST_LEVELS, 0, -1):
        engine = desilofhe.Engine(max_level=levels, mode="parallel" if threads > 1 else "cpu")
        if engine.slot_count == 1 << (log_degree - 1):
            return engine
    raise SystemExit(f"desilofhe has no ring of degree 2^{log_degree}")


class Side:
    def __init__(self, log_degree, threads):
        self.engine = engine = engine_of(log_degree, threads)
        self.values = [(i % 100) / 100 - 0.5 for i in range(engine.slot_count)]
        self.secret = engine.create_secret_key()
        self.public = engine.create_public_key(self.secret)
        self.relinearization = engine.create_relinearization_key(self.secret)
        self.rotation = engine.create_fixed_rotation_key(self.secret, 1)
        self.plain = engine.encode(self.values)
        self.x, self.y = (engine.encrypt(self.values, self.public) for _ in range(2))
        self.tensor = engine.multiply(self.x, self.y)
        self.right_bits = right_bits(self.decrypted(self.product()), [v * v for v in self.values])

    def product(self):
        return self.engine.multiply(self.x, self.y, self.relinearization)

    def decrypted(self, x):
        return [value.real for value in self.engine.decrypt(x, self.secret)]

    def calls(self):
        engine, x, y = self.engine, self.x, self.y
        return {
            "add": lambda: engine.add(x, y),
            "multiply": lambda: engine.multiply(x, y),
            "relinearize": lambda: engine.relinearize(self.tensor, self.relinearization),
            "product": self.product,
            "multiply_plain": lambda: engine.multiply(x, self.plain),
            "rotate": lambda: engine.rotate(x, self.rotation),
            "encode": lambda: engine.encode(self.values),
            "encode_encrypt": lambda: engine.encrypt(self.values, self.public),
            "decrypt_decode": lambda: engine.decrypt(x, self.secret),
            "polynomial": lambda: engine.evaluate_polynomial(x, POLYNOMIAL, self.relinearization),
        }

    def facts(self):
        return {
            "library": "desilofhe",
            "levels": self.engine.max_level,
            "right_bits": self.right_bits,
            "bytes": {"ciphertext sent": len(self.engine.serialize_ciphertext(self.x))},
            "peak_mebibytes": peak_mebibytes(),
        }


def main(scheme, log_degree, threads):
    if scheme != "CKKS":
        raise SystemExit("desilofhe is CKKS alone")
    side = Side(int(log_degree), int(threads))
    serve(side.calls(), side.facts())


if __name__ == "__main__":
    main(*sys.argv[1:])
