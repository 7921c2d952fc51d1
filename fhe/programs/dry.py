"""Dry runs: a graph executed by the very code that will execute it, on ciphertexts without content.

What comes back is exact by construction: the level, bound and noise of every value, the keys that were used and at
which levels, how large the base of the chain must be, and how many operations of each kind there were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.arrays.array import EncryptedArray
from fhe.arrays.layout import Layout
from fhe.arrays.protocols import MOVES
from fhe.arrays.wide import WideArray, parts_of
from fhe.bfv.encoder import BFVEncoder
from fhe.bfv.evaluator import BFVEvaluator
from fhe.bfv.overflow import Claims, ValueTracker
from fhe.circuits.evaluator import Evaluator
from fhe.ckks.encoder import CKKSEncoder
from fhe.ckks.evaluator import CKKSEvaluator
from fhe.ckks.precision import encoding
from fhe.costs import Machine, encoding_bfv, encoding_ckks
from fhe.errors import FHEError
from fhe.hiding import foretold
from fhe.interval import Interval
from fhe.parameters import BFVParameters, CKKSParameters, Parameters
from fhe.programs.counting import (
    ARRANGE,
    COUNTING,
    ENCODE,
    Blank,
    BlankKey,
    Tally,
    count,
    counted,
    encoding_given,
    python,
)
from fhe.programs.graph import Graph, Node
from fhe.programs.operations import GETITEM, Compute, compute, evaluate, name_of
from fhe.programs.plain import Unknown, is_given, unwhole
from fhe.programs.spec import Spec
from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly, EvalPoly
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.keyswitch import SwitchingKey
from fhe.rlwe.public import Encryption, EvaluationKeys
from fhe.wide import parts

DRY = "a dry run, which encrypts nothing"
KEY_ID = bytes(16)
Encrypted = EncryptedArray | WideArray
ENCRYPTED = EncryptedArray, WideArray
ANY_WIDTH = 1 << 1024


class DryKeys(EvaluationKeys):
    """Every key there could be, without content."""

    __slots__ = ("asked",)

    def __init__(self, chain: ModulusChain) -> None:
        super().__init__(chain, KEY_ID)
        self.asked: set[int] = set()

    def require_relinearization(self) -> SwitchingKey:
        return self._blank(0)

    def require_galois(self, element: int) -> SwitchingKey:
        return self._blank(element)

    def holds(self, element: int) -> bool:
        return True

    def rotation_steps(self) -> None:
        return None

    def _blank(self, element: int) -> SwitchingKey:
        self.asked.add(element)
        return SwitchingKey(self.chain.top, BlankKey(element), self.chain.parameters.max_level, b"")


class DryCKKSEncoder(CKKSEncoder):
    """Encodes nothing, and notes how many bits the base level needs for what is checked against its level.

    What rounding does is measured where values are known, and else bounded.
    """

    __slots__ = ("base_bits", "unknown")

    def __init__(self, chain: ModulusChain) -> None:
        super().__init__(chain)
        self.base_bits = -math.inf
        self.unknown = False

    def polynomial(self, slots: NDArray[Any], scale: float, basis: Basis) -> CoeffPoly:
        bits = tuple(q.bit_length() for q in basis.moduli)
        count("encode", encoding_ckks, basis.ring_degree, bits, steps=ENCODE)
        return CoeffPoly(basis, cast(Any, Blank((len(basis), basis.ring_degree))))

    def rounded(self, slots: NDArray[Any], scale: float, basis: Basis) -> tuple[CoeffPoly, NDArray[np.float64]]:
        # Executed, for what rounding does; NumPy's part is counted here, the residues by the backend.
        count("encode", _rounding, 2 * slots.shape[-1], steps=ENCODE)
        poly, moved = super().rounded(slots, scale, basis)
        return poly, np.full_like(moved, encoding(self.parameters, 0.0).bound) if self.unknown else moved

    def check_room(self, level: int, scale: float, bound: float) -> None:
        above = self.chain.log_q(level) - self.chain.log_q(0)
        self.base_bits = max(self.base_bits, math.log2(scale) + math.log2(max(bound, 2.0**-300)) + 1 - above)
        super().check_room(level, scale, bound)


class WeightlessEncoder(DryCKKSEncoder):
    """Encodes nothing, and does not round weights for their noise either: where only calls are counted."""

    __slots__ = ()

    def rounded(self, slots: NDArray[Any], scale: float, basis: Basis) -> tuple[CoeffPoly, NDArray[np.float64]]:
        return self.polynomial(slots, scale, basis), np.zeros(slots.shape)


def _rounding(coefficients: int, machine: Machine) -> Any:
    """Slots to coefficients and back, by NumPy."""
    return (machine.embed + machine.unembed) * coefficients


class DryBFVEncoder(BFVEncoder):
    """Encodes on the default backend, for the noise of products with plaintexts, and gives nothing."""

    def __init__(self, chain: ModulusChain, wrapping: bool) -> None:
        super().__init__(chain)
        self.modulus = self.modulus if wrapping else ANY_WIDTH

    def message(self, values: ArrayLike, factor: int = 1) -> NDArray[np.int64]:
        count("encode", encoding_bfv, self.slots, (), steps=ENCODE)
        return _plain_encoder(self.parameters).message(np.asarray(values) % self.t, factor)


@lru_cache(maxsize=16)
def _plain_encoder(parameters: BFVParameters) -> BFVEncoder:
    return BFVEncoder(ModulusChain.of(parameters))


class Widest(ValueTracker):
    """Intervals as they are, however wide, and the widest of them."""

    __slots__ = ("seen",)
    seen: list[int]

    def __init__(self, parameters: BFVParameters) -> None:
        super().__init__(parameters, ANY_WIDTH)
        object.__setattr__(self, "seen", [0])

    def claims(self, interval: Interval, what: str) -> Claims:
        if interval.high is not None:
            self.seen[0] = max(self.seen[0], interval.high - interval.low, 2 * interval.high, -2 * interval.low)
        return super().claims(interval, what)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is publicly known of a value during a run."""

    level: int
    bound: float
    precision: float
    expected: float
    room: float
    ciphertexts: int
    nbytes: int
    calls: int


