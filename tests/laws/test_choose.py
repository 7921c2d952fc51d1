"""Which backend answers to which name, target and environment."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType

import pytest

import fhe
from fhe.backend import choose as module
from fhe.backend.choose import choose
from fhe.errors import ParameterError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for variable in ("FHE_BACKEND", "FHE_TARGET", "FHE_PURE_PYTHON"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def without_core(monkeypatch):
    """A process in which the native core can not be imported."""
    monkeypatch.setitem(sys.modules, "fhe._core", None)
    monkeypatch.delattr(fhe, "_core", raising=False)
    monkeypatch.delitem(sys.modules, "fhe.backend.native", raising=False)
    monkeypatch.delattr(fhe.backend, "native", raising=False)
    for cached in ("_why_no_core", "_core_module", "_warn", "_backend"):
        monkeypatch.setattr(module, cached, lru_cache(getattr(module, cached).__wrapped__))


def names(backend):
    return backend.name, backend.target


def test_the_native_backend_is_the_default():
    assert choose().name == "native"
    assert choose() is choose()
    assert choose("native", "scalar") is choose("native", "scalar") is not choose("reference")


def test_the_environment_gives_what_is_not_given(monkeypatch):
    monkeypatch.setenv("FHE_TARGET", "scalar")
    assert names(choose()) == names(choose("native")) == ("native", "scalar")
    monkeypatch.setenv("FHE_BACKEND", "reference")
    monkeypatch.setenv("FHE_TARGET", "interpreted")
    assert names(choose()) == ("reference", "interpreted")
    assert names(choose("reference", "compiled")) == ("reference", "compiled")


def test_the_target_of_one_backend_is_not_asked_of_another(monkeypatch):
    monkeypatch.setenv("FHE_TARGET", "scalar")
    assert choose("reference").target in ("compiled", "interpreted")
    monkeypatch.setenv("FHE_BACKEND", "reference")
    monkeypatch.setenv("FHE_TARGET", "interpreted")
    assert choose("native").name == "native"


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("native", "quantum", "the native backend has no target 'quantum' here; there are .*scalar"),
        ("reference", "scalar", "no target 'scalar' here; there are interpreted, compiled"),
        ("quantum", None, "no backend is called 'quantum'; there are 'native' and 'reference'"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(name, target, message):
    with pytest.raises(ParameterError, match=message):
        choose(name, target)


def test_a_bad_environment_is_refused(monkeypatch):
    monkeypatch.setenv("FHE_TARGET", "quantum")
    with pytest.raises(ParameterError, match="no target 'quantum'"):
        choose()


@pytest.mark.usefixtures("without_core")
def test_without_a_core_the_reference_computes_and_says_so_once(recwarn):
    assert choose().name == choose().name == "reference"
    assert [str(warning.message).partition(":")[0] for warning in recwarn] == [
        "computing in Python integers, thousands of times slower"
    ]
    assert "setup.py build_ext" in str(recwarn.list[0].message)


@pytest.mark.usefixtures("without_core")
def test_without_a_core_asking_for_it_says_how_to_build(recwarn):
    with pytest.raises(ParameterError, match=r"can not be loaded .* setup\.py build_ext"):
        choose("native")
    assert choose("reference").name == "reference"
    assert not recwarn.list


@pytest.mark.usefixtures("without_core")
def test_a_core_of_other_sources_is_refused_with_how_to_build(monkeypatch):
    monkeypatch.setitem(sys.modules, "fhe._core", ModuleType("fhe._core"))
    with pytest.raises(ParameterError, match=r"built from other sources: .* setup\.py build_ext"):
        choose()
