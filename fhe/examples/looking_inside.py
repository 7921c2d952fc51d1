"""For research: your own modulus chain, polynomials and residues, a product before it is relinearised."""

from __future__ import annotations

import numpy as np

import fhe


def main() -> None:
    """Multiply in the ring on two backends; then take a ciphertext product apart."""
    parameters = fhe.CKKSParameters(ring_degree=2**13, modulus_bits=[50, 40, 40], special_bits=[50])
    print(parameters)

    owner = fhe.KeyOwner(parameters)
    basis = owner.chain.q(parameters.max_level)
    rng = np.random.default_rng(0)
    a, b = (fhe.CoeffPoly.from_int64(basis, rng.integers(-9, 10, basis.ring_degree)) for _ in range(2))
    product = (a.to_eval() * b.to_eval()).to_coeff()
    print(f"a * b in {basis}: first coefficients {product.coefficients()[:4]}")

    values = np.array([0.5, -0.25, 0.125])
    x = owner.encrypt(values).shards[0]
    x3 = owner.evaluator.multiply(x, x)
    x2 = owner.evaluator.relinearize(x3)
    x1 = owner.evaluator.settle(x2)
    for name, ciphertext in {"encrypted": x, "times itself": x3, "relinearised": x2, "rescaled": x1}.items():
        shape = ciphertext.c[0].residues.shape
        print(f"{name:<13} {len(ciphertext.c)} polynomials {shape}, level {ciphertext.level}, ", end="")
        print(f"scale 2^{np.log2(ciphertext.scale):.2f}")


if __name__ == "__main__":
    main()
