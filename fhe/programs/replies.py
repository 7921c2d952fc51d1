"""Results of a program as they come back: decrypted by what its dry run foretold of them, whatever they claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhe.arrays.array import EncryptedArray
from fhe.errors import ParameterError
from fhe.owner import KeyOwner
from fhe.programs.graph import Slot
from fhe.programs.plan import Plan

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
