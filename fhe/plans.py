"""CKKS parameters that leave room for what is planned: to publish results (`fhe.ckks.flooding`), to hide circuits."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from fhe.choice import choose_ckks
from fhe.ckks.flooding import Flooding
from fhe.hiding import Hiding
from fhe.moduli import LARGEST_LEVEL_BITS
from fhe.parameters import CKKSParameters

SCALE_BITS: Final = 40
LARGEST_SCALE_BITS: Final = LARGEST_LEVEL_BITS - 6


def planned_ckks(
    depth: int, scale_bits: int | None, publish: tuple[int, int] | None, hide: tuple[int, int] | None, **options: Any
) -> CKKSParameters:
    """`choose_ckks` with a level for the mask of hidden results, and scales as large as plans need.

    Raises ParameterError where a plan has too little room: at scales of one's own, or at any.

    >>> planned_ckks(1, None, None, (8, 20)).scale_bits
    67
    """
    publishing = None if publish is None else Flooding(*publish)
    hiding = None if hide is None else Hiding.of(hide)
    plans: list[Flooding | Hiding] = [plan for plan in (publishing, hiding) if plan is not None]
    chosen = partial(choose_ckks, depth + (hiding is not None), **options)
    parameters: CKKSParameters = chosen(SCALE_BITS if scale_bits is None else scale_bits)
    while scale_bits is None and parameters.scale_bits < LARGEST_SCALE_BITS:
        missing = max((plan.missing_bits(parameters) for plan in plans), default=0)
        if not missing:
            break
        parameters = chosen(min(parameters.scale_bits + missing, LARGEST_SCALE_BITS))
    for plan in plans:
        plan.require_room(parameters)
    return parameters
