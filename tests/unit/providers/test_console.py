"""The console keeps what it accepted, and shows doubles instead of hiding them."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chalicelib.model.channel import Channel
from chalicelib.model.contact import Contact
from chalicelib.model.ids import ContactUid, FlowUid, MessageUid, NodeId, WorkspaceUid
from chalicelib.model.message import Accepted, MessageType, OutgoingMessage, TransientFailure
from chalicelib.providers.console import Console

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
UID = MessageUid(WorkspaceUid("w"), FlowUid("f"), ContactUid("c"), NodeId("n"))
MESSAGE = OutgoingMessage(
    uid=UID,
    channel=Channel(uid="ch", created_at=NOW, updated_at=NOW, name="Log", type="console"),
    message_type=MessageType.MESSAGE,
    to="CANARY@example.com",
    content={"text": "CANARY für dich"},
)


def test_an_accepted_message_is_one_file_with_its_content(tmp_path: Path) -> None:
    assert Console(tmp_path / "outbox").send(MESSAGE) == Accepted("w.f.c.n.1")
    kept = json.loads((tmp_path / "outbox" / "w.f.c.n.1.json").read_text(encoding="utf-8"))
    assert kept["content"] == {"text": "CANARY für dich"}
    assert (kept["messageUid"], kept["to"]) == ("w.f.c.n.1", "CANARY@example.com")


def test_a_message_sent_twice_is_two_files_and_nothing_else_is_left(tmp_path: Path) -> None:
    for _ in range(3):
        Console(tmp_path).send(MESSAGE)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "w.f.c.n.1.2.json",
        "w.f.c.n.1.3.json",
        "w.f.c.n.1.json",
    ]


def test_without_an_outbox_the_log_is_all(tmp_path: Path) -> None:
    assert Console().send(MESSAGE) == Accepted("w.f.c.n.1")
    assert list(tmp_path.iterdir()) == []


def test_an_outbox_that_cannot_be_written_means_not_sent(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert isinstance(Console(tmp_path / "file").send(MESSAGE), TransientFailure)


def test_the_log_has_ids_only(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="carillon"):
        Console().send(MESSAGE)
    (line,) = [vars(record) for record in caplog.records]
    assert (line["message_uid"], line["channel_uid"]) == ("w.f.c.n.1", "ch")
    assert "CANARY" not in str(line)


def test_everybody_can_be_reached() -> None:
    nobody = Contact(uid="c", created_at=NOW, updated_at=NOW)
    assert Console().address_of(nobody) == "c"
    assert Console().address_of(nobody.with_fields({"phone": "+491701234567"})) == "+491701234567"
