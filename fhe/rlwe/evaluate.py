"""What both schemes do with ciphertexts, scale and noise aside: sums, tensor products, relinearisation, rotation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fhe.backend.protocol import Buffer
from fhe.errors import ParameterError
from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly, EvalPoly, Poly
from fhe.rlwe.automorphism import check_element
from fhe.rlwe.ciphertext import Ciphertext, padded_sum
from fhe.rlwe.keyswitch import (
    Digits,
    SwitchingKey,
    decompose,
    inner_product,
    mod_down,
    mod_down_sum,
    switch_down,
)
from fhe.rlwe.public import EvaluationKeys, check_key


def add(x: Ciphertext, y: Ciphertext) -> list[Poly]:
    """The polynomials of x + y, at one level; evaluations unless both are coefficients."""
    a, b = _one_domain(x, y)
    return padded_sum(a, b)


def sub(x: Ciphertext, y: Ciphertext) -> list[Poly]:
    """The polynomials of x - y."""
    a, b = _one_domain(x, y)
    common = min(len(a), len(b))
    differences = [p - q for p, q in zip(a[:common], b[:common], strict=True)]
    return [*differences, *a[common:], *(-q for q in b[common:])]


def negate(x: Ciphertext) -> list[Poly]:
    """The polynomials of -x."""
    return [-poly for poly in x.c]


def tensor(a: Sequence[EvalPoly], b: Sequence[EvalPoly]) -> tuple[EvalPoly, EvalPoly, EvalPoly]:
    """(a_0 b_0, a_0 b_1 + a_1 b_0, a_1 b_1): the product of two ciphertexts of degree 1, of degree 2."""
    return _tensor(a[0].basis, [[x.data] for x in a], [[y.data] for y in b])


def tensor_of_parts(a: Sequence[Sequence[Poly]], b: Sequence[Sequence[Poly]]) -> tuple[EvalPoly, EvalPoly, EvalPoly]:
    """`tensor` of polynomials that come in parts, over primes one after the other; those by coefficients first."""
    first, *more = (part.basis for part in a[0])
    xs, ys = ([[part.data for part in parts] for parts in pair] for pair in (a, b))
    return _tensor(sum(more, start=first), xs, ys, *(_limbs_by_coefficients(pair[0]) for pair in (a, b)))


def _limbs_by_coefficients(parts: Sequence[Poly]) -> int:
    count = sum(isinstance(part, CoeffPoly) for part in parts)
    assert all(isinstance(part, CoeffPoly) for part in parts[:count])
    return sum(len(part.basis) for part in parts[:count])


def _tensor(
    basis: Basis, xs: Sequence[Sequence[Buffer]], ys: Sequence[Sequence[Buffer]], x_coeffs: int = 0, y_coeffs: int = 0
) -> tuple[EvalPoly, EvalPoly, EvalPoly]:
    c0, c1, c2 = basis.backend.tensor(basis.handle, xs, ys, x_coeffs, y_coeffs)
    return EvalPoly(basis, c0), EvalPoly(basis, c1), EvalPoly(basis, c2)


def tensor_sum(xs: Sequence[Sequence[EvalPoly]], ys: Sequence[Sequence[EvalPoly]]) -> tuple[EvalPoly, ...]:
    """sum_j `tensor` (xs[j], ys[j]), without intermediate results."""
    if len(xs) == 1:
        return tensor(xs[0], ys[0])
    (x0, x1), (y0, y1) = zip(*xs, strict=True), zip(*ys, strict=True)
    return dot(x0, y0), dot(x0 + x1, y1 + y0), dot(x1, y1)


def dot(xs: Sequence[EvalPoly], ys: Sequence[EvalPoly]) -> EvalPoly:
    """sum_j xs[j] ys[j]."""
    basis = xs[0].basis
    data = basis.backend.inner_product(basis.handle, [x.data for x in xs], [y.data for y in ys])
    return EvalPoly(basis, data)


def relinearize(x: Ciphertext, keys: EvaluationKeys) -> Ciphertext:
    """Degree 2 to degree 1: (c_0, c_1) plus the switch of c_2 from s^2 to s."""
    if x.degree < 2:
        return x
    check_key(x, keys.key_id, "evaluation keys")
    return x.with_polys(_switched_sum(x, keys, x.level))


def relinearize_rescale(x: Ciphertext, keys: EvaluationKeys) -> list[Poly]:
    """Relinearise at level l and divide by q_l, with one rounding: round((P (c_0, c_1) + u) / (P q_l))."""
    check_key(x, keys.key_id, "evaluation keys")
    return _switched_sum(x, keys, x.level - 1)


def _switched_sum(x: Ciphertext, keys: EvaluationKeys, to_level: int) -> list[Poly]:
    c0, c1, c2 = x.evals()
    return list(switch_down(x.chain, x.level, c2, keys.require_relinearization(), (c0, c1), to_level))


def switch_secret(x: Ciphertext, key: SwitchingKey, key_id: bytes) -> Ciphertext:
    """The same message under another secret, by a key of `SecretKey.switching_key_to`; ``key_id`` is the other's.

    Noise is the scheme's to count: the caller adds that of one key switching.
    """
    if x.degree != 1:
        raise ParameterError(
            f"only ciphertexts of degree 1 change their secret, this has degree {x.degree}; settle it first"
        )
    switched = switch_down(x.chain, x.level, x.c[1].to_eval(), key, [x.c[0].to_eval()])
    return replace(x.with_polys(switched), key_id=key_id)


def hoist(x: Ciphertext) -> Digits:
    """The digits of c_1, shared by all rotations of x. (Halevi, Shoup, CRYPTO 2018.)"""
    return decompose(x.chain, x.level, x.c[1])


def automorphism(x: Ciphertext, element: int, keys: EvaluationKeys, digits: Digits | None = None) -> Ciphertext:
    """The ciphertext of m(X^g): switch c_1 to s(X^(1/g)), then apply X -> X^g to both polynomials."""
    check_key(x, keys.key_id, "evaluation keys")
    key = keys.require_galois(check_element(element, x.chain.parameters.ring_degree))
    c0 = x.c[0].to_eval()
    if digits is None:
        switched = switch_down(x.chain, x.level, x.c[1].to_eval(), key, [c0])
    else:
        u0, u1 = inner_product(digits, key)
        switched = mod_down_sum(x.chain, x.level, u0, c0), mod_down(x.chain, x.level, u1)
    return x.with_polys([poly.automorphism(element) for poly in switched])


def _one_domain(x: Ciphertext, y: Ciphertext) -> tuple[Sequence[Poly], Sequence[Poly]]:
    if type(x.c[0]) is type(y.c[0]):
        return x.c, y.c
    return x.evals(), y.evals()
