"""The command line: what it prints, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import fhe
from fhe.backend.choose import targets
from fhe.choice import choose_bfv, choose_ckks
from fhe.cli import agreement, main
from tests.codebase import ROOT

WORDS = "correct horse battery staple"


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
    found = json.loads(output(capsys, "doctor", "--json", "--no-self-test"))
    assert (found["backend"], found["target"]) == ("native", "scalar")
    assert found["environment"] == {"FHE_BACKEND": "native", "FHE_TARGET": "scalar"}
    assert found["native_core"]
    assert found["native_targets"][-1] == "scalar"
    assert found["packages"]["numpy"]
    assert found["fhe"] == fhe.__version__
    text = output(capsys, "doctor", "--no-self-test")
    assert "native backend, scalar" in text
    assert "FHE_TARGET=scalar" in text


def test_doctor_says_what_is_not_built(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhe.cli.doctor.targets", lambda name: ["interpreted"] if name == "reference" else [])
    monkeypatch.setenv("FHE_BACKEND", "reference")
    text = output(capsys, "doctor", "--no-self-test")
    assert "native core         not built" in text
    assert "compiled reference  not built" in text


def test_doctor_finds_that_all_targets_agree(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "SMALL", 64)
    monkeypatch.setattr(agreement, "LARGE", 256)
    tested = json.loads(output(capsys, "doctor", "--json"))["self_test"]
    assert tested["agree"]
    parties = {(check["backend"], check["target"]) for check in tested["checks"]}
    assert parties == {(name, target) for name in ("native", "reference") for target in targets(name)}


@pytest.mark.parametrize("wrong", [{"digest": "another"}, {"right": False}], ids=str)
def test_doctor_fails_where_one_target_differs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    checks = [agreement.Check("CKKS", "native", target, "same", True, 0.1) for target in ("avx2", "scalar")]
    monkeypatch.setattr(agreement, "checks", lambda: [replace(checks[0], **wrong), checks[1]])
    assert main(["doctor"]) == 1
    out, err = capsys.readouterr()
    assert "THEY DO NOT AGREE" in out
    assert "CKKS: native avx2" in out
    assert "please report" in err


def test_a_table_of_depths(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, "params", "--scheme", "bfv", "--depth", "1-3", "--value-bits", "20")
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [
        [str(depth), str(choose_bfv(depth, value_bits=20).ring_degree)] for depth in (1, 2, 3)
    ]
    words = "params --scheme ckks --depth 2-99 --ring-degree 16384 --json"
    found = json.loads(output(capsys, *words.split()))["choices"]
    assert [choice["depth"] for choice in found] == list(range(2, len(found) + 2))  # as far as this ring goes
    assert found[-1]["id"] == choose_ckks(found[-1]["depth"], ring_degree=16384).id


def test_keygen_writes_a_sealed_secret_and_keys(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words").write_text(f"{WORDS}\n")
    words = "keygen mine --scheme bfv --depth 1 --value-bits 20 --rotations 1,-2 --passphrase-file words --json"
    found = json.loads(output(capsys, *words.split()))
    assert Path("mine.secret").stat().st_mode & 0o777 == 0o600
    owner = fhe.load_secret_key("mine.secret", passphrase=WORDS)
    server = fhe.load("mine.keys")
    assert (server.key_id.hex(), owner.key_id.hex()) == (found["key_id"], found["key_id"])
    assert server.parameters == owner.parameters == choose_bfv(1, value_bits=20)
    assert [step % (server.parameters.ring_degree // 2) for step in (1, -2)] == sorted(server.rotations)
    assert owner.decrypt(owner.load((server.encrypt([3, 4]) * 5).to_bytes())).tolist() == [15, 20]
    assert main(words.split()) == 1  # both are there now
    assert "mine.secret and mine.keys would be overwritten" in capsys.readouterr().err
    assert json.loads(output(capsys, *words.split(), "--overwrite"))["key_id"] != found["key_id"]


def test_keygen_asks_twice(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["one", "another", WORDS, WORDS])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    words = ["keygen", str(tmp_path / "mine"), "--scheme", "ckks", "--rotations", "none", "--publish", "10", "100"]
    assert main(words) == 1
    assert capsys.readouterr().err == "fhe: the two passphrases differ; nothing was written\n"
    assert not list(tmp_path.iterdir())
    assert "decrypt" not in output(capsys, *words)
    owner = fhe.load_secret_key(tmp_path / "mine.secret", passphrase=WORDS)
    assert abs(owner.decrypt_public(owner.encrypt(0.5))) < 1
    assert fhe.load(tmp_path / "mine.keys").rotations == []


def test_keygen_says_where_nobody_types(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    assert main(["keygen", str(tmp_path / "mine"), "--scheme", "ckks", "--rotations", "none"]) == 1
    assert capsys.readouterr().err == "fhe: nobody is here to type a passphrase; give --passphrase-file FILE\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("keygen nowhere/mine --scheme ckks", "there is no folder nowhere"),
        ("keygen mine --scheme ckks --passphrase-file missing", "missing: no such file"),
        ("keygen mine --scheme ckks --passphrase-file empty", "an empty passphrase protects nothing"),
    ],
)
def test_keygen_writes_nothing_when_it_fails(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").touch()
    assert main(words.split()) == 1
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize("scheme", ["ckks", "bfv"])
def test_bench_measures_the_operations(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setattr("fhe.measure.SECONDS", 0.0)
    monkeypatch.setattr("fhe.measure.FEWEST", 1)
    words = ["bench", "--scheme", scheme, "--depth", "1", "--ring-degree", "256", "--insecure", "a test"]
    found = json.loads(output(capsys, *words, "--json"))
    assert {"Add", "Multiply", "Rotate", "Encode and encrypt", "Decrypt and decode"} <= found["microseconds"].keys()
    assert all(us > 0 for us in found["microseconds"].values())
    assert found["bytes"]["ciphertext, symmetric"] < found["bytes"]["ciphertext"]
    assert "Multiply" in output(capsys, *words)


@pytest.mark.parametrize("command", ["demo", "bench", "params", "keygen", "inspect", "doctor"])
def test_help_is_there(capsys: pytest.CaptureFixture[str], command: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "--json" in text
    assert max(map(len, text.splitlines())) <= 120


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
        ("params --scheme ckks --ring-degree 1000", "fhe: the ring degree must be a power of two"),
        ("inspect /not/there", "fhe: /not/there: no such file or directory"),
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
    [
        "",
        "paint",
        "params",
        "params --scheme bfv --depth 3-1",
        "keygen --scheme bfv --publish 9 9 x",
        "params --scheme bfv --bound 3",
        "params --scheme ckks --value-bits 9",
        "params --scheme ckks --depth deep",
        "keygen --scheme ckks --rotations 1,b x",
        "demo --samples 0",
        "demo --samples all",
    ],
)
def test_misuse_exits_with_2(capsys: pytest.CaptureFixture[str], words: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "--help" in said
    assert not words or said.count("\n") == 2


def test_a_missing_scikit_learn_is_named() -> None:
    code = "import sys; sys.modules['sklearn'] = None; from fhe.cli import main; raise SystemExit(main(['demo']))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == 'fhe: fhe.ml builds on scikit-learn, which is not installed: pip install "fhe[ml]"\n'


def test_an_interrupt_is_quiet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fhe.cli.doctor.choose", interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == ""


def test_the_package_does_not_need_scikit_learn() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import fhe; assert 'fhe.ml' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
