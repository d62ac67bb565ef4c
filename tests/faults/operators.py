"""Actions of operators, contacts and providers in a scenario. Each is repeated until it is known to be done."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.core.billing.top_up import top_up
from chalicelib.core.contacts.save_contact import patch_contact
from chalicelib.core.events.accept_events import NewEvent, accept_events
from chalicelib.core.flows.control_flow import FlowChange, change_flow
from chalicelib.core.flows.retry_flow import RetryRequest, retry_flow
from chalicelib.core.launching.control_campaign import control_campaign
from chalicelib.core.launching.launch_campaign import LaunchRequest, launch_campaign
from chalicelib.core.launching.republish_campaign import republish_campaign
from chalicelib.core.launching.trigger_campaign import TriggerRequest, trigger_campaign
from chalicelib.core.privacy.erase_contact import erase_contact
from chalicelib.errors import CarillonError, Conflict, InvalidRequest, NotFound
from chalicelib.model.balance import TopUp
from chalicelib.model.campaign import Campaign
from chalicelib.model.contact import ContactStatus
from chalicelib.model.delivery_report import ProviderCallback
from chalicelib.model.event import Event
from chalicelib.model.execution import Engagement
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import ChannelUid, ContactUid, new_uid
from chalicelib.model.money import read_money
from chalicelib.model.queue_messages import Recount
from chalicelib.model.queued_report import build_posted
from tests.faults.injector import ProcessDied
from tests.faults.sample_data import CHANNEL, HERE
from tests.faults.scenario import Act

if TYPE_CHECKING:
    from tests.faults.simulation import World

#: Delay before a caller without a response repeats its request.
PAUSE = timedelta(seconds=1)
TRIES = 10


def perform(world: "World", name: str, call: Callable[[], object], is_done: Callable[[], bool]) -> None:
    """Repeat the call until it gets a response, or until `is_done` returns True."""

    def once() -> None:
        with suppress(ProcessDied, CarillonError), world.injector.invocation(name, once):
            call()

    for _ in range(TRIES):
        try:
            with world.injector.invocation(name, once):
                call()
        except (ProcessDied, CarillonError) as error:
            with world.injector.uncounted():
                if is_done():
                    return
            if isinstance(error, InvalidRequest):
                world.problems.append(f"the scenario is wrong: {error.problems}")
            if isinstance(error, Conflict | NotFound | InvalidRequest):
                return
            world.backend.move(PAUSE)
        else:
            return
    world.problems.append(f"I3 {name} failed {TRIES} times")


def launch(world: "World") -> None:
    """Launch the campaign by hand: for its audience, its schedule or its event trigger."""

    def is_done() -> bool:
        campaign = world.direct.catalog.get(HERE, Campaign, world.scenario.name)
        return bool(world.flows()) or campaign.is_scheduled

    perform(
        world,
        "launch",
        lambda: launch_campaign(world.ports, HERE, world.scenario.name, LaunchRequest(channel_uid=CHANNEL)),
        is_done,
    )


def trigger(key: str) -> Act:
    """Return an act that triggers the campaign through the API with an idempotency key."""

    def act(world: "World") -> None:
        body = TriggerRequest(idempotency_key=key, channel_uid=CHANNEL)
        perform(world, "trigger", lambda: trigger_campaign(world.ports, HERE, world.scenario.name, body), _never)

    return act


def _set(world: "World", wanted: FlowStatus, action: str) -> None:
    for flow in world.flows():
        _set_one(world, flow, wanted, action)


def _set_one(world: "World", flow: Flow, wanted: FlowStatus, action: str) -> None:
    def status() -> FlowStatus:
        return world.direct.catalog.get(HERE, Flow, flow.uid).status

    def is_done() -> bool:
        return status() is wanted or (wanted is FlowStatus.RUNNING and status() is FlowStatus.QUEUED)

    perform(world, action, lambda: change_flow(world.ports, HERE, flow.uid, FlowChange(status=wanted)), is_done)
    with world.injector.uncounted():
        if is_done():
            world.acknowledge(action, flow.uid)


def pause(world: "World") -> None:
    _set(world, FlowStatus.PAUSED, "pause")


def resume(world: "World") -> None:
    _set(world, FlowStatus.RUNNING, "resume")


def cancel(world: "World") -> None:
    """Cancel the flow, but not during the launch.

    A cancel during the launch would free the campaign, and the launch could start a second flow.
    """
    if any(invocation.name == "launch" for invocation in world.injector.invocations):
        return
    _set(world, FlowStatus.CANCELLED, "cancel")


def pause_and_resume(world: "World") -> None:
    """Pause and resume with two calls in direct sequence."""
    pause(world)
    resume(world)


def pause_for(world: "World") -> None:
    """Pause now and resume ten minutes later, while everything else continues."""
    pause(world)
    world.schedule(timedelta(minutes=10), resume)


def move(wanted: FlowStatus) -> Act:
    """Return an act that sets the status of the campaign and its schedule."""

    def act(world: "World") -> None:
        perform(world, "move", lambda: control_campaign(world.ports, HERE, world.scenario.name, wanted), lambda: False)

    return act


def opt_out(number: int) -> Act:
    """Return an act that opts the contact out."""

    def act(world: "World") -> None:
        uid = f"c{number}"
        perform(
            world,
            "opt_out",
            lambda: patch_contact(world.ports, HERE, uid, {"status": ContactStatus.UNSUBSCRIBED}),
            _never,
        )
        _acknowledge_contact(world, "opt_out", uid)

    return act


def erase(number: int) -> Act:
    """Return an act that erases the contact.

    It does nothing before the launch, because the audience of the campaign names the contact.
    """

    def act(world: "World") -> None:
        uid = f"c{number}"
        if not world.flows():
            return
        perform(world, "erase", lambda: erase_contact(world.ports, HERE, uid), lambda: _is_gone(world, uid))
        _acknowledge_contact(world, "erase", uid)

    return act


def change(number: int, fields: Mapping[str, Any]) -> Act:
    """Return an act that edits the contact."""

    def act(world: "World") -> None:
        perform(world, "change", lambda: patch_contact(world.ports, HERE, f"c{number}", fields), _never)

    return act


def _never() -> bool:
    return False


def _is_gone(world: "World", uid: str) -> bool:
    return not world.direct.contacts.find_many(HERE, [ContactUid(uid)], strong=True)


def _acknowledge_contact(world: "World", action: str, uid: str) -> None:
    for flow in world.flows():
        world.acknowledge(action, flow.uid, uid)


def report(number: int, event: str, name: str = "order.placed") -> Act:
    """Return an act that reports an event as a customer's system does, and repeats it until it gets a response."""

    def act(world: "World") -> None:
        new = NewEvent(name=name, contact_uid=f"c{number}", id=event, properties={"of": event})
        new = new.model_copy(update={"occurred_at": world.notes.setdefault(f"event {event}", world.now)})
        perform(world, "report", lambda: accept_events(world.ports, HERE, [new]), _never)

    return act


