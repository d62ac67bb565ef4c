"""Formats measurements as a table. The JSON has every figure, the table those that people compare."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.core.billing.aws_cost import PRICES_OF, REGION
from tests.bench.budget import compare, price_of_a_million
from tests.bench.calls import SIX_NODES

Row = tuple[str, str]
#: Headings of the budget of the six-node campaign.
_BUDGET = ("calls", "write_units", "read_units", "sqs_requests", "invocations", "refused_writes")


def show(measured: Mapping[str, Any]) -> str:
    """Format all measurements in their order."""
    parts = (
        ("machine", _machine), ("import", _import), ("flow", _flow), ("steps", _steps), ("audience", _audience),
        ("audience_units", _audience_units), ("calls", _calls), ("cpu", _cpu), ("hostile", _hostile),
        ("latency", _latency), ("hot", _hot),
        ("scale", _scale),
    )  # fmt: skip
    rows = [row for name, part in parts if name in measured for row in [("", ""), *part(measured[name])]]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in rows)


def _machine(found: Mapping[str, Any]) -> Iterator[Row]:
    yield "Machine", ", ".join(f"{name} {value}" for name, value in found.items())


def _import(found: Mapping[str, Any]) -> Iterator[Row]:
    yield f"Import of {found['rows']:,} rows", f"{found['seconds']:.1f} s, {found['rows_per_second']:.0f} rows/s"
    yield "  created", f"{found['created']:,}"
    yield "  CPU seconds", _each(found["cpu_seconds"])


def _flow(found: Mapping[str, Any]) -> Iterator[Row]:
    pace = f"{found['seconds']:.1f} s, {found['contacts_per_second']:.0f} contacts/s, {found['status']}"
    yield f"Flow over {found['contacts']:,} contacts", pace
    yield "  CPU seconds per 1,000", f"{_each(found['cpu_per_1000'])}; all {sum(found['cpu_per_1000'].values()):.2f}"
    yield "  peak memory, MB", _each(found["peak_mb"], digits=0)
    yield "  mails, duplicates", f"{found['mails']:,}, {found['doubles']}"
    yield "  statistics equal executions and mails", "yes" if found["stats_equal_rows"] else f"NO: {found['stats']}"


def _steps(found: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for each in found:
        cpu = each["cpu_per_1000"]
        yield f"Steps by {each['workers']} worker(s)", f"{each['steps_per_second']:.0f} a second of {each['steps']:,}"
        yield "  CPU seconds per 1,000", f"{_each(cpu)}; all {sum(cpu.values()):.2f}"


def _calls(found: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for each in found:
        yield f"Per contact: {each['campaign']}", f"{each['contacts']:,} contacts"
        for name in _BUDGET:
            yield f"  {name.replace('_', ' ')}", f"{each[name]:.3f}{_growth(found, each, name)}"
        yield "  write units by table", _each(each["write_units_by_table"])
        yield "  read units by table", _each(each["read_units_by_table"])
        yield "  calls by operation", _each(each["calls_by_operation"], digits=3)
        if "waiting_row_bytes" in each:
            rows = each["waiting_row_bytes"]
            yield "  bytes of a waiting execution", f"{rows['mean']:.0f}, at most {rows['largest']}"
            yield "  calls a minute while waiting", f"{each['calls_a_minute_while_waiting']:.1f} in all"
    yield from _budget([each for each in found if each["campaign"] == SIX_NODES])


def _budget(found: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Yield the cost of one more contact, from the smallest and the largest run, without the fixed cost of a flow."""
    if len(found) < 2:
        return
    yield "One more contact of six nodes", "measured, budget, lower bound"
    figures = {}
    for name, measured, most, least in compare(found[0], found[-1]):
        figures[name] = measured
        yield f"  {name.replace('_', ' ')}", f"{measured:.3f}, {most:g}, {least:g}"
    yield "  a million contacts", f"$ {price_of_a_million(figures):.2f} by the list prices of {PRICES_OF}, {REGION}"


def _growth(found: Sequence[Mapping[str, Any]], each: Mapping[str, Any], name: str) -> str:
    """Return the change against the smallest run of the same campaign."""
    first = next(other for other in found if other["campaign"] == each["campaign"])
    if first is each or not first[name]:
        return ""
    return f"  ({each[name] / first[name] - 1:+.1%} against {first['contacts']:,} contacts)"


def _cpu(found: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for each in found:
        steps = f"{each['ms_per_step']:.3f} ms a step over {each['steps']:,} steps"
        yield f"Carillon's CPU without AWS: {each['campaign']}", steps


def _audience(found: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for each in found:
        count, preview = each["contacts"], each["preview"]
        yield f"Audience of {count:,} contacts", f"{each['members']:,} members of a segment of three comparisons"
        yield "  import of the uploaded file", _took(each["import"], count)
        shown = "exact" if preview["exact"] else f"± {preview['error']:,}"
        yield "  preview", f"{preview['seconds']:.2f} s; {preview['count']:,} members, {shown}"
        yield "  enrolment, POST to the last execution", _took(each["expand"], count)
        yield "  peak memory, MB", _each(each["peak_mb"], digits=0)


def _took(figures: Mapping[str, Any], count: int) -> str:
    pace = f"{figures['seconds']:.1f} s, {count / figures['seconds']:,.0f} contacts/s"
    return f"{pace}; by contact {figures['ms_per_contact']:.2f} ms, CPU {figures['cpu_ms_per_contact']:.2f} ms"


def _audience_units(found: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for each in found:
        yield f"Units by contact, audience of {each['contacts']:,}", ""
        for part in ("import", "preview", "expand"):
            figures = each[part]
            yield (
                f"  {part}",
                f"write units {figures['write_units']:.3f}, read units {figures['read_units']:.3f}, "
                f"calls {figures['calls']:.3f}, SQS requests {figures['sqs_requests']:.4f}",
            )


def _hostile(found: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for each in found:
        yield f"Hostile {each['kind']}", f"{each['asked']} requests, {each['faults']} 5xx"
        yield "  most expensive, CPU ms", f"{each['dearest_ms']:.0f}: {each['dearest']}"


def _latency(found: Mapping[str, Any]) -> Iterator[Row]:
    yield f"CPU ms of a route in {found['runs']} runs", "p50, p99, number of requests; most calls to AWS"
    for each in found["routes"]:
        figures = f"{each['p50_ms']:.1f}, {each['p99_ms']:.1f}, of {each['asked']}; {each['calls']}"
        yield f"  {each['route']}", figures
    yield "  not asked", ", ".join(found["missing"])


def _hot(found: Mapping[str, Any]) -> Iterator[Row]:
    yield f"Keys at {found['contacts']:,} contacts", "units for each; sends/s that items, and partition keys, allow"
    for each in found["kinds"]:
        units = f"{each['for_each']}: write {each['writes']:.3f}, read {each['reads']:.3f}"
        yield f"  {each['kind']}", f"{units}; {each['items_bear']:,.0f}, {each['partitions_bear']:,.0f}"


def _scale(found: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for each in found:
        yield f"Moving {each['executions']:,} executions", "calls and CPU s of the request; of its jobs"
        for name in ("launch", "pause", "resume", "recount", "cancel"):
            request, jobs = each[name]["request"], each[name]["jobs"]
            shown = f"{request['calls']:,}, {request['cpu_seconds']:.2f}; {jobs['calls']:,}, {jobs['cpu_seconds']:.1f}"
            yield f"  {name}", shown


def _each(figures: Mapping[str, float], digits: int = 2) -> str:
    return ", ".join(f"{name} {value:,.{digits}f}" for name, value in figures.items()) or "not known on this system"
