"""Polynomials of encrypted arrays, element by element, and what a computation will need, checked before it starts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from numpy.polynomial import Chebyshev, Polynomial

from fhe.arrays.elementwise import with_plain
from fhe.arrays.exact import assumed
from fhe.arrays.offered import offered
from fhe.arrays.packed import A, Packed
from fhe.arrays.wide import WideArray
from fhe.circuits.approximation import Approximation, needs_map
from fhe.circuits.comparison import evaluate_composition
from fhe.circuits.deviation import off_by
from fhe.circuits.polynomial import depth_of_polynomial, evaluate_polynomial
from fhe.errors import EncodingError, LevelError
from fhe.interval import Bound
from fhe.rlwe.automorphism import rotation_elements, swap_element
from fhe.rlwe.ciphertext import Ciphertext

Series = Polynomial | Chebyshev


def depth_of_stages(stages: Sequence[Series], clean: bool = True) -> int:
    """The levels that `apply` takes; ``clean`` if the array's layout is tidy.

    >>> depth_of_stages([Polynomial([0, 0, 1])]), depth_of_stages([Chebyshev([0, 1, 0, 1], domain=[-8, 8])])
    (2, 3)
    """
    depth = 0
    for p in stages:
        depth += depth_of_polynomial(p.degree()) + (not clean or needs_map(p))
        clean = True
    return depth


def apply(function: Approximation | Sequence[Series], x: A, what: str | None = None) -> A:
    """p_n(… p_1(x)), element by element: NumPy polynomials on real CKKS arrays.

    Each takes ceil(log2(degree + 1)) levels. One more goes where its domain is not its window, but for a whole factor,
    and where the padding of x holds something (after sums): both are one product with a plain array. The elements
    must lie in the domain of a `Chebyshev` series, which is the caller's promise: values beyond it grow like their
    power, and spoil their neighbours once they exceed the modulus. The error of an `Approximation` adds to the tracked
    error of the result.
    Raises LevelError before any work, which calls the function ``what``.
    """
    approximate = function if isinstance(function, Approximation) else None
    stages: Sequence[Series] = approximate.stages if approximate else function  # type: ignore[assignment]
    if x.dtype.kind != "f":
        raise EncodingError(f"polynomials with real coefficients take real arrays, got dtype {x.dtype}")
    composed = approximate is not None and len(approximate.gaps) > 1
    levels = depth_of_stages(stages, x.layout.tidy)
    what = what or (approximate.what if approximate else "this polynomial")
    require(x, levels=levels, products=True, conjugation=composed, what=what)
    if approximate and approximate.gaps:
        x = _composed(approximate, x)
    else:
        for p in stages:
            x = _applied(p, x)
    if approximate:
        x = x.map(lambda shard: off_by(shard, approximate.error))
    return x


def require(
    x: Packed,
    *,
    levels: int = 0,
    rotations: Iterable[int] = (),
    products: bool = False,
    conjugation: bool = False,
    what: str = "this",
) -> None:
    """Raise, before any work, what a computation on x would run into: LevelError, MissingKeyError.

    ``rotations`` are the steps it takes, ``products`` whether it multiplies encrypted values, ``conjugation`` whether
    it takes conjugates (compositions for a sign do).
    """
    if levels > x.levels_left:
        most = x.evaluator.chain.parameters.max_level
        raise LevelError.short(what, levels, x.levels_left, most, "encrypt anew")
    keys, N = x.evaluator.keys, x.evaluator.chain.parameters.ring_degree
    keys.require_galois_keys(rotation_elements(rotations, N))
    if conjugation:
        keys.require_galois(swap_element(N))
    if products:
        keys.require_relinearization()


@offered(lambda x, bound, error=None: x)
def assume(x: Any, bound: Bound, error: float | None = None) -> Any:
    """The same array, of which the caller promises that no |value| exceeds a bound, and none is off by more than error.

    Tracked bounds are worst cases: of a scalar product of unit vectors they know only the number of terms, and
    functions of it get an interval far too wide; errors multiply from step to step of an iteration (CKKS). The promise
    may be a pair (low, high): in a program functions are then approximated there. Of integers it makes integers of
    residues: what was computed with wrap=True, where intermediate results may be anything.

    All that is computed from the array rests on the promise, and says so (``promises``, `explain` of a program). A
    promise that is not kept makes results meaningless. Their owner is told if they then leave their own tracked bounds:
    decrypting raises ValueOverflowError. `fhe.audit` looks at each promise.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> x = owner.encrypt([0.6, 0.8], bound=1)
    >>> length = fhe.assume(x @ x, bound=1)
    >>> length
    EncryptedArray(shape=(), dtype=float64, 0 levels left, ...), on the promise that no |value| exceeds 1
    >>> owner.decrypt(fhe.assume(10 * x, bound=1))
    Traceback (most recent call last):
    fhe.errors.ValueOverflowError: values beyond 1 cannot come of ...: that no |value| exceeds 1; ...
    """
    promise = frozenset([in_words(bound, error)])
    if isinstance(x, WideArray):
        return x.each(assume, x, bound, error)
    if x.dtype.kind not in "fc":
        if error is not None:
            raise EncodingError("integers are exact: error= is for approximate arrays (CKKS)")
        return assumed(x, bound).resting_on(promise)
    low, high = bound if isinstance(bound, tuple) else (-(bound or 0), bound or 0)
    if not -math.inf < low < high < math.inf:
        raise EncodingError(f"the bound on the values must be a positive number, or a pair (low, high), got {bound!r}")
    most = float(max(abs(low), abs(high)))
    made: Packed = x.map(lambda shard: replace(shard, bound=min(shard.bound, most))).resting_on(promise)
    return made if error is None else made.map(partial(_off_by_at_most, error))


def in_words(bound: Any, error: float | None = None) -> str:
    """A promise as people read it.

    >>> in_words(1), in_words((0, 4), error=1e-3)
    ('no |value| exceeds 1', 'values are from 0 to 4, off by 0.001 at most')
    """
    values = f"values are from {bound[0]:g} to {bound[1]:g}" if isinstance(bound, tuple | list) else (
        f"no |value| exceeds {bound:g}" if bound is not None else "values are bounded")  # fmt: skip
    return values if error is None else f"{values}, off by {error:g} at most"


def _off_by_at_most(error: float, x: Ciphertext) -> Ciphertext:
    if not 0 < error < math.inf:
        raise EncodingError(f"error= is what no value is off by more than, a positive number, not {error!r}")
    return replace(x, noise=min(x.noise, error * x.scale), rms=min(x.rms, error * x.scale))


def _applied(p: Series, x: A) -> A:
    """p(x). The constant is added to the elements alone, so that padding stays zero."""
    x, on_window = _on_window(p, x), type(p)(p.coef)
    constant = float(on_window(0.0))
    most = 1.0 if isinstance(p, Chebyshev) else float("inf")

    def of(shard: Ciphertext) -> Ciphertext:
        return evaluate_polynomial(x.evaluator, replace(shard, bound=min(shard.bound, most)), on_window - constant)

    return _plus(x.map(of), constant)


def _composed(function: Approximation, x: A) -> A:
    """The composition for a sign, with an offset; its polynomials are odd, so that padding stays zero."""
    stages = [Chebyshev(p.coef) for p in function.stages]
    constant = float(stages[-1](0.0))
    stages[-1] -= constant
    x = _on_window(function.stages[0], x)
    return _plus(x.map(lambda shard: evaluate_composition(x.evaluator, shard, stages, function.gaps)), constant)


def _on_window(p: Series, x: A) -> A:
    """x brought from p's domain to its window, where its series is to be read, and its padding to zero."""
    offset, slope = map(float, p.mapparms())
    if not x.layout.tidy:
        masks = x.layout.mask() * slope
        shards = [x.evaluator.multiply_plain(shard, mask) for shard, mask in zip(x.shards, masks, strict=True)]
        x = x.like(shards, replace(x.layout, clean=True))
    elif slope != 1.0:
        x = x.map(lambda shard: x.evaluator.multiply_plain(shard, slope))
    return _plus(x, offset)


def _plus(x: A, constant: float) -> A:
    return with_plain(x, constant, x.evaluator.add_plain) if constant else x
