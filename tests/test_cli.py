"""The command line: what it prints, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import fhe
from fhe.choice import choose_bfv, choose_ckks
from fhe.cli import main
from tests.codebase import ROOT


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_module_is_the_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "fhe", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout == f"fhe {fhe.__version__}\n"


def test_doctor_knows_what_computes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHE_BACKEND", "native")
    monkeypatch.setenv("FHE_TARGET", "scalar")
    found = json.loads(output(capsys, "doctor", "--json"))
    assert (found["backend"], found["target"]) == ("native", "scalar")
    assert found["environment"] == {"FHE_BACKEND": "native", "FHE_TARGET": "scalar"}
    assert found["native_core"]
    assert found["native_targets"][-1] == "scalar"
    assert found["packages"]["numpy"]
    assert found["fhe"] == fhe.__version__
    text = output(capsys, "doctor")
    assert "native backend, scalar" in text
    assert "FHE_TARGET=scalar" in text


def test_doctor_says_what_is_not_built(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhe.cli.targets", lambda name: ["interpreted"] if name == "reference" else [])
    monkeypatch.setenv("FHE_BACKEND", "reference")
    text = output(capsys, "doctor")
    assert "native core         not built" in text
    assert "compiled reference  not built" in text


def test_params_are_those_that_the_library_chooses(capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, "params", "--scheme", "ckks", "--depth", "4") == choose_ckks(4).summary() + "\n"
    chosen = choose_bfv(3, value_bits=20, security=192, quantum=True)
    words = "params --scheme bfv --depth 3 --value-bits 20 --security 192 --quantum --json"
    found = json.loads(output(capsys, *words.split()))
    assert {name: found[name] for name in chosen.to_dict()} == chosen.to_dict()
    assert (found["id"], found["security_bits"], found["log_qp"]) == (chosen.id, 192, chosen.log_qp)
    small = choose_ckks(1, 30, 100.0, ring_degree=64, insecure="a test")
    words = "params --scheme ckks --scale-bits 30 --bound 100 --ring-degree 64 --insecure"
    assert output(capsys, *words.split(), "a test") == small.summary() + "\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("params --scheme ckks --depth 99", "fhe: depth 99 with 40-bit scales does not fit"),
        ("params --scheme bfv --depth 1 --security 100", "fhe: security is tabulated for 128, 192 and 256 bits"),
        ("doctor", "fhe: no backend is called 'abacus'"),
    ],
)
def test_failures_are_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: str, message: str
) -> None:
    monkeypatch.setenv("FHE_BACKEND", "abacus")
    assert main(words.split()) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    ["", "paint", "params", "params --scheme bfv --bound 3", "params --scheme ckks --value-bits 9", "demo --samples 0"],
)
def test_misuse_exits_with_2(capsys: pytest.CaptureFixture[str], words: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    assert stop.value.code == 2
    assert "usage: fhe" in capsys.readouterr().err


def test_a_missing_scikit_learn_is_named() -> None:
    code = "import sys; sys.modules['sklearn'] = None; from fhe.cli import main; raise SystemExit(main(['demo']))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == 'fhe: fhe.ml builds on scikit-learn, which is not installed: pip install "fhe[ml]"\n'


def test_an_interrupt_is_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fhe.cli.choose", interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == ""


def test_the_package_does_not_need_scikit_learn() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import fhe; assert 'fhe.ml' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
