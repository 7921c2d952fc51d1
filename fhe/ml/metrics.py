"""What encryption costs a model, and whether it changes anything: the same rows in the clear and encrypted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.pipeline import Pipeline

from fhe.arrays.array import EncryptedArray
from fhe.errors import EncodingError

METHODS = "pair_scores", "decision_function", "predict_joint_log_proba", "votes", "predict_proba", "predict"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A model's answers to the same rows, clear and encrypted. Times in seconds; what does not apply is None.

    method
        What was compared: scores where there are any, else predictions.
    metrics
        By name, (clear, encrypted): accuracy and AUC of classifiers, R2 of regressions.
    different_decisions, largest_difference
        How many classes differ (of regressions None); the largest |difference| of scores.
    request_bytes, reply_bytes, key_bytes
        Encrypted rows there, encrypted answers back; keys, once, where a server's context was given.

    >>> import fhe
    >>> model = fhe.ml.Ridge().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> found = compare(model, owner, [[0.5], [1.5]], [0.5, 1.5])
    >>> found.method, sorted(found.metrics), found.largest_difference < 1e-5
    ('predict', ['R2'], True)
    """

    model: str
    method: str
    samples: int
    metrics: dict[str, tuple[float, float]]
    different_decisions: int | None
    largest_difference: float
    clear_seconds: float
    encrypt_seconds: float
    compute_seconds: float
    decrypt_seconds: float
    request_bytes: int
    reply_bytes: int
    key_bytes: int | None

    @property
    def samples_per_second(self) -> float:
        """Throughput of the party that computes."""
        return self.samples / self.compute_seconds

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {**asdict(self), "samples_per_second": self.samples_per_second}

    def __str__(self) -> str:
        lines = [f"{self.model}.{self.method}, {self.samples} samples"]
        lines += [f"  {name:<12}clear {a:.4f}   encrypted {b:.4f}" for name, (a, b) in self.metrics.items()]
        decided = "" if self.different_decisions is None else f"{self.different_decisions} decisions differ, "
        lines.append(f"  {'difference':<12}{decided}scores by at most {self.largest_difference:.1e}")
        times = [self.encrypt_seconds, self.compute_seconds, self.decrypt_seconds, self.clear_seconds]
        encrypting, computing, decrypting, clear = (f"{1000 * seconds:.3g} ms" for seconds in times)
        lines.append(f"  {'time':<12}encrypt {encrypting}, compute {computing}, decrypt {decrypting}; clear {clear}")
        lines.append(f"  {'throughput':<12}{self.samples_per_second:,.0f} samples a second")
        keys = "" if self.key_bytes is None else f", keys {self.key_bytes:,} once"
        lines.append(f"  {'bytes':<12}request {self.request_bytes:,}, reply {self.reply_bytes:,}{keys}")
        return "\n".join(lines)


def compare(
    model: Any,
    owner: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    server: Any = None,
    method: str | None = None,
    encrypt: Callable[[Any, NDArray[Any]], Any] | None = None,
    **options: Any,
) -> Comparison:
    """Answers to plain rows X and to the same rows encrypted by the `KeyOwner`, beside the truth y.

    ``server`` is the context that computes, by default the owner's; ``method`` what it computes; ``options`` are those
    of `encrypt`, such as ``bound`` and ``batch``, and ``encrypt(owner, X)`` another way to encrypt. Everything is done
    once before it is measured, so that keys and plans are there, and goes through bytes.

    >>> import fhe
    >>> model = fhe.ml.LinearSVC().fit([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> found = compare(model, owner, [[-1.5], [1.5]], [0, 1], bound=2)
    >>> found.metrics, found.different_decisions
    ({'accuracy': (1.0, 1.0), 'AUC': (1.0, 1.0)}, 0)
    """
    X, y, method = _checked(model, X, y, method)
    answer, party = getattr(model, method), owner if server is None else server

    def request() -> bytes:
        data: bytes = (encrypt(owner, X) if encrypt else owner.encrypt(X, **options)).to_bytes()
        return data

    def reply(data: bytes) -> bytes:
        scores: bytes = answer(party.load(data)).to_bytes()
        return scores

    owner.decrypt(owner.load(reply(request())))
    clear_seconds, clear = _timed(lambda: answer(X))
    encrypt_seconds, there = _timed(request)
    compute_seconds, back = _timed(lambda: reply(there))
    decrypt_seconds, found = _timed(lambda: owner.decrypt(owner.load(back)))
    if found.dtype == object:  # decimals
        found = found.astype(np.float64)
    metrics, different = _judged(model, method, clear, found, y)
    seconds = clear_seconds, encrypt_seconds, compute_seconds, decrypt_seconds
    moved = len(there), len(back), None if server is None else len(server.to_bytes())
    difference = float(np.max(np.abs(found - clear)))
    return Comparison(type(_last(model)).__name__, method, len(X), metrics, different, difference, *seconds, *moved)


def _checked(model: Any, X: Any, y: Any, method: str | None) -> tuple[NDArray[Any], NDArray[Any], str]:
    """The rows, the truth and the method, or what is wrong with them."""
    if isinstance(X, EncryptedArray):
        raise EncodingError("compare encrypts the rows itself; pass the plain ones")
    if isinstance(getattr(_last(model), "coef_", None), EncryptedArray):
        raise EncodingError("compare takes a model with plain weights; pass model.decrypted(owner)")
    X, y = np.asarray(X), np.asarray(y)
    if len(X) != len(y):
        raise EncodingError(f"there are {len(X)} rows and {len(y)} values of y; give one for each row")
    found = method or next((name for name in METHODS if hasattr(model, name)), "")
    if not hasattr(model, found):
        raise EncodingError(f"{type(model).__name__} has none of {', '.join(METHODS)}; name its method=")
    return X, y, found


def _judged(
    model: Any, method: str, clear: NDArray[Any], found: NDArray[Any], y: NDArray[Any]
) -> tuple[dict[str, tuple[float, float]], int | None]:
    """The metrics of both, and how many decisions differ."""
    if not is_classifier(model):
        return {"R2": (float(r2_score(y, clear)), float(r2_score(y, found)))}, None
    scored = method != "predict"
    decisions = [_last(model).decide(scores) if scored else np.rint(scores) for scores in (clear, found)]
    of_clear, of_found = (float(accuracy_score(y, decided)) for decided in decisions)
    metrics = {"accuracy": (of_clear, of_found)}
    if scored and clear.ndim == 1 and len(np.unique(y)) == 2:
        metrics["AUC"] = float(roc_auc_score(y, clear)), float(roc_auc_score(y, found))
    return metrics, int(np.sum(decisions[0] != decisions[1]))


def _last(model: Any) -> Any:
    return model[-1] if isinstance(model, Pipeline) else model


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = perf_counter()
    result = work()
    return perf_counter() - start, result
