"""Ids, and message uids that providers return in a changed form."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.model.ids import (
    ContactUid,
    FlowUid,
    MessageUid,
    NodeId,
    WorkspaceUid,
    is_uid,
    new_uid,
    read_message_uid,
)

UIDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def test_new_ids_are_good_ids_and_differ() -> None:
    made = {new_uid() for _ in range(1_000)}
    assert len(made) == 1_000
    assert all(is_uid(uid) and len(uid) == 26 for uid in made)


@pytest.mark.parametrize("text", ["", "a b", "a.b", "a#b", "a/b", "ä", "x" * 65, "a\n", "a\x00", "..", "a%2Fb"])
def test_what_would_break_a_key_a_url_or_a_token_is_no_id(text: str) -> None:
    assert not is_uid(text)


@given(UIDS, UIDS, UIDS, st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True), st.integers(1, 99), st.integers(0, 9))
def test_a_message_uid_carries_its_address(
    workspace: str, flow: str, contact: str, node: str, visit: int, option: int
) -> None:
    uid = MessageUid(WorkspaceUid(workspace), FlowUid(flow), ContactUid(contact), NodeId(node), visit, option)
    assert read_message_uid(str(uid)) == uid


def test_a_message_uid_of_usual_ids_fits_the_tag_of_a_provider() -> None:
    uid = MessageUid(WorkspaceUid(new_uid()), FlowUid(new_uid()), ContactUid("c" * 64), NodeId("n" * 40))
    assert len(str(uid)) <= 256


@given(st.text(alphabet="ab.1٣²-_ \n#", max_size=40))
@example("a.b.c.d.01")
@example("a.b.c.d.0")
@example("a.b.c.d.1.0")
@example("a.b.c.d.1.10")
@example("a.b.c.d.1.1.1")
@example("a.b.c.d.1.")
@example("a.b.c.d.٣")
@example("a.b.c.d.1\n")
@example("a.b.c.d." + "9" * 5_000)
@example("a.b.c." + "d" * 65 + ".1")
@example("")
def test_garbage_is_no_message_uid_and_what_is_one_reads_back_as_written(text: str) -> None:
    uid = read_message_uid(text)
    assert uid is None or (str(uid) == text and uid.visit >= 1)
