"""The command line: files that are applied once, exit codes for CI, JSON for programs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from infra.cli import contacts as contacts_module
from infra.cli import flows as flows_module
from infra.cli.app import app, run
from infra.cli.context import Chosen
from infra.cli.output import Exit, Output
from infra.cli.plan import as_file, compare
from infra.client import Client, Unreachable
from tests.cli.transports import ApiWire
from tests.integration.conftest import Api, api, embedded_aws, world
from tests.integration.harness import Story, story

__all__ = ["api", "embedded_aws", "story", "world"]


@dataclass
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str

    @property
    def json(self) -> Any:
        """The last line: the workers of the same process log into it as well."""
        return json.loads(self.out.splitlines()[-1])


@dataclass
class Shell:
    """Runs commands against a story's API."""

    api: Api

    def __call__(self, *arguments: str, is_json: bool = True) -> Ran:
        chosen = Chosen(Client("http://test", self.api.key or "", ApiWire(self.api)), Output(is_json))
        result = CliRunner().invoke(app, [*arguments], obj=chosen, catch_exceptions=False)
        return Ran(result.exit_code, result.stdout)


@pytest.fixture
def shell(story: Story) -> Shell:
    story.set_up(2)
    return Shell(story.api)


@pytest.fixture
def file(tmp_path: Path, story: Story) -> Callable[..., str]:
    """Writes a campaign's file and names it."""

    def write(**fields: Any) -> str:
        send = {"id": "hello", "type": "SEND", "channelUid": story.channel, "templateUid": story.template}
        content = {"name": "Welcome", "steps": [send, {"id": "w", "type": "WAIT", "for": "P2D"}], **fields}
        path = tmp_path / "welcome.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return str(path)

    return write


def test_a_file_is_planned_applied_and_then_changes_nothing(shell: Shell, file: Callable[..., str]) -> None:
    path = file()
    assert shell("campaign", "plan", path).json["action"] == "create"
    made = shell("campaign", "apply", path)
    assert (made.code, made.json["action"]) == (Exit.GOOD, "created")
    assert shell("campaign", "apply", path).json == {"action": "unchanged", "uid": made.json["uid"]}
    assert shell("campaign", "plan", path, "--detect").code == Exit.GOOD
    changed = file(description="For everybody", configuration={"maxRetries": 5})
    plan = shell("campaign", "plan", changed, "--detect")
    assert (plan.code, plan.json["action"]) == (Exit.DIFFERENT, "change")
    assert {each["field"] for each in plan.json["differences"]} == {"description", "configuration.maxRetries"}
    assert shell("campaign", "apply", changed).json == {"action": "changed", "uid": made.json["uid"]}
    assert shell("campaign", "plan", changed).json["differences"] == []


def test_what_is_exported_can_be_applied_and_is_the_same(shell: Shell, story: Story, tmp_path: Path) -> None:
    for uid in (story.short_campaign(), story.campaign(story.send("a", channelUid=story.channel), name="Long")):
        text = shell("campaign", "export", uid, is_json=False).out
        path = tmp_path / f"{uid}.yaml"
        path.write_text(text, encoding="utf-8")
        assert yaml.safe_load(text)["uid"] == uid
        assert shell("campaign", "plan", str(path), "--detect").code == Exit.GOOD, text


def test_plan_tells_how_many_wait_where(shell: Shell, story: Story, file: Callable[..., str]) -> None:
    path = file(trigger={"type": "api"}, audience={"contactUids": story.contacts})
    uid = shell("campaign", "apply", path).json["uid"]
    story.expect(202, story.api.post(f"/v1/campaigns/{uid}/trigger"))
    story.run()
    assert shell("campaign", "plan", path).json["waiting"] == {"w": 2}
    assert "w" in shell("campaign", "plan", path, is_json=False).out


def test_validate_fails_in_ci_when_the_draft_has_problems(shell: Shell, file: Callable[..., str]) -> None:
    good = shell("campaign", "apply", file()).json["uid"]
    assert shell("campaign", "validate", good).code == Exit.GOOD
    bad = file(steps=[{"id": "a", "type": "SEND", "templateUid": "nobody"}])
    shell("campaign", "apply", bad)
    found = shell("campaign", "validate", bad)
    assert (found.code, found.json["valid"]) == (Exit.BAD, False)
    assert "templateUid" in shell("campaign", "validate", bad, is_json=False).out


