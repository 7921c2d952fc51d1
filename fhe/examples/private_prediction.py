"""Two parties: a client whose samples nobody else may see, and a server whose model scores them all the same.

The samples travel encrypted, and so do their scores; the server holds no secret key. What is kept from the server
is the data. The model is not kept from the client, who could compute it from the replies (docs/threat-model.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import fhe
from fhe.ml import LogisticRegression

FEATURE_BOUND = 6.0  # public: standardised features beyond it are clipped, in training as in scoring
SCALE_BITS = 28  # errors of scores stay near 1e-5, and depth 1 fits the ring of 4096

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Split:
    """Samples to learn from and samples to score."""

    train: Array
    train_labels: NDArray[np.int64]
    test: Array
    test_labels: NDArray[np.int64]


def breast_cancer(samples: int | None = None) -> Split:
    """Wisconsin breast cancer, 569 samples of 30 features: a quarter, or its first ``samples``, is to be scored."""
    X, y = load_breast_cancer(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
    scaler = StandardScaler().fit(train)
    train, test = (np.clip(scaler.transform(part), -FEATURE_BOUND, FEATURE_BOUND) for part in (train, test))
    return Split(train, train_labels, test[:samples], test_labels[:samples])


class Client:
    """Has the samples and the secret key. Of the server's model it knows the shape and a bound on its weights."""

    def __init__(self, rotations: list[int], bound: float, **choice: Any) -> None:
        self.owner = fhe.ckks(depth=1, scale_bits=SCALE_BITS, bound=bound, **choice)
        self._rotations = rotations

    def published(self) -> bytes:
        """The keys that the server needs, sent once."""
        return self.owner.public(relinearization=False, rotations=self._rotations).to_bytes()

    def request(self, samples: Array) -> bytes:
        """Samples, encrypted: under the secret key, because that halves them."""
        return self.owner.encrypt(samples, bound=FEATURE_BOUND, symmetric=True).to_bytes()

    def scores(self, reply: bytes) -> Array:
        """The server's reply, decrypted."""
        return self.owner.decrypt(self.owner.load(reply))


class Server:
    """Has the model, and of the client what it published: it computes, and cannot decrypt."""

    def __init__(self, model: LogisticRegression, published: bytes, backend: str | None = None) -> None:
        self.model = model
        self.context = fhe.Context.from_bytes(published, backend)

    def reply(self, request: bytes) -> bytes:
        """The scores of encrypted samples, encrypted."""
        scores: fhe.EncryptedArray = self.model.decision_function(self.context.load(request))
        return scores.to_bytes()


def main() -> None:
    """Score the test set both ways and compare."""
    data = breast_cancer()
    model = LogisticRegression().fit(data.train, data.train_labels)

    client = Client(model.rotations(), model.value_bound(FEATURE_BOUND))
    server = Server(model, client.published())
    request = client.request(data.test)
    reply = server.reply(request)
    scores = client.scores(reply)

    clear = model.decision_function(data.test)
    print(f"{len(scores)} samples, {len(request)} bytes there, {len(reply)} bytes back")
    print(f"accuracy {model.score(data.test, data.test_labels):.4f} clear, ", end="")
    print(f"{np.mean(model.classes_[(scores > 0).astype(int)] == data.test_labels):.4f} encrypted")
    print(f"scores differ by at most {np.max(np.abs(scores - clear)):.1e}")


if __name__ == "__main__":
    main()
