"""Limits by key, the headers of every answer, and logs that name nobody."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import RetryLater
from chalicelib.model.message import PermanentFailure
from chalicelib.model.workspace import Scope
from chalicelib.wiring import use_ports
from tests.integration.conftest import Api, World
from tests.integration.harness import Story, story

__all__ = ["story"]


def limit(story: Story, calls: int, **ports: Any) -> None:
    story.world.ports = replace(story.world.ports, calls_a_minute=calls, **ports)
    use_ports(story.world.ports)


def test_a_key_that_calls_too_often_is_told_when_to_come_again(story: Story) -> None:
    limit(story, 30)
    replies = [story.api.get("/v1/workspace") for _ in range(21)]
    assert {reply.status for reply in replies[:20]} == {200}
    refused = story.api.get("/v1/workspace")
    assert (refused.status, refused.json["error"]) == (429, "too_many_requests")
    assert 1 <= refused.json["retryAfter"] <= 60
    assert refused.headers["retry-after"] == str(refused.json["retryAfter"])
    story.time_travel.shift(timedelta(seconds=refused.json["retryAfter"]))
    assert story.api.get("/v1/workspace").status == 200


def test_the_limit_holds_for_each_key_by_itself(story: Story) -> None:
    limit(story, 20)
    for _ in range(20):
        assert story.api.get("/v1/workspace").status == 200
    assert story.api.get("/v1/workspace").status == 429
    assert story.world.key_for(story.api.workspace, Scope.READ).get("/v1/workspace").status == 200


def test_where_the_count_is_not_known_the_call_goes_on(story: Story) -> None:
    class Away:
        def take(self, *_: object) -> bool:
            raise RetryLater("DynamoDB is throttled")

    limit(story, 1, usage_limits=Away())
    assert {story.api.get("/v1/workspace").status for _ in range(5)} == {200}


def test_strangers_are_refused_before_anything_is_counted_or_read(story: Story) -> None:
    class Forbidden:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was asked for a stranger")

    limit(story, 1, usage_limits=Forbidden(), catalog=Forbidden())
    for key in (None, "cln_live_x", "x" * 200):
        assert Api(key, story.api.workspace).post("/v1/contacts", b"{" * 100_000).status == 401


def test_every_answer_carries_the_headers_that_keep_it_where_it_belongs(api: Api) -> None:
    for reply in (api.get("/v1/workspace"), api.get("/v1/contacts/nobody"), api.post("/v1/contacts", b"{")):
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "max-age" in reply.headers["strict-transport-security"]


CANARIES = (
    "canary@example.com",
    "Kanarienvogel",
    "4915112345678",
    "canarysecret",
    "Piepmatz",
    "canary-body",
    "canary.csv",
)


class Ear(logging.Handler):
    """Hears all that is logged, with everything that is on the record."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.getMessage()} {vars(record)!r}")


@pytest.fixture
def ear() -> Iterator[Ear]:
    found = Ear()
    loggers = [logging.getLogger(), logging.getLogger("carillon")]
    for logger in loggers:
        logger.addHandler(found)
    yield found
    for logger in loggers:
        logger.removeHandler(found)


def test_no_address_name_or_text_is_logged(story: Story, ear: Ear) -> None:
    """A whole life with canaries in it, refusals and faults included."""
    story.set_up(1)
    person = {
        "email": CANARIES[0],
        "firstName": CANARIES[1],
        "phone": f"+{CANARIES[2]}",
        "attributes": {"a": CANARIES[3]},
    }
    uid = story.expect(201, story.api.post("/v1/contacts", person))["uid"]
    story.template = story.add_template(f"Hello {{{{ first_name }}}}, {CANARIES[4]}")
    for answer in (PermanentFailure(CANARIES[5]), PermanentFailure("mailbox_full")):
        story.provider.answer = lambda _, answer=answer: answer
        story.start(story.short_campaign(), [uid])
        story.advance(timedelta(seconds=5))
    story.api.post("/v1/contacts", {**person, "timezone": CANARIES[5]})
    story.api.post("/v1/contacts", f'{{"email": "{CANARIES[0]}", "x": '.encode())
    story.api.post("/v1/events", {"events": [{"name": "x", "email": CANARIES[0], "properties": {"b": CANARIES[5]}}]})
    csv = f"email,firstName\n{CANARIES[0]},{CANARIES[1]}\nnobody,{CANARIES[5]}\n".encode()
    story.api.post("/v1/contacts/import", csv, headers={"Content-Type": "text/csv"})
    story.api.post("/v1/channels", {"name": "x", "type": "console"}, headers={"Idempotency-Key": CANARIES[5]})
    story.api.get(f"/v1/contacts?email={CANARIES[0]}")
    story.api.get(f"/v1/contacts/{CANARIES[1]}")
    story.run()

    def fall(_: object) -> None:
        raise RuntimeError(f"{CANARIES[0]} {CANARIES[4]}")

    story.provider.during = fall
    story.start(story.short_campaign(), [uid])
    story.advance(timedelta(seconds=5))
    story.api.delete(f"/v1/contacts/{uid}")
    story.run()
    assert len(ear.heard) > 20
    for canary in CANARIES:
        assert [line for line in ear.heard if canary in line] == [], canary


def test_the_log_finds_a_call_by_the_request_id_of_its_answer(api: Api, ear: Ear) -> None:
    for reply in (api.post("/v1/contacts", {"externalId": "1"}), api.get("/v1/contacts/nobody")):
        assert any("api.called" in line and reply.headers["x-request-id"] in line for line in ear.heard)


def test_a_fault_is_logged_with_its_request_id(api: Api, world: World, ear: Ear) -> None:
    table = world.ports.catalog._table  # type: ignore[attr-defined]  # the adapter's, to take its table away
    api.get("/v1/workspace")
    world.aws.client("dynamodb").delete_table(TableName=table)
    reply = api.get("/v1/workspace")
    assert reply.status == 500
    assert any("api.fault" in line and reply.json["requestId"] in line for line in ear.heard)
