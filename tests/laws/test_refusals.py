"""What does not fit is refused by the native core, with numbers, before any work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fhe import _core
from fhe.backend.choose import choose
from fhe.backend.protocol import uniform_words
from tests.strategies import Primes, largest_primes

N = 64
PRIMES = Primes(N, largest_primes(N, 46)[:4])
HALF = [root * root % q for root, q in zip(PRIMES.roots, PRIMES.moduli, strict=True)]  # roots of unity for N / 2
WORDS = bytes(8 * N)  # of keystream


def make(core: Any, count: int = 4) -> Any:
    return core.basis(N, PRIMES.moduli[:count], PRIMES.roots[:count])


@pytest.fixture(scope="module")
def core() -> Any:
    return choose("native")


@pytest.fixture(scope="module")
def basis(core: Any) -> Any:
    return make(core)


@pytest.fixture
def x(core: Any, basis: Any) -> Any:
    return core.reduce(basis, np.arange(N) - 5)


@pytest.fixture
def short(core: Any) -> Any:
    return core.reduce(make(core, 2), np.arange(N))


def batch(core, basis):
    return core.zeros(basis, (2,))


def short_key(core, x):
    """A key over the first two primes."""
    row = core.limbs(x, 0, 2)
    return core.pack_key(make(core, 2), [row] * 2, [row] * 2)


def plain(core, t=None):
    """A basis of one prime of the ring: t, or the last of four."""
    i = PRIMES.moduli.index(t) if t else -1
    return core.basis(N, [PRIMES.moduli[i]], [PRIMES.roots[i]])


def other_key(core, basis):
    """A key over the same primes in another order."""
    turned = core.basis(N, PRIMES.moduli[::-1], PRIMES.roots[::-1])
    return core.pack_key(turned, [core.zeros(turned)] * 2, [core.zeros(turned)] * 2)


def half(core, count=4):
    """The basis of the same primes for half the ring degree."""
    return core.basis(N // 2, PRIMES.moduli[:count], HALF[:count])


def narrow(core, count=4):
    """A polynomial of half the ring degree."""
    return core.zeros(half(core, count))


def batch_of(core, count):
    """Two polynomials over the first primes."""
    return core.zeros(make(core, count), (2,))


def encrypt(core, special=1, **changes):
    """An encryption over one special prime and three others, but for the changes."""
    x = core.zeros(make(core))
    given = {"b": x, "a": x, "u": WORDS, "e0": WORDS, "e1": WORDS, "message": core.zeros(make(core, 3))}
    return core.encrypt(make(core), special, *(given | changes).values())


def row_of(residue):
    """Zeros, and in the last row this number."""
    return np.outer([0, 0, 0, residue], np.ones(N)).astype(np.uint64)


def exhausted(core):
    """Keystream of which one word too few is below the rejection limit."""
    words = np.full(uniform_words(N), 2**64 - 1, np.uint64)
    words[: N - 1] = 0
    return core.uniform(make(core, 1), words.tobytes())


MISFITS = {
    "add": lambda c, b, x, s: c.add(b, x, s),
    "mul_add": lambda c, b, x, s: c.mul_add(b, x, x, s),
    "neg": lambda c, b, x, s: c.neg(b, s),
    "mul_scalar": lambda c, b, x, s: c.mul_scalar(b, x, [1, 2]),
    "a scalar that is no residue": lambda c, b, x, s: c.add_scalar(b, x, [1, 2, 3, PRIMES.moduli[3]]),
    "inner_product": lambda c, b, x, s: c.inner_product(b, [x], [s]),
    "inner_product of nothing": lambda c, b, x, s: c.inner_product(b, [], []),
    "inner_product of unequal counts": lambda c, b, x, s: c.inner_product(b, [x, x], [x]),
    "inner_products": lambda c, b, x, s: c.inner_products(b, [[x, s]], [[0]], [[x]]),
    "inner_products of nothing": lambda c, b, x, s: c.inner_products(b, [[]], [], []),
    "inner_products of unequal components": lambda c, b, x, s: c.inner_products(b, [[x], [x, x]], [[0]], [[x]]),
    "inner_products of unequal counts": lambda c, b, x, s: c.inner_products(b, [[x]], [[0, 0]], [[x]]),
    "inner_products of unequal sums": lambda c, b, x, s: c.inner_products(b, [[x]], [[0], [0]], [[x]]),
    "inner_products of a term that is not there": lambda c, b, x, s: c.inner_products(b, [[x]], [[1]], [[x]]),
    "inner_products with a short factor": lambda c, b, x, s: c.inner_products(b, [[x]], [[0]], [[s]]),
    "ntt": lambda c, b, x, s: c.ntt(b, s),
    "intt": lambda c, b, x, s: c.intt(b, s),
    "to_natural": lambda c, b, x, s: c.to_natural(b, s),
    "automorphism_coeff": lambda c, b, x, s: c.automorphism_coeff(b, s, 3),
    "automorphism_eval of an even element": lambda c, b, x, s: c.automorphism_eval(b, x, 2),
    "lift": lambda c, b, x, s: c.lift(b, s),
    "reduce": lambda c, b, x, s: c.reduce(b, np.arange(N - 1)),
    "reduce of a number": lambda c, b, x, s: c.reduce(b, np.array(1)),
    "load": lambda c, b, x, s: c.load(b, np.zeros((2, N), np.uint64)),
    "load of a residue that is none": lambda c, b, x, s: c.load(b, np.full((4, N), PRIMES.moduli[0], np.uint64)),
    "convert": lambda c, b, x, s: c.convert(b, b, s),
    "scale_round": lambda c, b, x, s: c.scale_round(b, plain(c), s),
    "scale_round to two primes": lambda c, b, x, s: c.scale_round(b, b, x),
    "scale_round to a prime of its own": lambda c, b, x, s: c.scale_round(b, plain(c, PRIMES.moduli[0]), x),
    "scale_round to another ring": lambda c, b, x, s: c.scale_round(b, c.basis(8, [97], [8]), x),
    "divide_round_coeff": lambda c, b, x, s: c.divide_round_coeff(b, 0, 5, x),
    "divide_round_eval": lambda c, b, x, s: c.divide_round_eval(b, 2, 2, x),
    "divide_round_eval of another basis": lambda c, b, x, s: c.divide_round_eval(b, 0, 1, s),
    "divide_round_sum without a special limb": lambda c, b, x, s: c.divide_round_sum(b, 0, 0, 1, x, x),
    "divide_round_sum of another addend": lambda c, b, x, s: c.divide_round_sum(b, 1, 1, 2, x, s),
    "divide_round_sum of all special limbs": lambda c, b, x, s: c.divide_round_sum(b, 4, 4, 4, x, s),
    "divide_round_sum that keeps a special limb": lambda c, b, x, s: c.divide_round_sum(b, 2, 1, 3, x, s),
    "decompose": lambda c, b, x, s: c.decompose(b, 2, 1, s, x),
    "decompose of another level": lambda c, b, x, s: c.decompose(b, 1, 1, s, s),
    "decompose into nothing": lambda c, b, x, s: c.decompose(b, 2, 0, s, s),
    "decompose of nothing": lambda c, b, x, s: c.decompose(b, 4, 1, s, s),
    "pack_key of nothing": lambda c, b, x, s: c.pack_key(b, [], []),
    "pack_key of unequal halves": lambda c, b, x, s: c.pack_key(b, [x, x], [x]),
    "pack_key of another basis": lambda c, b, x, s: c.pack_key(b, [x, s], [x, x]),
    "pack_key of a batch": lambda c, b, x, s: c.pack_key(b, [batch(c, b)], [x]),
    "key_product of nothing": lambda c, b, x, s: c.key_product(b, [], c.pack_key(b, [x], [x])),
    "key_product of more digits": lambda c, b, x, s: c.key_product(b, [x, x], c.pack_key(b, [x], [x])),
    "key_product of another basis": lambda c, b, x, s: c.key_product(b, [s], c.pack_key(b, [x], [x])),
    "key_product of unequal batches": lambda c, b, x, s: c.key_product(
        b, [x, batch(c, b)], c.pack_key(b, [x] * 2, [x] * 2)
    ),
    "key_switch with a short key": lambda c, b, x, s: c.key_switch(b, 2, 1, s, s, short_key(c, x)),
    "key_switch with a key of other primes": lambda c, b, x, s: c.key_switch(b, 2, 1, s, s, other_key(c, b)),
    "key_switch with too few digits": lambda c, b, x, s: c.key_switch(b, 2, 1, s, s, c.pack_key(b, [x], [x])),
    "switch_down of all limbs": lambda c, b, x, s: c.switch_down(b, 2, 1, 2, s, c.pack_key(b, [x] * 2, [x] * 2), [s]),
    "switch_down by nothing": lambda c, b, x, s: c.switch_down(b, 0, 1, 4, x, c.pack_key(b, [x] * 4, [x] * 4), []),
    "switch_down with a short key": lambda c, b, x, s: c.switch_down(b, 2, 1, 4, s, short_key(c, x), [s]),
    "switch_down with three addends": lambda c, b, x, s: c.switch_down(
        b, 2, 1, 4, s, c.pack_key(b, [x] * 2, [x] * 2), [s] * 3
    ),
    "switch_down with a long addend": lambda c, b, x, s: c.switch_down(
        b, 2, 1, 4, s, c.pack_key(b, [x] * 2, [x] * 2), [s, x]
    ),
    "tensor of three": lambda c, b, x, s: c.tensor(b, [[x]] * 3, [[x]] * 2),
    "tensor of another basis": lambda c, b, x, s: c.tensor(b, [[x]] * 2, [[x], [s]]),
    "tensor of a batch": lambda c, b, x, s: c.tensor(b, [[x]] * 2, [[batch(c, b)], [x]]),
    "tensor of too many parts": lambda c, b, x, s: c.tensor(b, [[x]] * 2, [[x], [x, s]]),
    "tensor of more coefficients": lambda c, b, x, s: c.tensor(b, [[x]] * 2, [[x]] * 2, 0, 5),
    "tensor of no parts": lambda c, b, x, s: c.tensor(b, [[x], []], [[x]] * 2),
    "tensor of a part of another ring": lambda c, b, x, s: c.tensor(b, [[narrow(c, 2), narrow(c, 2)], [x]], [[x]] * 2),
    "tensor of parts of unequal batches": lambda c, b, x, s: c.tensor(
        b, [[x]] * 2, [[x], [c.limbs(x, 0, 2), batch_of(c, 2)]]
    ),
    "convert times too few": lambda c, b, x, s: c.convert(b, b, x, [1] * 3),
    "convert into too many": lambda c, b, x, s: c.convert(b, b, x, [], [1] * 5),
    "convert times what is no residue": lambda c, b, x, s: c.convert(b, b, x, [1, 1, 1, PRIMES.moduli[3]]),
    "convert into what is no residue": lambda c, b, x, s: c.convert(b, b, x, [], [PRIMES.moduli[0], 1, 1, 1]),
    "limbs": lambda c, b, x, s: c.limbs(x, 3, 5),
    "no limbs": lambda c, b, x, s: c.limbs(x, 2, 2),
    "uniform": lambda c, b, x, s: c.uniform(b, bytes(8 * N)),
    "ternary": lambda c, b, x, s: c.ternary(b, bytes(8 * N - 1)),
    "centred_binomial": lambda c, b, x, s: c.centred_binomial(b, b""),
    "pack": lambda c, b, x, s: c.pack(b, s),
    "unpack": lambda c, b, x, s: c.unpack(b, bytes(10)),
    "an overflowing shape": lambda c, b, x, s: c.zeros(b, (1 << 40, 1 << 40)),
    "evaluation_order": lambda c, b, x, s: c.evaluation_order(12),
    "a ring beyond all tables": lambda c, b, x, s: c.basis(1 << 20, [97], [8]),
    "a ring of degree 12": lambda c, b, x, s: c.basis(12, [97], [8]),
    "a prime that is not 1 mod 2N": lambda c, b, x, s: c.basis(N, [97], [8]),
    "a root that is none": lambda c, b, x, s: c.basis(N, PRIMES.moduli[:1], [1]),
    "a prime without a root": lambda c, b, x, s: c.basis(N, PRIMES.moduli[:2], PRIMES.roots[:1]),
    "a prime that occurs twice": lambda c, b, x, s: c.convert(
        *[c.basis(N, PRIMES.moduli[:1] * 2, PRIMES.roots[:1] * 2)] * 2, s
    ),
    "a longer operand": lambda c, b, x, s: c.neg(make(c, 2), x),
    "an operand of another ring": lambda c, b, x, s: c.neg(b, narrow(c)),
    "axes that do not repeat": lambda c, b, x, s: c.add(b, c.zeros(b, (2,)), c.zeros(b, (3,))),
    "mul": lambda c, b, x, s: c.mul(b, x, s),
    "mul_scalar by too many": lambda c, b, x, s: c.mul_scalar(b, x, [1] * 5),
    "join of other leading axes": lambda c, b, x, s: c.join(batch(c, b), s),
    "join of another ring": lambda c, b, x, s: c.join(x, narrow(c)),
    "inner_product of a short operand": lambda c, b, x, s: c.inner_product(b, [s], [x]),
    "inner_product of more factors": lambda c, b, x, s: c.inner_product(b, [x], [x, x]),
    "inner_product with a factor of another ring": lambda c, b, x, s: c.inner_product(b, [x], [narrow(c)]),
    "inner_products of no components": lambda c, b, x, s: c.inner_products(b, [], [[0]], [[x]]),
    "inner_products of fewer terms in the second": lambda c, b, x, s: c.inner_products(b, [[x, x], [x]], [[0]], [[x]]),
    "inner_products of more sums of factors": lambda c, b, x, s: c.inner_products(b, [[x]], [[0]], [[x], [x]]),
    "inner_products of an empty sum": lambda c, b, x, s: c.inner_products(b, [[x]], [[]], [[]]),
    "inner_products of more factors": lambda c, b, x, s: c.inner_products(b, [[x]], [[0]], [[x, x]]),
    "inner_products of a batch": lambda c, b, x, s: c.inner_products(b, [[batch(c, b)]], [[0]], [[x]]),
    "inner_products with a batch": lambda c, b, x, s: c.inner_products(b, [[x]], [[0]], [[batch(c, b)]]),
    "tensor with three": lambda c, b, x, s: c.tensor(b, [[x]] * 2, [[x]] * 3),
    "convert to another ring": lambda c, b, x, s: c.convert(b, half(c), x),
    "divide_round_sum of another ring": lambda c, b, x, s: c.divide_round_sum(b, 1, 1, 4, x, narrow(c, 3)),
    "divide_round_sum of a batch": lambda c, b, x, s: c.divide_round_sum(b, 1, 1, 4, x, batch_of(c, 3)),
    "decompose of another ring": lambda c, b, x, s: c.decompose(b, 2, 1, narrow(c, 2), narrow(c, 2)),
    "decompose of unequal batches": lambda c, b, x, s: c.decompose(b, 2, 1, batch_of(c, 2), s),
    "pack_key of a longer second half": lambda c, b, x, s: c.pack_key(b, [x], [x, x]),
    "key_product with a key of another ring": lambda c, b, x, s: c.key_product(
        b, [x], c.pack_key(half(c), [narrow(c)], [narrow(c)])
    ),
    "switch_down with a short addend": lambda c, b, x, s: c.switch_down(
        b, 1, 1, 3, c.limbs(x, 1, 4), c.pack_key(b, [x] * 3, [x] * 3), [s]
    ),
    "switch_down with a batch to add": lambda c, b, x, s: c.switch_down(
        b, 2, 1, 4, s, c.pack_key(b, [x] * 2, [x] * 2), [batch_of(c, 2)]
    ),
    "encrypt under a short key": lambda c, b, x, s: encrypt(c, b=s),
    "encrypt under a short second half": lambda c, b, x, s: encrypt(c, a=s),
    "encrypt under a batch": lambda c, b, x, s: encrypt(c, a=batch(c, b)),
    "encrypt a long message": lambda c, b, x, s: encrypt(c, message=x),
    "encrypt a message of another ring": lambda c, b, x, s: encrypt(c, message=narrow(c, 3)),
    "encrypt a batch": lambda c, b, x, s: encrypt(c, message=batch_of(c, 3)),
    "encrypt by a short keystream": lambda c, b, x, s: encrypt(c, u=WORDS[:-8]),
    "encrypt by a short keystream of errors": lambda c, b, x, s: encrypt(c, e1=WORDS[:-1]),
    "uniform words that are all rejected but too few": lambda c, b, x, s: exhausted(c),
    "load of too few axes": lambda c, b, x, s: c.load(b, np.zeros(N, np.uint64)),
    "load of the last prime itself": lambda c, b, x, s: c.load(b, row_of(PRIMES.moduli[3])),
    "load of more than 63 bits": lambda c, b, x, s: c.load(b, np.full((4, N), 2**64 - 1, np.uint64)),
    "unpack of too many bytes": lambda c, b, x, s: c.unpack(b, c.pack(b, x) + b"0"),
    "limbs beyond the last": lambda c, b, x, s: c.limbs(batch(c, b), 3, 5),
    "evaluation_order of four": lambda c, b, x, s: c.evaluation_order(4),
    "evaluation_order of two million": lambda c, b, x, s: c.evaluation_order(1 << 21),
    "a ring of degree 4": lambda c, b, x, s: c.basis(4, [17], [2]),
    "no primes": lambda c, b, x, s: c.basis(N, [], []),
    "a root without a prime": lambda c, b, x, s: c.basis(N, PRIMES.moduli[:1], PRIMES.roots[:2]),
    "a root beyond its prime": lambda c, b, x, s: c.basis(N, PRIMES.moduli[:1], [PRIMES.roots[0] + PRIMES.moduli[0]]),
    "a target that is none": lambda c, b, x, s: _core.Basis(N, PRIMES.moduli, PRIMES.roots, "abacus 1"),
}


# Where, without the refusal that is meant, another one would follow by chance.
SAID = {
    "inner_product of unequal counts": "of 2 with 1",
    "a prime without a root": "2 primes with 1",
    "decompose of nothing": "after 4 special ones in a basis of 4",
    "switch_down with a short key": "a switching key of .limbs, N",
    "a ring beyond all tables": "between 8 and",
}


@pytest.mark.parametrize("what", MISFITS)
def test_what_does_not_fit_is_refused_with_numbers(core, basis, x, short, what):
    with pytest.raises(ValueError, match=SAID.get(what, r"\d|even")):
        MISFITS[what](core, basis, x, short)
