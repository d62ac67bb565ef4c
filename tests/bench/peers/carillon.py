"""Carillon as a contestant: the local stack as a user starts it, and its code alone without AWS."""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib.model.flow import Flow
from chalicelib.model.ids import FlowUid
from tests.bench.cpu import Laboratory
from tests.bench.peers.contestants import PATIENCE, Load, Outcome, count_messages, settle_down
from tests.bench.peers.processes import cpu_seconds
from tests.bench.stack import Stack, running

#: Longer than the 15 minutes that SQS can delay, so the wait uses timers as one of two days does.
WAIT_MINUTES = 20


@dataclass(frozen=True, slots=True)
class Carillon:
    """Carillon on the local stack; its clock runs so fast that the wait takes as long as for the peers."""

    name: str = "Carillon"
    durability: str = "the emulator keeps it in memory"

    def run(self, load: Load) -> Outcome:
        """Start the stack, run the campaign and remove everything."""
        folder = Path(tempfile.mkdtemp(prefix="carillon-bench-"))
        try:
            with running(folder, load.port, speed=WAIT_MINUTES * 60 / load.wait) as stack:
                wish = _prepare(stack, load.contacts)
                settle_down(roots := _roots(stack))
                before = cpu_seconds(roots)
                shown = _launch(stack, wish)
                after = cpu_seconds(roots)
                used = {name: after[name] - before[name] for name in roots}
                return Outcome(used, shown["stats"]["completed"], *count_messages(stack.data / "outbox"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Alone:
    """The same campaign through the same use cases over ports in memory: the cost when every call is free."""

    name: str = "Carillon's code alone"
    durability: str = "ports in memory, not to be compared"

    def run(self, load: Load) -> Outcome:
        """Run the campaign. Only the steps are timed; the provider is a list."""
        lab = Laboratory()
        channel, template, people = lab.set_up(load.contacts)
        uid = FlowUid(lab.start({"name": "Six nodes", "steps": _steps(template)}, channel, people))
        lab.run()
        lab.clock.advance(timedelta(minutes=WAIT_MINUTES))
        lab.wake()
        lab.run()
        epoch = lab.ports.catalog.get(lab.workspace, Flow, uid).stats_epoch
        completed = lab.ports.statistics.read(lab.workspace, uid, epoch).get("completed", 0)
        times = [provider.times_called() for provider in lab.ports.channel_types.values()]
        messages = sum(sum(each.values()) for each in times)
        return Outcome({"worker-1": lab.seconds}, completed, messages, messages - sum(map(len, times)))


def _roots(stack: Stack) -> dict[str, int]:
    """Return process ids under the names that the peers use; the clock counts as part of the launcher."""
    pids = stack.pids()
    return {"store-1": pids.pop("aws"), "launcher": pids.pop("api"), **pids}


def _prepare(stack: Stack, contacts: int) -> dict[str, Any]:
    """Create contacts, channel, template and campaign. Return the body of the flow."""
    rows = "externalId,email,firstName\n" + "".join(f"b{n},b{n}@carillon.example,Name{n}\n" for n in range(contacts))
    task = stack.post("/v1/contacts/import", {"csv": rows})["uid"]
    stack.wait_for(f"/v1/imports/{task}", lambda shown: bool(shown["completedAt"]), PATIENCE)
    channel, template = stack.add_channel("console", {"text": "Hello {{ first_name }}, this is a measurement."})
    campaign = stack.post("/v1/campaigns", {"name": "Six nodes", "steps": _steps(template)})["uid"]
    uids = [contact["uid"] for contact in stack.pages("/v1/contacts")]
    return {"contactUids": uids, "channelUid": channel, "campaignUid": campaign}


def _steps(template: str) -> list[dict[str, Any]]:
    send = {"type": "SEND", "templateUid": template}
    mark = {"id": "mark", "type": "TAG", "add": ["engaged"]}
    reached = {"label": "yes", "when": {"message": "one", "is": "sent"}, "steps": [{**send, "id": "two"}, mark]}
    return [
        {**send, "id": "one"},
        {"id": "wait", "type": "WAIT", "for": f"PT{WAIT_MINUTES}M"},
        {"id": "reached", "type": "CONDITION", "lanes": [reached, {"label": "no", "steps": []}]},
        {"id": "end", "type": "END"},
    ]


def _launch(stack: Stack, wish: dict[str, Any]) -> Any:
    """Launch the flow and wait for its end, including its last recount."""
    uid = stack.post("/flows", wish)["uid"]
    return stack.wait_for(f"/flows/{uid}", lambda shown: bool(shown["completedAt"]), PATIENCE)