@dataclass(slots=True)
class Trial:
    """A dry run that went through: its ``outputs`` as they are made, and as they are ``sent``, perhaps hidden."""

    parameters: Parameters
    sights: dict[int, Sight]
    outputs: list[Encrypted]
    sent: list[Encrypted]
    tally: Tally
    base_bits: float
    widest: int
    asked: frozenset[int]

    @property
    def precision(self) -> float:
        """Bits after the point that are right in all outputs, once sent."""
        return min(y.precision_bits for y in self.sent)

    @property
    def lowest(self) -> int:
        """The lowest level that an output is at, once sent."""
        return min(y.level for y in self.sent)

    @property
    def bound(self) -> float:
        """The largest value that an output may have."""
        return max(float(shard.bound) for y in self.outputs for shard in y.shards)

    @property
    def cycles(self) -> float:
        """About how many a run will take, on the machine of `fhe.costs`, once plain operands are encoded."""
        return self.tally.total

    @property
    def encoding_cycles(self) -> float:
        """How many more the first run takes, which encodes them."""
        return float(self.tally.encoding.cycles())

    @property
    def encoded_bytes(self) -> int:
        """Bytes of what it encodes, about: as many as are kept for the next run."""
        return self.tally.encoded_bytes

    def key_levels(self) -> dict[int, int]:
        """The keys that are needed and the highest level of each: by Galois element, 0 for relinearisation."""
        return self.tally.key_levels(self.parameters)


