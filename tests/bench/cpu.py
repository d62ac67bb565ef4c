"""CPU time of Carillon's code per step: `process_steps` over ports in memory, without botocore, AWS or a network."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from chalicelib.core.channels.edit_channel import create_channel
from chalicelib.core.flows.create_flow import NewFlow, create_flow
from chalicelib.core.launching.edit_campaign import CampaignFields, create_campaign
from chalicelib.core.steps.process_steps import ReceivedStep, process_steps
from chalicelib.core.templates.edit_template import create_template
from chalicelib.core.templates.publish_template import publish_template
from chalicelib.core.workspaces.create_workspace import create_workspace
from chalicelib.model.channel import ChannelFields
from chalicelib.model.contact import Contact
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.queue_messages import StepMessage
from chalicelib.model.template import TemplateFields
from chalicelib.ports import Ports
from chalicelib.workers.jobs import run_job
from tests.memory.catalog import MemoryCatalog
from tests.memory.circuits import MemoryCircuits
from tests.memory.clock import VirtualClock
from tests.memory.consents import MemoryConsents
from tests.memory.contacts import MemoryContacts
from tests.memory.events import MemoryEvents
from tests.memory.executions import MemoryExecutions
from tests.memory.pacing_store import MemoryPacing
from tests.memory.queues import MemoryEventQueue, MemoryJobQueue, MemoryReceiptQueue, MemoryStepQueue
from tests.memory.rates import MemoryRates
from tests.memory.statistics import MemoryStatistics
from tests.memory.stores import shared_stores
from tests.memory.timers import MemoryTimers
from tests.memory.usage_limits import MemoryUsageLimits
from tests.memory.webhooks import MemoryWebhookCaller, MemoryWebhookQueue, MemoryWebhookScheduler
from tests.recording_channel import RecordingChannel

CONTACTS = 2_000
BATCH = 10
WAIT = timedelta(days=2)


class Laboratory:
    """A workspace in memory that measures the CPU time of its steps."""

    def __init__(self) -> None:
        catalog = MemoryCatalog()
        self.clock, self.jobs, self.steps, self.timers = (
            VirtualClock(),
            MemoryJobQueue(),
            MemoryStepQueue(),
            MemoryTimers(),
        )
        self.ports = Ports(
            clock=self.clock,
            **shared_stores(catalog, MemoryContacts(), MemoryStatistics()),
            circuits=MemoryCircuits(catalog),
            rates=MemoryRates(),
            consents=MemoryConsents(),
            events=MemoryEvents(),
            event_queue=MemoryEventQueue(),
            receipt_queue=MemoryReceiptQueue(),
            executions=MemoryExecutions(),
            steps=self.steps,
            jobs=self.jobs,
            timers=self.timers,
            pacing=MemoryPacing(),
            usage_limits=MemoryUsageLimits(),
            webhook_scheduler=MemoryWebhookScheduler(),
            webhook_queue=MemoryWebhookQueue(),
            webhook_caller=MemoryWebhookCaller(),
            channel_types={"console": RecordingChannel(self.clock)},
            secret=lambda: b"bench",
        )
        self.workspace = WorkspaceUid(create_workspace(self.ports, "Bench")[0].uid)
        self.seconds, self.count = 0.0, 0

    def set_up(self, contacts: int) -> tuple[str, str, list[str]]:
        """Create a channel, a published template and contacts. Return their uids."""
        ports, workspace = self.ports, self.workspace
        channel = create_channel(ports, workspace, ChannelFields(name="Console", type="console"))
        content = {"text": "Hello {{ first_name }}"}
        template = create_template(ports, workspace, TemplateFields(name="Hi", channel_type="console", content=content))
        publish_template(ports, workspace, template.uid)
        now = self.clock.now()
        people = [
            Contact(uid=new_uid(), email=f"c{n}@example.com", first_name=f"Name{n}", created_at=now, updated_at=now)
            for n in range(contacts)
        ]
        for person in people:
            ports.contacts.add(workspace, person)
        return channel.uid, template.uid, [person.uid for person in people]

    def start(self, body: Mapping[str, Any], channel: str, contacts: Sequence[str]) -> str:
        campaign = create_campaign(self.ports, self.workspace, CampaignFields.model_validate_json(json.dumps(body)))
        wish = NewFlow(channel_uid=channel, campaign_uid=campaign.uid, contact_uids=tuple(contacts))
        return create_flow(self.ports, self.workspace, wish).uid

    def run(self) -> None:
        """Run everything that is due. Only the steps are timed."""
        while self._run_jobs() + self._run_steps():
            pass

    def _run_jobs(self) -> int:
        done = 0
        while taken := self.jobs.take():
            run_job(self.ports, taken[0], lambda: timedelta(minutes=1))
            done += 1
        return done

    def _run_steps(self) -> int:
        hints = self.steps.take(self.clock.now())
        for start in range(0, len(hints), BATCH):
            self._run_batch(hints[start : start + BATCH])
        return len(hints)

    def _run_batch(self, hints: Sequence[StepMessage]) -> None:
        received = [ReceivedStep(str(index), hint) for index, hint in enumerate(hints)]
        began = time.process_time()
        process_steps(self.ports, received, lambda: timedelta(seconds=30))
        self.seconds += time.process_time() - began
        self.count += len(hints)

    def wake(self) -> None:
        """Move the timers' step messages to the queue, as the clock Lambda does."""
        for hints in self.timers.steps.values():
            self.steps.send(hints, self.clock.now())
        self.timers.steps.clear()


def measure(contacts: int = CONTACTS) -> list[dict[str, Any]]:
    """Return, by campaign, the number of steps and the CPU time per step in ms. An END runs in the step before it."""
    return [_measure("SEND", contacts), _measure("SEND, WAIT 2 d, SEND, END", contacts)]


def _measure(name: str, contacts: int) -> dict[str, Any]:
    lab = Laboratory()
    channel, template, people = lab.set_up(contacts)
    send = {"type": "SEND", "templateUid": template}
    wait = {"id": "wait", "type": "WAIT", "for": "P2D"}
    long = {"steps": [{**send, "id": "one"}, wait, {**send, "id": "two"}, {"id": "end", "type": "END"}]}
    body = {"channelUid": channel, "templateUid": template} if name == "SEND" else long
    flow = lab.start({"name": name, **body}, channel, people)
    lab.run()
    if name != "SEND":
        lab.clock.advance(WAIT)
        lab.wake()
        lab.run()
    _check(lab, flow)
    return {"campaign": name, "contacts": contacts, "steps": lab.count, "ms_per_step": 1_000 * lab.seconds / lab.count}


def _check(lab: Laboratory, flow: str) -> None:
    status = lab.ports.catalog.get(lab.workspace, Flow, flow).status
    assert status is FlowStatus.COMPLETED, status
