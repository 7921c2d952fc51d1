"""A backend with some operations exchanged: what an experiment changes, without a change to the library.

The layers above know a machine by `fhe.backend.protocol` alone. An exchanged one answers that protocol, asks another
backend for all that is not exchanged, and takes apart those fused operations that contain a part which is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend, BasisHandle, Buffer, Key, Words
from fhe.errors import ParameterError

Part = Callable[..., Any]
# Fused operation -> the parts that it is made of here, when one of them is exchanged.
FUSED = {
    "key_switch": {"decompose", "key_product"},
    "switch_down": {"decompose", "key_product", "key_switch", "divide_round_sum"},
    "encrypt": {"ternary", "centred_binomial", "divide_round_eval"},
}


class Numbers(NamedTuple):
    """What a basis was made of."""

    ring_degree: int
    moduli: tuple[int, ...]
    roots: tuple[int, ...]


class Exchanged:
    """The operations of ``inner``, but for ``parts``; `exchanged` makes one."""

    def __init__(self, inner: Backend, parts: dict[str, Part]) -> None:
        self.inner = inner
        self.name = inner.name
        self.target = f"{inner.target} with another {' and '.join(sorted(parts))}"
        self._bases: dict[int, tuple[BasisHandle, Numbers]] = {}
        for name, part in parts.items():
            setattr(self, name, partial(part, self))
        for name, made_of in FUSED.items():
            if name not in parts and made_of & parts.keys():
                setattr(self, name, getattr(self, f"_{name}"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __repr__(self) -> str:
        return f"Exchanged({self.name}, {self.target})"

    # --- bases, and parts of them -----------------------------------------------------------------------------

    def basis(self, ring_degree: int, moduli: Sequence[int], roots: Sequence[int]) -> BasisHandle:
        """A basis of the other backend; what it is made of is kept, for `numbers` and `select`."""
        handle = self.inner.basis(ring_degree, moduli, roots)
        self._bases[id(handle)] = handle, Numbers(ring_degree, tuple(moduli), tuple(roots))
        return handle

    def numbers(self, basis: BasisHandle) -> Numbers:
        """The ring degree, primes and roots of a basis."""
        return self._bases[id(basis)][1]

    def select(self, basis: BasisHandle, start: int, stop: int) -> BasisHandle:
        """The basis of some of its primes."""
        found = self.numbers(basis)
        return self.basis(found.ring_degree, found.moduli[start:stop], found.roots[start:stop])

    # --- fused operations, taken apart --------------------------------------------------------------------------

    def _key_switch(
        self, basis: BasisHandle, special: int, digit: int, coeff: Buffer, evaluated: Buffer, key: Key
    ) -> tuple[Buffer, Buffer]:
        digits = self.decompose(basis, special, digit, coeff, evaluated)
        return cast(tuple[Buffer, Buffer], self.key_product(basis, digits, key))

    def _switch_down(
        self, basis: BasisHandle, special: int, digit: int, stop: int, x: Buffer, key: Key, ys: Sequence[Buffer]
    ) -> tuple[Buffer, Buffer]:
        coeff = self.intt(self.select(basis, special, len(self.numbers(basis).moduli)), x)
        halves = self.key_switch(basis, special, digit, coeff, x, key)
        divided = [
            self.divide_round_sum(basis, special, special, stop, *pair) for pair in zip(halves, ys, strict=False)
        ]
        divided += [self.divide_round_eval(basis, special, stop, half) for half in halves[len(ys) :]]
        return divided[0], divided[1]

    def _encrypt(
        self, basis: BasisHandle, special: int, b: Buffer, a: Buffer, u: Words, e0: Words, e1: Words, message: Buffer
    ) -> tuple[Buffer, Buffer]:
        limbs = len(self.numbers(basis).moduli)
        kept, small = self.select(basis, special, limbs), self.ntt(basis, self.ternary(basis, u))

        def half(key: Buffer, words: Words) -> Buffer:
            noise = self.ntt(basis, self.centred_binomial(basis, words))
            masked: Buffer = self.mul_add(basis, self.limbs(key, 0, limbs), small, noise)
            return self.divide_round_eval(basis, special, limbs, masked) if special else masked

        return self.add(kept, half(b, e0), self.ntt(kept, message)), half(a, e1)


def exchanged(backend: Backend | str | None = None, **parts: Part) -> Backend:
    """A backend (given, named, or the default) with operations of the seam exchanged, by name.

    A part is a function of the exchanged backend and the operation's own arguments. Where one is exchanged that the
    backend fuses with others, the fused operation is made of its parts, slower. For `KeyOwner(parameters, backend)`,
    `Basis.of` and whatever else takes a backend. Raises ParameterError for a name that is not an operation.

    >>> import fhe
    >>> from fhe.research import gaussian
    >>> backend = exchanged("reference", centred_binomial=gaussian(3.2))
    >>> owner = fhe.KeyOwner(fhe.ckks(1, ring_degree=64, insecure="an example").parameters, backend)
    >>> owner.decrypt(owner.encrypt([1.5]) * 2).round(3).tolist()
    [3.0]
    """
    operations = {name for name in vars(Backend) if not name.startswith("_")} - {"name", "target", "basis"}
    if unknown := parts.keys() - operations:
        raise ParameterError(f"no operation of the seam is called {min(unknown)!r}; there are {sorted(operations)}")
    inner = choose(backend) if backend is None or isinstance(backend, str) else backend
    return cast(Backend, Exchanged(inner, parts)) if parts else inner
