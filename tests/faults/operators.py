"""What operators, contacts and providers do in a scenario; each is repeated until it is known to be done."""

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
from chalicelib.core.launching.republish_campaign import publish_running
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
from tests.faults.injector import Died
from tests.faults.sample_data import CHANNEL, HERE
from tests.faults.scenario import Act

if TYPE_CHECKING:
    from tests.faults.simulation import World

#: A caller who has no answer asks again after a second.
PAUSE = timedelta(seconds=1)
TRIES = 10


def perform(world: "World", name: str, call: Callable[[], object], is_done: Callable[[], bool]) -> None:
    """Calls until it is answered, or is seen to be done."""

    def once() -> None:
        with suppress(Died, CarillonError), world.board.frame(name, once):
            call()

    for _ in range(TRIES):
        try:
            with world.board.frame(name, once):
                call()
        except (Died, CarillonError) as error:
            with world.board.aside():
                if is_done():
                    return
            if isinstance(error, InvalidRequest):
                world.problems.append(f"the scenario is wrong: {error.problems}")
            if isinstance(error, Conflict | NotFound | InvalidRequest):
                return
            world.backend.move(PAUSE)
        else:
            return
    world.problems.append(f"I3 nobody could {name}")


def launch(world: "World") -> None:
    """By hand: the campaign's own audience, or its schedule, or its listener."""

    def is_done() -> bool:
        campaign = world.bare.catalog.get(HERE, Campaign, world.scenario.name)
        return bool(world.flows()) or campaign.is_scheduled

    perform(
        world,
        "launch",
        lambda: launch_campaign(world.ports, HERE, world.scenario.name, LaunchRequest(channel_uid=CHANNEL)),
        is_done,
    )


def trigger(key: str) -> Act:
    """By an API call with an idempotency key, repeated until it is answered."""

    def act(world: "World") -> None:
        wish = TriggerRequest(idempotency_key=key, channel_uid=CHANNEL)
        perform(world, "trigger", lambda: trigger_campaign(world.ports, HERE, world.scenario.name, wish), lambda: False)

    return act


def _set(world: "World", wanted: FlowStatus, what: str) -> None:
    for flow in world.flows():
        _set_one(world, flow, wanted, what)


def _set_one(world: "World", flow: Flow, wanted: FlowStatus, what: str) -> None:
    def status() -> FlowStatus:
        return world.bare.catalog.get(HERE, Flow, flow.uid).status

    def is_done() -> bool:
        return status() is wanted or (wanted is FlowStatus.RUNNING and status() is FlowStatus.QUEUED)

    perform(world, what, lambda: change_flow(world.ports, HERE, flow.uid, FlowChange(status=wanted)), is_done)
    with world.board.aside():
        if is_done():
            world.acknowledge(what, flow.uid)


def pause(world: "World") -> None:
    _set(world, FlowStatus.PAUSED, "pause")


def resume(world: "World") -> None:
    _set(world, FlowStatus.RUNNING, "resume")


def cancel(world: "World") -> None:
    """Not in the middle of the launch: the campaign would be free again, and the launch may start another flow."""
    if any(frame.name == "launch" for frame in world.board.frames):
        return
    _set(world, FlowStatus.CANCELLED, "cancel")


def pause_and_resume(world: "World") -> None:
    """At one moment, as fast as two calls can be."""
    pause(world)
    resume(world)


def pause_for(world: "World") -> None:
    """Pauses now and resumes ten minutes later, while everything else goes on."""
    pause(world)
    world.later(timedelta(minutes=10), resume)


def move(wanted: FlowStatus) -> Act:
    """The campaign as a whole, with its schedule."""

    def act(world: "World") -> None:
        perform(world, "move", lambda: control_campaign(world.ports, HERE, world.scenario.name, wanted), lambda: False)

    return act


def opt_out(number: int) -> Act:
    """The contact is not to be written to any more."""

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
    """The contact is no more; before the launch that would be another story, as its audience names the contact."""

    def act(world: "World") -> None:
        uid = f"c{number}"
        if not world.flows():
            return
        perform(world, "erase", lambda: erase_contact(world.ports, HERE, uid), lambda: _is_gone(world, uid))
        _acknowledge_contact(world, "erase", uid)

    return act


