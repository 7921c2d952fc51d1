"""What circuits ask of a scheme: the operations that BFV and CKKS have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.interval import Bound
from fhe.ring.poly import CoeffPoly
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext, Factors, Plaintext
from fhe.rlwe.public import Encryption, EvaluationKeys


class Evaluator(Protocol):
    """Slot by slot arithmetic on ciphertexts, and rotations of rows of slots. Operands are never changed."""

    chain: ModulusChain
    keys: EvaluationKeys

    def lazy(self) -> Evaluator:
        """The evaluator that settles no product before it must: this one, unless it is eager (CKKS)."""
        ...

    @property
    def slots(self) -> int:
        """Values in one ciphertext."""
        ...

    @property
    def row(self) -> int:
        """Slots that rotate among themselves: N/2 in both schemes (BFV has two rows)."""
        ...

    def promise(self, bound: Bound, dtype: np.dtype[Any]) -> Any:
        """What a caller promises of values to be encrypted, as `admit` and `encode` take it."""
        ...

    def admit(self, values: NDArray[Any], bound: Any) -> tuple[NDArray[Any], Any]:
        """Values in the scheme's dtype, and the public bound that they keep; or EncodingError."""
        ...

    def encode(self, slots: NDArray[Any], level: int, bound: Any) -> Plaintext:
        """The plaintext of one ciphertext's slots, to be encrypted."""
        ...

    def decode(self, phase: CoeffPoly, x: Ciphertext) -> NDArray[Any]:
        """The slots of the decryption phase of x."""
        ...

    def fresh_noise(self, encryption: Encryption, bound: Any, level: int) -> dict[str, Any]:
        """What a new encryption of values up to ``bound`` at a level says of its noise."""
        ...

    def precision_bits(self, x: Ciphertext) -> float:
        """Bits after the binary point that are right (CKKS); infinite where arithmetic is exact (BFV)."""
        ...

    def expected_precision_bits(self, x: Ciphertext) -> float:
        """The same for the error that is usual: an estimate, where `precision_bits` is a bound."""
        ...

    def room_bits(self, x: Ciphertext) -> float:
        """Bits that the noise (BFV) or the values (CKKS) may still grow before a result would be refused."""
        ...

    def products_left(self, x: Ciphertext) -> int:
        """How many products in a row x still allows, each with a factor like what it is multiplied with."""
        ...

    def result_type(self, dtype: np.dtype[Any], other: np.dtype[Any]) -> np.dtype[Any]:
        """The dtype of a result of operands of these dtypes; EncodingError if the scheme cannot hold it."""
        ...

    def add(self, x: Ciphertext, y: Ciphertext) -> Ciphertext: ...

    def either(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x + y of which at most one is not zero in each slot: no value is beyond what it may be in one of them."""
        ...

    def sub(self, x: Ciphertext, y: Ciphertext) -> Ciphertext: ...

    def negate(self, x: Ciphertext) -> Ciphertext: ...

    def add_plain(self, x: Ciphertext, values: ArrayLike) -> Ciphertext: ...

    def multiply(self, x: Ciphertext, y: Ciphertext) -> Ciphertext: ...

    def square(self, x: Ciphertext) -> Ciphertext: ...

    def multiply_plain(self, x: Ciphertext, values: ArrayLike | Plaintext) -> Ciphertext: ...

    def settle(self, x: Ciphertext) -> Ciphertext:
        """Do what a product left pending (relinearisation, rescaling)."""
        ...

    def settled_level(self, x: Ciphertext) -> int:
        """The level that `settle` leads to, without doing it."""
        ...

    def rotate(self, x: Ciphertext, step: int) -> Ciphertext:
        """Every row as ``np.roll(row, -step)``."""
        ...

    def rotations(self, x: Ciphertext, steps: Sequence[int]) -> list[Ciphertext]:
        """x rotated by each step, sharing one decomposition (hoisting)."""
        ...

    # What a linear circuit over P*Q asks (`fhe.rlwe.extended`): its plaintexts, and the noise of what it does.

    def encode_factors(
        self,
        vectors: NDArray[Any],
        level: int,
        gains: tuple[float, float],
        copies: int = 1,
        scale: float | None = None,
        /,
    ) -> Factors:
        """Slots ``(count, row)`` as plaintexts over P*Q_level, for a sum of products of which so many are then added.

        Vectors that repeat through the row may be given by one period, a power of two. ``gains`` say how much values
        grow in all of that: the largest, and independent ones in root mean square. ``scale`` is for CKKS, where it is
        the level's by default.
        """
        ...

    def noise_of(self, x: Ciphertext) -> Any:
        """The noise of a ciphertext, as the next three take and give it."""
        ...

    def summed_noise(self, *noises: Any) -> Any:
        """Of a sum of ciphertexts with these noises."""
        ...

    def switched_noise(self, noise: Any, level: int, times: int, /) -> Any:
        """Of ciphertexts with this noise in all, after so many key switchings of any of them."""
        ...

    def weighted_noise(self, x: Ciphertext, noise: Any, factors: Factors, /) -> Any:
        """Of the sum of the products of factors and terms, each term with x's bound and scale, and this noise."""
        ...

    def forecast(
        self, x: Ciphertext, noise: Any, sums: tuple[NDArray[Any], NDArray[Any]], scale: float = 1.0, /
    ) -> Ciphertext:
        """x with the metadata of a linear map of it: its scale times ``scale``, and this noise before it is lowered.

        ``sums`` are those of the positive and of the negative entries that make a slot, for every slot that counts. In
        CKKS a map with a scale, or of a product of degree 2, is rescaled too. Raises, before any work, what the result
        would be refused for.
        """
        ...

    def swap(self, x: Ciphertext) -> Ciphertext:
        """BFV: the two rows exchanged. CKKS: conjugated."""
        ...
