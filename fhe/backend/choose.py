"""Which backend computes: the only place that picks one.

FHE_BACKEND
    ``native`` or ``reference``; unset, the native one if it is built.
FHE_TARGET
    an instruction set of the native backend (``avx512ifma`` … ``scalar``), or how the reference runs its inner
    loops (``interpreted``, ``compiled``); unset, the fastest there is.
FHE_NUM_THREADS
    how many threads the native backend may spread an operation over; unset, 1.
"""

from __future__ import annotations

import os
import warnings
from functools import cache, lru_cache
from types import ModuleType

from fhe.backend.protocol import Backend
from fhe.errors import ParameterError

MOST_THREADS = 256
BUILD = "`python setup.py build_ext --inplace` in a checkout, or `pip install` for your platform, builds it"


def choose(name: str | None = None, target: str | None = None) -> Backend:
    """The backend of that name and target; FHE_BACKEND and FHE_TARGET say what is not given.

    One object for each choice, so that bases made on it are shared. FHE_TARGET speaks of the backend that
    FHE_BACKEND (or its default) names, and is not asked for another.

    Raises ParameterError for a name or target that does not exist here, listing those that do.

    >>> choose("reference", "interpreted")
    ReferenceBackend(interpreted)
    """
    missing = _why_no_core()
    default = os.environ.get("FHE_BACKEND") or ("native" if missing is None else "reference")
    if name is None and missing and not os.environ.get("FHE_BACKEND"):
        _warn(missing)
    if target is None and name in (None, default):
        target = os.environ.get("FHE_TARGET")
    return _backend(name or default, target or None)


def targets(name: str) -> list[str]:
    """The targets of a backend that run here, fastest first; none where it is not built.

    >>> targets("reference")[-1]
    'interpreted'
    """
    if name == "native":
        try:
            from fhe.backend.native import supported_targets  # noqa: PLC0415  (may not be built)
        except ImportError:
            return []
        return supported_targets()
    from fhe.reference.loops import compiled_residue  # noqa: PLC0415  (only who asks for it pays for it)

    return ["interpreted"] if compiled_residue is None else ["compiled", "interpreted"]


def set_num_threads(threads: int) -> None:
    """Spread each native operation over up to this many threads; results are the same bits for any number.

    An operation too short to gain runs on its own thread, and so does one that meets another in flight. A forked
    child starts with one. The reference backend takes no notice.

    >>> before = num_threads()
    >>> set_num_threads(2)
    >>> set_num_threads(before)
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
        raise ParameterError(f"the number of threads goes from 1 to {MOST_THREADS}, not {threads!r}")
    if _why_no_core() is None:
        _core_module().set_num_threads(threads)


def num_threads() -> int:
    """The threads that a native operation may use: FHE_NUM_THREADS, or what `set_num_threads` said; 1 without either.

    >>> num_threads() >= 1
    True
    """
    return int(_core_module().num_threads()) if _why_no_core() is None else 1


@lru_cache(maxsize=1)
def _core_module() -> ModuleType:
    """`fhe.backend.native`, with the threads that the environment asks for."""
    try:
        from fhe.backend import native  # noqa: PLC0415  (may not be built)
    except AttributeError as error:
        raise ImportError(f"it was built from other sources: {error}") from error
    if asked := os.environ.get("FHE_NUM_THREADS"):
        if not asked.isdecimal() or not 1 <= int(asked) <= MOST_THREADS:
            raise ParameterError(f"FHE_NUM_THREADS goes from 1 to {MOST_THREADS}, not {asked!r}")
        native.set_num_threads(int(asked))
    return native


@lru_cache(maxsize=1)
def _why_no_core() -> str | None:
    """What keeps the native core from being imported, if anything does."""
    try:
        import fhe._core  # noqa: F401, PLC0415  (may not be built)
    except ImportError as error:
        return str(error)
    return None


@lru_cache(maxsize=1)
def _warn(missing: str) -> None:
    warnings.warn(
        f"computing in Python integers, thousands of times slower: no native core ({missing}); {BUILD}", stacklevel=4
    )


@cache
def _backend(name: str, target: str | None) -> Backend:
    if name == "native":
        return _native(target)
    if name == "reference":
        return _reference(target)
    raise ParameterError(f"no backend is called {name!r}; there are 'native' and 'reference'")


def _native(target: str | None) -> Backend:
    try:
        native = _core_module()
    except ImportError as error:
        raise ParameterError(f"the native backend can not be loaded ({error}); {BUILD}") from error
    _check_target("native", target, native.supported_targets())
    backend: Backend = native.NativeBackend(target)
    return backend


def _reference(target: str | None) -> Backend:
    from fhe.reference.backend import ReferenceBackend  # noqa: PLC0415  (only who asks for it pays for it)

    compiled = None if target is None else target == "compiled"
    _check_target("reference", target, ["interpreted", "compiled"])
    try:
        return ReferenceBackend(compiled)
    except ImportError as error:
        raise ParameterError(f"the reference's inner loops are not compiled ({error}); {BUILD}") from error


def _check_target(name: str, target: str | None, available: list[str]) -> None:
    if target is not None and target not in available:
        raise ParameterError(f"the {name} backend has no target {target!r} here; there are {', '.join(available)}")
