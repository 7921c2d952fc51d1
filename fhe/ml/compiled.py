"""`compile` of what learns: the smallest secure parameters for its steps, just the keys they take, and what it costs.

The very code that learns runs once on ciphertexts without content (`fhe.programs.dry`), with rotations by powers of two
alone, so that keys stay few: levels, noise bounds, keys and counts of operations are those of the real run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from fhe.arrays.show import counted as number_of
from fhe.arrays.show import size
from fhe.choice import DEEPEST, choose_bfv, choose_ckks
from fhe.costs import key_bytes, milliseconds
from fhe.errors import EncodingError, NoiseError, ParameterError, ScaleError, ValueOverflowError
from fhe.ml.base import ENCRYPTED
from fhe.owner import KeyOwner
from fhe.parameters import Parameters
from fhe.programs import expected
from fhe.programs.choice import Demand
from fhe.programs.counting import Tally, counted
from fhe.programs.dry import DryKeys, DryMachine
from fhe.programs.spec import Spec
from fhe.rlwe.automorphism import power_of_two_steps, rotation_elements, swap_element
from fhe.security import LARGEST_LOG_N
from fhe.wide import parts

SCALES = range(32, 46)  # bits
ROOM = 12  # bits of the base above the scale, to begin with
ROOMY, HALF_A_BIT, MOST_TRIALS = 58, 0.5, 24
MORE_DEPTH, MORE_BITS, ALTERNATIVES = 8, 6, 3

Run = Callable[["Machine"], None]


class FewKeys(DryKeys):
    """Keys without content, of rotations by powers of two in both directions."""

    def holds(self, element: int) -> bool:
        N = self.chain.parameters.ring_degree
        return element in {swap_element(N), *rotation_elements(self.rotation_steps(), N)}

    def rotation_steps(self) -> list[int]:  # type: ignore[override]
        row = self.chain.parameters.ring_degree // 2
        return sorted({sign * step for step in power_of_two_steps(row) for sign in (1, -1)})


class Machine:
    """Parameters on which everything is computed but the numbers; one part for each plain modulus."""

    def __init__(self, parameters: Parameters) -> None:
        self.parts = DryMachine(parameters).parts
        for part in self.parts:
            part.keys = FewKeys(part.chain)

    def fresh(self, spec: Spec) -> Any:
        """A new encryption of an argument."""
        return self.parts[0].fresh(spec)

    def refreshed(self, weights: Any) -> Any:
        """What the owner of the key makes of weights."""
        return self.fresh(Spec(weights.shape, "real", 0.0, max(float(shard.bound) for shard in weights.shards)))

    @property
    def base_bits(self) -> float:
        """What the lowest level of CKKS has to hold."""
        return float(self.parts[0].evaluator.encoder.base_bits)  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True)
class Sized:
    """Parameters, and what a dry run counted on them."""

    parameters: Parameters
    tally: Tally

    @property
    def keys(self) -> dict[int, int]:
        """The evaluation keys, by Galois element (0 for relinearisation): up to which level each."""
        return self.tally.key_levels(self.parameters)


def sized_ckks(run: Run, depth: int, demand: Demand) -> Sized:
    """The smallest ring for so many levels; there, of the scales that fit, the largest with the smallest keys.

    The base level is as large as it takes. ParameterError where the largest ring is too small.
    """
    for N in demand.degrees():
        if found := {scale: size for scale in SCALES if (size := _key_size(depth, scale, N, demand))}:
            least = min(found.values())
            return _with_base(run, depth, max(scale for scale, size in found.items() if size == least), N, demand)
    choose_ckks(depth, SCALES[0], 2.0**ROOM, ring_degree=demand.ring_degree, **demand.claims)
    raise ParameterError(f"{depth} levels fit no ring")


def _key_size(depth: int, scale: int, N: int, demand: Demand) -> int:
    """Bytes of a key; 0 where this scale does not fit."""
    try:
        p = choose_ckks(depth, scale, 2.0**ROOM, ring_degree=N, **demand.claims)
    except ParameterError:
        return 0
    return key_bytes(N, p.limbs(p.max_level), len(p.special), p.digit)


def _with_base(run: Run, depth: int, scale: int, N: int, demand: Demand) -> Sized:
    """The base level is first taken roomy, and then as small as what was checked against it allows."""
    roomy = choose_ckks(
        depth, scale, 2.0 ** (ROOMY - scale), ring_degree=N, insecure="a dry run, which encrypts nothing"
    )
    machine = Machine(roomy)
    run(machine)
    room = machine.base_bits - scale
    for _ in range(MOST_TRIALS):
        parameters = choose_ckks(depth, scale, 2.0 ** max(room - 1, 1.0), ring_degree=N, **demand.claims)
        try:
            return Sized(parameters, _counted(run, parameters))
        except ScaleError:
            room += HALF_A_BIT
    raise ParameterError(f"values of 2^{room:.0f} at scales of {scale} bits find no base level; lower the bounds")


def sized_bfv(run: Run, depth: int, value_bits: int, demand: Demand) -> Sized:
    """Of the shortest chains that hold the noise, the one with the least work; ``depth`` is about how long they are."""
    found: list[Sized] = []
    for tried in range(max(depth // 2, 1), depth + MORE_DEPTH):
        if sized := _exact(run, tried, value_bits, demand):
            found.append(sized)
        if len(found) == ALTERNATIVES:
            break
    if not found:
        raise ParameterError(
            f"integers of {value_bits} bits find no chain of {depth + MORE_DEPTH} levels; lower the bound, or steps"
        )
    return min(found, key=lambda sized: sized.tally.total)


def _exact(run: Run, depth: int, value_bits: int, demand: Demand) -> Sized | None:
    """A dry run with integers of so many bits, or a few more where a sum is padded; None where noise is too much."""
    for bits in range(value_bits, value_bits + MORE_BITS):
        try:
            parameters = choose_bfv(depth, value_bits=bits, ring_degree=demand.ring_degree, **demand.claims)
            return Sized(parameters, _counted(run, parameters))
        except (NoiseError, ParameterError):
            return None
        except ValueOverflowError:
            continue
    return None


def _counted(run: Run, parameters: Parameters) -> Tally:
    with counted() as tally:
        run(Machine(parameters))
    return tally


class Training:
    """An estimator with parameters and keys for learning from encrypted rows of a known shape and bound.

    ``parameters`` are the smallest secure ones, ``keys`` the evaluation keys by Galois element (0 for relinearisation),
    each with its highest level. Made by ``estimator.compile``.

    >>> import fhe
    >>> training = fhe.ml.NesterovRegressor(rate=0.5).compile(fhe.spec((3, 2), bound=1), n_iter=3)
    >>> owner = training.keygen()
    >>> X, y = training.encrypt(owner, [[-1.0, 1.0], [0.0, 1.0], [1.0, 1.0]], [-1.0, 1.0, 3.0])
    >>> training.fit(X, y).decrypted(owner).coef_.round(2).tolist()
    [1.49, 0.91]
    """

    def __init__(self, model: Any, specs: tuple[Spec, ...], sized: Sized, notes: list[str], labels: Any = None) -> None:
        self.model, self.specs, self.sized, self.notes, self.labels = model, specs, sized, notes, labels

    @property
    def parameters(self) -> Parameters:
        """The smallest secure set that holds the steps."""
        return self.sized.parameters

    @property
    def keys(self) -> dict[int, int]:
        """The evaluation keys that are used: up to which level each."""
        return self.sized.keys

    def keygen(self, **options: Any) -> KeyOwner:
        """New keys; ``owner.public()`` gives away what learning takes, and no more. Options as of `KeyOwner`."""
        return KeyOwner(self.parameters, needs=self.keys, **options)

    def encrypt(self, context: Any, X: ArrayLike, y: ArrayLike | None = None) -> Any:
        """Rows, and what stands beside them where y is encrypted, too; each checked against its promised bound."""
        given = self.model.examples(X, y) if self.labels is None else (np.asarray(X),)
        found = tuple(
            context.encrypt(spec.checked(values, name), bound=spec.promise)
            for spec, values, name in zip(self.specs, given, "Xy", strict=False)
        )
        return found if len(found) > 1 else found[0]

    def fit(self, X: Any, y: Any = None, **options: Any) -> Any:
        """The model, learnt from what `encrypt` gave; ``refresh=`` and ``progress=`` are as of fit."""
        y = self.labels if self.labels is not None else y
        for value, spec, name in zip((X, y), self.specs, "Xy", strict=False):
            if not isinstance(value, ENCRYPTED) or value.shape != spec.shape:
                raise EncodingError(
                    f"{name} was compiled for {spec}, got {type(value).__name__} of shape {np.shape(value)}; encrypt "
                    "it by encrypt(owner, X, y), or compile for this shape"
                )
        if X.evaluator.chain.parameters.id not in {part.id for part in parts(self.parameters)}:
            raise ParameterError("these rows were encrypted for other parameters; use keygen() of this compilation")
        return self.model.fit(X, y, **options)

    @property
    def seconds(self) -> float:
        """The predicted time, what is plain encoded along, on the machine of `fhe.costs` and the threads set."""
        tally = self.sized.tally
        return milliseconds(expected.cycles(tally.run) + expected.cycles(tally.encoding)) / 1e3

    def explain(self) -> str:
        """Packing and why, levels, parameters, keys, what is promised, and predicted time."""
        p, name = self.parameters, type(self.model).__name__
        bytes_ = sum(key_bytes(p.ring_degree, p.limbs(k), len(p.special), p.digit) for k in self.keys.values())
        rotations = sum(1 for element in self.keys if element)
        lines = [f"{name} learns from {self.specs[0]}", *(f"  {note}" for note in self.notes), p.summary()]
        lines.append(f"  {number_of(len(self.keys), 'evaluation key')}, {rotations} of rotations: {size(bytes_)}")
        lines.append(f"  {expected.predicted(self.sized.tally.run)}")
        return "\n".join(lines)


def packing(spec: Spec, slots: int) -> list[str]:
    """How rows lie in slots, and why."""
    n, features = spec.shape
    box = 1 << (features - 1).bit_length()
    rows = number_of(math.ceil(n * box / slots), "ciphertext")
    columns = number_of(features * math.ceil(n / slots), "ciphertext")
    return [
        f"packing: {n} rows side by side, {box} slots each, in {rows} of {slots} slots; a ciphertext for each feature",
        f"  would make {columns}, and as many times the products",
    ]


def steps_held(levels: int, first: int, each: int, refreshes: int) -> int:
    """How many steps fit: the first takes ``first`` levels, each other one ``each``, also after a refresh.

    >>> steps_held(21, 1, 5, refreshes=0), steps_held(21, 1, 5, refreshes=1)
    (5, 9)
    """
    return 1 + (levels - first) // each + refreshes * (levels // each)


def levels_for(steps: int, first: int, each: int, refreshes: int) -> int:
    """The fewest levels that hold so many steps.

    >>> levels_for(9, 1, 5, refreshes=1), levels_for(5, 1, 5, refreshes=0)
    (21, 21)
    """
    levels = max(first, each if steps > 1 else first)
    while steps_held(levels, first, each, refreshes) < steps:
        levels += 1
    return levels


def steps_compiled(
    model: Any,
    X: Spec,
    y: Spec,
    run: Callable[[Any, Any, Any], Any],
    levels: tuple[int, int],
    refreshes: int,
    demand: Demand,
) -> Training:
    """Training in CKKS by ``run(X, y, refresh)``: ``levels[0]`` levels for the first step, ``levels[1]`` for others."""
    steps, name = model.steps, type(model).__name__
    needed, most = levels_for(steps, *levels, refreshes), deepest(demand)
    if needed > most:
        N = demand.ring_degree or 1 << LARGEST_LOG_N
        raise ParameterError(
            f"{number_of(steps, 'step')} of {name} take {needed} levels, and N = {N} holds {most} at most at "
            f"{demand.security}-bit security: {max(steps_held(most, *levels, refreshes), 0)} steps; ask for fewer, or "
            f"for refreshes={refreshes + 1} or more, with fit(…, refresh=…)"
        )

    def learn(machine: Machine) -> None:
        run(machine.fresh(X), machine.fresh(y), machine.refreshed if refreshes else None)

    sized = sized_ckks(learn, needed, demand)
    notes = [
        *packing(X, sized.parameters.ring_degree // 2),
        f"{number_of(steps, 'step')}: {number_of(levels[0], 'level')} for the first, {levels[1]} for each other, "
        f"{needed} in all" + (f", with {number_of(refreshes, 'refresh')} by the owner of the key" if refreshes else ""),
    ]
    return Training(model, (X, y), sized, notes + model.promises())


def exactly_compiled(model: Any, X: Spec, labels: ArrayLike, value_bits: int, demand: Demand) -> Training:
    """Training from encrypted integers with plain labels, in BFV; and scores of rows like them."""
    if X.kind != "integer":
        raise EncodingError(f"what learns without a division learns from integers, fhe.spec(…, dtype=int); got {X}")

    def learn(machine: Machine) -> None:
        clone(model).fit(machine.fresh(X), labels).decision_function(machine.fresh(X))

    sized = sized_bfv(learn, model.depth(), value_bits, demand)
    notes = [
        *packing(X, sized.parameters.ring_degree),
        f"exact: integers of {value_bits} bits, by all steps and scores",
    ]
    return Training(model, (X,), sized, notes, np.asarray(labels))


def deepest(demand: Demand, scale_bits: int = SCALES[0]) -> int:
    """The most levels that the largest ring holds.

    >>> deepest(Demand(ring_degree=2**15))
    24
    """
    low, high = 0, DEEPEST
    N = demand.ring_degree or 1 << LARGEST_LOG_N
    while low < high:
        middle = (low + high + 1) // 2
        try:
            choose_ckks(middle, scale_bits, 2.0, ring_degree=N, **demand.claims)
            low = middle
        except ParameterError:
            high = middle - 1
    return low
