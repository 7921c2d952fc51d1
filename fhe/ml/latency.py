"""One image in the slots of one ciphertext: a network with the least delay.

Every matrix is a `LinearMap` between places chosen by cost (`fhe.ml.placing`), encoded once. Where all activations are
squares, a square and the matrix after it share a level: values leave a matrix at a scale S of about half a level's
bits, their squares have S^2, and a matrix of scale q / S brings them to S again with one rescale by q.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.functions import require
from fhe.arrays.layout import Axis, Layout
from fhe.arrays.packed import A
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.matrix import LinearMap
from fhe.circuits.polynomial import evaluate_polynomial
from fhe.ml.folding import SQUARE, Folded
from fhe.ml.placing import Places, Plan, plan
from fhe.parameters import CKKSParameters, Parameters
from fhe.rlwe.ciphertext import Ciphertext

FINER_BITS = 2  # by which values are finer than half of a level: they are rounded more coarsely than weights


def value_scale(level_bits: float) -> float:
    """S, the scale of values between squares on levels of so many bits.

    >>> value_scale(44) == 2.0**24
    True
    """
    return math.exp2(level_bits / 2 + FINER_BITS)


def levels_of(network: Folded) -> list[int]:
    """The level at which each map stands when none is left at the end.

    >>> from fhe.ml.folding import Affine
    >>> one = Affine(np.eye(2), np.zeros(2), (2,))
    >>> levels_of(Folded((2,), (one, one), (SQUARE,)))
    [2, 1]
    """
    found = [network.depth]
    for levels in network.levels_between():
        found.append(found[-1] - 1 - levels)
    return found


def scales_of(network: Folded, parameters: Parameters) -> list[float | None]:
    """Of the weights of each map, for values of the scale of `value_scale`; None: that of their level."""
    assert isinstance(parameters, CKKSParameters)
    if not network.squares:
        return [None] * len(network.maps)
    scale, found = parameters.scale(network.depth), list[float | None]()
    for level in levels_of(network):
        divisor = math.prod(parameters.levels[level])
        wanted = value_scale(math.log2(divisor))
        found.append(wanted * divisor / scale)
        scale = wanted * wanted
    return found


def planned(network: Folded, layout: Layout, parameters: Parameters) -> Plan:
    """How samples of a layout will be computed, before there are keys."""
    return plan(network, places_of(layout, network), parameters, levels_of(network))


def places_of(layout: Layout, network: Folded) -> Places:
    """Where the entries of one sample lie, in one ciphertext that repeats it through the row."""
    slots = layout.window(np.arange(layout.slots)).ravel()
    return Places.of(slots, layout.repeats[0].stride if layout.repeats else layout.row, network.shape)


def fits(layout: Layout) -> bool:
    """Does a sample lie in one ciphertext, repeated through the row with a power of two or not at all?"""
    if layout.shards > 1 or len(layout.repeats) > 1 or layout.virtual:
        return False
    count, period = layout.repeats[0] if layout.repeats else (1, layout.row)
    return count * period == layout.row and period & (period - 1) == 0


@dataclass(frozen=True, eq=False)
class Latency:
    """A network for samples of one layout; ``assume`` trusts that what enters activations is at most 1."""

    evaluator: Evaluator
    network: Folded
    layout: Layout
    assume: bool

    @cached_property
    def plan(self) -> Plan:
        """The places of all vectors, and the diagonals between them."""
        return planned(self.network, self.layout, self.evaluator.chain.parameters)

    @cached_property
    def maps(self) -> tuple[LinearMap, ...]:
        """The matrices; MissingKeyError where rotation keys do not suffice."""
        scales = scales_of(self.network, self.evaluator.chain.parameters)
        return tuple(
            LinearMap(self.evaluator, [step.diagonals], level=step.level, scale=scale)
            for step, scale in zip(self.plan.steps, scales, strict=True)
        )

    def encode(self) -> None:
        """Encode all matrices now."""
        for function, step in zip(self.maps, self.plan.steps, strict=True):
            function.encode(step.level)

    def __call__(self, x: A) -> A:
        """What the network makes of one sample."""
        products = bool(self.network.polynomials)
        require(x, levels=self.network.depth, products=products, what="this network")
        made = self.run(x.shards[0])
        shape, period = self.network.maps[-1].shape, self.plan.steps[-1].places.period
        repeats = (Axis(self.layout.row // period, period),) if period < self.layout.row else ()
        return x.like([made], Layout(shape, self.layout.slots, repeats=repeats, row=self.layout.row))

    def run(self, x: Ciphertext) -> Ciphertext:
        """The same of a ciphertext."""
        evaluator = self.evaluator
        x = evaluator.settle(x).at_level(self.network.depth)
        for index, (function, offset) in enumerate(zip(self.maps, self._offsets, strict=True)):
            x = evaluator.add_plain(function(x), offset)
            if index < len(self.network.polynomials):
                p = self.network.polynomials[index]
                if self.assume or p is not SQUARE:
                    x = replace(x, bound=min(x.bound, 1.0))
                x = evaluator.square(x) if p is SQUARE else evaluate_polynomial(evaluator, x, p)
        return x

    # --- inside -------------------------------------------------------------------------------------------------------

    @cached_property
    def _offsets(self) -> list[NDArray[np.float64]]:
        """What is added after each map, in the slots of its result."""
        found = []
        for affine, step in zip(self.network.maps, self.plan.steps, strict=True):
            period = np.zeros(step.places.period)
            period[step.places.slots] = affine.offset
            found.append(np.tile(period, self.layout.row // step.places.period))
        return found
