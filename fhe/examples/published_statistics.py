"""Results for others: the mean and deviation of a survey are published, and the key stays where it is.

``decrypt`` is for the owner's eyes: what it returns carries noise that depends on the key, and whoever has the
ciphertext as well can solve for it. ``decrypt_public`` hides that noise under more, as planned when the keys were made.
"""

from __future__ import annotations

import numpy as np

import fhe

ANSWERS, LARGEST = 2000, 8.0
PRECISION_BITS, QUERIES = 10, 100


def main() -> None:
    owner = fhe.ckks(depth=2, publish=(PRECISION_BITS, QUERIES), bound=2.0 * ANSWERS)  # of the sums
    answers = np.random.default_rng(7).normal(3.0, 1.0, ANSWERS).clip(-LARGEST, LARGEST)
    x = owner.encrypt(answers / LARGEST, bound=1)  # what many send; a server adds it up

    mean, square = x.sum() / ANSWERS, (x * x).sum() / ANSWERS
    print(f"right to 2^-{mean.precision_bits:.1f} and 2^-{square.precision_bits:.1f} for the owner alone")

    published = [owner.decrypt_public(result) for result in (mean, square)]  # two numbers of a hundred
    found = LARGEST * published[0], LARGEST * np.sqrt(published[1] - published[0] ** 2)
    print(f"published: mean {found[0]:.2f}, deviation {found[1]:.2f}; {owner.published} of {QUERIES} are spent")
    assert abs(published[0] - answers.mean() / LARGEST) < 2.0**-PRECISION_BITS

    try:
        owner.decrypt_public(x)
    except fhe.NoiseError as refusal:
        print(f"not published: {refusal}")


if __name__ == "__main__":
    main()
