"""200 parallel requests with one idempotency key start one flow, over real threads and connections."""

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.e2e.stack import Stack

CALLERS = 200


def post(stack: Stack, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
    sent = {"Authorization": f"Bearer {stack.key()}", "Content-Type": "application/json", **headers}
    request = urllib.request.Request(stack.url + path, method="POST", data=body, headers=sent)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.mark.parametrize(
    ("body", "headers"),
    [({"idempotencyKey": "order-1"}, {}), ({}, {"Idempotency-Key": "order-1"})],
    ids=["in the body", "in the header"],
)
def test_one_of_200_parallel_triggers_with_one_key_starts_a_flow(
    shared: Stack, body: dict[str, str], headers: dict[str, str]
) -> None:
    (contact, *_) = shared.make_contacts(f"at-once-{len(headers)}", 2)
    _, campaign = shared.make_email_campaign({"contactUids": [contact]})
    start = Barrier(CALLERS)

    def call(_: int) -> tuple[int, Any]:
        start.wait()
        return post(shared, f"/v1/campaigns/{campaign}/trigger", json.dumps(body).encode(), headers)

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(call, range(CALLERS)))
    flows = shared.every(f"/v1/flows?campaignUid={campaign}")
    assert len(flows) == 1
    # The others get the same flow, or a conflict while the first request is still running.
    assert set(Counter(status for status, _ in answers)) <= {202, 409}
    started = {answer["data"]["flowUid"] for status, answer in answers if status == 202}
    assert started == {flows[0]["uid"]}
    shared.await_end(flows[0]["uid"], 60)
    assert sum(shared.accepted(flows[0]["uid"]).values()) == 1
    assert post(shared, f"/v1/campaigns/{campaign}/trigger", json.dumps(body).encode(), headers)[0] == 202
