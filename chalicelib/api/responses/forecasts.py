"""Response models of what a launch would do: the estimate and the test run."""

from collections.abc import Mapping

from pydantic import ConfigDict

from chalicelib.api.responses.balance import AwsCostResponse, aws_cost_response
from chalicelib.core.launching.estimate_campaign import Estimate
from chalicelib.core.launching.start_test_run import TestRun
from chalicelib.model.base import Moment, StrictModel
from chalicelib.model.execution import ExecutionStatus
from chalicelib.model.money import write_money

Counts = Mapping[str, int]


class EstimatedCost(StrictModel):
    """Estimated cost of the messages, and of the AWS services beside them."""

    expected: str
    """Expected cost of all messages in `currency`, as a decimal string."""
    worst: str
    """Cost if every contact took the most expensive path, in `currency`, as a decimal string."""
    currency: str
    """Currency of the workspace: an ISO 4217 code such as `EUR`."""
    channels: Mapping[str, str]
    """Expected cost by channel uid, in `currency`, as decimal strings."""
    aws: AwsCostResponse
    """Expected cost of the AWS services."""


class SampleResponse(StrictModel):
    """Size and error of the sample that a large audience is estimated from."""

    contacts: int
    """Number of contacts that were checked."""
    matched_error: int
    """95 % error of `matched`, in contacts."""
    reachable_error: int
    """95 % error of `reachableContacts`, in contacts."""


class EstimateResponse(StrictModel):
    """What a launch of the draft would do. Numbers are for the whole audience."""

    matched: int
    """Number of contacts in the audience."""
    not_found: int
    """Number of listed contacts that do not exist."""
    excluded: Mapping[str, Counts]
    """Contacts that each SEND step would skip, by step id and skip code."""
    unreachable: Counts
    """Contacts that no step can write to, by the first skip code."""
    reachable_contacts: int
    """Number of contacts that at least one step can write to."""
    reachable: Counts
    """Reachable contacts by channel uid."""
    messages: Counts
    """Expected messages by channel uid, and `total`."""
    cost: EstimatedCost
    """Expected cost."""
    estimated_completion_at: Moment | None
    """Estimated end by pacing, rate limits and daily limits, without WAIT steps; null if nothing limits the flow."""
    sample: SampleResponse | None
    """Sample that the numbers come from; null if every contact was checked."""


class TestRunMessage(StrictModel):
    """A rendered message. Its other fields are those of the channel type's content, for example `subject`."""

    __test__ = False  # pytest must not collect it.
    model_config = ConfigDict(extra="allow")

    to: str
    """Address that the message would go to."""
    channel_uid: str
    """Channel that would send the message."""


class TestRunVisit(StrictModel):
    """A visit of the test contact to a node."""

    __test__ = False  # pytest must not collect it.

    node_id: str
    """Step that would be visited."""
    entered_at: Moment
    """Time at which the contact would enter the step."""
    left_at: Moment
    """Time at which the contact would leave the step."""
    exit: str
    """Exit by which the contact would leave, for example `next` or the name of a lane."""
    why: str | None
    """Comparison that decides the exit; null if none does."""
    skipped: str | None
    """Skip code of a SEND step that would send nothing; null otherwise."""
    message: TestRunMessage | None
    """Message that the step would send; null if it sends none."""


class TestRunResponse(StrictModel):
    """The path of one contact if a flow started now. Nothing is sent."""

    __test__ = False  # pytest must not collect it.

    status: ExecutionStatus
    """Status at the end of the path."""
    path: tuple[TestRunVisit, ...]
    """Visited steps in order."""
    ends_at: Moment
    """Time at which the path would end."""


def estimate_response(estimate: Estimate) -> EstimateResponse:
    """Return an estimate."""
    errors = (estimate.matched.error, estimate.reached.error)
    sample = SampleResponse(contacts=estimate.considered, matched_error=errors[0], reachable_error=errors[1])
    return EstimateResponse(
        matched=estimate.matched.count,
        not_found=estimate.not_found,
        excluded={node: dict(reasons) for node, reasons in estimate.excluded.items()},
        unreachable=dict(estimate.unreachable),
        reachable_contacts=estimate.reached.count,
        reachable=dict(estimate.reachable),
        messages={"total": sum(estimate.messages.values()), **estimate.messages},
        cost=EstimatedCost(
            expected=write_money(sum(estimate.cost.values())),
            worst=write_money(estimate.worst_cost),
            currency=estimate.currency,
            channels={channel: write_money(units) for channel, units in estimate.cost.items()},
            aws=aws_cost_response(estimate.usage),
        ),
        estimated_completion_at=estimate.ends_at,
        sample=sample if any(errors) else None,
    )


def describe_test_run(run: TestRun) -> TestRunResponse:
    """Return the path of one contact, with the rendered messages."""
    visits: list[TestRunVisit] = []
    for visit in run.path:
        result, message = run.results.get(visit.node), run.messages.get(visit.node)
        visits.append(
            TestRunVisit(
                node_id=visit.node,
                entered_at=visit.entered,
                left_at=visit.left,
                exit=visit.exit,
                why=visit.why or None,
                skipped=result.reason if result and not message else None,
                message=TestRunMessage.model_validate(
                    {"to": message.to, "channelUid": message.channel.uid, **message.content}
                )
                if message
                else None,
            )
        )
    return TestRunResponse(status=run.status, path=tuple(visits), ends_at=run.ends_at)