def test_two_campaigns_of_one_name_need_a_uid(shell: Shell, story: Story, file: Callable[..., str]) -> None:
    for _ in range(2):
        story.campaign(name="Welcome")
    assert shell("campaign", "plan", file()).code == Exit.BAD
    uid = story.api.get("/v1/campaigns?name=Welcome").json["data"][0]["uid"]
    assert shell("campaign", "apply", file(uid=uid)).json == {"action": "changed", "uid": uid}


@pytest.mark.parametrize("text", ["- a\n- b\n", "name: [", "steps: []\n", "1: 2\n"])
def test_what_is_no_campaign_is_told(shell: Shell, tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    assert shell("campaign", "plan", str(path)).code == Exit.BAD


def test_a_refusal_ends_with_its_own_code_and_says_all(shell: Shell, file: Callable[..., str]) -> None:
    refused = shell("campaign", "apply", file(description="x" * 3_000, trigger={"type": "moon"}))
    assert refused.code == Exit.REFUSED
    assert {each["field"].partition(".")[0] for each in refused.json["details"]} == {"description", "trigger"}


def test_an_api_that_is_away_ends_with_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def send(self, *_: object) -> None:
            raise Unreachable("There is no answer")

    chosen = Chosen(Client("http://test", "k", Away()), Output(is_json=True))  # type: ignore[arg-type]  # never answers
    result = CliRunner().invoke(app, ["flow", "pause", "x"], obj=chosen)
    assert result.exit_code == Exit.UNREACHABLE


def test_a_flow_is_created_paused_resumed_watched_and_looked_into(
    shell: Shell, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows_module.time, "sleep", lambda _: story.run())
    people = [part for uid in story.contacts for part in ("--contact", uid)]
    made = shell("flow", "create", "--campaign", story.short_campaign(), "--channel", story.channel, *people)
    uid = made.json["uid"]
    assert shell("flow", "pause", uid).json["status"] == "paused"
    assert shell("flow", "resume", uid).json["status"] in {"queued", "running"}
    done = shell("flow", "watch", uid)
    assert (done.code, done.json["status"], done.json["stats"]["completed"]) == (Exit.GOOD, "completed", 2)
    walk = shell("execution", "inspect", uid, story.contacts[0])
    assert walk.json["status"] == "completed"
    assert "completed" in shell("execution", "inspect", uid, story.contacts[0], is_json=False).out
    assert shell("flow", "cancel", uid).code == Exit.REFUSED


def test_a_flow_that_was_cancelled_fails_a_watching_ci(shell: Shell, story: Story) -> None:
    uid = story.start(story.short_campaign())
    assert shell("flow", "cancel", uid).json["status"] == "cancelled"
    assert shell("flow", "watch", uid).code == Exit.BAD


def test_an_import_is_followed_to_its_end(
    shell: Shell, story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: dict[str, bytes] = {}

    def put(url: str, body: bytes) -> None:
        name = url.partition("?")[0].partition("/uploads/")[2]
        story.world.ports.files.put(f"{story.api.workspace}/uploads/{name}", body)
        stored[name] = body

    monkeypatch.setattr("infra.client.client.put_file", put)
    monkeypatch.setattr(contacts_module.time, "sleep", lambda _: story.run())
    path = tmp_path / "Kunden 2026.csv"
    path.write_text("email\nada@example.org\nbob@example.org\n", encoding="utf-8")
    done = shell("contacts", "import", str(path))
    assert (done.code, done.json["created"], list(stored)) == (Exit.GOOD, 2, ["Kunden_2026.csv"])
    path.write_text("email\nnobody\n", encoding="utf-8")
    assert shell("contacts", "import", str(path)).code == Exit.BAD


def test_json_may_stand_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["flow", "--help", "--json"])
    assert ended.value.code == 0
    assert "pause" in capsys.readouterr().out


def test_only_what_a_file_names_is_compared() -> None:
    there = {"name": "A", "configuration": {"maxRetries": 3, "retryDelayMs": 5000}, "steps": [{"id": "a"}]}
    assert compare({"name": "A", "configuration": {"maxRetries": 3}}, there) == ()
    (found,) = compare({"steps": []}, there)
    assert (found.field, found.after) == ("steps", [])
    assert as_file({"uid": "u", "name": "A", "state": "DRAFT", "steps": [], "description": ""}) == {
        "uid": "u",
        "name": "A",
    }
