"""OpenFHE, https://github.com/openfheorg/openfhe-python, behind the protocol of `serve.py`.

Arguments: CKKS or BFV, log2 N, the bits of the scale or the plain modulus, the bits of every prime of Q. OpenFHE
chooses its own primes: the ring, the levels (CKKS) or the largest modulus that is hardly larger (BFV) are made the
same, and key-switching digits are as few as its own tables allow. Threads are those of OMP_NUM_THREADS.
"""

import math
import sys
import tempfile

import openfhe
from serve import peak_mebibytes, right_bits, serve

POLYNOMIAL = [0.5, 0.197, 0.0, -0.004]
LOGISTIC_LEVELS = 5  # that its Chebyshev series of degree 7 takes


def made(parameters):
    context = openfhe.GenCryptoContext(parameters)
    for feature in ("PKE", "KEYSWITCH", "LEVELEDSHE", "ADVANCEDSHE"):
        context.Enable(getattr(openfhe.PKESchemeFeature, feature))
    return context


def first_accepted(attempts):
    """The first context whose parameters OpenFHE finds secure."""
    for attempt in attempts:
        try:
            return made(attempt)
        except RuntimeError:
            continue
    raise SystemExit("OpenFHE accepts no such parameters")


def ckks_parameters(log_degree, scale, bits, digits):
    p = openfhe.CCParamsCKKSRNS()
    p.SetRingDim(1 << log_degree)
    p.SetBatchSize(1 << (log_degree - 1))
    p.SetMultiplicativeDepth(len(bits) - 1)
    p.SetFirstModSize(bits[0])
    p.SetScalingModSize(scale)
    p.SetScalingTechnique(openfhe.FIXEDMANUAL)
    p.SetKeySwitchTechnique(openfhe.HYBRID)
    p.SetNumLargeDigits(digits)
    p.SetSecurityLevel(openfhe.HEStd_128_classic)
    return p


def bfv_parameters(log_degree, plain, depth):
    p = openfhe.CCParamsBFVRNS()
    p.SetRingDim(1 << log_degree)
    p.SetPlaintextModulus(plain)
    p.SetMultiplicativeDepth(depth)
    p.SetSecurityLevel(openfhe.HEStd_128_classic)
    return p


def bfv_context(log_degree, plain, bits):
    """The deepest whose modulus is not larger than 2^sum(bits)."""
    for depth in range(30, 0, -1):
        try:
            context = made(bfv_parameters(log_degree, plain, depth))
        except RuntimeError:
            continue
        if math.log2(context.GetModulus()) <= sum(bits) + 10:
            return context
    raise SystemExit("OpenFHE accepts no such parameters")


class Side:
    def __init__(self, scheme, log_degree, given, bits):
        self.ckks, degree = scheme == "CKKS", 1 << log_degree
        if self.ckks:
            digits = range(2, len(bits) + 1)
            self.context = first_accepted(ckks_parameters(log_degree, given, bits, d) for d in digits)
            self.values = [(i % 100) / 100 - 0.5 for i in range(degree // 2)]
        else:
            self.context = bfv_context(log_degree, given, bits)
            self.values = [i % 100 for i in range(degree)]
        self.levels = len(bits) - 1
        self.keys = self.make_keys()
        self.context.EvalSumKeyGen(self.keys.secretKey)
        self.plain = self.encode()
        self.x, self.y = (self.context.Encrypt(self.keys.publicKey, self.plain) for _ in range(2))
        self.tensor = self.context.EvalMultNoRelin(self.x, self.y)
        self.relinearized = self.context.Relinearize(self.tensor)
        self.right_bits = right_bits(self.decrypted(self.product()), [v * v for v in self.values])

    def make_keys(self):
        keys = self.context.KeyGen()
        self.context.EvalMultKeyGen(keys.secretKey)
        self.context.EvalRotateKeyGen(keys.secretKey, [1])
        return keys

    def encode(self):
        if self.ckks:
            return self.context.MakeCKKSPackedPlaintext(self.values)
        return self.context.MakePackedPlaintext(self.values)

    def product(self):
        product = self.context.EvalMult(self.x, self.y)
        return self.context.Rescale(product) if self.ckks else product

    def decrypted(self, x):
        plain = self.context.Decrypt(self.keys.secretKey, x)
        return plain.GetRealPackedValue() if self.ckks else plain.GetPackedValue()

    def calls(self):
        context, x, y, plain = self.context, self.x, self.y, self.plain
        found = {
            "add": lambda: context.EvalAdd(x, y),
            "multiply": lambda: context.EvalMultNoRelin(x, y),
            "relinearize": lambda: context.Relinearize(self.tensor),
            "product": self.product,
            "multiply_plain": lambda: context.EvalMult(x, plain),
            "rotate": lambda: context.EvalRotate(x, 1),
            "encode": self.encode,
            "encrypt": lambda: context.Encrypt(self.keys.publicKey, plain),
            "encode_encrypt": lambda: context.Encrypt(self.keys.publicKey, self.encode()),
            "decrypt_decode": lambda: context.Decrypt(self.keys.secretKey, x),
            "keys": self.make_keys,
            "dot": lambda: context.EvalInnerProduct(x, y, len(self.values)),
        }
        if self.ckks:
            found["rescale"] = lambda: context.Rescale(self.relinearized)
            found["polynomial"] = lambda: context.EvalPoly(x, POLYNOMIAL)
        if self.ckks and self.levels >= LOGISTIC_LEVELS:
            found["sigmoid"] = lambda: context.EvalLogistic(x, -4, 4, 7)
        return found

    def sent(self):
        with tempfile.NamedTemporaryFile() as file:
            openfhe.SerializeToFile(file.name, self.x, openfhe.BINARY)
            return len(file.read())

    def facts(self):
        return {
            "library": "OpenFHE",
            "log_q": round(math.log2(self.context.GetModulus())),
            "right_bits": self.right_bits,
            "bytes": {"ciphertext sent": self.sent()},
            "peak_mebibytes": peak_mebibytes(),
        }


def main(scheme, log_degree, given, *bits):
    side = Side(scheme, int(log_degree), int(given), [int(b) for b in bits])
    serve(side.calls(), side.facts())


if __name__ == "__main__":
    main(*sys.argv[1:])
