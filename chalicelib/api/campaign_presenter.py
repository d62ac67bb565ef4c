"""Campaigns, their versions, and what is found about them, as the API shows them."""

import re
from collections.abc import Sequence
from datetime import datetime

from chalicelib.api.flow_presenter import Shape, show_cost, show_paused_by, show_stats, show_usage
from chalicelib.api.http.endpoint import MAX_DETAILS
from chalicelib.core.launching.estimate_campaign import Estimate
from chalicelib.core.launching.launch_campaign import LaunchResult
from chalicelib.core.launching.schedule_campaign import upcoming_starts
from chalicelib.core.launching.start_test_run import TestRun
from chalicelib.core.reporting.describe_flow import FlowDescription
from chalicelib.errors import Problem
from chalicelib.model.base import rfc3339
from chalicelib.model.campaign import Campaign, CampaignState, CampaignVersion
from chalicelib.model.money import write_money

#: Counters that are executions; the rest of the flat ones are messages.
_EXECUTIONS = ("total", "pending", "processing", "completed", "failed", "skipped")
_MESSAGES = ("sent", "delivered", "opened", "clicked", "replied", "bounced", "unknown", "timedOut", "retried")
_NO_FLOW: Shape = {
    "flowUid": None,
    "flowStatus": None,
    "executions": dict.fromkeys(_EXECUTIONS, 0),
    "messages": dict.fromkeys(_MESSAGES, 0),
    "nodes": {},
    "spent": "0.00",
    "estimatedRemainingCost": "0.00",
    "currency": None,
    "pauseReason": None,
    "pausedBy": None,
    "pausedAt": None,
    "endReason": None,
    "inFlight": 0,
    "cost": None,
}
#: Not shown in lists.
_LONG = frozenset({"steps", "audience", "parameters", "parameterDefaults", "templates"})
_PLACE = re.compile(r"(?:^|\.)(steps|lanes)\[(\d{1,6})\]")


def show_campaign(campaign: Campaign, state: CampaignState) -> Shape:
    """The draft, with `state` and the fields of the short form where it was written so."""
    shown = campaign.model_dump(mode="json", by_alias=True, exclude={"short_form", "schedule"})
    short = campaign.short_form.model_dump(mode="json", by_alias=True) if campaign.short_form else {}
    return {**shown, **short, "state": state.value, "schedule": _show_schedule(campaign)}


def summarise_campaign(campaign: Campaign, state: CampaignState) -> Shape:
    """A campaign in a list: without what may be long, as a hundred of them must fit Lambda's answer of 6 MB."""
    audience = campaign.audience
    counted = (
        {"segmentUid": audience.segment_uid, "contactCount": len(audience.contact_uids or ())} if audience else None
    )
    shown = show_campaign(campaign, state)
    return {name: value for name, value in shown.items() if name not in _LONG} | {"audience": counted}


def summarise_version(version: CampaignVersion) -> Shape:
    """A version in a list, without its steps."""
    return {name: value for name, value in show_version(version).items() if name not in _LONG}


def show_version(version: CampaignVersion) -> Shape:
    """An immutable version."""
    return dict(version.model_dump(mode="json", by_alias=True))


def show_examination(
    problems: Sequence[Problem], warnings: Sequence[Problem], campaign: Campaign, starts: Sequence[datetime]
) -> Shape:
    """Errors block a launch, warnings do not. Those of the whole come first, as the last of very many are left out."""
    first = sorted(problems, key=lambda problem: problem.field != "steps")[:MAX_DETAILS]
    return {
        "valid": not problems,
        "errors": [_show_problem(problem, campaign) for problem in first],
        "warnings": [_show_problem(problem, campaign) for problem in warnings],
        "nextStarts": [rfc3339(start) for start in starts],
    }


def show_launch(launched: LaunchResult) -> Shape:
    """`status` is that of the flow, or `scheduled` where the calendar starts one later."""
    flow = launched.flow
    return {
        "flowUid": flow.uid if flow else None,
        "status": flow.status.value if flow else "scheduled",
        "state": launched.state.value,
        "nextStarts": [rfc3339(start) for start in launched.starts],
    }


