"""Loads on the running stack: a CSV import through the API, and flows without pacing over the imported contacts."""

from typing import Any

from tests.bench.stack import Stack, measured
from tests.builders import condition, end, tag

DOMAIN = "carillon.example"
#: Longest time that an import or a flow may take. Two emulated cores process about 50 contacts/s.
SECONDS_A_CONTACT = 0.1
AT_LEAST_SECONDS = 60


def measure_import(stack: Stack, rows: int) -> dict[str, Any]:
    """Measure an import from the POST to its end. Each contact is three items in one transaction."""
    text = "externalId,email,firstName\n" + "".join(f"b{n},b{n}@example.com,Name{n}\n" for n in range(rows))
    with measured(stack) as figures:
        task = stack.post("/v1/contacts/import", {"csv": text})
        done = stack.wait_for(
            f"/v1/imports/{task['uid']}", lambda shown: shown["status"] in {"completed", "failed"}, _patience(rows)
        )
    return {"rows": rows, "created": done["created"], "rows_per_second": rows / figures["seconds"], **figures}


def measure_flow(stack: Stack, contacts: int) -> dict[str, Any]:
    """Measure a flow from the POST to its end, and check that mails, statistics and executions agree."""
    uids = [contact["uid"] for contact in stack.pages("/v1/contacts")][:contacts]
    body = {"contactUids": uids, **prepare(stack)}
    with measured(stack) as figures:
        uid = stack.post("/flows", body)["uid"]
        flow = stack.wait_for(f"/flows/{uid}", lambda shown: bool(shown["completedAt"]), _patience(len(uids)))
    mails = {message: count for message, count in stack.mails().items() if f"{uid}" in message}
    rows = stack.count_rows()
    stats = flow["stats"]
    return {
        "contacts": len(uids),
        "status": flow["status"],
        "contacts_per_second": len(uids) / figures["seconds"],
        **figures,
        "cpu_per_1000": {name: 1_000 * cpu / len(uids) for name, cpu in figures["cpu_seconds"].items()},
        "mails": sum(mails.values()),
        "doubles": sum(count - 1 for count in mails.values()),
        "stats_equal_rows": rows.total() == stats["total"]
        and all(rows[status] == stats[status] for status in ("completed", "failed", "skipped"))
        and stats["sent"] == len(mails),
        "stats": {name: value for name, value in stats.items() if isinstance(value, int)},
    }


def measure_steps(stack: Stack, contacts: int) -> dict[str, Any]:
    """Measure two messages per contact on the console channel, so that no provider is part of the measurement."""
    measure_import(stack, contacts)
    wish = {"name": "Everybody", "filter": {"field": "email", "op": "exists"}}
    body = {**_prepare_console(stack), "segmentUid": stack.post("/v1/segments", wish)["uid"]}
    with measured(stack) as figures:
        uid = stack.post("/flows", body)["uid"]
        flow = stack.wait_for(f"/flows/{uid}", lambda shown: bool(shown["completedAt"]), _patience(2 * contacts))
    steps = flow["stats"]["sent"]
    if (flow["status"], steps) != ("completed", 2 * contacts):
        raise RuntimeError(f"The flow is {flow['status']} with {steps:,} messages instead of {2 * contacts:,}")
    cpu = {name: 1_000 * seconds / steps for name, seconds in figures["cpu_seconds"].items()}
    return {"contacts": contacts, "steps": steps, "steps_per_second": steps / figures["seconds"], "cpu_per_1000": cpu}


def _prepare_console(stack: Stack) -> dict[str, str]:
    channel, template = stack.add_channel("console", {"text": "Hello {{ first_name }}"})
    one, two = ({"id": name, "type": "SEND", "templateUid": template} for name in ("one", "two"))
    steps = [one, condition("choice", {"tag": "leaving"}, [end("gone")], []), two, tag("mark", "greeted"), end()]
    return {"channelUid": channel, "campaignUid": stack.post("/v1/campaigns", {"name": "Bench", "steps": steps})["uid"]}


def prepare(stack: Stack) -> dict[str, str]:
    """Create a channel with a verified sender, a published template and a campaign of one SEND."""
    stack.verify_sender(DOMAIN)
    content = {"subject": "Hello {{ first_name }}", "text": "Hello {{ first_name }}, this is a measurement."}
    channel, template = stack.add_channel("email", content, fromEmail=f"hello@{DOMAIN}")
    campaign = {"name": "Bench", "channelUid": channel, "templateUid": template}
    return {"channelUid": channel, "campaignUid": stack.post("/v1/campaigns", campaign)["uid"]}


def _patience(contacts: int) -> float:
    return max(AT_LEAST_SECONDS, contacts * SECONDS_A_CONTACT)
