"""Moving elements between slots: which rotations and masks bring arrays of some layouts to another, and their cost.

A `Plan` is made from what every slot holds and what every slot of the result should hold, by enumeration, so that
no special case of strides can go wrong. It is cheap where it can be: ciphertexts that fit are taken as they are, one
rotation brings what lies in the same order, and masks (a level in CKKS) come only where several parts would overlap, or
where what is not wanted would stay. An element that goes to many places is spread by doubling.

Of plans that cost the same the one is taken for which rotation keys are ``held``, and else the one of smaller steps: so
everything moves to the front, and a few keys serve many plans. A program plans as if every key were held, and runs with
those that its plans use: it finds the same ones, since each is no dearer then and all others are no cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from operator import add
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.layout import UNKNOWN, ZERO, Axis, Layout
from fhe.errors import EncodingError
from fhe.rlwe.routes import Routes

Numbers = NDArray[np.int64]
Held = tuple[int, ...] | None  # steps that have rotation keys; None: any step would be given one
Weight = tuple[int, int, int, int]
T = TypeVar("T")
MOST_TERMS = 1 << 16  # more would take minutes and more
FEW = 8  # so many rotations of one ciphertext are made one by one, hoisted; more in baby and giant steps
UNREACHABLE = 1 << 20  # rotations, in place of one that no keys lead to
CANDIDATES = 64  # so many repetitions of an element are looked at


class Cost(NamedTuple):
    """What moving elements takes: levels (CKKS; in BFV masks take noise), rotations and row swaps, masks.

    >>> Cost(levels=0, rotations=9, masks=0) < Cost(levels=1, rotations=1, masks=2)  # a level is worth more
    True
    """

    levels: int = 0
    rotations: int = 0
    masks: int = 0

    def __add__(self, other: object) -> Cost:  # of two operands, side by side
        assert isinstance(other, Cost)
        masks = self.masks + other.masks
        return Cost(max(self.levels, other.levels), self.rotations + other.rotations, masks)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A ciphertext of the source, its rows swapped, rotated by ``step``, all but some ``slots`` masked away."""

    source: int
    step: int
    swap: bool
    slots: NDArray[np.intp] | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """For every ciphertext of the target the terms whose sum it is, then axes to copy it along.

    A stride of a whole row stands for copying between the two rows.
    ``clean`` says whether everything is zero in the result that the target does not speak of.
    """

    target: Layout
    terms: tuple[tuple[Term, ...], ...]
    clean: bool
    spreads: tuple[Axis, ...] = ()

    @cached_property
    def result(self) -> Layout:
        """The layout of what comes out."""
        return replace(self.target, clean=self.clean)

    @cached_property
    def rotation(self) -> tuple[int, int] | None:
        """The source and the step, where all there is to do is to rotate one ciphertext; else None."""
        if self.spreads or len(self.terms) != 1 or len(self.terms[0]) != 1:
            return None
        (term,) = self.terms[0]
        return None if term.swap or term.slots is not None else (term.source, term.step)

    @cached_property
    def picks(self) -> tuple[int, ...] | None:
        """Which ciphertexts of the source the target's are, where they are that; else None."""
        if self.spreads or any(len(t) != 1 or t[0].step or t[0].swap or t[0].slots is not None for t in self.terms):
            return None
        return tuple(term.source for (term,) in self.terms)

    @property
    def cost(self) -> Cost:
        """What carrying it out takes; ciphertexts that are alike are made once."""
        masks = sum(term.slots is not None for terms in self._made for term in terms)
        return Cost(int(masks > 0), len(self.steps), masks)

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Those of all rotations, each as often as it is made; 0 stands for a swap of rows."""
        groups = [group for terms in self._made for group in by_source(terms)]
        moved = {(t.source, t.swap, baby) for group in groups for t, _, baby in steps_of(group) if baby}
        moved |= {(t.source, True, 0) for terms in self._made for t in terms if t.swap}
        giants = [giant for group in groups for giant in {giant for _, giant, _ in steps_of(group)} - {0}]
        copied = [step for spread in self.spreads for step in window_steps(spread.length, -spread.stride)]
        return (*(step for _, _, step in moved), *giants, *copied * len(self._made))

    @cached_property
    def _made(self) -> list[tuple[Term, ...]]:
        return list({id(terms): terms for terms in self.terms}.values())

    def weight(self, held: Held) -> Weight:
        """The cost by these keys: a rotation counts as often as it takes, and for many where no keys lead there."""
        row, ways, rotations = self.target.row, Routes(held, self.target.row), 0
        for step in self.steps:
            length = ways.length(step)
            rotations += UNREACHABLE if length is None else max(length, 1)
        levels, _, masks = self.cost
        return levels, rotations, masks, sum(step % row for step in self.steps)


def by_source(terms: Sequence[Term]) -> list[list[Term]]:
    """Terms of one ciphertext, its rows swapped or not, together."""
    groups: dict[tuple[int, bool], list[Term]] = {}
    for term in terms:
        groups.setdefault((term.source, term.swap), []).append(term)
    return list(groups.values())


def steps_of(group: Sequence[Term]) -> list[tuple[Term, int, int]]:
    """Each masked term with its giant step and its baby step, which add up to its step."""
    stride = giant_step(tuple(term.step for term in group)) if group[0].slots is not None else 0
    giants = [term.step // stride * stride if stride else 0 for term in group]
    return [(term, giant, term.step - giant) for term, giant in zip(group, giants, strict=True)]


@lru_cache(maxsize=256)
def giant_step(steps: tuple[int, ...]) -> int:
    """The stride of giant steps that needs the fewest rotations in all, 0 where few or scattered steps need none.

    >>> giant_step(tuple(range(64))), giant_step((1, 2, 3))
    (8, 0)
    """

    def rotations(stride: int) -> int:
        return len({step % stride for step in steps}) + len({step // stride for step in steps})

    if len(steps) <= FEW:
        return 0
    best = min((1 << k for k in range(max(steps).bit_length())), key=rotations)
    return best if rotations(best) < len(steps) else 0


def window(x: T, count: int, stride: int, rotate: Callable[[T, int], T], plus: Callable[[T, T], T]) -> T:
    """sum_{i < count} rotate(x, i * stride), in log2(count) rotations and one more for every further bit of the count.

    A window of 2^k summands is doubled; for each bit of the count one is put in front of those that came before.

    >>> window(np.arange(8), 3, 2, lambda x, step: np.roll(x, -step), np.add)
    array([ 6,  9, 12, 15, 10, 13,  8, 11])
    """
    total, size = None, 1
    while True:
        if count & size:
            total = x if total is None else plus(x, rotate(total, size * stride))
        size *= 2
        if size > count:
            assert total is not None
            return total
        x = plus(x, rotate(x, size // 2 * stride))


def window_steps(count: int, stride: int) -> list[int]:
    """The steps of the rotations of `window`.

    >>> [window_steps(count, 1) for count in (1, 2, 3, 7)]
    [[], [1], [1, 2], [1, 2, 2, 4]]
    """
    steps: list[int] = []

    def rotate(x: int, step: int) -> int:
        steps.append(step)
        return x

    window(0, count, stride, rotate, add)
    return steps


# --- planning --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def conversion(source: Layout, target: Layout, held: Held = None) -> Plan:
    """An array of the source's layout, broadcast to the target's shape, in the target's layout."""
    numbers = np.broadcast_to(source.numbers(), target.shape)
    return arrangement([source], numbers, target, held)


