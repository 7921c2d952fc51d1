"""``fhe demo``: the two parties of `fhe.examples.private_prediction`, checked, measured, and set beside plain NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from fhe.examples.private_prediction import FEATURE_BOUND, Array, Client, Server, Split, breast_cancer
from fhe.measure import bytes_text, median_us, time_text
from fhe.ml import LogisticRegression
from fhe.security import SOURCE

REFERENCE_RING = 256
REFERENCE_REASON = "a ring small enough for Python integers"
LARGEST_DIFFERENCE = 1e-4
MEASURING = 7


@dataclass(frozen=True, slots=True)
class Row:
    """Median microseconds of one operation, encrypted and plain (None where plain numbers have no such thing)."""

    operation: str
    encrypted_us: float
    plain_us: float | None

    @property
    def slower(self) -> float | None:
        """How many times."""
        return None if self.plain_us is None else self.encrypted_us / self.plain_us


@dataclass(frozen=True, slots=True)
class Result:
    """All that the demonstration found."""

    backend: str
    target: str
    samples: int
    features: int
    feature_bound: float
    accuracy_clear: float
    accuracy_encrypted: float
    same_predictions: bool
    largest_score: float
    largest_score_difference: float
    parameters: dict[str, Any]
    summary: str
    security_bits: int
    insecure: str | None
    key_bytes: int
    request_bytes: int
    reply_bytes: int
    rows: list[Row]

    @property
    def agrees(self) -> bool:
        """Are the encrypted answers those of the clear model?"""
        return self.same_predictions and self.largest_score_difference < LARGEST_DIFFERENCE

    def to_dict(self) -> dict[str, Any]:
        """For `json.dumps`."""
        rows = [asdict(row) | {"slower": row.slower} for row in self.rows]
        return asdict(self) | {"rows": rows, "agrees": self.agrees}


def run(backend: str, samples: int | None = None, progress: bool = True) -> Result:
    """Train in the clear, score encrypted, compare, measure. ``samples`` limits how many are scored."""
    with _steps(6 + MEASURING, progress) as step:
        step("learning in the clear")
        data = breast_cancer(samples)
        model = LogisticRegression().fit(data.train, data.train_labels)
        step("making keys")
        small = {"ring_degree": REFERENCE_RING, "insecure": REFERENCE_REASON} if backend == "reference" else {}
        client = Client(model.rotations(), model.value_bound(FEATURE_BOUND), backend=backend, **small)
        step("publishing keys")
        published = client.published()
        server = Server(model, published, backend)
        step("encrypting")
        request = client.request(data.test)
        step("scoring")
        reply = server.reply(request)
        step("decrypting")
        scores = client.scores(reply)
        rows = _measure(data, client, server, request, step)
    sizes: dict[str, Any] = {"key_bytes": len(published), "request_bytes": len(request), "reply_bytes": len(reply)}
    return Result(**_compared(data, model, scores), **_described(client), **sizes, rows=rows)


def _compared(data: Split, model: LogisticRegression, scores: Array) -> dict[str, Any]:
    """What the scores that came back decrypted are worth, beside those of the clear model."""
    clear = model.decision_function(data.test)
    found, expected = (model.classes_[(s > 0).astype(np.intp)] for s in (scores, clear))
    return {
        "samples": len(data.test),
        "features": data.test.shape[1],
        "feature_bound": FEATURE_BOUND,
        "accuracy_clear": float(np.mean(expected == data.test_labels)),
        "accuracy_encrypted": float(np.mean(found == data.test_labels)),
        "same_predictions": bool(np.array_equal(found, expected)),
        "largest_score": float(np.max(np.abs(clear))),
        "largest_score_difference": float(np.max(np.abs(scores - clear))),
    }


def _described(client: Client) -> dict[str, Any]:
    """What computed, under which parameters."""
    parameters, backend = client.owner.parameters, client.owner.chain.backend
    return {
        "backend": backend.name,
        "target": backend.target,
        "parameters": parameters.to_dict(),
        "summary": parameters.summary(),
        "security_bits": parameters.security_bits,
        "insecure": parameters.insecure,
    }


# --- measuring ---------------------------------------------------------------------------------------------------


def _measure(data: Split, client: Client, server: Server, request: bytes, step: Callable[[str], None]) -> list[Row]:
    """The operations of the scheme on one ciphertext and on as many numbers, and the whole prediction."""
    owner, evaluator = client.owner, client.owner.evaluator
    slots = evaluator.slots
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, slots))
    (x,), (y,) = (owner.encrypt(numbers, bound=1.0).shards for numbers in (a, b))
    product = evaluator.multiply(x, y)
    evaluator.relinearize(evaluator.rotate(product, 1))  # makes the owner's keys before anything is timed
    model, loaded, count = server.model, server.context.load(request), len(data.test)

    def timed(name: str, encrypted: Callable[[], object], plain: Callable[[], object] | None) -> Row:
        step(f"measuring: {name}")
        return Row(name, median_us(encrypted), None if plain is None else median_us(plain))

    weights, intercept = np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])

    def scored() -> Array:
        return data.test @ weights + intercept

    batch = timed(f"Predict {count} samples", lambda: model.decision_function(loaded).settled(), scored)
    return [
        timed(f"Add {slots} slots", lambda: evaluator.add(x, y), lambda: a + b),
        timed(f"Multiply {slots} slots", lambda: evaluator.multiply(x, y), lambda: a * b),
        timed("Relinearize the product", lambda: evaluator.relinearize(product), None),
        timed(f"Rotate {slots} slots", lambda: evaluator.rotate(x, 1), lambda: np.roll(a, -1)),
        batch,
        Row("Predict, per sample", batch.encrypted_us / count, (batch.plain_us or 0.0) / count),
        timed("Predict, bytes to bytes", lambda: server.reply(request), scored),
        timed("Encrypt, predict, decrypt", lambda: client.scores(server.reply(client.request(data.test))), scored),
    ]


@contextmanager
def _steps(total: int, progress: bool) -> Iterator[Callable[[str], None]]:
    """A progress bar on standard error, where that is a terminal; each call names the next step."""
    looks = "{percentage:3.0f}%|{bar:30}| {desc}"
    with tqdm(total=total, disable=None if progress else True, leave=False, bar_format=looks, mininterval=0) as bar:

        def step(text: str) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update()

        yield step


# --- text --------------------------------------------------------------------------------------------------------


def report(found: Result) -> str:
    """The result as a page for people."""
    security = f"{found.security_bits}-bit security ({SOURCE})"
    if found.insecure is not None:
        security = f"INSECURE: {found.insecure}"
    each = found.request_bytes / found.samples
    lines = [
        f"A logistic regression learnt in the clear scores {found.samples} encrypted samples of breast-cancer data:",
        f"{found.features} features, standardised and clipped at ±{found.feature_bound:g}; "
        "the server holds no secret key.",
        "",
        f"  accuracy              clear {found.accuracy_clear:.4f}   encrypted {found.accuracy_encrypted:.4f}",
        f"  scores                up to {found.largest_score:.1f}, "
        f"differ by at most {found.largest_score_difference:.1e}",
        f"  security              {security}",
        f"  computed by           {found.backend} backend, {found.target}",
        f"  client to server      keys, once: {bytes_text(found.key_bytes)}; request: {bytes_text(found.request_bytes)}"
        f" ({bytes_text(round(each))} a sample)",
        f"  server to client      reply: {bytes_text(found.reply_bytes)}",
        "",
        *found.summary.splitlines(),
        "",
        f"  {'How much slower? (medians)':<44}{'encrypted':>13}{'NumPy':>12}{'times':>10}",
        *map(_line, found.rows),
    ]
    return "\n".join(lines)


def _line(row: Row) -> str:
    plain, slower = row.plain_us, row.slower
    right = f"{'–':>12}{'–':>10}" if plain is None or slower is None else f"{time_text(plain):>12}{slower:>9,.0f}x"
    return f"  {row.operation:<44}{time_text(row.encrypted_us):>13}{right}"
