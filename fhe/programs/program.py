"""`Program`: a function, planned once, to be run on encrypted arguments."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from numpy.typing import NDArray

from fhe.arrays.wide import parts_of
from fhe.context import Context
from fhe.errors import EncodingError, LevelError, NoiseError, ParameterError
from fhe.io.files import FilePath, read, write
from fhe.io.pieces import Section
from fhe.io.registry import to_bytes, to_container
from fhe.owner import KeyOwner
from fhe.programs import explain
from fhe.programs.codec import plan_from_bytes
from fhe.programs.dry import ENCRYPTED, Encrypted, fresh, steps
from fhe.programs.graph import Node
from fhe.programs.operations import evaluate, in_the_clear
from fhe.programs.page import page
from fhe.programs.plan import Plan
from fhe.programs.replies import declared, decrypted
from fhe.programs.simulate import simulated
from fhe.programs.spec import Spec
from fhe.progress import showing
from fhe.rlwe.ciphertext import Ciphertext
from fhe.validate import python_integers
from fhe.wide import WideBFVParameters

Watch = Callable[[int, Node, Any], Any]


class Program(Plan):
    """What `fhe.compile` makes of a function: a `Plan` that can be run.

    ``parameters`` are the smallest secure ones that hold it, ``keys`` the evaluation keys that it uses. Made once, it
    serves any number of owners and servers.

    >>> import fhe
    >>> program = fhe.compile(lambda x, y: (x * y).sum(), fhe.spec(8, bound=1), fhe.spec(8, bound=1), precision=1e-2)
    >>> owner = program.keygen()
    >>> x = owner.encrypt([0.5] * 8)
    >>> owner.decrypt(program(x, x)).round(2), program.parameters.ring_degree
    (np.float64(2.0), 4096)
    """

    __slots__ = ()

    # --- keys ---------------------------------------------------------------------------------------------------------

    def keygen(self, **options: Any) -> KeyOwner:
        """New keys for this program. ``owner.public()`` gives away what it needs, and no more.

        ``options`` are those of `KeyOwner`, such as ``backend``. Where all encrypted arguments have one bound, it is
        what ``owner.encrypt`` assumes; else `encrypt` of the program knows.
        """
        promises = {spec.promise for spec in self.specs.values() if spec.encrypted}
        bound = promises.pop() if len(promises) == 1 else None
        return KeyOwner(self.parameters, bound=bound, publish=self.publish, needs=self.keys, **options)

    def encrypt(self, context: Context, *values: Any, **named: Any) -> Any:
        """The encrypted arguments among these, each checked against its promise, bounded and laid out as it was said.

        One array, or a tuple in the order of the function's arguments; plain arguments stay as they are.
        """
        given = self._bound(values, named)
        found = tuple(
            context.encrypt(spec.checked(given[name], name), bound=spec.promise, batch=spec.batch)
            if spec.encrypted
            else given[name]
            for name, spec in self.specs.items()
        )
        return found if len(found) > 1 else found[0]

    def decrypt(self, owner: KeyOwner, reply: Any, *, progress: bool = False) -> Any:
        """The values of a reply: what the program returned, arranged as it was, each an array or its bytes.

        Nothing that a reply says of itself is believed: scale, level, bounds, shape and dtype are what the dry run
        foretold, of hidden results where ``hide=`` is planned. What that leaves to trust is that the evaluator ran this
        program. Raises ParameterError for what this program cannot have returned, FormatError for bytes that are none,
        and NoiseError as `KeyOwner.decrypt` does.

        >>> import fhe
        >>> program = fhe.compile(lambda x: (x.sum(), x * 2), fhe.spec(3, bound=5, dtype=int))
        >>> owner = program.keygen()
        >>> total, twice = program(owner.encrypt([1, 2, 3]))
        >>> program.decrypt(owner, (total.to_bytes(), twice))
        (array(6), array([2, 4, 6]))
        """
        return decrypted(self, owner, reply, lambda x, known: owner.decrypt(x, expected=known, progress=progress))

    def decrypt_public(self, owner: KeyOwner, reply: Any, *, progress: bool = False) -> Any:
        """The same by `KeyOwner.decrypt_public`, for a program compiled with ``publish=``: flooded, and counted.

        The noise that is hidden is the one the dry run foretold, so received arrays need no ``expected=``.
        """
        return decrypted(
            self, owner, reply, lambda x, known: owner.decrypt_public(x, expected=known, progress=progress)
        )

    # --- running ------------------------------------------------------------------------------------------------------

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The function of these arguments: encrypted ones under one key, plain ones as they are.

        Everything is checked before any work: shapes, bounds, levels, parameters, and that all keys are held. Plain
        operands, those among the arguments too, are encoded when they first come and kept for the next run, by their
        contents: `explain` says how many bytes that takes, ``encodings.limit`` is the most.
        """
        return self.run(self._bound(arguments, named))

    def run(self, arguments: Mapping[str, Any], watch: Watch | None = None, *, progress: bool = False) -> Any:
        """The same with arguments by name; ``watch(number, node, value)`` sees each value of `graph` as it is made.

        ``progress=True`` shows a bar on standard error.
        """
        ready = {name: self._argument(name, spec, arguments[name]) for name, spec in self.specs.items()}
        self._require_keys(ready)
        with self.encodings.used(), showing(progress):
            return declared(self, evaluate(self.graph, ready, watch, steps(self.graph)))

    def clear(self, *arguments: Any, **named: Any) -> Any:
        """The traced function of plain arguments: what results are measured by."""
        return in_the_clear(self.source, self._plain(arguments, named))

    def approximated(self, *arguments: Any, **named: Any) -> Any:
        """The same with the polynomials that stand in for functions: results without their noise."""
        return in_the_clear(self.graph, self._plain(arguments, named))

    # --- files --------------------------------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """The steps, the polynomials and the parameters; no function, no key."""
        return to_bytes(self)

    @classmethod
    def from_bytes(cls, data: Section) -> Program:
        """The program of `to_bytes`, every field of it checked and its promises kept by a dry run of its own.

        It knows the polynomials that stand in for functions, not the functions: `clear` is `approximated`.
        """
        return cls.of(plan_from_bytes(data))

    @classmethod
    def of(cls, plan: Plan) -> Program:
        """A plan, to be run."""
        return cls(*(getattr(plan, field.name) for field in fields(plan)))

    def save(self, path: FilePath) -> None:
        """Write `to_bytes` to a file, atomically."""
        write(path, to_container(self))

    @classmethod
    def load(cls, path: FilePath) -> Program:
        """The program that `save` wrote."""
        return cls.from_bytes(read(path))

    # --- what it says of itself ---------------------------------------------------------------------------------------

    def simulate(self, *arguments: Any, seed: int | None = None, **named: Any) -> Any:
        """What the owner will see for plain arguments: polynomials for functions, and noise as it is expected."""
        return simulated(self, self._plain(arguments, named), seed)

    def explain(self, path: FilePath | None = None) -> str:
        """Parameters, levels, keys, precision along the way, and predicted time; with a path also its page."""
        if path is not None:
            write(path, self.html().encode())
        return explain.text(self)

    def html(self) -> str:
        """The same as a page of its own, with pictures."""
        return page(self)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}: {spec}" for name, spec in self.specs.items())
        return f"Program({self.name}({arguments}), {self.parameters!r}, {len(self.keys)} keys)"

    # --- checks -------------------------------------------------------------------------------------------------------

    def _bound(self, values: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        names = list(self.specs)
        given = dict(zip(names, values, strict=False)) | named
        if len(values) > len(names) or set(given) != set(names) or set(names[: len(values)]) & set(named):
            raise TypeError(f"{self.name} takes the arguments {', '.join(names)}, each once")
        return given

    def _plain(self, values: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        given = self._bound(values, named)
        return {name: self._exact(spec.checked(given[name], name)) for name, spec in self.specs.items()}

    def _exact(self, values: NDArray[Any]) -> NDArray[Any]:
        """Plain values to compute with: where integers may be wider than 64 bits, Python's."""
        return python_integers(values) if isinstance(self.parameters, WideBFVParameters) else values

    def _argument(self, name: str, spec: Spec, value: Any) -> Any:
        if not spec.encrypted:
            return self._exact(spec.checked(value, name))
        if not isinstance(value, ENCRYPTED):
            raise TypeError(f"argument {name} is encrypted: program.encrypt(owner, …) makes one of plain values")
        new = fresh(self.parameters, spec)
        if value.evaluator.chain.parameters.id != self.parameters.id:
            raise ParameterError(
                f"argument {name} was encrypted for other parameters than this program's; see keygen()"
            )
        if value.layout != new.layout or value.dtype.kind != new.dtype.kind:
            raise EncodingError(
                f"argument {name} is {spec}, laid out with batch={spec.batch}; got a {value.dtype} array of shape "
                f"{value.shape}, or one that lies otherwise: encrypt it by program.encrypt(owner, …)"
            )
        if value.level < new.level:
            raise LevelError(
                f"argument {name} is at level {value.level}, the program begins at {new.level}; encrypt it anew"
            )
        for shard, known in zip(_shards(value), _shards(new), strict=True):
            if _beyond(shard, known):
                raise EncodingError(
                    f"argument {name} may hold values up to {shard.bound:g}, the program was compiled for {spec}; "
                    f"encrypt it with bound={spec.promise}"
                )
            if shard.noise > known.noise * 1.001 or shard.degree > 1:
                raise NoiseError(f"argument {name} is noisier than a new encryption; give the program new ones")
        return value

    def _require_keys(self, arguments: Mapping[str, Any]) -> None:
        """Raise MissingKeyError unless every key is held, LevelError unless it reaches as high as it is needed."""
        keys = next(x.evaluator.keys for x in arguments.values() if isinstance(x, ENCRYPTED))
        for element, level in self.keys.items():
            key = keys.require_galois(element) if element else keys.require_relinearization()
            if key.level < level:
                raise LevelError(f"a key reaches up to level {key.level}, the program needs it at {level}")


def _shards(array: Encrypted) -> list[Ciphertext]:
    return [shard for part in parts_of(array) for shard in part.shards]


def _beyond(shard: Ciphertext, promised: Ciphertext) -> bool:
    """May there be values that were not promised?"""
    a, b = shard.interval, promised.interval
    if a is None or b is None:
        return shard.bound > promised.bound
    return a.wraps or b.wraps or a.low < b.low or a.ends[1] > b.ends[1]


def _reduce(program: Program) -> tuple[Callable[[bytes], Program], tuple[bytes]]:
    return Program.from_bytes, (program.to_bytes(),)


copyreg.pickle(Program, _reduce)