def arrangement(sources: Sequence[Layout], numbers: Numbers, target: Layout, held: Held = None) -> Plan:
    """A new array from the elements of others, numbered through from 1, 0 for zero; no claim on target.clean."""
    memory = memory_of(sources)
    wanted = _wanted(numbers, target)
    plan = _gathered(memory, wanted, target, held)
    if plan.cost.levels and (spread := _spread(memory, numbers, target, held)):
        return min(plan, spread, key=lambda plan: plan.weight(held))
    return plan


def cheapest(
    targets: Iterable[Layout], plans: Callable[[Layout], tuple[Plan, ...]], held: Held = None
) -> tuple[Plan, ...]:
    """The plans of least weight; the first that cost nothing. EncodingError where there are none that may be made."""
    best, least, refused = None, (0, 0, 0, 0), None
    for target in targets:
        try:
            found = plans(target)
        except EncodingError as error:
            refused = error
            continue
        levels, *rest = zip(*(plan.weight(held) for plan in found), strict=True)
        weight = (max(levels), *map(sum, rest))
        if best is None or weight < least:
            best, least = found, weight
        if not any(least):
            break
    if best is None:
        assert refused is not None
        raise refused
    return best


def memory_of(sources: Sequence[Layout]) -> Numbers:
    """What the slots of several arrays hold, ciphertexts one after another, elements numbered through."""
    parts, before = [], 0
    for layout in sources:
        contents = layout.contents()
        parts.append(np.where(contents > 0, contents + before, contents))
        before += layout.size
    return np.concatenate(parts)


