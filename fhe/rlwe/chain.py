"""The modulus chain: a parameter set bound to a backend."""

from __future__ import annotations

from functools import cached_property, lru_cache
from weakref import WeakValueDictionary

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.errors import LevelError
from fhe.parameters import Parameters
from fhe.ring.basis import Basis


class ModulusChain:
    """The bases Q_l and P*Q_l of every level of a parameter set.

    In P*Q_l the special primes come first, so that the basis of a lower level is a prefix: keys made at the top
    serve every level without copying.
    """

    __slots__ = ("__dict__", "__weakref__", "_log_q", "_q", "_qp", "backend", "parameters")

    def __init__(self, parameters: Parameters, backend: Backend) -> None:
        self.parameters = parameters
        self.backend = backend
        self._q: dict[int, Basis] = {}
        self._qp: dict[int, Basis] = {}
        self._log_q = [parameters.log_modulus(level) for level in range(parameters.max_level + 1)]

    @classmethod
    def of(cls, parameters: Parameters, backend: Backend | str | None = None) -> ModulusChain:
        if backend is None or isinstance(backend, str):
            backend = choose(backend)
        return _chain(parameters, backend)

    @cached_property
    def special(self) -> Basis:
        """P: the primes of key switching."""
        return self._basis(self.parameters.special)

    @cached_property
    def top(self) -> Basis:
        """P*Q at the highest level: where keys live."""
        return self.qp(self.parameters.max_level)

    def q(self, level: int) -> Basis:
        """Q_l."""
        if level not in self._q:
            self.check_level(level)
            self._q[level] = self._basis(self.parameters.moduli(level))
        return self._q[level]

    def log_q(self, level: int) -> float:
        """log2 Q_l."""
        return self._log_q[level]

    def qp(self, level: int) -> Basis:
        """P*Q_l, special primes first."""
        if level not in self._qp:
            self.check_level(level)
            self._qp[level] = self._basis((*self.parameters.special, *self.parameters.moduli(level)))
        return self._qp[level]

    def wide(self, level: int) -> Basis:
        """p*Q_l, p the first special prime: where public-key encryption happens before it is divided by p."""
        self.check_level(level)
        return self._basis((self.parameters.special[0], *self.parameters.moduli(level)))

    def level_primes(self, level: int) -> tuple[int, ...]:
        """The primes that a rescale from this level divides by."""
        self.check_level(level)
        return self.parameters.levels[level]

    def check_level(self, level: int) -> None:
        if not 0 <= level <= self.parameters.max_level:
            raise LevelError(
                f"level {level} is outside 0 … {self.parameters.max_level} of this chain; "
                "choose parameters with more depth"
            )

    def _basis(self, moduli: tuple[int, ...]) -> Basis:
        return Basis.of(self.parameters.ring_degree, moduli, self.backend)


_living: WeakValueDictionary[tuple[Parameters, Backend], ModulusChain] = WeakValueDictionary()


@lru_cache(maxsize=64)
def _chain(parameters: Parameters, backend: Backend) -> ModulusChain:
    """The one chain of a parameter set on a backend, for as long as anybody holds it: ciphertexts compare by it."""
    chain = _living.get((parameters, backend)) or ModulusChain(parameters, backend)
    _living[parameters, backend] = chain
    return chain