class DryMachine:
    """Parameters on the counting backend, with every key."""

    def __init__(self, parameters: Parameters, wrapping: bool = True) -> None:
        self.parameters = parameters
        self.chain = ModulusChain.of(parameters, cast(Any, COUNTING))
        self.keys = DryKeys(self.chain)
        self.wrapping = wrapping

    @cached_property
    def evaluator(self) -> CKKSEvaluator | BFVEvaluator:
        if isinstance(self.parameters, CKKSParameters):
            return CKKSEvaluator(DryCKKSEncoder(self.chain), self.keys)
        evaluator = BFVEvaluator(DryBFVEncoder(self.chain, self.wrapping), self.keys)
        if not self.wrapping:
            evaluator.values = Widest(evaluator.parameters)
        return evaluator

    @cached_property
    def weightless(self) -> CKKSEvaluator:
        """One that encodes matrices at once."""
        return CKKSEvaluator(WeightlessEncoder(self.chain), self.keys)

    @cached_property
    def parts(self) -> list[DryMachine]:
        """Of wide integers a machine for each plain modulus, this one first."""
        return [self, *(DryMachine(part, self.wrapping) for part in parts(self.parameters)[1:])]

    def fresh(self, spec: Spec) -> Encrypted:
        """A new encryption of an argument, under a public key."""
        made = [part._fresh(spec) for part in self.parts]
        return made[0] if len(made) == 1 else WideArray(made)

    def _fresh(self, spec: Spec) -> EncryptedArray:
        evaluator, level = self.evaluator, self.parameters.max_level
        general: Evaluator = evaluator
        layout = Layout.of(spec.shape, evaluator.slots, evaluator.row, batch=spec.batch)
        largest = np.full(1, spec.high, dtype=object if spec.wide else spec.dtype)
        _, promised = general.admit(largest, general.promise(spec.promise, spec.dtype))
        if isinstance(evaluator, CKKSEvaluator):
            known: dict[str, Any] = {"scale": evaluator.parameters.scale(level), "bound": promised}
            evaluator.encoder.check_room(level, known["scale"], promised)
        else:
            known = dict(evaluator.values.claims(promised, "an encryption"))
        known |= general.fresh_noise(Encryption.DIVIDED, promised, level)
        basis = self.chain.q(level)
        shards = [
            Ciphertext(self.chain, (EvalPoly.zero(basis), EvalPoly.zero(basis)), level, KEY_ID, **known)
            for _ in range(layout.shards)
        ]
        return EncryptedArray(evaluator, shards, layout, spec.dtype)

    def run(self, graph: Graph, specs: Mapping[str, Spec], hide: int | None = None) -> Trial:
        """The graph on fresh arguments; FHEError for whatever these parameters do not allow.

        With ``hide`` its results are then hidden by so many statistical bits.
        """
        sights: dict[int, Sight] = {}
        kept: dict[int, Encrypted] = {}
        returned = graph.returned()
        unknown = Unknown.of(graph, specs)
        step = self._step(graph, unknown)
        inputs = {
            name: self.fresh(spec) if spec.encrypted else unknown.stand_ins[graph.nodes[graph.inputs[name]]]
            for name, spec in specs.items()
        }
        with counted() as tally:

            def watch(number: int, node: Node, value: Any) -> None:
                if isinstance(value, ENCRYPTED):
                    if node.operation in _moves():
                        count("arrange", python, steps=ARRANGE)
                    sights[number] = _sight(value, len(tally.run.calls))
                    if number in returned:
                        kept[number] = value

            evaluate(graph, inputs, watch, step)
        evaluator = self.evaluator
        base = evaluator.encoder.base_bits if isinstance(evaluator.encoder, DryCKKSEncoder) else 0.0
        widest = evaluator.values.seen[0] if isinstance(evaluator, BFVEvaluator) and not self.wrapping else 0  # type: ignore[attr-defined]
        outputs = [kept[number] for number in returned]
        with counted() as sending:
            sent = [_sent(output, hide) for output in outputs]
        tally.take_keys(sending)
        asked = frozenset().union(*(part.keys.asked for part in self.parts))
        return Trial(self.parameters, sights, outputs, sent, tally, base, widest, asked)

    def _step(self, graph: Graph, unknown: Unknown) -> Compute:
        """`steps`, with what stands for values that are not known yet."""
        real, encoder = steps(graph), self.evaluator.encoder

        def step(node: Node, operands: Sequence[Any]) -> Any:
            if node in unknown.stand_ins:
                return unknown.stand_ins[node]
            if isinstance(encoder, DryCKKSEncoder):
                encoder.unknown = any(is_given(graph.nodes[k]) for k in node.operands)
                encoding_given(encoder.unknown)
            return unknown.widened(node, real(node, operands))

        return step


def steps(graph: Graph) -> Compute:
    """`compute`, the same for all plain numbers, and with errors that say where in the function they come from."""

    def step(node: Node, operands: Sequence[Any]) -> Any:
        try:
            return compute(node, unwhole(graph, node, operands))
        except FHEError as error:
            raise type(error)(f"{error} [{node.operation} at {node.where}]") from error

    return step


@cache
def _moves() -> frozenset[str]:
    """The operations that only move elements."""
    return frozenset({GETITEM, *(name_of(function) for function in MOVES)})


def _sent(output: Encrypted, hide: int | None) -> Encrypted:
    if isinstance(output, WideArray):
        return WideArray([_sent(part, hide) for part in output.parts])
    return (output if hide is None else foretold(output, hide)).sendable()


def _sight(array: Encrypted, calls: int) -> Sight:
    x = parts_of(array)[0]  # the others are alike
    bound = max(float(shard.bound) for shard in x.shards)
    size, nbytes = (n * len(parts_of(array)) for n in (len({id(shard) for shard in x.shards}), x.nbytes))
    return Sight(x.level, bound, x.precision_bits, x.expected_precision_bits, x.room_bits, size, nbytes, calls)


@lru_cache(maxsize=64)
def fresh(parameters: Parameters, spec: Spec) -> Encrypted:
    """What a new encryption of an argument says of itself, without content."""
    return DryMachine(parameters).fresh(spec)
