"""Metrics: one line a batch that CloudWatch reads, without an id among its dimensions."""

import json

import pytest

from chalicelib.telemetry import count


def _counted(capsys: pytest.CaptureFixture[str], metrics: dict[str, int]) -> dict[str, object]:
    count("steps", metrics)
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def test_a_batch_is_one_line_with_the_stage_and_the_worker_as_its_only_dimensions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGE", "prod")
    line = _counted(capsys, {"Records": 10, "Unknown": -1, "Milliseconds": 40})
    described = line["_aws"]["CloudWatchMetrics"]  # type: ignore[index]  # EMF's own nesting
    (directive,) = described
    assert (directive["Namespace"], directive["Dimensions"]) == ("Carillon", [["stage", "service"]])
    assert (line["stage"], line["service"]) == ("prod", "steps")
    assert (line["Records"], line["Unknown"], line["Milliseconds"]) == ([10.0], [-1.0], [40.0])
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {"Records": "Count", "Unknown": "Count", "Milliseconds": "Milliseconds"}


def test_what_one_batch_counted_is_not_told_again_by_the_next(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGE", "dev")
    _counted(capsys, {"Faults": 1})
    assert "Faults" not in _counted(capsys, {"Records": 1})


def test_the_laptop_prints_no_metrics(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("STAGE", "local")
    count("steps", {"Records": 1})
    assert capsys.readouterr().out == ""