def _wanted(numbers: Numbers, target: Layout) -> Numbers:
    """What the slots of the target must hold; `UNKNOWN` where it does not matter."""
    out = np.full(target.shards * target.slots, UNKNOWN)
    target.window(out, repeated=True)[...] = numbers
    return out.reshape(target.shards, target.slots)


def _gathered(memory: Numbers, wanted: Numbers, target: Layout, held: Held) -> Plan:
    finder = _Finder(memory, target.slots // target.row, held)
    known: dict[bytes, tuple[tuple[Term, ...], bool]] = {}  # ciphertexts that hold the same are made once
    count = 0
    for slots in wanted:
        if (key := slots.tobytes()) not in known:
            known[key] = finder.find(slots)
            count += len(known[key][0])
        if count > MOST_TERMS:
            raise EncodingError(
                f"bringing the elements of shape {target.shape} to their places in {target.shards} ciphertexts takes "
                f"more than {MOST_TERMS} masks; rearrange before encrypting, or lay another axis across slots (batch=)"
            )
    found = [known[slots.tobytes()] for slots in wanted]
    return Plan(target, tuple(terms for terms, _ in found), all(clean for _, clean in found))


class _Finder:
    """Finds the terms of one ciphertext of a result."""

    def __init__(self, memory: Numbers, rows: int, held: Held) -> None:
        self.memory, self.rows = memory, rows
        self.slots = memory.shape[1]
        self.row = self.slots // rows
        self.ways = Routes(held, self.row)
        flat = memory.ravel()
        self._order = np.argsort(flat, kind="stable")
        self._sorted = flat[self._order]

    def places(self, number: int) -> NDArray[np.int64]:
        """Where an element is held."""
        low, high = np.searchsorted(self._sorted, [number, number + 1])
        return self._order[low:high]

    def moved(self, term: Term) -> Numbers:
        """What a ciphertext holds after swap and rotation."""
        contents = self.memory[term.source].reshape(self.rows, self.row)
        contents = contents[::-1] if term.swap else contents
        shifted: Numbers = np.roll(contents, -term.step, axis=1).ravel()
        return shifted

    def term(self, place: int, slot: int) -> Term:
        """The move that brings a place of the source to a slot of the result."""
        source, at = divmod(int(place), self.slots)
        (row, column), (to_row, to_column) = divmod(at, self.row), divmod(slot, self.row)
        return Term(source, (column - to_column) % self.row, row != to_row)

    def find(self, wanted: Numbers) -> tuple[tuple[Term, ...], bool]:
        """The terms whose sum holds what is wanted, and whether it holds zero where nothing is."""
        needed = np.flatnonzero(wanted > 0)
        if not needed.size:
            return (), True
        if single := self._single(wanted, needed):
            return single
        return self._several(wanted, needed)

    def _single(self, wanted: Numbers, needed: NDArray[np.intp]) -> tuple[tuple[Term, ...], bool] | None:
        """One move that brings everything, without a mask if there is such a move."""
        slot = int(needed[0])
        candidates = [self.term(place, slot) for place in self.places(int(wanted[slot]))]
        candidates.sort(key=lambda term: ((term.step != 0) + term.swap, term.step))
        masked = None
        for term in sorted(candidates[:CANDIDATES], key=self._effort):  # whatever is held, of the same ones
            contents = self.moved(term)
            if not np.array_equal(contents[needed], wanted[needed]):
                continue
            if not contents[wanted == ZERO].any():
                return (term,), not contents[wanted == UNKNOWN].any()
            masked = masked or term
        return None if masked is None else ((replace(masked, slots=needed),), True)

    def _effort(self, term: Term) -> tuple[int, int]:
        length = self.ways.length(term.step)
        return (UNREACHABLE if length is None else length) + term.swap, term.step

    def _several(self, wanted: Numbers, needed: NDArray[np.intp]) -> tuple[tuple[Term, ...], bool]:
        """Elements grouped by the move that brings them; masked, unless zeros make that needless."""
        first = np.searchsorted(self._sorted, wanted[needed])
        places = self._order[np.minimum(first, self._order.size - 1)]
        sources, at = np.divmod(places, self.slots)
        swaps, steps = at // self.row != needed // self.row, (at - needed) % self.row
        keys = (2 * sources + swaps) * self.row + steps
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
        first = order[starts]
        terms = list(map(Term, sources[first].tolist(), steps[first].tolist(), swaps[first].tolist()))
        plain = self._overlap_free(terms, wanted)
        if plain is not None:
            return tuple(terms), plain
        slots = np.split(needed[order], starts[1:])
        return tuple(replace(term, slots=some) for term, some in zip(terms, slots, strict=True)), True

    def _overlap_free(self, terms: list[Term], wanted: Numbers) -> bool | None:
        """None where a sum without masks would be wrong, else whether it is zero where nothing is wanted."""
        if len(terms) > 4 * FEW:
            return None
        total, count = np.zeros_like(wanted), np.zeros_like(wanted)
        for term in terms:
            contents = self.moved(term)
            total += contents
            count += contents != ZERO
        ok = np.where(wanted > 0, total == wanted, (wanted == UNKNOWN) | (count == 0)) & (count <= 1)
        return not count[wanted == UNKNOWN].any() if ok.all() else None


def _spread(memory: Numbers, numbers: Numbers, target: Layout, held: Held) -> Plan | None:
    """A plan that brings one element of each that an axis repeats, and copies it along by doubling."""
    spreads, seeds = [], numbers.copy()
    for axis, (n, stride) in enumerate(target.axes):
        if 0 < stride < target.row and n > 1 and _constant(numbers, axis):
            count = min(n, target.row // stride)
            index = np.arange(n).reshape([-1 if k == axis else 1 for k in range(numbers.ndim)])
            seeds = np.where(index % count == 0, seeds, ZERO)
            spreads.append(Axis(count, stride))
    for length, stride in target.repeats:
        within = min(length, target.row // stride)
        spreads += [Axis(within, stride)] if within > 1 else []
        spreads += [Axis(2, target.row)] if within < length else []
    if not spreads:
        return None
    sown, wanted = _wanted(seeds, replace(target, repeats=())), _wanted(numbers, target)
    sown[sown == UNKNOWN] = ZERO
    grown, overlap = (_grown(x, spreads, target) for x in (sown, (sown > 0).astype(np.int64)))
    if overlap.max() > 1 or not np.array_equal(grown[wanted > 0], wanted[wanted > 0]):
        return None  # a row ends within, or copies would meet other elements
    plan = _gathered(memory, sown, target, held)
    return replace(plan, clean=not grown[wanted == UNKNOWN].any(), spreads=tuple(spreads))


def _grown(sown: Numbers, spreads: Sequence[Axis], target: Layout) -> Numbers:
    """What the slots hold after the spreads."""
    rows = sown.reshape(len(sown), -1, target.row)
    for count, stride in spreads:
        if stride == target.row:
            rows = rows + rows[:, ::-1]
        else:
            rows = window(rows, count, -stride, lambda x, step: np.roll(x, -step, axis=2), np.add)
    return rows.reshape(sown.shape)


def _constant(numbers: Numbers, axis: int) -> bool:
    """Does every element along this axis equal the first?"""
    return bool((numbers == np.take(numbers, [0], axis=axis)).all())
