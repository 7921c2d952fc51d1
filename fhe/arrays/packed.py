"""Ciphertexts with the layout of their elements: what all functions of arrays work on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Self, TypeVar

import numpy as np

from fhe.arrays.layout import Layout
from fhe.arrays.moves import carried
from fhe.arrays.plans import Cost, Held, Plan, conversion
from fhe.circuits.evaluator import Evaluator
from fhe.errors import EncodingError, ParameterError
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.routes import Routes

A = TypeVar("A", bound="Packed")
NONE: frozenset[str] = frozenset()


class Packed:
    """Ciphertexts ("shards"), where the elements lie in them, and what computes on them. Never changed.

    ``promises`` are what somebody said of values, in words, that all which is known of these rests on: `fhe.assume`.
    They do not travel: of what is received everything is somebody's word.
    """

    __slots__ = ("__weakref__", "dtype", "evaluator", "layout", "promises", "shards")

    def __init__(
        self,
        evaluator: Evaluator,
        shards: Sequence[Ciphertext],
        layout: Layout,
        dtype: np.dtype[Any],
        promises: frozenset[str] = NONE,
    ) -> None:
        self.evaluator = evaluator
        self.shards = tuple(shards)
        self.layout = layout
        self.dtype = dtype
        self.promises = promises

    # --- what is publicly known -------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.layout.shape

    @property
    def ndim(self) -> int:
        return len(self.layout.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.layout.size

    @property
    def nbytes(self) -> int:
        """Bytes of the ciphertexts in memory; one that serves several places counts once."""
        return sum({id(shard): shard.nbytes for shard in self.shards}.values())

    @property
    def key_id(self) -> bytes:
        return self.shards[0].key_id

    @property
    def level(self) -> int:
        """The level of the lowest shard, pending rescales counted as done."""
        return min(self.evaluator.settled_level(shard) for shard in self.shards)

    @property
    def levels_left(self) -> int:
        """Levels below: in CKKS products in a row, in BFV smaller moduli that results move to as noise grows."""
        return self.level

    @property
    def products_left(self) -> int:
        """Products in a row that still fit, by levels (CKKS) or by the tracked noise (BFV); needs no secret."""
        return min(self.evaluator.products_left(shard) for shard in self.shards)

    @property
    def precision_bits(self) -> float:
        """Bits after the binary point that are right, by the tracked bound; infinite in BFV."""
        return min(self.evaluator.precision_bits(shard) for shard in self.shards)

    @property
    def expected_precision_bits(self) -> float:
        """The same for the usual error, in root mean square: an estimate, and no promise."""
        return min(self.evaluator.expected_precision_bits(shard) for shard in self.shards)

    @property
    def room_bits(self) -> float:
        """Bits that noise (BFV) or values (CKKS) may still grow before results are refused, by the tracked bound."""
        return min(self.evaluator.room_bits(shard) for shard in self.shards)

    @property
    def noise_budget_bits(self) -> float:
        """BFV: `room_bits` by its usual name, log2 of Q / 2t over the bound on the noise; needs no secret.

        What is left except with probability 2^-128, hence never more than `KeyOwner.noise_budget_bits`, which measures.
        Raises ParameterError in CKKS, where noise is part of the result.
        """
        if self.evaluator.chain.parameters.scheme != "bfv":
            raise ParameterError("a noise budget is a notion of BFV; in CKKS ask for precision_bits")
        return self.room_bits

    @property
    def held(self) -> Held:
        """The steps for which there are rotation keys; None where any is made when it is needed."""
        return Routes.of(self.evaluator.keys, self.evaluator.row).held

    # --- others of the kind -----------------------------------------------------------------------------------------

    def like(self, shards: Sequence[Ciphertext], layout: Layout, dtype: np.dtype[Any] | None = None) -> Self:
        """An array of the same kind from other ciphertexts."""
        return type(self)(self.evaluator, shards, layout, self.dtype if dtype is None else dtype, self.promises)

    def resting_on(self, promises: frozenset[str]) -> Self:
        """The same array, which rests on these promises, too."""
        if promises <= self.promises:
            return self
        return type(self)(self.evaluator, self.shards, self.layout, self.dtype, self.promises | promises)

    def of_dtype(self, dtype: np.dtype[Any]) -> Self:
        """The same values, said to be of another dtype."""
        return self if dtype == self.dtype else self.like(self.shards, self.layout, dtype)

    def map(self, function: Callable[[Ciphertext], Ciphertext], layout: Layout | None = None) -> Self:
        """The function of every ciphertext; one that serves several places is computed once."""
        shards = self.shards
        if len(shards) == 1:
            return self.like((function(shards[0]),), layout or self.layout)
        known = {id(shard): function(shard) for shard in {id(shard): shard for shard in shards}.values()}
        return self.like([known[id(shard)] for shard in shards], layout or self.layout)

    def settled(self) -> Self:
        """With pending relinearisations and rescales done."""
        return self.map(self.evaluator.settle)

    def sendable(self) -> Self:
        """As arrays are sent: settled, with a place of its own for each element."""
        return (self.relaid_fresh(self.shape) if self.layout.virtual else self).settled()

    def rotatable(self) -> Self:
        """With pending relinearisations done; what is only to be rescaled is better rotated before."""
        return self.settled() if any(shard.degree > 1 for shard in self.shards) else self

    def cleaned(self) -> Self:
        """With zero padding; where the padding holds something, a mask takes it away at the price of a level."""
        if self.layout.tidy:
            return self
        self.require_slots()
        masks = self.layout.mask().astype(np.int64 if self.dtype.kind == "i" else np.float64)
        shards = [self.evaluator.multiply_plain(x, mask) for x, mask in zip(self.shards, masks, strict=True)]
        return self.like(shards, replace(self.layout, clean=True))

    def require_slots(self) -> None:
        """Raise EncodingError where there are only coefficients, on which masks and rotations do not act one by one."""
        if not getattr(self.evaluator.chain.parameters, "batching", True):
            raise EncodingError(
                "this plain modulus makes no slots, only coefficients, which stay where they are; use a prime that is "
                f"1 mod {2 * self.layout.slots}"
            )

    def relaid(self, layout: Layout) -> Self:
        """The same values in another layout, broadcast to its shape; `cost_to` says what it takes.

        Whether the result is clean is told by its own layout, not asked by this one.
        """
        if layout == self.layout:
            return self
        return self.carried(conversion(self.layout, layout, self.held))

    def relaid_fresh(self, shape: tuple[int, ...]) -> Self:
        """The same values, broadcast to a shape, as encryption would lay them; repeated only if that costs nothing."""
        fresh = self.fresh_layout(shape)
        return self.relaid(min(fresh, replace(fresh, repeats=()), key=self.cost_to))

    def carried(self, plan: Plan) -> Self:
        """What a plan makes of this array."""
        if plan.picks is None:
            self.require_slots()
        return self.like(carried(self.evaluator, plan, self.shards, self.dtype.kind), plan.result)

    def cost_to(self, layout: Layout) -> Cost:
        """The levels, rotations and masks of `relaid`, before anything is done."""
        return conversion(self.layout, layout, self.held).cost

    def fresh_layout(self, shape: tuple[int, ...]) -> Layout:
        """The layout that encryption would give an array of this shape."""
        return Layout.of(shape, self.layout.slots, self.layout.row)


def outranked(types: Iterable[type]) -> bool:
    """Is there an operand that is made of encrypted arrays, and knows better what to do?"""
    return any(map(outranks, types))


def outranks(kind: type) -> bool:
    """Is this the type of such an operand?"""
    return getattr(kind, "made_of_arrays", False) is True


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape of operands, or EncodingError."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(map(str, shapes))
        raise EncodingError(f"shapes {listed} do not broadcast; from the last axis on they must match") from None
