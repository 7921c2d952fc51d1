"""Why a library is faster in a row, where one is: what a reader of the table should not have to ask."""

from __future__ import annotations

# OpenFHE's primes for BFV have 60 bits each; one more would be beyond what is secure there with its special primes.
SHORTER = "at N = 8192 OpenFHE's modulus has 120 bits in two limbs, ours 168 in four"

REASONS = {
    (
        "BFV",
        "encode",
    ): "SEAL's and OpenFHE's plaintexts are residues mod t, scaled by Q/t only when they are encrypted or "
    "added; ours are scaled here. Compare encode_encrypt",
    (
        "CKKS",
        "add",
    ): "a sum is a few microseconds of arithmetic; ours is called from Python, tracks noise and bound, and "
    "returns a new ciphertext, SEAL's driver is C++ and writes over an old one",
    ("BFV", "add"): "as in CKKS: Python, the bounds of noise and values, a new ciphertext; OpenFHE's primes of 60 bits "
    f"make fewer limbs of a modulus (10 for our 13 at N = 32768, where caches end), and {SHORTER}",
    ("CKKS", "multiply"): "as add, where there is little to compute",
    ("CKKS", "multiply_plain"): "as add: Python and bounds beside a few microseconds of arithmetic",
    ("BFV", "multiply_plain"): f"as add; OpenFHE also encodes into evaluations beforehand, and {SHORTER}",
    ("BFV", "relinearize"): "the scaling by t/Q of the product happens here, not in multiply: compare product; "
    f"and {SHORTER}",
    ("BFV", "rotate"): SHORTER,
    ("BFV", "decrypt_decode"): SHORTER,
    (
        "CKKS",
        "rescale",
    ): "apart from the product, where it is merged with the division by P, a rescale has no fast path",
    (
        "BFV",
        "rescale",
    ): "SEAL keeps BFV ciphertexts by coefficients, which a modulus switch takes; ours are evaluations, "
    "which every product and rotation gains from",
    (
        "CKKS",
        "decrypt",
    ): "ours ends in coefficients, SEAL's in evaluations that decode transforms; compare decrypt_decode, which "
    "besides looks at no more primes than the values need",
    ("CKKS", "decode"): "ours rounds exactly from residues of all primes; compare decrypt_decode",
    ("BFV", "decrypt"): "ours leaves the scaling by t/Q to decode; compare decrypt_decode",
    ("BFV", "decode"): "ours scales by t/Q here, others while they decrypt; compare decrypt_decode",
    ("CKKS", "keys"): "switching keys are packed when made, which every later switch gains from",
}
OTHERWISE = "not explained yet"


def reason(group: str, operation: str) -> str:
    """Why another library may be ahead of this one in a row."""
    return REASONS.get((group, operation), OTHERWISE)
