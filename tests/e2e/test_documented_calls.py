"""The calls of the documentation, to the message, by curl."""

import json
import shlex
import shutil
import subprocess
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.stack import SPEED, Stack, eventually

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

START = """curl -X POST $URL/flows -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" -d '{
  "channelUid": "…", "campaignUid": "…", "contactUids": ["…", "…", "…"], "description": "Black Friday campaign for VIP customers",
  "configuration": {"maxRetries": 3, "pauseBetweenContactsMs": 5000, "pauseBetweenContactsSaltMs": 1000,
                    "retryDelayMs": 5000, "timeoutMs": 300000, "maxConcurrentMessages": 1}}'"""  # noqa: E501
SHOW = 'curl $URL/flows/{uid} -H "Authorization: Bearer $KEY"'
PAUSE = """curl -X PATCH $URL/flows/{uid} -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" -d '{"status": "paused"}'"""  # noqa: E501
RESUME = """curl -X PATCH $URL/flows/{uid} -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" -d '{"status": "running"}'"""  # noqa: E501
TRIGGER = 'curl -X POST $URL/v1/campaigns/{uid}/trigger -H "Authorization: Bearer $KEY"'
#: Of the sample, in each flow.
CONTACTS = 8
RESUME_CAMPAIGN = 'curl -X POST $URL/v1/campaigns/{uid}/resume  -H "Authorization: Bearer $KEY"'


def paste(stack: Stack, call: str, uid: str = "") -> Any:
    """Run a documented call with a shell and curl, and return its answer."""
    script = f"URL={stack.url} KEY={shlex.quote(stack.key())}\n" + call.replace("{uid}", uid)
    script = script.replace("curl ", "curl --silent --show-error --fail-with-body --noproxy '*' ", 1)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["data"]


def with_sample(stack: Stack, call: str) -> str:
    """Replace the dots of the documentation by IDs of the sample."""
    sample = json.loads((stack.data / "sample.json").read_text())
    for uid in (sample["channelUid"], sample["campaignUid"], *sample["contactUids"][:2]):
        call = call.replace('"…"', f'"{uid}"', 1)
    # More contacts than the documentation shows, so that some are left at the pause on a slow machine too.
    return call.replace('"…"', ", ".join(f'"{uid}"' for uid in sample["contactUids"][2:CONTACTS]), 1)


def test_a_flow_is_started_shown_paused_and_resumed_by_the_documented_calls(shared: Stack) -> None:
    flow = paste(shared, with_sample(shared, START))["uid"]
    eventually(lambda: shared.accepted(flow), 10)

    paused = paste(shared, PAUSE, flow)
    assert paused["status"] == "paused"
    assert paste(shared, SHOW, flow)["status"] == "paused"
    eventually(lambda: paste(shared, SHOW, flow)["metadata"]["inFlight"] == 0, 10)
    assert 1 <= len(shared.accepted(flow)) < CONTACTS

    assert paste(shared, RESUME, flow)["status"] == "running"
    ended = shared.await_end(flow, 60)
    assert (ended["status"], ended["stats"]["sent"], ended["stats"]["total"]) == ("completed", CONTACTS, CONTACTS)
    assert len(shared.accepted(flow)) == CONTACTS
    assert ended["description"] == "Black Friday campaign for VIP customers"


def test_a_campaign_is_triggered_and_resumed_by_the_documented_calls(shared: Stack) -> None:
    sample = json.loads((shared.data / "sample.json").read_text())
    audience = {"contactUids": sample["contactUids"][:CONTACTS]}
    campaign = shared.make_email_campaign(audience, {"pauseBetweenContactsMs": 5000})[1]

    flow = paste(shared, TRIGGER, campaign)["flowUid"]
    eventually(lambda: shared.accepted(flow), 10)
    shared.call("POST", f"/v1/campaigns/{campaign}/pause")
    assert shared.flow(flow)["status"] == "paused"

    assert paste(shared, RESUME_CAMPAIGN, campaign)["flowUid"] == flow
    assert shared.await_end(flow, 60)["stats"]["sent"] == CONTACTS


def test_the_calls_that_the_start_prints_are_accepted(shared: Stack) -> None:
    printed = [line for line in shared.read_log().splitlines() if line.startswith("curl $URL/flows/")]

    assert len(printed) == 1
    assert paste(shared, printed[0])["description"] == "The sample's flow"


def test_the_sample_is_paced_by_the_fast_clock(shared: Stack) -> None:
    """20 contacts, 6 ± 2 s apart, by a clock that runs four times faster."""
    sample = json.loads((shared.data / "sample.json").read_text())
    shared.await_end(sample["flowUid"], 60)
    mails = [path for path in (shared.data / "outbox").glob("2*.eml") if sample["flowUid"] in path.read_text()]
    by_clock = sorted(datetime.strptime(path.name[:23], "%Y%m%dT%H%M%S.%f%z").timestamp() for path in mails)
    by_watch = sorted(path.stat().st_mtime for path in mails)

    assert len(mails) == 20
    assert by_clock[-1] - by_clock[0] >= 19 * 4
    assert by_clock[-1] - by_clock[0] == pytest.approx(SPEED * (by_watch[-1] - by_watch[0]), rel=0.05)
