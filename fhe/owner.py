"""The owner's half: the secret key, decryption, and the making of keys."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.arrays.array import EncryptedArray
from fhe.arrays.bits import EncryptedBits
from fhe.arrays.decimals import EncryptedDecimals
from fhe.arrays.wide import WideArray, integers_of
from fhe.backend.protocol import Backend
from fhe.bfv.noise_budget import noise_budget_bits
from fhe.choice import choose_bfv
from fhe.ckks.flooding import Flooding, Ledger
from fhe.context import Context
from fhe.errors import NoiseError, ParameterError
from fhe.hiding import checked_bits
from fhe.interval import Bound
from fhe.io.files import PRIVATE, FilePath, write
from fhe.io.format import Container
from fhe.keyfile import Manner, secret_to_bytes
from fhe.opening import opened
from fhe.parameters import BFVParameters, CKKSParameters, Parameters
from fhe.plans import planned_ckks
from fhe.progress import progress as bar
from fhe.received import believed, promised, require_own_bounds
from fhe.ring.random import SeedSource, system_seed
from fhe.rlwe.automorphism import power_of_two_steps, rotation_element, rotation_elements, swap_element
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.keyswitch import SwitchingKey
from fhe.rlwe.public import Encryption, EvaluationKeys
from fhe.rlwe.secret import SecretKey
from fhe.wide import value_modulus

Encrypted = EncryptedArray | WideArray | EncryptedBits | EncryptedDecimals


class _KeysOnDemand(EvaluationKeys):
    """Evaluation keys that their owner makes when they are first asked for."""

    __slots__ = ("_secret",)

    def __init__(self, secret: SecretKey) -> None:
        super().__init__(secret.chain, secret.id)
        self._secret = secret

    def require_relinearization(self) -> SwitchingKey:
        if self.relinearization is None:
            self.relinearization = self._secret.relinearization_key()
        return self.relinearization

    def require_galois(self, element: int) -> SwitchingKey:
        if element not in self.galois:
            self.galois[element] = self._secret.galois_key(element)
        return self.galois[element]

    def holds(self, element: int) -> bool:
        return True

    def rotation_steps(self) -> None:
        return None

    def __reduce__(self) -> NoReturn:
        raise TypeError("the owner's keys cannot be pickled; give away owner.public() instead")


class KeyOwner(Context):
    """A `Context` with the secret: it also decrypts, encrypts symmetrically, and makes keys on demand.

    Made by `fhe.ckks` and `fhe.bfv`.

    >>> owner = bfv(depth=1, plain_modulus=257, ring_degree=64, insecure="for this example", backend="reference")
    >>> server = owner.public(rotations=[1])  # a Context: no secret in it
    >>> owner.decrypt(server.encrypt([1, 2, 3]) + 1).tolist(), server.rotations
    ([2, 3, 4], [1])
    """

    def __init__(
        self,
        parameters: Parameters,
        backend: Backend | str | None = None,
        *,
        bound: Bound = None,
        decimals: int = 0,
        eager: bool = False,
        publish: tuple[int, int] | None = None,
        needs: Mapping[int, int] | None = None,
        _seeds: SeedSource = system_seed,
        _secret: SecretKey | None = None,
        _published: int = 0,
    ) -> None:
        self._ledger = _ledger(parameters, publish, _published)
        chain = ModulusChain.of(parameters, backend)
        self._secret = _secret or SecretKey.generate(chain, _seeds)
        self._seeds = _seeds
        self._bound, self._eager, self._decimals, self._needs = bound, eager, decimals, needs
        super().__init__(chain, self._secret.public_key(), _KeysOnDemand(self._secret))

    @classmethod
    def of(cls, secret: SecretKey, manner: Manner) -> KeyOwner:
        """The owner of a secret that exists."""
        return cls(
            secret.chain.parameters,
            secret.chain.backend,
            bound=manner.bound,
            decimals=manner.decimals,
            eager=manner.eager,
            publish=manner.publish,
            _secret=secret,
            _published=manner.published,
        )

    def encrypt(
        self,
        values: ArrayLike,
        *,
        bound: Bound = None,
        level: int | None = None,
        batch: int | None = None,
        decimals: int | None = None,
        progress: bool = False,
        symmetric: bool = False,
    ) -> EncryptedArray:
        """As `Context.encrypt`; ``symmetric=True`` encrypts under the secret key.

        That has less noise, and half the bytes to send, since the uniform half travels as a seed.
        """
        if places := self._decimals if decimals is None else decimals:
            plain_encrypt = partial(self.encrypt, level=level, batch=batch, progress=progress, symmetric=symmetric)
            return self._encrypt_decimals(plain_encrypt, values, places, bound)
        if not symmetric:
            return super().encrypt(values, bound=bound, level=level, batch=batch, decimals=0, progress=progress)
        layout = self._layout(values, batch)
        return self._encrypt(values, layout, bound, level, Encryption.SYMMETRIC, self._secret.encrypt, progress)

    def decrypt(self, array: Encrypted, *, expected: Any = None, progress: bool = False) -> NDArray[Any]:
        """The values of an encrypted array: float64 or complex128 (CKKS), int64 (BFV).

        Products are decrypted as they are, neither relinearised nor rescaled: that would cost time and precision.
        Integers that their public interval lets grow beyond int64 come as Python's, of dtype object.

        What a received array says of itself is its sender's claim. With ``expected``, the same program's result on any
        encryption of yours, scale and bounds are from there (`fhe.received`). In BFV noise above a quarter of what
        fails is refused. Raises ParameterError for another key, ValueOverflowError where a promise is found broken.
        """
        if isinstance(array, EncryptedBits):
            hoped = expected.bits if expected is not None else [None] * len(array.bits)
            bits = zip(array.bits, hoped, strict=True)
            return array.decoded([self.decrypt(bit, expected=like, progress=progress) for bit, like in bits])
        if isinstance(array, EncryptedDecimals):
            hoped = getattr(expected, "array", None)
            return array.decoded(self.decrypt(array.array, expected=hoped, progress=progress))
        self.require(array)
        if isinstance(array, WideArray):
            hoped = expected.parts if expected is not None else [None] * len(array.parts)
            array = WideArray(list(map(believed, array.parts, hoped)))
            return promised(array, integers_of(array, [self._decrypt_part(x, progress) for x in array.parts]))
        return promised(own := believed(array, expected), self._decrypt_part(own, progress))

    def _decrypt_part(self, array: EncryptedArray, progress: bool) -> NDArray[Any]:
        shards = bar(array.shards, "decrypting", progress)
        values = [opened(array.evaluator, self._secret.decrypt, shard) for shard in shards]
        decrypted = array.layout.unpack(values)
        return decrypted.real.copy() if array.dtype.kind == "f" else decrypted

    @property
    def published(self) -> int:
        """How many numbers `decrypt_public` gave out under this key."""
        return self._ledger.spent if self._ledger else 0

    def decrypt_public(
        self, array: EncryptedArray, *, expected: EncryptedArray | None = None, progress: bool = False
    ) -> NDArray[Any]:
        """The values of a CKKS array, flooded with noise: what may be published, or told to the evaluator.

        For owners made with ``publish=(precision_bits, queries)``: values are right to 2^-precision_bits (each but with
        probability 2^-40), and each real number counts as one of so many queries, a complex one as two. Nobody tells
        all that is published from exact results with an advantage above 2^-17.8, and finds the key from it with a
        probability above 2^-40: the proof, from the tracked noise bound, is in `fhe.ckks.flooding`. Of an array
        that was received, or made of one, that bound is a claim: it takes ``expected``, the result of the same program
        on an encryption of yours. (That the evaluator ran it is your trust.) `decrypt` is for you alone.

        Raises ParameterError for an owner without a plan, or a bound that is a claim; NoiseError for a result whose
        error bound is larger than the flooding hides, or more numbers than planned; nothing is decrypted then.

        >>> import fhe
        >>> owner = fhe.ckks(depth=1, publish=(8, 100), ring_degree=64, insecure="for this example")
        >>> mean = owner.encrypt([1.0, 2.0, 3.0, 6.0], bound=8).mean()
        >>> bool(abs(owner.decrypt_public(mean) - 3.0) < 2**-8), owner.published
        (True, 1)
        """
        if self._ledger is None:
            raise ParameterError("this owner has no plan to publish; make one with fhe.ckks(publish=(bits, queries))")
        self.require(array)
        array = believed(array, expected)
        require_own_bounds(array)
        plan, error = self._ledger.plan, 2.0**-array.precision_bits
        if error > plan.tolerated:
            raise NoiseError(
                f"this result has errors up to 2^{math.log2(error):.1f}, and publishing hides those up to "
                f"2^{math.log2(plan.tolerated):.1f}; plan for more with a larger scale_bits, or compute less deeply"
            )
        parts = 2 if array.dtype.kind == "c" else 1
        self._ledger.take(array.size * parts)
        values = np.asarray(self.decrypt(array, progress=progress))
        if parts == 1:
            return plan.flooded(values)[()]
        return (plan.flooded(values.real) + 1j * plan.flooded(values.imag))[()]

    def public(
        self,
        *,
        relinearization: bool = True,
        rotations: Iterable[int] | Mapping[int, int] | None = None,
        conjugation: bool = False,
        level: int | None = None,
        progress: bool = False,
    ) -> Context:
        """A `Context` to give away: public key and evaluation keys, no secret.

        ``rotations`` lists the steps a server will need; by default the powers of two, enough for ``sum`` and
        dot products, with the key for conjugates (in BFV: for swapping the rows), which ``conjugation`` adds to steps
        of your own; comparisons take it. The keys serve ciphertexts up to ``level``, by default all: those for lower
        levels are smaller. Steps may be given with a level each, as a dictionary, where that is lower. The owner of a
        program's keys gives away by default just what the program needs.
        """
        if self._needs is not None and rotations is None and level is None:
            return Context(self.chain, self.public_key, self.keys.selected(self._needs))
        level = self.parameters.max_level if level is None else level
        self.chain.check_level(level)
        N = self.parameters.ring_degree
        steps: Sequence[int] = power_of_two_steps(N // 2) if rotations is None else list(rotations)
        elements = rotation_elements(steps, N)
        named = rotations.items() if isinstance(rotations, Mapping) else ()
        highest = {rotation_element(step, N): top for step, top in named}
        if conjugation or rotations is None:
            elements.append(swap_element(N))
        keys = EvaluationKeys(self.chain, self.key_id)
        if relinearization:
            keys.relinearization = self.keys.require_relinearization().at_level(level, self.parameters)
        for element in bar(elements, "rotation keys", progress):
            top = min(level, highest.get(element, level))
            keys.galois[element] = self.keys.require_galois(element).at_level(top, self.parameters)
        return Context(self.chain, self.public_key, keys)

    def to_bytes(self) -> bytes:
        """What an owner gives away, ``public().to_bytes()``; the secret is written by `save_secret_key` alone."""
        return self.public().to_bytes()

    def _container(self) -> Container:
        return self.public()._container()

    def save_secret_key(self, path: FilePath, *, passphrase: str | bytes, overwrite: bool = False) -> None:
        """Write the secret to a file of its own, sealed under a passphrase: for `fhe.load_secret_key`.

        scrypt (128 MiB, some tenths of a second) makes a key of the passphrase, AES-256-GCM seals with it. The file is
        readable for its owner alone (mode 0600) from its first moment, and appears whole or not at all. In the clear
        it tells parameters, key id and options, no more. **Without the passphrase nobody opens it**: neither can you.
        Raises FileExistsError where a file is, unless ``overwrite``: it may be the only copy of another secret.

        >>> import fhe, pathlib, tempfile
        >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example", backend="reference")
        >>> path = pathlib.Path(tempfile.mkdtemp(), "mine.secret")
        >>> owner.save_secret_key(path, passphrase="correct horse battery staple")
        >>> again = fhe.load_secret_key(path, passphrase="correct horse battery staple", backend="reference")
        >>> again.decrypt(owner.encrypt([1.5, 2.5])).round(3).tolist()
        [1.5, 2.5]
        """
        if not overwrite and os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "a file is there already; overwrite=True replaces it", os.fspath(path))
        publish = self._ledger.plan.numbers if self._ledger else None
        manner = Manner(self._bound, self._decimals, self._eager, publish, self.published)
        write(path, secret_to_bytes(self._secret, manner, passphrase), PRIVATE)

    def make_rotation_keys(self, steps: Iterable[int]) -> None:
        """Make these rotation keys now rather than at first use."""
        for step in steps:
            self.keys.require_galois(rotation_element(step, self.parameters.ring_degree))

    def noise_budget_bits(self, array: EncryptedArray) -> float:
        """BFV: the exact bits left before decryption fails, measured with the secret key (minimum over shards).

        For the owner alone: an answer to strangers' ciphertexts would leak the key.
        """
        self.require(array)
        return min(noise_budget_bits(shard.chain.parameters, self._secret.decrypt(shard)) for shard in array.shards)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key owner cannot be pickled: it holds a secret key; pickle owner.public() instead")


def ckks(
    depth: int = 1,
    *,
    scale_bits: int | None = None,
    bound: float | None = None,
    security: int = 128,
    quantum: bool = False,
    ring_degree: int | None = None,
    insecure: str | None = None,
    eager: bool = False,
    publish: tuple[int, int] | None = None,
    hide: tuple[int, int] | None = None,
    backend: Backend | str | None = None,
) -> KeyOwner:
    """Approximate arithmetic on real and complex numbers, ``depth`` multiplications deep: keys for one party.

    ``publish=(precision_bits, queries)`` plans for `KeyOwner.decrypt_public`: so many numbers, right to so many bits.
    Scales then leave room for the noise that floods results, after ``depth`` products of values up to 1 (sums and
    larger values take more); a ``scale_bits`` of your own (else 40, or what publishing needs) that does not raises
    ParameterError.

    ``hide=(precision_bits, statistical_bits)`` plans for `Context.hide_circuit` in the same manner: hidden results of
    ``depth`` products, and of the mask that cleans slots beside them (a level more), are right to so many bits. Their
    sum is some 30 at most, as values are doubles; `fhe.bfv` knows no such limit.

    N, moduli and digits are chosen for ``security`` bits; see `choose_ckks` for the arguments. ``eager=True`` has every
    product relinearised and rescaled at once, as other libraries do, instead of with the next one that needs it.

    >>> ctx = ckks(depth=1, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> x = ctx.encrypt([1.0, 2.0])
    >>> ctx.decrypt(x * x + 1).round(3).tolist()
    [2.0, 5.0]
    """
    options: dict[str, Any] = {"security": security, "quantum": quantum, "ring_degree": ring_degree}
    parameters = planned_ckks(depth, scale_bits, publish, hide, bound=bound, insecure=insecure, **options)
    return KeyOwner(parameters, backend, eager=eager, publish=publish)


def bfv(
    depth: int = 1,
    *,
    plain_modulus: int | None = None,
    value_bits: int | None = None,
    bound: Bound = None,
    wrap: bool = False,
    signed: bool = True,
    decimals: int = 0,
    security: int = 128,
    quantum: bool = False,
    ring_degree: int | None = None,
    insecure: str | None = None,
    hide: int | None = None,
    backend: Backend | str | None = None,
) -> KeyOwner:
    """Exact arithmetic on integers modulo t, ``depth`` multiplications deep: keys for one party.

    t is ``plain_modulus``, or the smallest batching prime with ``value_bits`` bits and a sign; see `choose_bfv`.
    Values, intermediate ones too, are tracked by public intervals, and a result that could wrap modulo t raises
    ValueOverflowError. ``bound`` is what `encrypt` assumes of its values without one: a largest magnitude or a pair
    (low, high). ``wrap=True`` is for arithmetic modulo t instead; ``signed=False`` reads residues, and promises
    values, from 0 up. With ``decimals`` numbers have so many places behind the point, exactly: `EncryptedDecimals`;
    ``value_bits`` and intervals then count units of the last place. ``hide=statistical_bits`` leaves room to hide
    circuits (`Context.hide_circuit`) after ``depth`` products.

    >>> ctx = bfv(depth=1, plain_modulus=257, ring_degree=64, insecure="for this example", backend="reference")
    >>> ctx.decrypt(ctx.encrypt([3, -4]) * 5).tolist()
    [15, -20]
    """
    parameters: BFVParameters = choose_bfv(
        depth,
        plain_modulus=plain_modulus,
        value_bits=value_bits,
        security=security,
        quantum=quantum,
        ring_degree=ring_degree,
        insecure=insecure,
        hide=None if hide is None else checked_bits(hide),
    )
    if wrap or not signed:
        bound = _usual_bound(bound, wrap, signed, math.isqrt(value_modulus(parameters) - 1) // 10**decimals)
    return KeyOwner(parameters, backend, bound=bound, decimals=decimals)


def _ledger(parameters: Parameters, publish: tuple[int, int] | None, published: int) -> Ledger | None:
    """The account of what is published, if that was planned and the parameters leave room."""
    if publish is None:
        return None
    if not isinstance(parameters, CKKSParameters):
        raise ParameterError("publish= is for CKKS; exact results (BFV) carry no noise, and are published as they are")
    plan = Flooding(*publish)
    plan.require_room(parameters)
    return Ledger(plan, published)


def _usual_bound(bound: Bound, wrap: bool, signed: bool, reach: int) -> Bound:
    """What values are assumed to be in arithmetic modulo t, or without signs."""
    if bound is not None:
        raise ParameterError("bound= says it all: a pair (low, high), or infinity to wrap; leave wrap= and signed= out")
    if wrap:
        return math.inf if signed else (0, math.inf)
    return 0, reach
