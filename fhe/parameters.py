"""Parameter sets: the ring, the modulus chain, the special primes; checked once, when they are made.

A *level* is a group of primes: one of at most 50 bits, or two for an entry of 51 … 100 bits. Level 0 is the base.
Rescaling from level l divides by q_l, the product of that level's primes. A set that cannot be secure, or cannot
work, cannot be constructed; `fhe.choice` finds sets, this module judges them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from operator import index
from typing import Any, ClassVar, Self

from fhe.costs import WORD_BITS, key_bytes
from fhe.errors import FormatError, LevelError, ParameterError
from fhe.form import check_form
from fhe.moduli import LARGEST_LEVEL_BITS, check_bits, check_degree, check_primes, derived_primes, log2_product, runs
from fhe.primes import is_prime
from fhe.security import SECURITY_LEVELS, SecurityReport, require_secure, security_level

LARGEST_PLAIN_BITS = WORD_BITS
LONGEST_REASON = 200
DIGIT_SLACK_BITS = 1.0
DRIFT_BITS = 1.0
LARGEST_SCALE_BITS = LARGEST_LEVEL_BITS + 4  # a scale is within DRIFT_BITS of its levels, and must fit a double


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Parameters:
    """What both schemes share: N, the levels of Q, the special primes P, digits, and the security they have.

    ring_degree
        N, a power of two from 8 to 2^17.
    modulus_bits
        Bits of each level, base first, 20 … 100; above 50 bits a level is two primes.
    special_bits
        Bits of the special primes of key switching.
    digit
        Limbs in a key-switching digit; by default as many as keep every digit within a bit of P.
    security, quantum
        What log2(QP) is held to: 128, 192 or 256 bits, against classical or quantum attackers.
    insecure
        The reason for a set beyond the security tables. Such a set protects nothing, and its repr says so.
    levels, special
        The primes themselves, instead of bits; by default the largest of each size that are 1 mod 2N.
    """

    scheme: ClassVar[str] = ""
    form: ClassVar[Mapping[str, type]] = {
        "scheme": str,
        "ring_degree": int,
        "levels": list,
        "special": list,
        "digit": int,
        "security": int,
        "quantum": int,
        "insecure": str,
    }

    ring_degree: int
    modulus_bits: Sequence[int] = ()
    special_bits: Sequence[int] = ()
    digit: int = 0
    security: int = 128
    quantum: bool = False
    insecure: str | None = None
    levels: tuple[tuple[int, ...], ...] = ()
    special: tuple[int, ...] = ()
    _moduli: tuple[int, ...] = field(init=False, compare=False, default=())
    _limbs: tuple[int, ...] = field(init=False, compare=False, default=())

    def __post_init__(self) -> None:
        self._check_claims()
        wanted = tuple(self.modulus_bits), tuple(self.special_bits)
        if self.levels or self.special:
            levels, special = tuple(tuple(level) for level in self.levels), tuple(self.special)
            check_primes(self.ring_degree, levels, special)
        else:
            check_bits(*wanted)
            levels, special = derived_primes(self.ring_degree, *wanted, self._unusable())
        bits = tuple(math.prod(level).bit_length() for level in levels), tuple(p.bit_length() for p in special)
        if any(wanted) and (self.levels or self.special) and wanted != bits:
            raise ParameterError(f"the primes given have {bits} bits, not {wanted}: give primes or bits, not both")
        self._set(levels=levels, special=special, modulus_bits=bits[0], special_bits=bits[1])
        self._set(_moduli=tuple(chain(*levels)), _limbs=tuple(accumulate(map(len, levels))))
        self._set(digit=self._checked_digit(), quantum=bool(self.quantum))
        self._check_scheme()
        if not self.insecure:
            require_secure(self.ring_degree, self.log_qp, self.security, self.quantum)

    def _set(self, **fields: object) -> None:
        """Complete a frozen object while it is being made."""
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def _check_claims(self) -> None:
        self._set(**{name: index(getattr(self, name)) for name, kind in self.form.items() if kind is int})
        check_degree(self.ring_degree)
        if self.security not in SECURITY_LEVELS:
            raise ParameterError(f"security must be 128, 192 or 256 bits, not {self.security}")
        reason = self.insecure
        if reason is not None and not (reason.strip() and reason.isprintable() and len(reason) <= LONGEST_REASON):
            raise ParameterError(f"insecure= takes a reason of 1 to {LONGEST_REASON} printable characters, or None")

    def _unusable(self) -> int:
        """A number whose prime factors must not occur in Q."""
        return 1

    def _check_scheme(self) -> None:
        """Raise ParameterError unless the chain fits the scheme; fill in what follows from it."""

    # --- the chain ---------------------------------------------------------------------------------------------

    @property
    def max_level(self) -> int:
        """The level of a fresh ciphertext: one less than the number of levels."""
        return len(self.levels) - 1

    def limbs(self, level: int) -> int:
        """The number of primes of Q_l."""
        if not 0 <= level <= self.max_level:
            raise LevelError(f"level {level} is outside 0 … {self.max_level} of this chain; choose more depth")
        return self._limbs[level]

    def moduli(self, level: int | None = None) -> tuple[int, ...]:
        """The primes of Q_l, base first; of the whole Q without a level."""
        return self._moduli if level is None else self._moduli[: self.limbs(level)]

    def digits(self, level: int) -> tuple[tuple[int, ...], ...]:
        """The primes of each key-switching digit at a level."""
        moduli = self.moduli(level)
        return tuple(moduli[start : start + self.digit] for start in range(0, len(moduli), self.digit))

    def log_modulus(self, level: int) -> float:
        """log2 Q_l."""
        return log2_product(self.moduli(level))

    @property
    def log_q(self) -> float:
        """log2 Q."""
        return log2_product(self._moduli)

    @property
    def log_p(self) -> float:
        """log2 P."""
        return log2_product(self.special)

    @property
    def log_qp(self) -> float:
        """log2(QP), what security depends on."""
        return log2_product(self._moduli + self.special)

    def _checked_digit(self) -> int:
        limbs = len(self._moduli)
        if not 0 <= self.digit <= limbs:
            raise ParameterError(f"a digit holds from 1 to {limbs} limbs, which is all of Q, not {self.digit}")
        room = self.log_p + DIGIT_SLACK_BITS
        fitting = (digit for digit in range(1, limbs + 1) if self._largest_digit(digit) <= room)
        return self.digit or max(fitting, default=1)

    def _largest_digit(self, digit: int) -> float:
        """log2 of the largest product of a digit's primes."""
        starts = range(0, len(self._moduli), digit)
        return max(log2_product(self._moduli[start : start + digit]) for start in starts)

    # --- security ----------------------------------------------------------------------------------------------

    @property
    def security_bits(self) -> int:
        """The tabulated security that this set has: 256, 192, 128, or 0."""
        return security_level(self.ring_degree, self.log_qp, self.quantum)

    @property
    def is_secure(self) -> bool:
        """Whether the set has the security that was asked for."""
        return self.security_bits >= self.security

    def security_report(self) -> SecurityReport:
        """The tables that judge this set, row by row, with the source of each: print it, or take its `to_dict`.

        >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
        >>> p.security_report().bits
        {'classical': 128, 'quantum': 0}
        """
        return SecurityReport(self.ring_degree, self.log_qp, self.security, self.quantum, self.insecure)

    # --- identity and transport --------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """A digest of all the numbers that define the set (the reason of an insecure one is no number)."""
        numbers = {name: value for name, value in self.to_dict().items() if name != "insecure"}
        return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The set as plain integers, strings and lists of integers, for storage."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in self.form if name not in ("levels", "special")}
        lists = {"levels": [list(level) for level in self.levels], "special": list(self.special)}
        return plain | lists | {"quantum": int(self.quantum), "insecure": self.insecure or ""}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """The set that `to_dict` described; every claim is checked before any work that depends on it.

        Raises FormatError for data of another form, ParameterError for numbers that make no parameter set.
        """
        kinds: tuple[Any, ...] = (CKKSParameters, BFVParameters, *BFVParameters.__subclasses__())
        named = {kind.scheme: kind for kind in kinds if issubclass(kind, cls)}
        scheme = data.get("scheme") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(scheme, str) or scheme not in named:
            raise FormatError(f"a parameter set is a dictionary whose scheme is one of {', '.join(named)}")
        kind = named[scheme]
        check_form(data, kind.form)
        values = {name: value for name, value in data.items() if name != "scheme"}
        values |= {"levels": tuple(map(tuple, data["levels"])), "special": tuple(data["special"])}
        made: Self = kind(**kind.parsed(values | {"insecure": data["insecure"] or None}))
        return made

    @staticmethod
    def parsed(values: dict[str, Any]) -> dict[str, Any]:
        """Constructor arguments from the plain values of `to_dict`."""
        return values

    # --- text --------------------------------------------------------------------------------------------------

    def _scheme_text(self) -> str:
        return ""

    def _security_text(self) -> str:
        if not self.is_secure:
            return f"INSECURE: {self.insecure}"
        reason = f" by its size; {self.insecure}" if self.insecure else ""
        return f"{self.security_bits}-bit security{' against quantum attackers' if self.quantum else ''}{reason}"

    def __repr__(self) -> str:
        sizes = f"log2(QP)={self.log_qp:.1f} from {runs(self.modulus_bits)} | {runs(self.special_bits)}"
        parts = (f"N={self.ring_degree}", sizes, f"digit={self.digit}", self._scheme_text(), self._security_text())
        return f"{type(self).__name__}({', '.join(parts)})"

    def summary(self) -> str:
        """A few lines for people: what the set is, and what a key of it weighs."""
        limbs = len(self._moduli)
        size = key_bytes(self.ring_degree, limbs, len(self.special), self.digit) / 2**20
        primes, digits = _counted(limbs, "prime"), _counted(math.ceil(limbs / self.digit), "digit")
        return (
            f"{self.scheme.upper()}, N = {self.ring_degree}, {self._scheme_text()}, {self._security_text()}\n"
            f"  levels in bits, base first: {runs(self.modulus_bits)} ({primes}, log2(Q) = {self.log_q:.1f})\n"
            f"  special primes in bits: {runs(self.special_bits)} (log2(QP) = {self.log_qp:.1f})\n"
            f"  key switching: {digits} of {_counted(self.digit, 'prime')}, {size:.1f} MiB a key"
        )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count > 1)}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CKKSParameters(Parameters):
    """Approximate numbers: a chain whose every level has its own exact scale.

    scale_bits
        log2 of the scale at level 0, and within a bit of it at every level; by default the size of the top level.
    bound
        A public bound on |values|; by default the largest power of two with log2(scale * bound) + 2 bits in the base.

    The scales satisfy Delta_(l-1) = Delta_l^2 / q_l exactly (Kim, Papadimitriou, Polyakov, ePrint 2020/1118), so that
    a rescaled product at level l-1 has the very scale of that level. Going up, Delta_l = sqrt(Delta_(l-1) q_l) is a
    contraction: starting from 2^scale_bits no Delta_l leaves the range of the q_l, in whatever order they come.

    >>> p = CKKSParameters(ring_degree=2**14, modulus_bits=[46] + [40] * 6, special_bits=[43] * 3)
    >>> p.max_level, p.digit, p.slots, p.bound, p.scale(0) == 2.0**40
    (6, 3, 8192, 16.0, True)
    """

    scheme: ClassVar[str] = "ckks"
    form: ClassVar[Mapping[str, type]] = {**Parameters.form, "scale_bits": int, "bound": str}

    scale_bits: int = 0
    bound: float = 0.0
    _scales: tuple[float, ...] = field(init=False, compare=False, default=())

    @property
    def slots(self) -> int:
        """N/2 complex numbers."""
        return self.ring_degree // 2

    def scale(self, level: int) -> float:
        """Delta_l, the scale of a settled ciphertext at a level."""
        self.limbs(level)  # raises for an impossible level
        return self._scales[level]

    def _check_scheme(self) -> None:
        base, *upper = self.modulus_bits
        scale_bits = self.scale_bits or (upper[-1] if upper else max(base - 6, 1))
        if not 1 <= scale_bits < min(self.log_q - 1, LARGEST_SCALE_BITS):
            raise ParameterError(
                f"a scale of 2^{scale_bits} does not fit a level, or log2(Q) = {self.log_q:.1f}; lower scale_bits"
            )
        bound = self.bound or 2.0 ** (base - 2 - scale_bits)
        if not (0 < bound < math.inf and scale_bits + math.log2(bound) < self.log_q - 1):
            raise ParameterError(
                f"values up to {bound:g} at scale 2^{scale_bits} do not fit log2(Q) = {self.log_q:.1f}; lower either"
            )
        self._set(scale_bits=scale_bits, bound=float(bound))
        quotients = map(math.prod, self.levels[1:])
        scales = accumulate(quotients, lambda scale, q: math.sqrt(scale * q), initial=2.0**scale_bits)
        self._set(_scales=tuple(scales))
        self._check_drift()
        self._check_digit_fits()

    def _check_drift(self) -> None:
        for level, scale in enumerate(self._scales):
            if abs(math.log2(scale) - self.scale_bits) > DRIFT_BITS:
                raise ParameterError(
                    f"level {level} has {self.modulus_bits[level]} bits, which would move its scale to "
                    f"2^{math.log2(scale):.2f}, more than {DRIFT_BITS:g} bit from 2^{self.scale_bits}; give the levels "
                    f"above the base {self.scale_bits} bits each, or another scale_bits"
                )

    def _check_digit_fits(self) -> None:
        largest = self._largest_digit(self.digit)
        if largest > self.log_p + DIGIT_SLACK_BITS:
            raise ParameterError(
                f"P has {self.log_p:.1f} bits, a digit of {self.digit} limbs {largest:.1f}: key switching would drown "
                f"the message; give special_bits of {math.ceil(largest)} bits in all, or a smaller digit"
            )

    def to_dict(self) -> dict[str, Any]:
        """The set as plain integers, strings and lists of integers, for storage."""
        return Parameters.to_dict(self) | {"bound": self.bound.hex()}

    @staticmethod
    def parsed(values: dict[str, Any]) -> dict[str, Any]:
        """Constructor arguments from the plain values of `to_dict`."""
        try:
            return values | {"bound": float.fromhex(values["bound"])}
        except (ValueError, OverflowError) as error:
            raise FormatError("the bound of a parameter set must be a hexadecimal floating-point number") from error

    def _scheme_text(self) -> str:
        return f"scale 2^{self.scale_bits}, {self.slots} slots, values up to {self.bound:g}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BFVParameters(Parameters):
    """Exact integers modulo t.

    plain_modulus
        t, from 2 to 2^50, without a common factor with Q. Prime and 1 mod 2N, it makes N slots (batching).

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> p.batching, p.slots, p.max_level
    (True, 8192, 3)
    """

    scheme: ClassVar[str] = "bfv"
    form: ClassVar[Mapping[str, type]] = {**Parameters.form, "plain_modulus": int}

    plain_modulus: int

    @property
    def batching(self) -> bool:
        """Whether the integers mod t are N independent slots."""
        return self.plain_modulus % (2 * self.ring_degree) == 1 and is_prime(self.plain_modulus)

    @property
    def slots(self) -> int:
        """N integers: slots, or without batching the coefficients."""
        return self.ring_degree

    def _unusable(self) -> int:
        return self.plain_modulus

    def _check_claims(self) -> None:
        Parameters._check_claims(self)
        if not 2 <= self.plain_modulus <= 1 << LARGEST_PLAIN_BITS:
            raise ParameterError(
                f"the plain modulus must be from 2 to 2^{LARGEST_PLAIN_BITS}, not {self.plain_modulus}; wider integers "
                "take several plain moduli"
            )

    def _check_scheme(self) -> None:
        t = self.plain_modulus
        for q in self._moduli:
            if t % q == 0:
                raise ParameterError(f"plain modulus {t} shares the factor {q} with Q; give one that is coprime to Q")
        if self.log_q < math.log2(t) + 2:
            raise ParameterError(f"log2(Q) = {self.log_q:.1f} cannot hold plain modulus {t}; give more levels")

    def _scheme_text(self) -> str:
        return f"t = {self.plain_modulus}, {self.slots} {'slots' if self.batching else 'coefficients (no batching)'}"
