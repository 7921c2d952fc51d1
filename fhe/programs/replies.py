"""Results of a program: sent with the bounds that its dry run foretold, and decrypted by these, whatever they claim.

Bounds of a real run follow from the plain values in it: the interval of x @ w tells the sum of all |w|. Those foretold
hold for any plain values, so that a reply tells of a model no more than the program does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fhe.arrays.array import EncryptedArray
from fhe.arrays.wide import WideArray
from fhe.errors import ParameterError
from fhe.owner import KeyOwner
from fhe.programs.graph import Slot
from fhe.programs.plan import Plan
from fhe.rlwe.ciphertext import Ciphertext

Decrypt = Callable[[EncryptedArray, EncryptedArray], Any]


def decrypted(plan: Plan, owner: KeyOwner, reply: Any, decrypt: Decrypt) -> Any:
    """``decrypt(array, foretold)`` of each array of a reply, arranged as the function returned them.

    Bytes are loaded first. Raises ParameterError for an owner of other parameters, or another arrangement; nothing is
    decrypted then.
    """
    if owner.parameters.id != plan.parameters.id:
        raise ParameterError("these are keys for other parameters than this program's; make some by program.keygen()")
    foretold = dict(zip(plan.graph.returned(), plan.trial.sent, strict=True))
    pairs = _paired(plan.graph.outputs, reply, lambda slot, array: (_loaded(owner, array), foretold[slot.index]))
    return _paired(plan.graph.outputs, pairs, lambda slot, pair: decrypt(*pair))


def declared(plan: Plan, results: Any) -> Any:
    """Results with the bounds that were foretold of them, where plain values decide which are true."""
    if all(spec.encrypted for spec in plan.specs.values()):
        return results
    foretold = dict(zip(plan.graph.returned(), plan.trial.outputs, strict=True))
    return _paired(plan.graph.outputs, results, lambda slot, result: _declared(result, foretold[slot.index]))


def _declared(result: Any, known: Any) -> Any:
    if isinstance(result, WideArray):
        return WideArray(list(map(_declared, result.parts, known.parts)))
    if result.layout != known.layout:
        return result
    pairs = zip(result.shards, known.shards, strict=True)
    return result.like([_widened(shard, wider) for shard, wider in pairs], result.layout)


def _widened(x: Ciphertext, known: Ciphertext) -> Ciphertext:
    """A ciphertext with wider bounds; in BFV noise is foretold for usual plain values, and may be more for others."""
    if x.interval is not None and known.interval is not None:
        x = replace(x, interval=x.interval.hull(known.interval))
    x = replace(x, bound=max(x.bound, known.bound))
    if (x.level, x.degree, x.scale) != (known.level, known.degree, known.scale):
        return x
    return replace(x, noise=max(x.noise, known.noise), rms=x.rms + max(known.rms - x.rms, 0.0))


def _loaded(owner: KeyOwner, array: Any) -> EncryptedArray:
    if isinstance(array, bytes | bytearray | memoryview):
        array = owner.load(bytes(array))
    owner.require(array)
    return array  # type: ignore[no-any-return]


def _paired(outputs: Any, reply: Any, function: Callable[[Slot, Any], Any]) -> Any:
    """The function of each slot of what is returned and what stands there in a reply, so arranged."""
    if isinstance(outputs, Slot):
        return function(outputs, reply)
    if isinstance(outputs, dict) and isinstance(reply, dict) and outputs.keys() == reply.keys():
        return {name: _paired(part, reply[name], function) for name, part in outputs.items()}
    if isinstance(outputs, tuple | list) and isinstance(reply, tuple | list) and len(outputs) == len(reply):
        return type(outputs)(_paired(part, found, function) for part, found in zip(outputs, reply, strict=True))
    raise ParameterError(f"this program returns {_arrangement(outputs)}; the reply is {_arrangement(reply)}")


def _arrangement(part: Any) -> str:
    if isinstance(part, dict):
        return f"a dictionary of {', '.join(map(repr, part))}"
    return f"{len(part)} arrays" if isinstance(part, tuple | list) else "one array"
