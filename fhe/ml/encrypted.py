"""A folded network for encrypted samples, in either packing, and what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fhe.arrays.array import EncryptedArray
from fhe.arrays.layout import Layout
from fhe.arrays.rearrange import indexed, joined
from fhe.costs import Run, milliseconds
from fhe.errors import EncodingError
from fhe.ml.counted import many_images, one_image
from fhe.ml.folding import SQUARE, Folded
from fhe.ml.latency import Latency, fits, planned
from fhe.ml.layers import Array
from fhe.ml.placing import Plan
from fhe.ml.throughput import Throughput
from fhe.parameters import CKKSParameters, Parameters
from fhe.programs.expected import cycles, where
from fhe.progress import steps

KEPT = 2  # computations that a model keeps its encoded weights for
PACKINGS = "latency", "throughput"


@dataclass(eq=False)
class Networks:
    """The network on whatever encrypted samples come."""

    folded: Folded
    assume: bool
    largest: float
    _made: dict[Any, Any] = field(default_factory=dict, repr=False)
    _counted: dict[Any, Run] = field(default_factory=dict, repr=False)

    def __call__(self, X: EncryptedArray) -> EncryptedArray:
        """Of one sample its result; of many, ``(n, …)``, in either packing."""
        shape, bound = self.folded.shape, max(shard.bound for shard in X.shards)
        if self.assume and bound > self.largest:
            raise EncodingError(
                f"these samples are bounded by {bound:g}, and what is assumed within this network was measured on some "
                f"up to {self.largest:g}; encrypt with bound={self.largest:.3g} or less"
            )
        if X.shape == shape or tuple(n for n in X.shape if n > 1) == tuple(n for n in shape if n > 1):
            return self._alone(X)
        if X.shape[1:] != shape and (1, *X.shape[1:]) != shape:
            raise EncodingError(
                f"this network is for samples of shape {shape}, one alone or many (n, …), got {X.shape}; plain ones "
                "are reshaped before they are encrypted"
            )
        slots, strides = X.layout.slots, X.layout.strides
        if X.shape[0] == 1 or strides[0] % slots == 0:
            return _stacked([self._alone(indexed(X, index)) for index in steps(range(len(X)), "samples")])
        if all(stride % slots == 0 for stride in strides[1:]):
            return Throughput(X.evaluator, self.folded, self.assume)(X)
        raise EncodingError(
            "several samples share a ciphertext, which no packing of networks does; encrypt many samples with batch=0, "
            "or each alone and np.stack them, or leave it to model.encrypt(context, X)"
        )

    def plan(self, parameters: Parameters, apart: bool = False) -> Plan:
        """How one sample is computed that was encrypted in its own shape; ``apart`` where weights are encrypted."""
        folded = replace(self.folded, apart=True) if apart else self.folded
        return planned(folded, _own_layout(folded, parameters), parameters)

    def encode(self, context: Any) -> None:
        """Weights for one sample, now."""
        layout = _own_layout(self.folded, context.parameters)
        self._latency(context.evaluator, layout).encode()

    def encrypt(self, context: Any, X: Array, bound: float, packing: str | None) -> EncryptedArray:
        """Samples in the packing that costs least, or the one that is asked for."""
        if packing not in (None, *PACKINGS):
            raise EncodingError(f"packings are {' and '.join(PACKINGS)}, not {packing!r}")
        if (packing or self.cheapest(context.parameters, len(X))) == "throughput":
            encrypted: EncryptedArray = context.encrypt(X, bound=bound, batch=0)
            return encrypted
        return _stacked([context.encrypt(x, bound=bound) for x in X])

    def cheapest(self, parameters: Parameters, count: int) -> str:
        """The packing that computes so many samples sooner."""
        return min(PACKINGS, key=lambda packing: self.cycles(parameters, count, packing))

    def cycles(self, parameters: Parameters, count: int, packing: str) -> float:
        """Of so many samples in a packing, by the model of `fhe.costs`, one after the other, weights encoded before."""
        turns = count if packing == "latency" else -(-count // (parameters.ring_degree // 2))
        return turns * cycles(self.run(parameters, packing))

    def run(self, parameters: Parameters, packing: str) -> Run:
        """What one sample, or as many as there are slots, ask for; counted once."""
        assert isinstance(parameters, CKKSParameters)
        key = parameters.id, packing
        if key not in self._counted:
            if packing == "latency":
                run = one_image(self.folded, _own_layout(self.folded, parameters), parameters)
            else:
                run = many_images(self.folded, parameters)
            self._counted[key] = run
        return self._counted[key]

    # --- inside -------------------------------------------------------------------------------------------------------

    def _alone(self, x: EncryptedArray) -> EncryptedArray:
        x = x if fits(x.layout) else x.relaid_fresh(x.shape)
        return self._latency(x.evaluator, x.layout)(x)

    def _latency(self, evaluator: Any, layout: Layout) -> Latency:
        """Kept for the next sample, with its encoded weights; the evaluator with it, so that its id stays its own."""
        key = id(evaluator), layout
        if key not in self._made:
            while len(self._made) >= KEPT:
                del self._made[next(iter(self._made))]
            self._made[key] = Latency(evaluator.lazy(), self.folded, layout, self.assume), evaluator
        made: Latency = self._made[key][0]
        return made


def _stacked(parts: Sequence[EncryptedArray]) -> EncryptedArray:
    whole: EncryptedArray = joined(np.stack, list(parts))
    return whole


def _own_layout(folded: Folded, parameters: Parameters) -> Layout:
    """As one sample is encrypted in its own shape."""
    return Layout.of(folded.shape, parameters.ring_degree // 2)


def explained(networks: Networks, parameters: Parameters, count: int, reaches: Sequence[float]) -> str:
    """For people: what was folded, how either packing computes it, and which is chosen for so many samples.

    ``reaches`` are what enters activations at most, as it is assumed.
    """
    folded, plan = networks.folded, networks.plan(parameters)
    lines = [f"{len(folded.maps)} matrices, {folded.depth} levels, samples of shape {folded.shape}; {parameters!r}"]
    for index, (affine, step) in enumerate(zip(folded.maps, plan.steps, strict=True)):
        m, n = affine.matrix.shape
        what = "side by side" if step.places.grid is None else "on the grid of the image"
        rotations = len(step.schedule.rotations)
        lines.append(
            f"  level {step.level}: {m} x {n}, {len(step.diagonals.steps)} diagonals by {rotations} rotations, "
            f"result {what}, {milliseconds(step.schedule.cycles):.1f} ms"
        )
        if index < len(folded.polynomials):
            p = folded.polynomials[index]
            lines.append("  square" if p is SQUARE else f"  polynomial of degree {p.degree()} on [-1, 1]")
    listed = ", ".join(f"{reach:.3g}" for reach in reaches)
    proved = "" if networks.assume else "; of squares nothing is, their bounds are tracked"
    lines.append(f"  assumed of what enters activations: at most {listed}{proved}")
    chosen = networks.cheapest(parameters, count)
    lines.append(f"  predicted times, when repeated, weights encoded before; {where()}")
    for packing in PACKINGS:
        total = milliseconds(networks.cycles(parameters, count, packing))
        mark = " <- chosen" if packing == chosen else ""
        lines.append(f"  {packing:<12}about {total:,.0f} ms for {count}, {total / count:,.2f} ms each{mark}")
    return "\n".join(lines)
