"""What the operations of the seam cost, by the shapes of what they take.

A method has the name of the operation in `fhe.backend.protocol`. A basis is given by the bits of its primes, ``polys``
is the product of the leading axes; other arguments are those of the operation. Results are cycles.

Bytes are counted once where they stream, and again for each time they come back; see `Machine.flow`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fhe.costs.machine import ZEN5, Machine

NARROW_BITS = 46  # up to here transforms need no reductions inside
WORD_BITS = 50  # no prime is wider
FETCHED = 4  # streams of bytes that come as fast as one
AT_ONCE = 2  # limbs that key switching raises in one go, from terms that it reads again each time

Bits = Sequence[int]


def key_bytes(ring_degree: int, limbs: int, special: int, digit: int, word: int = 8) -> int:
    """A switching key: two polynomials over P*Q for each digit; packed words have 6 or 7 bytes.

    >>> key_bytes(2**14, limbs=7, special=3, digit=3)
    7864320
    """
    return 2 * math.ceil(limbs / digit) * (limbs + special) * ring_degree * word


@dataclass(frozen=True, slots=True)
class Seam:
    """The seam at a ring degree, on a machine.

    ``around``: bytes that are used between two such calls, so that operands have left the caches. ``made``: digits of
    the switching keys, where they were made for a higher level.

    >>> seam = Seam(2**13)
    >>> 0 < seam.ntt([46]) < seam.ntt([50]) < seam.ntt([46, 46])
    True
    """

    ring_degree: int
    machine: Machine = ZEN5
    around: float = 0.0
    made: int = 0
    _vectors: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_vectors", self.ring_degree / 8)

    def _called(self, loops: int = 1) -> Any:
        """The call itself, and the threads that its loops wake."""
        machine = self.machine
        return machine.call + (loops * machine.wake if machine.threads > 1 else 0 * machine.wake)

    # --- entry by entry ------------------------------------------------------------------------------------------

    def add(self, bits: Bits, polys: int = 1) -> Any:
        """x + y."""
        return self._entries(bits, polys, self.machine.sum, rows=3)

    sub = add

    def neg(self, bits: Bits, polys: int = 1) -> Any:
        """-x."""
        return self._entries(bits, polys, self.machine.sum, rows=2)

    def mul_scalar(self, bits: Bits, polys: int = 1) -> Any:
        """x * s_i."""
        return self._entries(bits, polys, self.machine.scale, rows=2)

    def add_scalar(self, bits: Bits, polys: int = 1) -> Any:
        """x + s_i."""
        return self._entries(bits, polys, self.machine.sum, rows=2)

    def mul(self, bits: Bits, polys: int = 1) -> Any:
        """x * y."""
        return self._entries(bits, polys, self.machine.product, rows=3)

    def mul_add(self, bits: Bits, polys: int = 1) -> Any:
        """x * y + z."""
        return self._entries(bits, polys, self.machine.product * 1.25, rows=4)

    def inner_product(self, bits: Bits, terms: int, polys: int = 1) -> Any:
        """sum_j xs[j] * ys[j]: reduced once, so each term costs less than a product."""
        work = self.machine.product * (0.65 * terms + 0.5) * polys
        return self._crowded(bits, work, 2 * terms + 1, (2 * terms + 1) * polys)

    def inner_products(self, bits: Bits, components: int, terms: int, products: int, sums: int) -> Any:
        """Many sums of the same terms, of which each term and each factor is read once."""
        work = self.machine.product * (0.65 * products + 0.5 * sums) * components
        rows = components * (terms + sums) + products
        return self._crowded(bits, work, rows, rows)

    def tensor(self, bits: Bits, polys: int = 1, x_coeffs: int = 0, y_coeffs: int = 0) -> Any:
        """The product of two pairs, of which the first limbs are transformed on the way."""
        transformed = 2 * polys * (self._transforms(bits[:x_coeffs]) + self._transforms(bits[:y_coeffs]))
        return self._entries(bits, polys, self.machine.product * 4, rows=7) + transformed

    def join(self, bits: Bits, polys: int = 1) -> Any:
        """Copies."""
        return self._entries(bits, polys, self.machine.sum, rows=2)

    def limbs(self, bits: Bits, polys: int = 1) -> Any:
        """A view."""
        return self._called(0)

    view = limbs

    def zeros(self, bits: Bits, polys: int = 1) -> Any:
        """0."""
        return self._entries(bits, polys, self.machine.sum, rows=1)

    def load(self, bits: Bits, polys: int = 1) -> Any:
        """A copy of an array."""
        return self._entries(bits, polys, self.machine.sum, rows=2)

    def _entries(self, bits: Bits, polys: int, price: Any, rows: float) -> Any:
        count = len(bits) * polys * self._vectors
        return self._called() + price * count + self._flow(64 * rows * count)

    def _crowded(self, bits: Bits, work: Any, streams: int, rows: int) -> Any:
        """Rows of many operands at once: a core fetches few streams ahead, and of very many gets less than half."""
        slower = 1 + min(1.5, max(0.0, (streams - FETCHED) / (3 * FETCHED)))
        count = len(bits) * self._vectors
        return self._called() + work * count + slower * self._flow(64 * rows * count)

    def _flow(self, touched: float) -> Any:
        return self.machine.flow(touched, self.around)

    # --- transforms ----------------------------------------------------------------------------------------------

    def ntt(self, bits: Bits, polys: int = 1) -> Any:
        """Coefficients to evaluations."""
        return self._called() + polys * self._transforms(bits) + self._rows(2 * polys + 1, bits)

    def intt(self, bits: Bits, polys: int = 1) -> Any:
        """Evaluations to coefficients."""
        return self._called() + polys * self._transforms(bits, inverse=True) + self._rows(2 * polys + 1, bits)

    def _transforms(self, bits: Bits, inverse: bool = False) -> Any:
        machine, wide = self.machine, sum(b > NARROW_BITS for b in bits)
        narrow_price = machine.inverse if inverse else machine.forward
        wide_price = machine.inverse_wide if inverse else machine.forward_wide
        butterflies = self._vectors * (self.ring_degree.bit_length() - 1) / 2
        return butterflies * (narrow_price * (len(bits) - wide) + wide_price * wide)

    def _rows(self, rows: float, bits: Bits) -> Any:
        """Rows of so many limbs stream; a table of a transform counts as one."""
        return self._flow(rows * len(bits) * 8 * self.ring_degree)

    def automorphism_eval(self, bits: Bits, polys: int = 1) -> Any:
        """f(X^g)."""
        bytes_moved = 8 * self.ring_degree * len(bits) * polys
        own = self._called() + self.machine.move * (bytes_moved / 64) + self._flow(bytes_moved)
        return own + self.machine.scattered_flow(bytes_moved, max(2 * bytes_moved, self.around))

    automorphism_coeff = to_natural = from_natural = automorphism_eval

    # --- integers ------------------------------------------------------------------------------------------------

    def reduce(self, bits: Bits, polys: int = 1) -> Any:
        """Residues of an array of integers."""
        return self._entries(bits, polys, self.machine.reduce, rows=1) + polys * self.machine.array * self._vectors

    def lift(self, bits: Bits, polys: int = 1) -> Any:
        """Doubles: digits in mixed radix, each from all before (a multiplication), and their sum (twenty of those)."""
        return self._entries(bits, polys, self.machine.lift * (len(bits) + 20), rows=1)

    def encrypt(self, bits: Bits, special: int) -> Any:
        """Samples, products with both halves of the key, divided by the special primes; errors join the remainder."""
        kept, machine = bits[special:], self.machine
        each = machine.reduce + machine.product + 1.5 * machine.scale  # of a limb and a half: its error, key, remainder
        halves = self._transforms(bits[:special], inverse=True) + self._transforms(kept)
        halves = halves + self._terms(special) + self._sums(special, len(kept)) + each * (len(bits) * self._vectors)
        samples = (machine.ternary + 2 * machine.error) * self._vectors
        mask = self._transforms(bits) + machine.reduce * (len(bits) * self._vectors)
        return self._called(6) + samples + mask + 2 * halves + self._rows(8, bits)

    def uniform(self, bits: Bits, polys: int = 1) -> Any:
        """Uniform residues, with their keystream."""
        return self._entries(bits, polys, self.machine.uniform, rows=2)

    def ternary(self, bits: Bits, polys: int = 1) -> Any:
        """Small coefficients with their keystream, and their residues."""
        return self._entries(bits, polys, self.machine.reduce, rows=1) + polys * self.machine.ternary * self._vectors

    def centred_binomial(self, bits: Bits, polys: int = 1) -> Any:
        """Errors with their keystream, and their residues."""
        return self._entries(bits, polys, self.machine.reduce, rows=1) + polys * self.machine.error * self._vectors

    def pack(self, bits: Bits, polys: int = 1) -> Any:
        """To bytes."""
        return self._entries(bits, polys, self.machine.pack, rows=2)

    def unpack(self, bits: Bits, polys: int = 1) -> Any:
        """From bytes."""
        return self._entries(bits, polys, self.machine.unpack, rows=2)

    def scale_round(self, bits: Bits, plain: Bits) -> Any:
        """Integers modulo t, and how far they were from integers."""
        return self.convert(bits, plain)

    # --- from basis to basis -------------------------------------------------------------------------------------

    def convert(self, source: Bits, target: Bits, polys: int = 1) -> Any:
        """From primes to others: slots 2 i o + 7 i + 4 o for 8 coefficients of i > 1 inputs and o outputs."""
        i, o = len(source), len(target)
        flow = self._flow(polys * (i + o) * 8 * self.ring_degree)
        return self._called(2) + polys * (self._terms(i) + self._sums(i, o)) + flow

    def _terms(self, inputs: int) -> Any:
        """What depends on inputs only: of a single one, a sum."""
        return self.machine.weigh * ((7 * inputs if inputs > 1 else 3) * self._vectors)

    def _sums(self, inputs: int, outputs: int) -> Any:
        """What is done for each output: of a single input, mostly a sum."""
        return self.machine.weigh * ((2 * inputs + 4 if inputs > 1 else 4) * outputs * self._vectors)

    def divide_round_eval(self, bits: Bits, start: int, stop: int, polys: int = 1) -> Any:
        """round(x / D) over the limbs ``start … stop-1``, of evaluations."""
        return self._called(3 * polys) + polys * self._division(bits, start, stop) + self._rows(polys * 1.5 + 1, bits)

    def divide_round_sum(self, bits: Bits, special: int, start: int, stop: int, polys: int = 1) -> Any:
        """round((x + P y) / D)."""
        added = self.machine.scale * (len(bits) * self._vectors)
        own = self.divide_round_eval(bits, start, stop, polys)
        return own + polys * added + self._rows(polys, bits[special:])

    def divide_round_coeff(self, bits: Bits, start: int, stop: int, polys: int = 1) -> Any:
        """round(x / D), of coefficients."""
        kept, dropped = stop - start, len(bits) - (stop - start)
        each = self._terms(dropped) + self._sums(dropped, kept) + self.machine.scale * (kept * self._vectors)
        return self._called(polys) + polys * each + self._rows(polys * 1.5, bits)

    def _division(self, bits: Bits, start: int, stop: int) -> Any:
        kept, dropped = bits[start:stop], [*bits[:start], *bits[stop:]]
        return (
            self._transforms(dropped, inverse=True)
            + self._terms(len(dropped))
            + self._sums(len(dropped), len(kept))
            + self._transforms(kept)
            + self.machine.scale * (len(kept) * self._vectors)
        )

    # --- key switching -------------------------------------------------------------------------------------------

    def decompose(self, bits: Bits, special: int, digit: int, polys: int = 1) -> Any:
        """The digits over all limbs."""
        limbs, digits = len(bits) - special, math.ceil((len(bits) - special) / digit)
        rows = 2 * limbs + digits * len(bits)
        flow = self._flow(polys * 8 * self.ring_degree * rows)
        return self._called(2) + polys * self._digits(bits, special, digit) + flow

    def key_product(self, bits: Bits, digits: int, polys: int = 1) -> Any:
        """The inner product of digits with both halves of a key."""
        rows = polys * (digits + 2) * len(bits) * 8 * self.ring_degree
        flow = self._flow(rows) + self._key_flow(bits, digits, rows)
        return self._called() + polys * self._key_sums(len(bits), digits) + flow

    def key_switch(self, bits: Bits, special: int, digit: int, polys: int = 1) -> Any:
        """`decompose` and `key_product` in one."""
        out = polys * 2 * len(bits) * 8 * self.ring_degree
        return self._called(2) + self._switch(bits, special, digit, polys, out)

    def switch_down(self, bits: Bits, special: int, digit: int, stop: int, addends: int = 1, polys: int = 1) -> Any:
        """`key_switch` of evaluations, divided."""
        kept = stop - special
        inverse = self._transforms(bits[special:], inverse=True)
        sums = self.machine.scale * (addends * kept * self._vectors)
        out = polys * (2 + addends) * kept * 8 * self.ring_degree
        divided = polys * (inverse + 2 * self._division(bits, special, stop) + sums)
        dropped = 2 * (len(bits) - kept) * 8 * self.ring_degree
        again = self.machine.flow(polys * dropped * kept / AT_ONCE, dropped)
        return self._called(6) + divided + again + self._switch(bits, special, digit, polys, out)

    def _switch(self, bits: Bits, special: int, digit: int, polys: int, out: float) -> Any:
        """Digits times key; their terms come back for every few limbs, and so do the tables of transforms."""
        limbs = len(bits) - special
        digits, row = math.ceil(limbs / digit), 8 * self.ring_degree
        terms = limbs * row
        group = AT_ONCE * (self._key(bits, digits) / len(bits) + (digits + 2) * row)  # what comes between
        again = polys * terms * len(bits) / AT_ONCE
        once = (2 * len(bits) + polys * limbs + (polys + AT_ONCE) * digits) * row + polys * terms + out
        work = polys * (self._digits(bits, special, digit) + self._key_sums(len(bits), digits))
        flow = self.machine.flow(once, max(self.around, once + self._key(bits, digits)))
        return work + flow + self._key_flow(bits, digits, once) + self.machine.flow(again, terms + group)

    def _key_flow(self, bits: Bits, digits: int, rows: float) -> Any:
        """The key as it streams, with what lies between the digits that are used."""
        key = self._key(bits, max(self.made, digits))
        return self.machine.flow(key, max(self.around, key + rows))

    def _digits(self, bits: Bits, special: int, digit: int) -> Any:
        cycles = self._terms(len(bits) - special)
        for start in range(special, len(bits), digit):
            others = [*bits[:start], *bits[start + digit :]]
            cycles = cycles + self._sums(len(bits) - len(others), len(others)) + self._transforms(others)
        return cycles

    def _key_sums(self, limbs: int, digits: int) -> Any:
        return limbs * self._vectors * (self.machine.key * digits + self.machine.key_end)

    def _key(self, bits: Bits, digits: int) -> float:
        """Bytes of a packed key."""
        return 2 * digits * self.ring_degree * sum((b + 7) // 8 for b in bits)
