"""What the operations of the schemes cost: the calls of the seam that each makes, added up.

Primes are given by their bits: ``q_bits`` for the limbs of Q_l, ``p_bits`` for the special primes, ``digit`` limbs to a
digit. Ciphertexts are evaluations of degree 1; results are cycles on a `Machine`. The counts are those of hybrid key
switching (Han, Ki, CT-RSA 2020), a merged relinearise–ModDown–rescale, and the product of Kim, Polyakov and Zucca
(ASIACRYPT 2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fhe.costs.machine import ZEN5, Machine, amid
from fhe.costs.seam import NARROW_BITS, Seam, key_bytes

Bits = Sequence[int]


def _seam(ring_degree: int, machine: Machine, rows: float, key: float = 0.0, made: int = 0) -> Seam:
    """The seam amid an operation that uses so many rows of residues, and bytes of a key of so many digits."""
    return Seam(ring_degree, machine, 8 * ring_degree * rows + key, made)


def _packed(ring_degree: int, q_bits: Bits, p_bits: Bits, digit: int) -> float:
    """Bytes of a switching key as it is read."""
    return 0.75 * key_bytes(ring_degree, len(q_bits), len(p_bits), digit)


def milliseconds(cycles: float, machine: Machine = ZEN5) -> float:
    """Cycles as time, at the clock of the machine.

    >>> milliseconds(4.2e6)
    1.0
    """
    return 1e3 * cycles / machine.clock


# --- what both schemes do ----------------------------------------------------------------------------------------


def addition(ring_degree: int, q_bits: Bits, machine: Machine = ZEN5) -> Any:
    """x + y of two ciphertexts.

    >>> addition(2**13, [46, 40]) < addition(2**14, [46, 40])
    True
    """
    return machine.step + 2 * _seam(ring_degree, machine, 6 * len(q_bits)).add(q_bits)


def plain_product(ring_degree: int, q_bits: Bits, machine: Machine = ZEN5) -> Any:
    """A ciphertext times an encoded plaintext, not rescaled.

    >>> plain_product(2**14, [46, 40]) < rotation(2**14, [46, 40], [46], 1) / 5
    True
    """
    return machine.step + 2 * _seam(ring_degree, machine, 5 * len(q_bits)).mul(q_bits)


def relinearization(ring_degree: int, q_bits: Bits, p_bits: Bits, digit: int, machine: Machine = ZEN5) -> Any:
    """Degree 2 to degree 1, at one level.

    >>> fewer, more = (relinearization(2**14, [46] + [40] * 6, [46] * special, special) for special in (3, 1))
    >>> fewer < more
    True
    """
    bits, key = [*p_bits, *q_bits], _packed(ring_degree, q_bits, p_bits, digit)
    seam = _seam(ring_degree, machine, 5 * len(q_bits), key)
    return machine.step + seam.switch_down(bits, len(p_bits), digit, len(bits), addends=2)


def rescaling(ring_degree: int, q_bits: Bits, dropped: int = 1, machine: Machine = ZEN5) -> Any:
    """A ciphertext divided by its last ``dropped`` limbs: the rescale of CKKS, a modulus switch.

    >>> rescaling(2**13, [46, 40]) < rescaling(2**13, [46, 40, 40])
    True
    """
    seam = _seam(ring_degree, machine, 4 * len(q_bits))
    return machine.step + 2 * seam.divide_round_eval(q_bits, 0, len(q_bits) - dropped)


def rotation(
    ring_degree: int, q_bits: Bits, p_bits: Bits, digit: int, machine: Machine = ZEN5, *, made: int = 0
) -> Any:
    """An automorphism with its key switching, by a key that was ``made`` of more digits where it serves higher levels.

    >>> 0.5 < milliseconds(rotation(2**14, [46] + [40] * 6, [46] * 3, digit=3)) < 2
    True
    """
    bits, key = [*p_bits, *q_bits], _packed(ring_degree, q_bits, p_bits, digit)
    seam = _seam(ring_degree, machine, 6 * len(q_bits), key, made)
    switched = seam.switch_down(bits, len(p_bits), digit, len(bits))
    return 2 * machine.step + switched + 2 * seam.automorphism_eval(q_bits)


def encryption(ring_degree: int, q_bits: Bits, special_bits: int, machine: Machine = ZEN5) -> Any:
    """An encoded plaintext under the public key, over one special prime more.

    >>> encryption(2**13, [46, 40], 46) > decryption(2**13, [46, 40])
    True
    """
    bits = [special_bits, *q_bits]
    return 2 * machine.step + _seam(ring_degree, machine, 7 * len(bits)).encrypt(bits, 1)


def decryption(ring_degree: int, q_bits: Bits, machine: Machine = ZEN5) -> Any:
    """c_0 + c_1 s, by coefficients.

    >>> decryption(2**13, [46]) < decryption(2**13, [46, 40])
    True
    """
    seam = _seam(ring_degree, machine, 5 * len(q_bits))
    return 4 * seam.limbs(q_bits) + seam.mul_add(q_bits) + seam.intt(q_bits)


# --- linear maps over P*Q ----------------------------------------------------------------------------------------


def hoisting(ring_degree: int, q_bits: Bits, p_bits: Bits, digit: int, machine: Machine = ZEN5) -> Any:
    """The digits that all rotations of a ciphertext share.

    >>> hoisting(2**14, [46] * 7, [46] * 3, 3) < rotation(2**14, [46] * 7, [46] * 3, 3)
    True
    """
    seam = Seam(ring_degree, machine)
    return machine.step + seam.intt(q_bits) + seam.decompose([*p_bits, *q_bits], len(p_bits), digit)


def hoisted_rotation(ring_degree: int, q_bits: Bits, p_bits: Bits, digit: int, machine: Machine = ZEN5) -> Any:
    """One more rotation of a decomposed ciphertext, not divided by P: inner product with its key, and automorphism.

    >>> hoisted_rotation(2**14, [46] * 7, [46] * 3, 3) < rotation(2**14, [46] * 7, [46] * 3, 3) / 2
    True
    """
    bits, seam = [*p_bits, *q_bits], Seam(ring_degree, machine)
    product = seam.key_product(bits, math.ceil(len(q_bits) / digit))
    return machine.step + product + seam.add(bits) + 2 * seam.automorphism_eval(bits)


def extended_rotation(ring_degree: int, q_bits: Bits, p_bits: Bits, digit: int, machine: Machine = ZEN5) -> Any:
    """A rotation of a ciphertext over P*Q that stays there: only c_1 is divided by P, for its digits.

    >>> one = extended_rotation(2**14, [46] * 7, [46] * 3, 3)
    >>> hoisted_rotation(2**14, [46] * 7, [46] * 3, 3) < one < 2 * rotation(2**14, [46] * 7, [46] * 3, 3)
    True
    """
    bits, special, seam = [*p_bits, *q_bits], len(p_bits), Seam(ring_degree, machine)
    divided = seam.divide_round_eval(bits, special, len(bits)) + seam.intt(q_bits)
    return machine.step + divided + seam.key_switch(bits, special, digit) + 2 * seam.automorphism_eval(bits)


def extended_product(ring_degree: int, bits: Bits, machine: Machine = ZEN5) -> Any:
    """A ciphertext over P*Q times a plaintext there, added to a sum.

    >>> extended_product(4096, [46] * 5) < hoisted_rotation(4096, [46] * 4, [46], 1)
    True
    """
    seam = Seam(ring_degree, machine)
    return seam.inner_products(bits, 2, 0, 2, 0) - seam.inner_products(bits, 2, 0, 1, 0)


def linear_map(
    ring_degree: int,
    q_bits: Bits,
    p_bits: Bits,
    digit: int,
    steps: tuple[int, int, int],
    dropped: int = 1,
    machine: Machine = ZEN5,
) -> Any:
    """A plain matrix times a vector in the slots: so many baby steps, giant steps, and products with diagonals.

    >>> shape = 2**13, [46, 36, 36, 36], [46], 1
    >>> each = rotation(*shape, amid(ZEN5, 1e8))  # by keys that come from memory, too
    >>> linear_map(*shape, (7, 7, 64)) < linear_map(*shape, (63, 0, 64)) < 64 * each
    True
    """
    babies, giants, diagonals = steps
    bits, special = [*p_bits, *q_bits], len(p_bits)
    keys = (babies + giants) * _packed(ring_degree, q_bits, p_bits, digit)  # each rotation has its own
    machine = amid(machine, keys + diagonals * len(bits) * 8 * ring_degree)
    baby = babies * hoisted_rotation(ring_degree, q_bits, p_bits, digit, machine)
    giant = giants * extended_rotation(ring_degree, q_bits, p_bits, digit, machine)
    products = diagonals * extended_product(ring_degree, bits, machine)
    seam = _seam(ring_degree, machine, 4 * len(bits))
    lowered = 2 * seam.divide_round_eval(bits, special, len(bits) - dropped)
    return hoisting(ring_degree, q_bits, p_bits, digit, machine) + baby + giant + products + lowered


# --- CKKS --------------------------------------------------------------------------------------------------------


def product_ckks(
    ring_degree: int,
    q_bits: Bits,
    p_bits: Bits,
    digit: int,
    dropped: int = 1,
    machine: Machine = ZEN5,
    *,
    made: int = 0,
) -> Any:
    """Multiply, relinearise and rescale by the last ``dropped`` limbs (none at level 0); ``made`` as of `rotation`.

    >>> product_ckks(2**13, [46, 40, 40], [46], 1) < product_ckks(2**14, [46, 40, 40], [46], 1)
    True
    """
    bits, special, key = [*p_bits, *q_bits], len(p_bits), _packed(ring_degree, q_bits, p_bits, digit)
    stop, seam = max(len(bits) - dropped, special + 1), _seam(ring_degree, machine, 9 * len(q_bits), key, made)
    return 2 * machine.step + seam.tensor(q_bits) + seam.switch_down(bits, special, digit, stop, addends=2)


def encoding_ckks(ring_degree: int, q_bits: Bits, machine: Machine = ZEN5) -> Any:
    """Slots to a polynomial by coefficients.

    >>> encoding_ckks(2**13, [46]) < encoding_ckks(2**13, [46, 40])
    True
    """
    return machine.step + machine.embed * ring_degree + Seam(ring_degree, machine).reduce(q_bits)


def decoding_ckks(ring_degree: int, q_bits: Bits, machine: Machine = ZEN5) -> Any:
    """A polynomial by coefficients to slots.

    >>> decoding_ckks(2**13, [46]) < decoding_ckks(2**13, [46, 40])
    True
    """
    numbers = machine.unembed * ring_degree + 3 * machine.array_of(ring_degree)  # of complex numbers
    return machine.step + numbers + Seam(ring_degree, machine).lift(q_bits)


# --- BFV ---------------------------------------------------------------------------------------------------------


def auxiliary(q_bits: Bits, p_bits: Bits) -> list[int]:
    """The primes of A, near Q: special ones, then as many others as it takes.

    >>> auxiliary([43] * 4, [44]), auxiliary([43] * 2, [46] * 3)
    ([46, 46, 46, 44], [46, 46])
    """
    least, primes = sum(q_bits) - 1, [*reversed(p_bits)]
    while sum(primes) < least:
        primes.append(NARROW_BITS)
    while sum(primes[:-1]) >= least:
        primes.pop()
    return primes[::-1]


def tensor_bfv(ring_degree: int, q_bits: Bits, p_bits: Bits, machine: Machine = ZEN5) -> Any:
    """The product of two ciphertexts as a raised one of degree 2, over A Q: to be summed, or settled.

    >>> tensor_bfv(2**13, [43] * 4, [44]) < product_bfv(2**13, [43] * 4, [44], 1)
    True
    """
    A = auxiliary(q_bits, p_bits)
    seam = _seam(ring_degree, machine, 11 * len(q_bits) + 10 * len(A))
    both = [*A, *q_bits]
    converted = 4 * seam.intt(q_bits) + 4 * seam.convert(q_bits, A) + 2 * seam.convert(A, q_bits)
    return 3 * machine.step + converted + seam.tensor(both, x_coeffs=len(A), y_coeffs=len(both))


def relinearization_bfv(ring_degree: int, q_bits: Bits, p_bits: Bits, digit: int, machine: Machine = ZEN5) -> Any:
    """A raised ciphertext of degree 2 to one of degree 1 over Q: divided by t/A and by P at once.

    >>> relinearization_bfv(2**13, [43] * 4, [44], 1) > relinearization(2**13, [43] * 4, [44], 1)
    True
    """
    A, special, key = auxiliary(q_bits, p_bits), len(p_bits), _packed(ring_degree, q_bits, p_bits, digit)
    raised, switched = [*A, *q_bits], [*p_bits, *q_bits]
    seam = _seam(ring_degree, machine, 8 * len(raised), key)
    front, more = max(raised, switched, key=len), abs(len(A) - special)
    start = max(len(A), special)
    digits = seam.divide_round_eval(raised, len(A), len(raised)) + seam.intt(q_bits)
    switch = seam.key_switch(switched, special, digit)
    if more:
        divided = 2 * seam.divide_round_sum(front, more, start, len(front))
    else:
        divided = 2 * (seam.add(front) + seam.divide_round_eval(front, start, len(front)))
    return 2 * machine.step + digits + switch + divided


def product_bfv(ring_degree: int, q_bits: Bits, p_bits: Bits, digit: int, machine: Machine = ZEN5) -> Any:
    """Multiply over Q and an auxiliary basis of its size, relinearise, and divide by t/A and P at once.

    >>> product_bfv(2**14, [46] * 7, [46] * 3, 3) > 2 * product_ckks(2**14, [46] * 7, [46] * 3, 3)
    True
    """
    rows = 19 * len(q_bits) + 18 * len(auxiliary(q_bits, p_bits))  # of both halves, each used between two of the other
    both = amid(machine, max(machine.around, 8 * ring_degree * rows + _packed(ring_degree, q_bits, p_bits, digit)))
    tensor = tensor_bfv(ring_degree, q_bits, p_bits, both)
    return tensor + relinearization_bfv(ring_degree, q_bits, p_bits, digit, both)


def encoding_bfv(ring_degree: int, q_bits: Bits, plain_bits: int = 17, machine: Machine = ZEN5) -> Any:
    """Integers to a polynomial by coefficients, scaled by Q/t.

    >>> encoding_bfv(2**13, [46]) < encoding_bfv(2**13, [46, 40])
    True
    """
    seam, plain = Seam(ring_degree, machine), [plain_bits]
    numbers = machine.message * ring_degree
    message = numbers + seam.load(plain) + seam.from_natural(plain) + seam.intt(plain)
    return machine.step + message + seam.convert(plain, q_bits) + machine.scale * (len(q_bits) * ring_degree / 8)


def decoding_bfv(ring_degree: int, q_bits: Bits, plain_bits: int = 17, machine: Machine = ZEN5) -> Any:
    """A polynomial by coefficients to integers: scaled by t/Q, and read in the slots.

    >>> decoding_bfv(2**13, [46]) < decoding_bfv(2**13, [46, 40])
    True
    """
    seam, plain = Seam(ring_degree, machine), [plain_bits]
    numbers = machine.values * ring_degree
    return machine.step + seam.scale_round(q_bits, plain) + seam.ntt(plain) + seam.to_natural(plain) + numbers
