"""Nearest neighbours of embeddings by cosine similarity, with encrypted documents and an encrypted question."""

from __future__ import annotations

import numpy as np

import fhe

DOCUMENTS, FEATURES = 200, 64
SHORTEST, LONGEST = 0.5, 2.0  # what no embedding is shorter or longer than: public, like the number of features


def main() -> None:
    """Rank documents by x @ q / (|x| |q|), and decide under encryption which of two is nearer."""
    rng = np.random.default_rng(2)
    documents = rng.standard_normal((DOCUMENTS, FEATURES))
    documents *= (rng.uniform(SHORTEST, LONGEST, DOCUMENTS) / np.linalg.norm(documents, axis=1))[:, None]
    question = documents[17] / np.linalg.norm(documents[17]) + 0.05 * rng.standard_normal(FEATURES)
    similarity = documents @ question / np.linalg.norm(documents, axis=1) / np.linalg.norm(question)

    owner = fhe.ckks(depth=9)
    x, q = owner.encrypt(documents, bound=LONGEST), owner.encrypt(question / np.linalg.norm(question), bound=1)
    lengths = fhe.rsqrt((x * x).sum(axis=1), interval=(SHORTEST**2, LONGEST**2), error=1e-4)
    found = (x @ q) * lengths
    scores = owner.decrypt(found)
    print(f"{DOCUMENTS} cosine similarities of {FEATURES} features, N = {owner.parameters.ring_degree}")
    print(f"  differ from the clear ones by {np.max(np.abs(scores - similarity)):.1e}")
    print(f"  nearest: document {np.argmax(scores)}, in the clear {np.argmax(similarity)}")

    judge = fhe.ckks(depth=11)  # learns only which of two documents is nearer
    unit = [row / np.linalg.norm(row) for row in (documents[17], documents[18], question)]
    first, second, asked = (judge.encrypt(row, bound=1) for row in unit)
    closer = fhe.assume((first - second) @ asked, bound=2)  # a difference of cosines
    nearer = fhe.greater(closer, 0.0, margin=0.1, error=0.01)
    print(f"  document 17 rather than 18: {judge.decrypt(nearer):.2f}")


if __name__ == "__main__":
    main()
