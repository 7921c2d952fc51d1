"""How noise grows: a bound that no coefficient passes, for every operation, as log2.

A noise polynomial v is described by one number, b = log2 B, which stands for two statements:

    |v_j| <= B for all N coefficients,    and    |v_1|^2 + … + |v_N|^2 <= N (B / k)^2,

where k (`tail`, about 15) is the number of standard deviations that N coefficients pass with probability below
2^-148. Each *term* below holds with that probability over keys and encryption randomness, so a computation of up to
2^20 terms keeps its bound except with probability 2^-128. Sums are worst case: operands may be the same.

Facts used. A uniform ternary or centred binomial variable is sub-Gaussian with its own variance as proxy (compare
power series of the moment generating functions), so sums over known factors obey the Gaussian tail exactly: e u given
u has proxy 10.5 |u|^2. Products with the secret are bounded by its canonical norm, max |s(zeta^(2k+1))|, because
|s v|_2 <= |s|_can |v|_2; powers of the one secret, which break independence, are therefore harmless.

Assumptions. (1) A ciphertext's c_1 is uniform modulo Q and independent of any other operand's noise (ring-LWE), so
rounding errors are uniform in [-1/2, 1/2]. (2) The second statement above, which says that the energy of a noise
polynomial is near its mean, survives products. (3) Messages and circuits are chosen without knowledge of keys, noise
or decryptions.

Literature: Kim, Polyakov, Zucca, ASIACRYPT 2021 (ePrint 2021/204) for BFV with round(Q m / t); Halevi, Polyakov,
Shoup, CT-RSA 2019; Costache, Smart, CT-RSA 2016, for canonical norms; Han, Ki, CT-RSA 2020, for key switching.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.parameters import BFVParameters, CKKSParameters, Parameters

SECRET_VARIANCE = 2 / 3  # uniform ternary
ERROR_VARIANCE = 10.5  # centred binomial of 21 + 21 bits
ROUNDING_VARIANCE = 1 / 12  # uniform in [-1/2, 1/2]
FAILURE_BITS = 128
TERM_FAILURE_BITS = FAILURE_BITS + 20
DIRECTIONS = 16
AUXILIARY_BITS_SHORT = 1  # by how much the modulus A that a BFV product rounds one operand to may fall short of Q
ABOVE_SWITCHING_BITS = 8  # of a BFV ciphertext's noise above what key switching adds, at a level it is moved down to
# Of a product that moved, relative to its modulus: the rounding of the move, and one rotation more at the lower level.
SETTLING_LOSS_BITS = 2 * math.log2(1 + 2.0**-ABOVE_SWITCHING_BITS)

NOTHING = -math.inf  # of a ciphertext without noise


# --- what keys and rounding are ----------------------------------------------------------------------------------


@lru_cache
def tail(ring_degree: int) -> float:
    """k with 2 N exp(-k^2 / 2) = 2^-148: what N sub-Gaussian coefficients stay below, in standard deviations.

    >>> round(tail(2**14), 2)
    15.03
    """
    return math.sqrt(2 * math.log(2) * (TERM_FAILURE_BITS + 1 + math.log2(ring_degree)))


@lru_cache
def weight(ring_degree: int) -> float:
    """What the Hamming weight of a uniform ternary polynomial does not exceed (Hoeffding): 2N/3 and a little.

    >>> round(weight(2**14) / 2**14, 3)
    0.723
    """
    N = ring_degree
    return min(N, SECRET_VARIANCE * N + math.sqrt(N * TERM_FAILURE_BITS * math.log(2) / 2))


@lru_cache
def spread(ring_degree: int) -> float:
    """What max_k |v(zeta^(2k+1))| stays below, in root mean squares sqrt(N V), zeta = exp(i pi / N).

    For independent coefficients of proxy V the value in a fixed direction has proxy N V / 2. A complex number beyond
    r is beyond r cos(pi/16) in one of 16 directions; N/2 roots are counted, the others are their conjugates.

    >>> round(spread(2**14), 2)
    10.9
    """
    union = TERM_FAILURE_BITS + math.log2(ring_degree / 2) + math.log2(DIRECTIONS)
    return math.sqrt(math.log(2) * union) / math.cos(math.pi / DIRECTIONS)


def secret_norm(ring_degree: int) -> float:
    """What max_k |s(zeta^(2k+1))| does not exceed for a uniform ternary s; never more than its weight."""
    return min(math.sqrt(SECRET_VARIANCE * ring_degree) * spread(ring_degree), weight(ring_degree))


def canonical_norm(coefficients: ArrayLike) -> float:
    """log2 max_k |p(zeta^(2k+1))| of a real polynomial: by how much its product with noise can grow.

    The roots with exponents 1 mod 4 are conjugate to the others, and their N/2-th power is i: p takes there the values
    of sum_j (p_j + i p_(j+N/2)) zeta^j zeta^(4jk), a transform of length N/2.

    >>> canonical_norm([8, 0, 0, 0]), round(canonical_norm([1, 1, 1, 1]), 3)
    (3.0, 1.386)
    """
    p = np.asarray(coefficients, dtype=np.float64)
    half = p.size // 2
    at_roots = np.fft.fft(np.conj((p[:half] + 1j * p[half:]) * _twists(p.size)))
    largest = float(np.max(at_roots.real**2 + at_roots.imag**2))
    return math.log2(largest) / 2 if largest else NOTHING


@lru_cache(maxsize=16)
def _twists(ring_degree: int) -> NDArray[np.complex128]:
    """zeta^j for j < N/2, zeta = exp(i pi / N)."""
    twists: NDArray[np.complex128] = np.exp(1j * np.pi * np.arange(ring_degree // 2) / ring_degree)
    return twists


# --- both schemes ------------------------------------------------------------------------------------------------


def add(*bounds: float) -> float:
    """Of a sum or difference: B_1 + B_2 + …

    >>> add(3.0, 3.0), add(5.0, NOTHING)
    (4.0, 5.0)
    """
    largest = max(bounds)
    if largest == NOTHING:
        return NOTHING
    return largest + math.log2(math.fsum(2.0 ** (bound - largest) for bound in bounds))


def fresh_public(parameters: Parameters) -> float:
    """Of an encryption under the public key: e u + e_1 s + e_0, and 1/2 for the rounding of the message.

    c_0 = b u + e_0 + m and c_1 = a u + e_1 with b = -a s + e leave e u + e_1 s + e_0, of proxy
    10.5 (|u|^2 + |s|^2 + 1).

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> round(fresh_public(p), 1)
    12.4
    """
    return public_encryption(parameters.ring_degree)


def fresh_divided(parameters: Parameters) -> float:
    """Of an encryption under a public key over p*Q, divided by p: what is left of `fresh_public`, and rounding.

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> round(fresh_divided(p), 1)
    8.4
    """
    left = fresh_public(parameters) - math.log2(parameters.special[0])
    return add(left, divide_round(parameters), math.log2(tail(parameters.ring_degree) / 2))


def fresh_symmetric(parameters: Parameters) -> float:
    """Of an encryption under the secret key: e, and 1/2 for the rounding of the message.

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> round(fresh_symmetric(p), 1)
    5.8
    """
    return math.log2(tail(parameters.ring_degree) * (math.sqrt(ERROR_VARIANCE) + 0.5))


def divide_round(parameters: Parameters, degree: int = 1) -> float:
    """What dividing a ciphertext with rounding adds: r_0 + r_1 s (+ r_2 s^2), each r uniform in [-1/2, 1/2].

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> round(divide_round(p), 1), round(divide_round(p, degree=2), 1)
    (8.4, 18.1)
    """
    return rounding(parameters.ring_degree, degree)


def rescale(parameters: Parameters, level: int, noise: float) -> float:
    """Of a ciphertext of degree 1 divided by the primes of its level: B / q_l, and rounding.

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> round(rescale(p, 3, 60.0), 1)
    18.0
    """
    dropped = parameters.log_modulus(level) - (parameters.log_modulus(level - 1) if level else 0.0)
    return add(noise - dropped, divide_round(parameters))


@lru_cache(maxsize=1024)
def key_switch(parameters: Parameters, level: int) -> float:
    """What switching one component to another key adds: sum_j d_j e_j / P, and rounding.

    Digit j, of primes with product D_j, is an integer polynomial with coefficients in [-D_j / 2, D_j / 2]: whatever
    the digits, the proxy is at most 10.5 N sum_j (D_j / 2P)^2.

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> round(key_switch(p, 3), 1)
    9.8
    """
    log_p = parameters.log_p
    digits = [math.fsum(map(math.log2, digit)) - log_p for digit in parameters.digits(level)]
    return switching(parameters.ring_degree, digits)


def multiply_plain(noise: float, plain_norm: float) -> float:
    """Of a product with a polynomial that has this `canonical_norm`: p v has at most |p|_can times the energy of v.

    For a number the norm is its magnitude, in CKKS scale times the largest |value|; the 1-norm of the coefficients
    bounds it always.

    >>> multiply_plain(10.0, canonical_norm([-4, 0, 0, 0]))
    12.0
    """
    return noise + plain_norm


# --- BFV: c(s) = (Q/t) m + v mod Q -----------------------------------------------------------------------------


def limit_bfv(parameters: BFVParameters, level: int) -> float:
    """log2 of Q_l / 2t: decryption is exact while all noise stays below.

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> round(limit_bfv(p, 3), 1)
    151.0
    """
    return parameters.log_modulus(level) - 1 - math.log2(parameters.plain_modulus)


def multiply_bfv(parameters: BFVParameters, level: int, a: float, b: float) -> float:
    """Of round(t/Q c c'), of degree 2, before relinearisation.

    With c(s) = (Q/t) m + v + Q r over the integers, t/Q c(s) c'(s) is (Q/t) m m' modulo Q, and
    w' v + w v' - (t/Q) v v' with w = (t/Q) c(s), plus the rounding of three components. c' is rounded before, to a
    modulus A >= Q/2 (`fhe.bfv.product`):

    1.  w' v + w v': c_0 and c_1 uniform give w' v proxy (t^2/12) (|v|^2 + |s v|^2);
    2.  (t/Q) v v', by Cauchy–Schwarz;
    3.  r_0 + r_1 s + r_2 s^2;
    4.  (Q/A) (r_0 + r_1 s) in c', which adds to v' in the terms before.

    (Kim, Polyakov, Zucca, ePrint 2021/204, for the terms.)

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> round(multiply_bfv(p, 3, fresh_public(p), fresh_public(p)), 1)
    43.8
    """
    t = math.log2(parameters.plain_modulus)
    return product(parameters.ring_degree, t, parameters.log_modulus(level), a, b)


# --- CKKS: c(s) = m + v mod Q, slot by slot ---------------------------------------------------------------------
#
# Here b = log2 B bounds |v(zeta^(2k+1))| at every root, since products act there one by one and exactly. The error of
# a value is at most B over the scale. No assumption on the energy of products is needed; rounding counts as uniform.


def flood(ring_degree: int, drowned: float, statistical_bits: int) -> int:
    """log2 of the flood that hides coefficients of 2^drowned in the mean, but for 2^-statistical_bits: `fhe.hiding`.

    >>> flood(2**13, 20.5, 40)
    73
    """
    return math.ceil(drowned + math.log2(ring_degree) + statistical_bits - 1)


def fresh_public_slots(parameters: CKKSParameters) -> float:
    """Of an encryption under the public key, with the rounding of the message.

    >>> p = CKKSParameters(ring_degree=2**14, modulus_bits=[46] + [40] * 6, special_bits=[43] * 3)
    >>> round(fresh_public_slots(p), 1)
    22.8
    """
    N = parameters.ring_degree
    return _slots(N, ERROR_VARIANCE * (2 * secret_norm(N) ** 2 + 1) + ROUNDING_VARIANCE)


def fresh_divided_slots(parameters: CKKSParameters) -> float:
    """Of an encryption under a public key over p*Q, divided by p: what is left of `fresh_public_slots`, and rounding.

    >>> p = CKKSParameters(ring_degree=2**14, modulus_bits=[46] + [40] * 6, special_bits=[43] * 3)
    >>> round(fresh_divided_slots(p), 1)
    18.8
    """
    return add(fresh_public_slots(parameters) - math.log2(parameters.special[0]), divide_round_slots(parameters))


def fresh_symmetric_slots(parameters: CKKSParameters) -> float:
    """Of an encryption under the secret key, with the rounding of the message.

    >>> p = CKKSParameters(ring_degree=2**14, modulus_bits=[46] + [40] * 6, special_bits=[43] * 3)
    >>> round(fresh_symmetric_slots(p), 1)
    12.1
    """
    return _slots(parameters.ring_degree, ERROR_VARIANCE + ROUNDING_VARIANCE)


def divide_round_slots(parameters: CKKSParameters, degree: int = 1) -> float:
    """What dividing a ciphertext with rounding adds: r_0 + r_1 s (+ r_2 s^2).

    >>> p = CKKSParameters(ring_degree=2**14, modulus_bits=[46] + [40] * 6, special_bits=[43] * 3)
    >>> round(divide_round_slots(p), 1)
    18.8
    """
    N = parameters.ring_degree
    return _slots(N, ROUNDING_VARIANCE * sum(secret_norm(N) ** (2 * power) for power in range(degree + 1)))


@lru_cache(maxsize=1024)
def key_switch_slots(parameters: CKKSParameters, level: int) -> float:
    """What switching one component to another key adds: sum_j d_j e_j / P, and rounding.

    The coefficients of digit j are uniform in [-D_j / 2, D_j / 2], since c_1 is uniform modulo Q. (Were they not
    centred, their mean would give slot 0 and its conjugate about sqrt(N) times the noise of the others.)

    >>> p = CKKSParameters(ring_degree=2**14, modulus_bits=[46] + [40] * 6, special_bits=[43] * 3)
    >>> round(key_switch_slots(p, 6), 1)
    19.4
    """
    N, log_p, energies = parameters.ring_degree, parameters.log_p, []
    for digit in parameters.digits(level):
        ratio = 2.0 ** (math.fsum(map(math.log2, digit)) - log_p)
        energies.append((ratio * 2.0 ** _slots(N, ROUNDING_VARIANCE)) ** 2)
    return add(_slots(N, ERROR_VARIANCE * math.fsum(energies)), divide_round_slots(parameters))


def _slots(ring_degree: int, variance: float) -> float:
    """log2 of what |v(zeta^(2k+1))| does not exceed at any root, for independent coefficients of this proxy."""
    return math.log2(math.sqrt(ring_degree * variance) * spread(ring_degree)) if variance else NOTHING


# --- the same on numbers, for sets that do not exist yet ------------------------------------------------------------


def public_encryption(ring_degree: int) -> float:
    """`fresh_public` at ring degree N."""
    sigma = math.sqrt(ERROR_VARIANCE * (2 * weight(ring_degree) + 1))
    return math.log2(tail(ring_degree) * (sigma + 0.5))


@lru_cache
def rounding(ring_degree: int, degree: int = 1) -> float:
    """`divide_round` at ring degree N."""
    h, norm = weight(ring_degree), secret_norm(ring_degree)
    energies = 1 + sum(h * norm ** (2 * power) for power in range(degree))
    return math.log2(tail(ring_degree) * math.sqrt(ROUNDING_VARIANCE * energies))


def switching(ring_degree: int, digits: Iterable[float]) -> float:
    """`key_switch` for digits given by log2(D_j / P)."""
    sizes = [2 * (log_ratio - 1) for log_ratio in digits]
    energy = math.log2(ERROR_VARIANCE * ring_degree) + add(*sizes)
    return add(math.log2(tail(ring_degree)) + energy / 2, rounding(ring_degree))


def product(ring_degree: int, log_t: float, log_q: float, a: float, b: float) -> float:
    """`multiply_bfv` for log2 t and log2 Q."""
    N = ring_degree
    b = add(b, rounding(N) + AUXILIARY_BITS_SHORT)
    uniform = math.sqrt(N * ROUNDING_VARIANCE * (1 + secret_norm(N) ** 2))
    linear = add(a, b) + log_t + math.log2(uniform)
    quadratic = a + b + log_t - log_q + math.log2(N / tail(N) ** 2)
    return add(linear, quadratic, rounding(N, 2))


def chain_noise(
    ring_degree: int,
    log_t: float,
    log_q: float,
    digits: Sequence[float],
    depth: int,
    sums: int = 1,
) -> float:
    """Of ``depth`` BFV products in a row: what parameters are chosen for.

    >>> round(chain_noise(2**13, 16, 126, [-3.0] * 3, depth=2), 1)
    88.4

    Every operand, the fresh ones too, is rotated once before its product, with relinearisation, and ``sums`` products
    are added; in the end a rotate-and-sum goes over all N slots. Results move to lower levels when their noise stays
    2^`ABOVE_SWITCHING_BITS` above that of key switching there.
    """
    switch = switching(ring_degree, digits)
    noise = add(public_encryption(ring_degree), switch)
    for _ in range(depth):
        multiplied = add(product(ring_degree, log_t, log_q, noise, noise), switch) + SETTLING_LOSS_BITS
        noise = add(multiplied + math.log2(sums), switch)
    return add(noise, switch) + math.log2(ring_degree)
