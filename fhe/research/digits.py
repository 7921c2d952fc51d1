"""Another way to raise digits, to exchange for `decompose`."""

from __future__ import annotations

import math

from fhe.backend.protocol import BasisHandle, Buffer
from fhe.research.exchange import Exchanged


def uncorrected_digits(
    backend: Exchanged, basis: BasisHandle, special: int, digit: int, coeff: Buffer, evaluated: Buffer
) -> tuple[Buffer, ...]:
    """Digits d_j + v D_j, where the overflow v of the sum over a digit's primes is left in: sum_i y_i (D_j / q_i).

    The y_i are centred, so |v| is at most half the number of primes. Since v D_j g_j vanishes modulo Q, the result is
    right, with noise larger by that factor; the quotient, a sum in floating point, is saved. With one prime a digit
    it is the same as what it stands for. (Bajard, Eynard, Hasan, Zucca, SAC 2016.)

    >>> import fhe
    >>> from fhe.research import exchanged
    >>> parameters = fhe.CKKSParameters(
    ...     ring_degree=64, modulus_bits=[46, 40, 40, 40], special_bits=[43] * 2, digit=2, insecure="an example"
    ... )
    >>> owner = fhe.KeyOwner(parameters, exchanged("reference", decompose=uncorrected_digits))
    >>> owner.decrypt(np.roll(owner.encrypt([1.0, 2.0, 3.0]), 1)).round(2).tolist()
    [3.0, 1.0, 2.0]
    """
    del evaluated  # a digit's own limbs are found again: this is for reading, not for speed
    moduli = backend.numbers(basis).moduli
    found = []
    for start in range(special, len(moduli), digit):
        stop = min(start + digit, len(moduli))
        D, total = math.prod(moduli[start:stop]), backend.zeros(basis)
        for limb in range(start, stop):
            q, own = moduli[limb], backend.select(basis, limb, limb + 1)
            x = backend.limbs(coeff, limb - special, limb - special + 1)
            y = backend.mul_scalar(own, x, [pow(D // q, -1, q)])
            raised = backend.convert(own, basis, y)  # of a single prime: centred, and exact
            total = backend.add(basis, backend.mul_scalar(basis, raised, [D // q % p for p in moduli]), total)
        found.append(backend.ntt(basis, total))
    return tuple(found)