def change(number: int, fields: Mapping[str, Any]) -> Act:
    """Somebody edits the contact."""

    def act(world: "World") -> None:
        perform(world, "change", lambda: patch_contact(world.ports, HERE, f"c{number}", fields), _never)

    return act


def _never() -> bool:
    return False


def _is_gone(world: "World", uid: str) -> bool:
    return not world.bare.contacts.find_many(HERE, [ContactUid(uid)], strong=True)


def _acknowledge_contact(world: "World", what: str, uid: str) -> None:
    for flow in world.flows():
        world.acknowledge(what, flow.uid, uid)


def report(number: int, event: str, name: str = "order.placed") -> Act:
    """A customer's system reports an event, and repeats it until it is answered."""

    def act(world: "World") -> None:
        new = NewEvent(name=name, contact_uid=f"c{number}", id=event, properties={"of": event})
        new = new.model_copy(update={"occurred_at": world.notes.setdefault(f"event {event}", world.now)})
        perform(world, "report", lambda: accept_events(world.ports, HERE, [new]), _never)

    return act


def bus(number: int, event: str) -> Act:
    """The same event again, by the queue: SQS doubles what it carries."""

    def act(world: "World") -> None:
        at = world.notes.setdefault(f"event {event}", world.now)
        twice = Event(id=event, name="order.placed", contact_uid=f"c{number}", properties={"of": event}, occurred_at=at)
        with world.board.aside():
            world.bare.event_queue.send(HERE, [twice])

    return act


def publish(steps: tuple[Mapping[str, Any], ...]) -> Act:
    """A new version of the campaign while it runs."""

    def act(world: "World") -> None:
        def call() -> None:
            campaign = world.ports.catalog.get(HERE, Campaign, world.scenario.name)
            written = tuple(dict(step) for step in steps)
            if campaign.steps != written:
                changed = campaign.model_copy(update={"steps": written, "draft_changed": True})
                world.ports.catalog.save(HERE, changed)
            publish_running(world.ports, HERE, world.scenario.name)

        def is_done() -> bool:
            return world.bare.catalog.get(HERE, Campaign, world.scenario.name).latest_version == 2

        perform(world, "publish", call, is_done)

    return act


def receipts(*climb: Engagement) -> Act:
    """The provider reports of every message that it has taken so far, in this order, by its hook."""

    def act(world: "World") -> None:
        for each in tuple(world.provider.tries):
            for engagement in climb:
                posted = build_posted(
                    HERE, ChannelUid(CHANNEL), ProviderCallback(f"{each.message} {engagement}".encode()), world.now
                )
                with world.board.aside():
                    world.bare.receipt_queue.send(posted.model_dump_json(by_alias=True))
        # Another worker has them at once, whatever is under way.
        if batch := world.backend.post.receive("receipts", world.now):
            world.hand_over("receipts", batch)

    return act


def recount(world: "World") -> None:
    """An operator wants exact figures."""
    for flow in world.flows():
        job = Recount(workspace=HERE, flow=flow.uid, pass_id=new_uid())
        perform(world, "recount", lambda job=job: world.ports.jobs.send(job), _never)


def retry(of: str) -> Act:
    """A new flow over those whose message is `of`, if there are any and it is not there already."""

    def act(world: "World") -> None:
        flow = world.flows()[0]
        first = flow.uid
        if not flow.is_over:
            world.later(timedelta(minutes=10), act)
            return
        if not any(result.outcome == of for row in world.rows(flow) for result in row.results.values()):
            world.notes["flows"] = 1
            return
        wish = RetryRequest.model_validate({"of": of})

        def is_done() -> bool:
            return len(world.flows()) > 1

        if not is_done():
            perform(world, "retry", lambda: retry_flow(world.ports, HERE, first, wish), is_done)

    return act


def pay_in(amount: str, uid: str) -> Act:
    """The workspace prepays; the same entry counts once."""

    def act(world: "World") -> None:
        wish = TopUp(amount=amount)
        world.notes["paid in"] = world.notes.get("paid in", 0) + read_money(amount)
        perform(world, "pay_in", lambda: top_up(world.ports, HERE, wish, uid), _never)

    return act


def tick(world: "World") -> None:
    """The clock Lambda, once more."""
    world.tick()


def both(*acts: Act) -> Act:
    """One after the other."""

    def act(world: "World") -> None:
        for each in acts:
            each(world)

    return act
