"""The server's half: parameters, a public key, evaluation keys. There is no secret to reach from here."""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.arrays.array import EncryptedArray
from fhe.arrays.bits import EncryptedBits, encrypted_bits
from fhe.arrays.codec import array_from_bytes
from fhe.arrays.composed import COMPOSED
from fhe.arrays.decimals import encrypted_decimals
from fhe.arrays.layout import Layout
from fhe.arrays.matrix import EncodedMatrix
from fhe.arrays.wide import WideArray
from fhe.arrays.wide_codec import wide_from_bytes
from fhe.backend.protocol import Backend
from fhe.bfv.encoder import BFVEncoder
from fhe.bfv.evaluator import BFVEvaluator
from fhe.circuits.evaluator import Evaluator
from fhe.ckks.encoder import CKKSEncoder
from fhe.ckks.evaluator import CKKSEvaluator
from fhe.errors import MissingKeyError, ParameterError
from fhe.hiding import hidden
from fhe.interval import Bound
from fhe.io.format import Container, kind_of
from fhe.io.pieces import Section
from fhe.io.registry import offer, to_container
from fhe.parameters import CKKSParameters, Parameters
from fhe.progress import progress as bar
from fhe.ring.poly import Poly
from fhe.ring.random import SeedSource, system_seed
from fhe.rlwe import codec
from fhe.rlwe.automorphism import step_of
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext, Plaintext
from fhe.rlwe.public import Encryption, EvaluationKeys, PublicKey, encrypt
from fhe.rlwe.routes import way
from fhe.validate import dense
from fhe.wide import parts

Encryptor = Callable[[Plaintext], tuple[tuple[Poly, ...], bytes | None]]


