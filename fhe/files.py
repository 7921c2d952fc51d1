"""Things in files: saved whole or not at all, and found again by what the file says it is."""

from __future__ import annotations

from typing import Any, Final

from fhe.arrays.composed import COMPOSED, identity_of
from fhe.backend.protocol import Backend
from fhe.context import Context
from fhe.errors import FormatError
from fhe.io.claims import Claims
from fhe.io.envelope import MAGIC, is_sealed, seal, unseal
from fhe.io.files import FilePath, opened, read, write
from fhe.io.format import Container, kind_of
from fhe.io.pieces import Section
from fhe.io.registry import offer, resolve, to_container
from fhe.keyfile import secret_from_bytes
from fhe.owner import KeyOwner
from fhe.parameters import Parameters
from fhe.programs.program import Program
from fhe.rlwe.codec import parameters_of

PURPOSE: Final = "a file"
ARRAYS: Final = ("array", "wide", *COMPOSED)


def save(path: FilePath, thing: Any, *, key: bytes | None = None) -> None:
    """Write a public context, an encrypted array, a parameter set or a program to a file, atomically.

    The file has the bytes of ``thing.to_bytes()``, made piece by piece as they are written (a polynomial, a key), and
    replaces what was there. A save that is killed, or finds the
    disk full (OSError), leaves that as it was. An owner is not saved so, TypeError: what others may have is
    ``owner.public()``, and the secret goes by its own name, `KeyOwner.save_secret_key`. Raises ParameterError for an
    array that is not encrypted (`x - x`). With a ``key`` (`fhe.new_envelope_key`) the file is an envelope: `fhe.seal`.

    >>> import fhe, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> fhe.save(folder / "keys.fhe", owner.public())
    >>> fhe.save(folder / "x.fhe", owner.encrypt([1.5, 2.5]))
    >>> server = fhe.load(folder / "keys.fhe", backend="reference")
    >>> x = fhe.load(folder / "x.fhe")  # it names its key: that of the context just loaded
    >>> owner.decrypt(owner.load((x * 2).to_bytes())).round(3).tolist()
    [3.0, 5.0]
    """
    if isinstance(thing, KeyOwner):
        raise TypeError(
            "a key owner is not saved as one thing: what others may have is fhe.save(path, owner.public()), the secret "
            "goes by owner.save_secret_key(path, passphrase=…)"
        )
    container = to_container(thing)
    write(path, container if key is None else seal(container.to_bytes(), key, PURPOSE))


def load(
    path: FilePath,
    context: Context | None = None,
    *,
    backend: Backend | str | None = None,
    key: bytes | None = None,
) -> Any:
    """What `save` wrote: a `Context`, an encrypted array of any kind, a parameter set, or a `Program`; checked, then
    believed.

    An array belongs to the context given, or else to the one of its key that was loaded or installed before
    (`fhe.install`) and is still held; MissingKeyError without one. The file is read twice, for its digest and as it is
    used, and never held whole (but for an envelope). A context is made on ``backend``. Raises FormatError
    for a file that was cut, changed or is none of this library; ParameterError for an array of another party;
    FileNotFoundError and its like. With a ``key`` the file must be an envelope that it opens: one that is not, or that
    somebody changed, is refused.

    >>> import fhe, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "parameters.fhe")
    >>> fhe.save(path, fhe.BFVParameters(ring_degree=2**12, modulus_bits=[36], special_bits=[36], plain_modulus=65537))
    >>> fhe.load(path).slots
    4096
    """
    with opened(path) as data:
        if key is not None:
            return _loaded(unseal(bytes(data), key, PURPOSE), context, backend)
        if is_sealed(bytes(data[: len(MAGIC)])):
            raise FormatError("this file is an envelope; open it with its key: fhe.load(path, key=…)")
        return _loaded(data, context, backend)


def _loaded(data: Section, context: Context | None, backend: Backend | str | None) -> Any:
    kind = kind_of(data)
    if kind == "public":
        return offer(Context.from_bytes(data, backend))
    if kind == "parameters":
        return parameters_from_bytes(data)
    if kind == "program":
        return Program.from_bytes(data)
    if kind in ARRAYS:
        return (context or resolve(*identity_of(data))).load(data)
    if kind == "secret":
        raise FormatError("this file holds a secret key; open it with fhe.load_secret_key(path, passphrase=…)")
    raise FormatError(
        f"this file says that it is a {kind!r:.20}; read here: public, parameters, program, {', '.join(ARRAYS)}"
    )


def load_secret_key(path: FilePath, *, passphrase: str | bytes, backend: Backend | str | None = None) -> KeyOwner:
    """The owner whose secret `KeyOwner.save_secret_key` wrote, with a new public key of the same secret and key id.

    Arrays in files and pickles find it, as long as it lives. Raises FormatError for another passphrase, and for a file
    that was cut or changed in any byte.

    >>> import fhe, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "mine.secret")
    >>> owner = fhe.bfv(depth=1, plain_modulus=257, ring_degree=64, insecure="for this example", backend="reference")
    >>> owner.save_secret_key(path, passphrase="correct horse battery staple")
    >>> fhe.load_secret_key(path, passphrase="wrong", backend="reference")
    Traceback (most recent call last):
    fhe.errors.FormatError: this passphrase does not open the file (or somebody changed its bytes and their digest)
    """
    return offer(KeyOwner.of(*secret_from_bytes(read(path), passphrase, backend)))


@to_container.register
def parameters_container(parameters: Parameters) -> Container:
    """A container of kind "parameters", without sections."""
    return Container("parameters", {"parameters": parameters.to_dict()}, {})


def parameters_from_bytes(data: Section) -> Parameters:
    """The set of `parameters_container`; FormatError, ParameterError."""
    container = Container.from_bytes(data, "parameters")
    container.require_sections([])
    return parameters_of(Claims(container.content, "a parameter file", ["parameters"]))
