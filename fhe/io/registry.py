"""Who reads and writes what: formats are registered here from outside, so that objects do not know theirs."""

from __future__ import annotations

from functools import singledispatch
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from fhe.errors import MissingKeyError
from fhe.io.format import Container


class Identified(Protocol):
    """Anything that says which it is."""

    @property
    def id(self) -> str: ...


class Holder(Protocol):
    """A context: what computes on the arrays of one key."""

    @property
    def parameters(self) -> Identified: ...

    @property
    def key_id(self) -> bytes: ...

    @property
    def evaluator(self) -> Any: ...


H = TypeVar("H", bound=Holder)

_installed: WeakValueDictionary[tuple[str, bytes], Any] = WeakValueDictionary()


@singledispatch
def to_container(thing: object) -> Container:
    """The container of an object whose codec was registered, large sections to be made when they are written.

    TypeError for any other object.
    """
    raise TypeError(f"there is no format for {type(thing).__name__}")


def to_bytes(thing: object) -> bytes:
    """The bytes of `to_container`."""
    return to_container(thing).to_bytes()


def install(context: H) -> H:
    """Let this process unpickle the arrays of a context, for as long as the context lives; returns it.

    A pickled array carries the *name* of its key, not the keys: a worker process installs a context once, and keeps
    it. A second context of the same key takes the place of the first.

    >>> import fhe, pickle
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> worker = fhe.install(fhe.Context.from_bytes(owner.public().to_bytes(), "reference"))
    >>> pickle.loads(pickle.dumps(owner.encrypt([1.0, 2.0]))).evaluator is worker.evaluator
    True
    """
    _installed[context.parameters.id, context.key_id] = context
    return context


def offer(context: H) -> H:
    """`install`, unless a context of the same parameter set and key is installed already."""
    _installed.setdefault((context.parameters.id, context.key_id), context)
    return context


def resolve(parameters_id: str, key_id: bytes) -> Any:
    """The installed context of this parameter set and key, or MissingKeyError."""
    context = _installed.get((parameters_id, key_id))
    if context is None:
        raise MissingKeyError(
            f"this array belongs to key {key_id.hex()[:8]}… of parameter set {parameters_id[:8]}…, and no such context "
            "is installed in this process; give it: fhe.load(path, context), or keep one: fhe.install(context)"
        )
    return context
