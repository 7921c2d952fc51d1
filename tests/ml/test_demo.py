"""The demonstration, small: what it says, what it measures, and that it notices a wrong result."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from fhe import demo, measure
from fhe.choice import choose_ckks
from fhe.cli import main
from fhe.context import Context
from fhe.examples.private_prediction import FEATURE_BOUND, SCALE_BITS, Client, Server, breast_cancer
from fhe.measure import time_text
from fhe.ml import LogisticRegression

SMALL = ["demo", "--backend", "reference", "--samples", "8"]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure each thing once."""
    monkeypatch.setattr(measure, "SECONDS", 0.0)
    monkeypatch.setattr(measure, "FEWEST", 1)


def test_one_json_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--json", "--no-progress"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == ""
    assert found["agrees"]
    assert found["same_predictions"]
    assert found["accuracy_encrypted"] == found["accuracy_clear"] > 0.8
    assert 0 < found["largest_score_difference"] < 1e-4
    assert (found["backend"], found["samples"], found["features"]) == ("reference", 8, 30)
    assert (found["parameters"]["ring_degree"], found["security_bits"]) == (demo.REFERENCE_RING, 0)
    assert found["insecure"] == demo.REFERENCE_REASON
    assert 0 < found["request_bytes"] < found["reply_bytes"] + found["key_bytes"]
    operations = [row["operation"].split()[0] for row in found["rows"]]
    assert operations == ["Add", "Multiply", "Relinearize", "Rotate", "Predict", "Predict,", "Predict,", "Encrypt,"]
    assert all(row["encrypted_us"] > 0 for row in found["rows"])
    assert [row["slower"] is None for row in found["rows"]] == [False, False, True, False, False, False, False, False]


def test_a_page_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SMALL) == 0
    out = capsys.readouterr().out
    for part in ("8 encrypted samples", "INSECURE: " + demo.REFERENCE_REASON, "reference backend", "How much slower?"):
        assert part in out
    assert re.search(r"accuracy +clear (0\.\d+|1\.0000) +encrypted \1\n", out)
    assert re.search(r"Rotate 128 slots +[\d.,]+ [µm]s +[\d.,]+ µs +[\d,]+x\n", out)


def test_a_wrong_result_is_noticed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    scores = Client.scores
    monkeypatch.setattr(Client, "scores", lambda client, reply: scores(client, reply) + 0.01)
    assert main([*SMALL, "--json"]) == 1
    out, err = capsys.readouterr()
    assert not json.loads(out)["agrees"]
    assert "encrypted and clear scores differ by 1.0e-02" in err


def test_the_server_is_made_from_bytes_and_cannot_decrypt() -> None:
    data = breast_cancer(1)
    model = LogisticRegression().fit(data.train, data.train_labels)
    client = Client(
        model.rotations(), model.value_bound(FEATURE_BOUND), ring_degree=64, insecure="a test", backend="reference"
    )
    published = client.published()
    server = Server(model, published, "reference")
    assert type(published) is bytes
    assert type(server.context) is Context
    assert not hasattr(server.context, "decrypt")
    assert server.context.rotations == [1, 2, 4, 8, 16]


def test_the_default_parameters_are_secure_and_small() -> None:
    data = breast_cancer()
    model = LogisticRegression().fit(data.train, data.train_labels)
    parameters = choose_ckks(1, SCALE_BITS, model.value_bound(FEATURE_BOUND))
    assert parameters.security_bits >= 128
    assert parameters.ring_degree == 4096
    assert np.max(np.abs(data.test)) <= FEATURE_BOUND


@pytest.mark.parametrize(
    ("us", "text"), [(0.0131, "0.0131 µs"), (999.4, "999 µs"), (999.6, "1 ms"), (38_200, "38.2 ms"), (2.5e6, "2.5 s")]
)
def test_times_are_readable(us: float, text: str) -> None:
    assert time_text(us) == text
