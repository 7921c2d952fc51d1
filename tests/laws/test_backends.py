"""Which backends there are, that the one which was asked for answers, and the reference's own conveniences."""

import os
import subprocess
import sys

import pytest

import fhe.reference
from fhe.backend.choose import choose
from fhe.errors import ParameterError
from fhe.reference import ReferenceBackend, residue, schoolbook
from fhe.reference.loops import inner_loops
from tests.conftest import BACKENDS, NATIVE, make_backend
from tests.machine import Machine
from tests.strategies import TELLING_DEGREES, Primes, largest_primes


@pytest.mark.parametrize("name", BACKENDS)
def test_each_backend_is_the_one_it_is_called(name):
    backend = make_backend(name)
    assert f"{backend.name}-{backend.target}" == name


@pytest.mark.parametrize("ring_degree", [*TELLING_DEGREES, 4096])
@pytest.mark.parametrize("name", NATIVE)
def test_a_forced_target_runs_the_primes(name, ring_degree):
    """In the rings of most examples too: or the other tests would test another target."""
    basis = Primes(ring_degree, largest_primes(ring_degree, 46)[:2])
    handle = Machine(make_backend(name)).handle(basis)
    assert handle.targets == [make_backend(name).target] * 2


def test_the_environment_chooses_among_the_inner_loops():
    question = "from fhe.reference import ReferenceBackend; print(ReferenceBackend().target)"
    for pure, target in (("", "compiled"), ("1", "interpreted")):
        environment = {**os.environ, "FHE_PURE_PYTHON": pure}
        answer = subprocess.run([sys.executable, "-c", question], env=environment, capture_output=True, check=True)
        assert answer.stdout.decode().strip() == target


def test_interpreted_and_compiled_loops_are_two():
    assert inner_loops(compiled=False) is residue
    assert inner_loops(compiled=True) is not residue
    assert ReferenceBackend(compiled=False).target == "interpreted"


def test_a_reference_that_was_not_compiled_says_how_to_compile(monkeypatch):
    monkeypatch.setattr("fhe.reference.loops.compiled_residue", None)
    assert inner_loops() is residue
    with pytest.raises(ImportError, match=r"setup\.py build_ext"):
        ReferenceBackend(compiled=True)


def test_a_backend_that_does_not_exist_is_refused():
    with pytest.raises(ParameterError, match="no backend is called 'quantum'"):
        choose("quantum")


def test_schoolbook_refuses_what_is_no_product():
    with pytest.raises(ParameterError, match="factors of 2 and 3 coefficients"):
        schoolbook([1, 2], [1, 2, 3], 17)
    with pytest.raises(ParameterError, match=r"below 2\^63"):
        schoolbook([1, 2], [1, 2], 1 << 63)
    with pytest.raises(ParameterError, match="1 and 1 rows do not belong to 2 moduli"):
        schoolbook([[1, 2]], [[1, 2]], [17, 97])


def test_the_reference_exports_its_backend_and_the_schoolbook_product():
    assert fhe.reference.__all__ == ["ReferenceBackend", "schoolbook"]