def _show_schedule(campaign: Campaign) -> Shape | None:
    """What the calendar does with it; none without a launch."""
    schedule = campaign.schedule
    if schedule is None:
        return None
    return {
        "nextStarts": [rfc3339(start) for start in upcoming_starts(campaign)],
        "timezone": schedule.timezone,
        "paused": schedule.paused,
        "skipped": [{"at": rfc3339(skip.at), "reason": skip.reason} for skip in schedule.skipped],
    }


def _show_problem(problem: Problem, campaign: Campaign) -> Shape:
    step = _step_at(campaign, problem.field)
    return {
        "stepId": step.get("id") if isinstance(step, dict) else None,
        "field": problem.field,
        "message": problem.message,
    }


def _step_at(campaign: Campaign, field: str) -> object:
    """The innermost step on the way to a field; nothing where there is none, as names in it may be the caller's."""
    step: object = None
    here: object = {"steps": list(campaign.steps)}
    for name, index in _PLACE.findall(field):
        inside = here.get(name) if isinstance(here, dict) else None
        here = inside[int(index)] if isinstance(inside, list) and int(index) < len(inside) else None
        step = here if name == "steps" else step
    return step


def show_estimate(estimate: Estimate) -> Shape:
    """Who is matched, reached and why not; what that costs. `sample` is null where everybody was looked at."""
    cost = {channel: write_money(units) for channel, units in estimate.cost.items()}
    errors = {"matchedError": estimate.matched.error, "reachableError": estimate.reached.error}
    return {
        "matched": estimate.matched.count,
        "notFound": estimate.not_found,
        "excluded": {node: dict(reasons) for node, reasons in estimate.excluded.items()},
        "unreachable": dict(estimate.unreachable),
        "reachableContacts": estimate.reached.count,
        "reachable": dict(estimate.reachable),
        "messages": {"total": sum(estimate.messages.values()), **estimate.messages},
        "cost": {
            "expected": write_money(sum(estimate.cost.values())),
            "worst": write_money(estimate.worst_cost),
            "currency": estimate.currency,
            "channels": cost,
            "aws": show_usage(estimate.usage),
        },
        "estimatedCompletionAt": rfc3339(estimate.ends_at) if estimate.ends_at else None,
        "sample": {"contacts": estimate.considered, **errors} if any(errors.values()) else None,
    }


def show_rehearsal(rehearsal: TestRun) -> Shape:
    """The stations of one contact, with the rendered messages."""
    stations: list[Shape] = []
    for visit in rehearsal.path:
        result, letter = rehearsal.results.get(visit.node), rehearsal.messages.get(visit.node)
        stations.append(
            {
                "nodeId": visit.node,
                "enteredAt": rfc3339(visit.entered),
                "leftAt": rfc3339(visit.left),
                "exit": visit.exit,
                "why": visit.why or None,
                "skipped": result.reason if result and not letter else None,
                "message": {"to": letter.to, "channelUid": letter.channel.uid, **letter.content} if letter else None,
            }
        )
    return {"status": rehearsal.status.value, "path": stations, "endsAt": rfc3339(rehearsal.ends_at)}


def show_status(state: CampaignState, described: FlowDescription | None, campaign: Campaign) -> Shape:
    """What an operator watches; the same fields before the first flow."""
    schedule = _show_schedule(campaign)
    if described is None:
        return {"state": state.value, "schedule": schedule, **_NO_FLOW}
    stats, flow = show_stats(described), described.flow
    return {
        "state": state.value,
        "schedule": schedule,
        "flowUid": flow.uid,
        "flowStatus": flow.status.value,
        "executions": {name: stats[name] for name in _EXECUTIONS},
        "messages": {name: stats[name] for name in _MESSAGES},
        "nodes": stats["nodes"],
        "spent": stats["spent"],
        "estimatedRemainingCost": stats["estimatedRemainingCost"],
        "currency": stats["currency"],
        "pauseReason": flow.pause_reason,
        "pausedBy": show_paused_by(flow),
        "pausedAt": rfc3339(flow.paused_at) if flow.paused_at else None,
        "endReason": flow.end_reason,
        "inFlight": described.in_flight,
        "cost": show_cost(described),
    }
