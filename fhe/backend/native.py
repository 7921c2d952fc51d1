"""`NativeBackend`: the operations of the seam in C++, on this machine's widest instruction set."""

from __future__ import annotations

from collections.abc import Sequence

from fhe import _core

Basis = _core.Basis
Buffer = _core.Buffer


class NativeBackend:
    """The seam on `fhe._core`. ``target`` forces an instruction set; by default the widest this CPU has.

    Each prime is bound to the widest instruction set, from the target on, that takes it: ``target`` names the one
    that runs primes below 2^46 (the default size). Evaluations are kept in an order of this backend's own.
    Operations release the GIL. Sampling secrets is constant time.

    Raises ValueError for a target that is unknown, or that this CPU lacks.

    >>> backend = NativeBackend()
    >>> basis = backend.basis(8, [97], [8])
    >>> x = backend.reduce(basis, np.array([-1, 1, 0, 0, 0, 0, 0, 0]))
    >>> backend.view(backend.intt(basis, backend.mul(basis, backend.ntt(basis, x), backend.ntt(basis, x))))
    array([[ 1, 95,  1,  0,  0,  0,  0,  0]], dtype=uint64)
    """

    name = "native"

    def __init__(self, target: str | None = None) -> None:
        self._target = target or ""
        self.target = _core.target_for(modulus_bits=46, ring_degree=4096, target=self._target)

    def __repr__(self) -> str:
        return f"NativeBackend({self.target})"

    def basis(self, ring_degree: int, moduli: Sequence[int], roots: Sequence[int]) -> Basis:
        return Basis(ring_degree, moduli, roots, self._target)

    def secret_words(self, count: int) -> memoryview:
        return memoryview(_core.SecretWords(count))

    # The functions of the core are the methods: no Python between a caller and the arithmetic.

    evaluation_order = staticmethod(_core.evaluation_order)
    load = staticmethod(_core.load)
    view = staticmethod(_core.view)
    zeros = staticmethod(_core.zeros)
    limbs = staticmethod(_core.limbs)
    join = staticmethod(_core.join)
    wipe = staticmethod(_core.wipe)

    add = staticmethod(_core.add)
    sub = staticmethod(_core.sub)
    neg = staticmethod(_core.neg)
    mul = staticmethod(_core.mul)
    mul_add = staticmethod(_core.mul_add)
    mul_scalar = staticmethod(_core.mul_scalar)
    add_scalar = staticmethod(_core.add_scalar)
    inner_product = staticmethod(_core.inner_product)
    inner_products = staticmethod(_core.inner_products)
    tensor = staticmethod(_core.tensor)

    ntt = staticmethod(_core.ntt)
    intt = staticmethod(_core.intt)
    to_natural = staticmethod(_core.to_natural)
    from_natural = staticmethod(_core.from_natural)
    automorphism_coeff = staticmethod(_core.automorphism_coeff)
    automorphism_eval = staticmethod(_core.automorphism_eval)

    reduce = staticmethod(_core.reduce)
    lift = staticmethod(_core.lift)
    convert = staticmethod(_core.convert)
    scale_round = staticmethod(_core.scale_round)
    divide_round_coeff = staticmethod(_core.divide_round_coeff)
    divide_round_eval = staticmethod(_core.divide_round_eval)
    divide_round_sum = staticmethod(_core.divide_round_sum)

    decompose = staticmethod(_core.decompose)
    pack_key = staticmethod(_core.pack_key)
    unpack_key = staticmethod(_core.unpack_key)
    key_product = staticmethod(_core.key_product)
    key_switch = staticmethod(_core.key_switch)
    switch_down = staticmethod(_core.switch_down)

    encrypt = staticmethod(_core.encrypt)

    uniform = staticmethod(_core.uniform)
    ternary = staticmethod(_core.ternary)
    centred_binomial = staticmethod(_core.centred_binomial)

    pack = staticmethod(_core.pack)
    unpack = staticmethod(_core.unpack)


def set_num_threads(threads: int) -> None:
    """Spread each operation over this many threads, the calling one included."""
    _core.set_num_threads(threads)


def num_threads() -> int:
    """The threads that an operation may use."""
    return _core.num_threads()


def supported_targets() -> list[str]:
    """The instruction sets of this CPU that the core was built for, widest first.

    >>> supported_targets()[-1]
    'scalar'
    """
    return _core.supported_targets()
