"""Check the trigger and the audience of a campaign, for `validate` and for every launch."""

from chalicelib.core.campaigns.recurrence import check_schedule
from chalicelib.errors import Problem
from chalicelib.model.campaign import Campaign
from chalicelib.model.conditions import MessageIs, check_size, leaves
from chalicelib.model.event import RESERVED
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.segment import Segment
from chalicelib.model.trigger import EventTrigger, ScheduledTrigger
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

#: Events that Carillon publishes itself. A caller cannot report them.
BUILT_IN = frozenset(
    {f"contact.{word}" for word in ("created", "updated", "tagged", "untagged")}
    | {f"consent.{word}" for word in ("granted", "revoked", "pending")}
    | {f"message.{word}" for word in ("delivered", "opened", "clicked", "replied", "bounced", "unsubscribed")}
)


def check_trigger(ports: Ports, workspace: WorkspaceUid, campaign: Campaign) -> tuple[Problem, ...]:
    """Return all problems of the drafted trigger and audience that prevent a launch now."""
    return (*_check_segment(ports, workspace, campaign), *_check_trigger(ports, workspace, campaign))


def _check_segment(ports: Ports, workspace: WorkspaceUid, campaign: Campaign) -> list[Problem]:
    uid = campaign.audience.segment_uid if campaign.audience else None
    if uid is None or ports.catalog.find(workspace, Segment, uid) is not None:
        return []
    return [Problem("audience.segmentUid", f"Segment {uid} was not found")]


def _check_trigger(ports: Ports, workspace: WorkspaceUid, campaign: Campaign) -> tuple[Problem, ...]:
    trigger = campaign.trigger
    if isinstance(trigger, ScheduledTrigger):
        zone = ports.catalog.get(workspace, Workspace, workspace).timezone
        found = check_schedule(trigger, zone, ports.clock.now(), campaign.start_grace)
        missing = Problem("audience", "A scheduled campaign needs an audience; set segmentUid or contactUids")
        return found if campaign.audience else (*found, missing)
    if isinstance(trigger, EventTrigger):
        return (*_check_event(ports, trigger), *_check_no_audience(campaign))
    return ()


def _check_event(ports: Ports, trigger: EventTrigger) -> list[Problem]:
    problems = []
    if trigger.event.startswith(RESERVED) and trigger.event not in BUILT_IN:
        known = ", ".join(sorted(BUILT_IN))
        problems.append(Problem("trigger.event", f"{trigger.event} is not a built-in event; they are {known}"))
    if trigger.until is not None and trigger.until <= ports.clock.now():
        problems.append(Problem("trigger.until", "is in the past, so no contact could enter"))
    if trigger.when is None:
        return problems
    try:
        check_size(trigger.when)
    except ValueError as error:
        problems.append(Problem("trigger.when", str(error)))
    if any(isinstance(leaf, MessageIs) for leaf in leaves(trigger.when)):
        problems.append(
            Problem("trigger.when", "cannot refer to messages; a contact that enters has not received any yet")
        )
    return problems


def _check_no_audience(campaign: Campaign) -> list[Problem]:
    message = "An event campaign has no audience, because its events name the contacts; narrow it with trigger.when"
    return [Problem("audience", message)] if campaign.audience else []