def duplicate_event(number: int, event: str) -> Act:
    """Return an act that puts the same event on the queue once more, as SQS can do."""

    def act(world: "World") -> None:
        at = world.notes.setdefault(f"event {event}", world.now)
        same = Event(id=event, name="order.placed", contact_uid=f"c{number}", properties={"of": event}, occurred_at=at)
        with world.injector.uncounted():
            world.direct.event_queue.send(HERE, [same])

    return act


def publish(steps: tuple[Mapping[str, Any], ...]) -> Act:
    """Return an act that publishes a new version of the running campaign."""

    def act(world: "World") -> None:
        def call() -> None:
            campaign = world.ports.catalog.get(HERE, Campaign, world.scenario.name)
            written = tuple(dict(step) for step in steps)
            if campaign.steps != written:
                changed = campaign.model_copy(update={"steps": written, "draft_changed": True})
                world.ports.catalog.save(HERE, changed)
            republish_campaign(world.ports, HERE, world.scenario.name)

        def is_done() -> bool:
            return world.direct.catalog.get(HERE, Campaign, world.scenario.name).latest_version == 2

        perform(world, "publish", call, is_done)

    return act


def receipts(*engagements: Engagement) -> Act:
    """Return an act that delivers a report of each engagement, in this order, for every message sent so far."""

    def act(world: "World") -> None:
        for each in tuple(world.provider.attempts):
            for engagement in engagements:
                posted = build_posted(
                    HERE, ChannelUid(CHANNEL), ProviderCallback(f"{each.message} {engagement}".encode()), world.now
                )
                with world.injector.uncounted():
                    world.direct.receipt_queue.send(posted.model_dump_json(by_alias=True))
        # Another worker processes the reports immediately, in the middle of the current invocation.
        if batch := world.backend.queues.receive("receipts", world.now):
            world.deliver("receipts", batch)

    return act


def recount(world: "World") -> None:
    """Request a recount of every flow."""
    for flow in world.flows():
        job = Recount(workspace=HERE, flow=flow.uid, pass_id=new_uid())
        perform(world, "recount", lambda job=job: world.ports.jobs.send(job), _never)


def retry(of: str) -> Act:
    """Return an act that starts a retry for the messages with the outcome `of`, unless there are none."""

    def act(world: "World") -> None:
        flow = world.flows()[0]
        first = flow.uid
        if not flow.is_over:
            world.schedule(timedelta(minutes=10), act)
            return
        if not any(
            result.outcome == of for execution in world.executions(flow) for result in execution.results.values()
        ):
            world.notes["flows"] = 1
            return
        request = RetryRequest.model_validate({"of": of})

        def is_done() -> bool:
            return len(world.flows()) > 1

        if not is_done():
            perform(world, "retry", lambda: retry_flow(world.ports, HERE, first, request), is_done)

    return act


def pay_in(amount: str, uid: str) -> Act:
    """Return an act that tops up the balance. A repeated call with the same uid counts once."""

    def act(world: "World") -> None:
        request = TopUp(amount=amount)
        world.notes["paid in"] = world.notes.get("paid in", 0) + read_money(amount)
        perform(world, "pay_in", lambda: top_up(world.ports, HERE, request, uid), _never)

    return act


def tick(world: "World") -> None:
    """Run the clock Lambda once more."""
    world.tick()


def both(*acts: Act) -> Act:
    """Return an act that performs the acts one after the other."""

    def act(world: "World") -> None:
        for each in acts:
            each(world)

    return act
