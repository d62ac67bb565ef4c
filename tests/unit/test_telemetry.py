"""Test metrics: one line per batch in CloudWatch's format, without ids as dimensions."""

import json

import pytest

from chalicelib.telemetry import count


def _counted(capsys: pytest.CaptureFixture[str], metrics: dict[str, int]) -> dict[str, object]:
    count("steps", metrics)
    (line,) = capsys.readouterr().out.splitlines()
    metrics_line: dict[str, object] = json.loads(line)
    return metrics_line


def test_a_batch_is_one_line_with_the_stage_and_the_worker_as_its_only_dimensions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGE", "prod")
    line = _counted(capsys, {"Records": 10, "Unknown": -1, "Milliseconds": 40})
    (directive,) = line["_aws"]["CloudWatchMetrics"]  # type: ignore[index]  # nested by the format
    assert (directive["Namespace"], directive["Dimensions"]) == ("Carillon", [["stage", "service"]])
    assert (line["stage"], line["service"]) == ("prod", "steps")
    assert (line["Records"], line["Unknown"], line["Milliseconds"]) == ([10.0], [-1.0], [40.0])
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {"Records": "Count", "Unknown": "Count", "Milliseconds": "Milliseconds"}


def test_a_batch_does_not_repeat_the_counts_of_the_previous_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGE", "dev")
    _counted(capsys, {"Faults": 1})
    assert "Faults" not in _counted(capsys, {"Records": 1})


def test_the_local_stack_prints_no_metrics(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("STAGE", "local")
    count("steps", {"Records": 1})
    assert capsys.readouterr().out == ""