class Context:
    """What may be given away: it encrypts and computes, and cannot decrypt.

    Made by `KeyOwner.public`, or from bytes. Attributes: ``chain`` (the parameters on a backend), ``public_key``,
    ``keys`` (evaluation keys), and for research ``encoder`` and ``evaluator``.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> server = Context.from_bytes(owner.public().to_bytes())
    >>> owner.decrypt(owner.load((server.encrypt([1.5, 2.5]) * 2).to_bytes())).round(3).tolist()
    [3.0, 5.0]
    """

    _seeds: SeedSource = staticmethod(system_seed)
    _bound: Bound = None
    _decimals: int = 0
    _eager = False

    def __init__(self, chain: ModulusChain, public_key: PublicKey | None, keys: EvaluationKeys) -> None:
        self.chain = chain
        self.public_key = public_key
        self.keys = keys

    @property
    def parameters(self) -> Parameters:
        return self.chain.parameters

    @property
    def key_id(self) -> bytes:
        """Random 128 bits that tell whose secret the keys belong to."""
        return self.keys.key_id

    @property
    def rotations(self) -> list[int]:
        """The rotation steps for which this context holds keys."""
        N = self.parameters.ring_degree
        return sorted(step for g in self.keys.galois if (step := step_of(g, N)) is not None)

    def rotation_way(self, step: int) -> tuple[int, ...]:
        """The rotations that one by ``step`` slots is made of with the keys held: the step itself, or a sum of others.

        Raises MissingKeyError where none lead there.
        """
        return way(self.keys, step, self.parameters.ring_degree // 2)

    @cached_property
    def encoder(self) -> CKKSEncoder | BFVEncoder:
        """Values to plaintexts and back."""
        return CKKSEncoder(self.chain) if isinstance(self.parameters, CKKSParameters) else BFVEncoder(self.chain)

    @cached_property
    def evaluator(self) -> CKKSEvaluator | BFVEvaluator:
        """The operations on single ciphertexts."""
        if isinstance(self.encoder, CKKSEncoder):
            return CKKSEvaluator(self.encoder, self.keys, self._eager)
        return BFVEvaluator(self.encoder, self.keys)

    @cached_property
    def evaluators(self) -> tuple[CKKSEvaluator | BFVEvaluator, ...]:
        """`evaluator`, and for wide integers those modulo the other plain moduli, with the same keys."""
        _, *others = parts(self.parameters)
        chains = [ModulusChain.of(part, self.chain.backend) for part in others]
        return self.evaluator, *(BFVEvaluator(BFVEncoder(chain), self.keys) for chain in chains)

    def encrypt(
        self,
        values: ArrayLike,
        *,
        bound: Bound = None,
        level: int | None = None,
        batch: int | None = None,
        decimals: int | None = None,
        progress: bool = False,
    ) -> EncryptedArray:
        """Encrypt a number or an array of any shape and size under the public key.

        ``bound`` is a *public* bound on every |value| (default: what the parameters allow), ``level`` the level to
        encrypt at (default: the highest). ``batch`` names an axis, of many samples, to lie alone across the slots, all
        others across ciphertexts: more to send and the most throughput (see `Layout.of`). In BFV the bound may be a
        pair (low, high), and infinity asks for arithmetic modulo t; the default is what a narrow integer dtype holds,
        else sqrt(t / 2), so that all products of two inputs fit (`fhe.interval`). With ``decimals`` values are exact
        decimals of so many places: `EncryptedDecimals`. Raises EncodingError for NaN, infinity, a wrong dtype, no
        elements or a value beyond the bound, LevelError for an impossible level, MissingKeyError where no public key
        is held.
        """
        if places := self._decimals if decimals is None else decimals:
            plain_encrypt = partial(self.encrypt, level=level, batch=batch, progress=progress)
            return self._encrypt_decimals(plain_encrypt, values, places, bound)
        if self.public_key is None:
            raise MissingKeyError("this context holds no public key; its owner can make one: owner.public()")
        key, seeds = self.public_key, self._seeds
        layout = self._layout(values, batch)
        encryptor: Encryptor = lambda plain: (encrypt(replace(key, chain=plain.chain), plain, seeds), None)  # noqa: E731
        return self._encrypt(values, layout, bound, level, key.encryption, encryptor, progress)

    def _encrypt_decimals(
        self, encrypt: Callable[..., Any], values: ArrayLike, places: int, bound: Bound
    ) -> EncryptedArray:
        bound, encrypt = self._bound if bound is None else bound, partial(encrypt, decimals=0)
        return cast(EncryptedArray, encrypted_decimals(encrypt, values, places, bound))

    def _layout(self, values: ArrayLike, batch: int | None) -> Layout:
        slots, row = self.evaluator.slots, self.evaluator.row
        repeat = getattr(self.parameters, "batching", True)  # coefficients are no slots: a message is what it is
        return Layout.of(np.shape(values), slots, row, batch=batch, repeat=repeat)

    def _encrypt(
        self,
        values: ArrayLike,
        layout: Layout,
        bound: Bound,
        level: int | None,
        encryption: Encryption,
        encryptor: Encryptor,
        progress: bool,
    ) -> EncryptedArray:
        level = self.parameters.max_level if level is None else level
        self.chain.check_level(level)

        def part(evaluator: Evaluator) -> EncryptedArray:
            return self._part(evaluator, dense(values), layout, bound, level, encryption, encryptor, progress)

        found = [part(evaluator) for evaluator in self.evaluators]
        return found[0] if len(found) == 1 else cast(EncryptedArray, WideArray(found))

    def _part(
        self,
        evaluator: Evaluator,
        array: NDArray[Any],
        layout: Layout,
        bound: Bound,
        level: int,
        encryption: Encryption,
        encryptor: Encryptor,
        progress: bool,
    ) -> EncryptedArray:
        """The array modulo one of the plain moduli, mostly the only one."""
        promise = evaluator.promise(self._bound if bound is None else bound, array.dtype)
        array, promised = evaluator.admit(array, promise)
        noise = evaluator.fresh_noise(encryption, promised, level)
        shards = []
        for slots in bar(layout.pack(array), "encrypting", progress):
            plain = evaluator.encode(slots, level, promised)
            c, seed = encryptor(plain)
            x = Ciphertext(plain.chain, c, level, self.key_id, plain.scale, 0.0, plain.bound, seed, plain.interval)
            shards.append(replace(x, **noise))
        return EncryptedArray(evaluator, shards, layout, evaluator.result_type(array.dtype, array.dtype))

    def encode_matrix(self, matrix: ArrayLike, level: int | None = None) -> EncodedMatrix:
        """A plain matrix to multiply many encrypted vectors by: `EncodedMatrix`.

        It is encoded for vectors of a level when it first meets one, or at once for those of ``level``.
        """
        encoded = EncodedMatrix(self.evaluator, np.asarray(matrix))
        if level is not None:
            encoded.encode(level)
        return encoded

    def encrypt_bits(
        self, values: ArrayLike, bits: int | None = None, *, signed: bool | None = None, **options: Any
    ) -> EncryptedBits:
        """Encrypt integers of up to ``bits`` bits, one ciphertext for each bit of up to N integers (BFV).

        They compare and add exactly, whatever their size, in a depth that is the logarithm of their bits: see
        `EncryptedBits`. In two's complement where ``signed``. Integers narrower than 64 bits have the bits and sign of
        their dtype, unless you say otherwise. Further options are those of `encrypt`.
        """
        return encrypted_bits(lambda bit: self.encrypt(bit, bound=(0, 1), decimals=0, **options), values, bits, signed)

    def hide_circuit(self, array: EncryptedArray, *, statistical_bits: int = 40) -> EncryptedArray:
        """The same values, from which their owner learns nothing of the circuit: rerandomised, under flooding noise.

        For a party whose model has to stay hidden from the owner of the key. All that is added to what values tell is
        2^-statistical_bits in statistical distance, under ring-LWE: proof and what stays visible (shape, level, bounds)
        are in `fhe.hiding`. It takes ``log2(N) + statistical_bits`` bits and a few more of the room for noise, in CKKS
        of the scale: so it is planned for, by ``hide=`` of `fhe.bfv`, `fhe.ckks` and `fhe.compile`. How well to hide is
        for you to say, whatever they planned. In CKKS values are doubles, and 40 bits are more than these leave room
        for: some 20 are possible. Do it last.

        Raises NoiseError where there is no room, MissingKeyError without a public key, ParameterError.

        >>> import fhe
        >>> owner = fhe.bfv(depth=1, hide=40, plain_modulus=257, ring_degree=64, insecure="for this example")
        >>> server = owner.public()
        >>> scores = server.load(owner.encrypt([1, 2, 3]).to_bytes()) * np.array([5, 7, 11])
        >>> owner.decrypt(owner.load(server.hide_circuit(scores).to_bytes())).tolist()
        [5, 14, 33]
        """
        if self.public_key is None:
            raise MissingKeyError("hiding a circuit takes a public key, which this context lacks: owner.public()")
        self.require(array)
        if isinstance(array, WideArray):
            hide = partial(self._hidden, bits=statistical_bits)
            return cast(EncryptedArray, WideArray([hide(part) for part in array.parts]))
        return self._hidden(array, statistical_bits)

    def _hidden(self, array: EncryptedArray, bits: int) -> EncryptedArray:
        assert self.public_key is not None
        return hidden(array, self.public_key, bits, self._seeds)

    def load(self, data: Section) -> EncryptedArray:
        """An encrypted array from the bytes of its ``to_bytes``, of whatever kind, checked before it is believed."""
        kind = kind_of(data)
        return cast(EncryptedArray, COMPOSED[kind](data, self._load)) if kind in COMPOSED else self._load(data)

    def _load(self, data: Section) -> EncryptedArray:
        """What other arrays are made of: those are never of more than one storey."""
        if len(self.evaluators) > 1:
            loaders = [partial(array_from_bytes, evaluator=part) for part in self.evaluators]
            return cast(EncryptedArray, wide_from_bytes(data, loaders))
        array = array_from_bytes(data, self.evaluator)
        self.require(array)
        return array

    def to_bytes(self) -> bytes:
        """Parameters, public key and evaluation keys; never a secret."""
        return self._container().to_bytes()

    def _container(self) -> Container:
        return codec.public_container(self.chain, self.public_key, self.keys)

    @classmethod
    def from_bytes(cls, data: Section, backend: Backend | str | None = None) -> Context:
        """The context of `to_bytes`. Raises FormatError for bytes that are not one, whole and unharmed."""
        return Context(*codec.public_from_bytes(data, backend))

    def require(self, array: EncryptedArray | WideArray) -> None:
        """Raise ParameterError unless an array belongs to this context, TypeError for what is no encrypted array."""
        if isinstance(array, WideArray) and len(array.parts) == len(self.evaluators):
            array = array.parts[0]
        if not isinstance(array, EncryptedArray):
            raise TypeError(f"expected an EncryptedArray, got {type(array).__name__}; plain values need no decryption")
        if array.evaluator.chain is not self.chain or array.key_id != self.key_id:
            raise ParameterError(
                f"this array belongs to key {array.key_id.hex()[:8]}… of parameter set "
                f"{array.evaluator.chain.parameters.id[:12]}…, "
                f"the context to key {self.key_id.hex()[:8]}… of {self.parameters.id[:12]}…; take it to its own"
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.parameters!r}, key_id={self.key_id.hex()[:8]}…)"


@to_container.register
def context_container(context: Context) -> Container:
    """What `Context.to_bytes` writes, where the registry looks for it."""
    return context._container()


def _reduce(context: Context) -> tuple[Callable[[bytes, str], Context], tuple[bytes, str]]:
    return _unpickled, (context.to_bytes(), context.chain.backend.name)


def _unpickled(data: bytes, backend: str) -> Context:
    """The context of a pickle, on offer to the arrays that come after it."""
    return offer(Context.from_bytes(data, backend))


copyreg.pickle(Context, _reduce)
