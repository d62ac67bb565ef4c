"""Campaigns, their versions, and what is found about them, as the API shows them."""

from chalicelib.api.flow_shapes import Shape, show_stats
from chalicelib.errors import Problem
from chalicelib.model.base import rfc3339
from chalicelib.model.campaign import Campaign, CampaignState, CampaignVersion
from chalicelib.usecases.describe_flow import FlowDescription
from chalicelib.usecases.examine_campaign import Examination
from chalicelib.usecases.rehearse_campaign import Estimate, Rehearsal

#: Counters that are executions; the rest of the flat ones are messages.
_EXECUTIONS = ("total", "pending", "processing", "completed", "failed", "skipped")
_MESSAGES = ("sent", "delivered", "opened", "clicked", "replied", "bounced", "unknown", "timedOut", "retried")


def show_campaign(campaign: Campaign, state: CampaignState) -> Shape:
    """The draft, with `state` and the fields of the short form where it was written so."""
    shown = campaign.model_dump(mode="json", by_alias=True, exclude={"rev", "short_form"})
    short = campaign.short_form.model_dump(mode="json", by_alias=True) if campaign.short_form else {}
    return {**shown, **short, "state": state.value}


def show_version(version: CampaignVersion) -> Shape:
    """An immutable version."""
    return dict(version.model_dump(mode="json", by_alias=True))


def show_examination(found: Examination) -> Shape:
    """Errors block a launch, warnings do not."""
    return {
        "valid": not found.problems,
        "errors": [_show_problem(problem) for problem in found.problems],
        "warnings": [_show_problem(problem) for problem in found.warnings],
    }


def _show_problem(problem: Problem) -> Shape:
    return {"field": problem.field, "message": problem.message}


def show_estimate(estimate: Estimate) -> Shape:
    """Per SEND step, who would be skipped; per channel, how many messages."""
    return {
        "matched": estimate.matched,
        "notFound": estimate.not_found,
        "excluded": {node: dict(reasons) for node, reasons in estimate.excluded.items()},
        "reachable": dict(estimate.reachable),
        "messages": estimate.sends,
        "estimatedCompletionAt": rfc3339(estimate.ends_at) if estimate.ends_at else None,
    }


def show_rehearsal(rehearsal: Rehearsal) -> Shape:
    """The stations of one contact, with the rendered messages."""
    stations: list[Shape] = []
    for visit in rehearsal.path:
        result, letter = rehearsal.results.get(visit.node), rehearsal.letters.get(visit.node)
        stations.append(
            {
                "nodeId": visit.node,
                "enteredAt": rfc3339(visit.entered),
                "leftAt": rfc3339(visit.left),
                "exit": visit.exit,
                "skipped": result.reason if result and not letter else None,
                "message": {"to": letter.to, "channelUid": letter.channel.uid, **letter.content} if letter else None,
            }
        )
    return {"status": rehearsal.status.value, "path": stations, "endsAt": rfc3339(rehearsal.ends_at)}


def show_status(state: CampaignState, described: FlowDescription | None) -> Shape:
    """What an operator watches."""
    if described is None:
        return {"state": state.value, "flowUid": None}
    stats, flow = show_stats(described), described.flow
    return {
        "state": state.value,
        "flowUid": flow.uid,
        "flowStatus": flow.status.value,
        "executions": {name: stats[name] for name in _EXECUTIONS},
        "messages": {name: stats[name] for name in _MESSAGES},
        "nodes": stats["nodes"],
        "spent": stats["spent"],
        "estimatedRemainingCost": stats["estimatedRemainingCost"],
        "currency": stats["currency"],
        "pauseReason": flow.pause_reason,
        "pausedAt": rfc3339(flow.paused_at) if flow.paused_at else None,
        "endReason": flow.end_reason,
        "inFlight": described.in_flight,
    }
