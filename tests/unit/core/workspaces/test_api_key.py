"""Test creating and parsing API keys."""

import pytest

from chalicelib.core.workspaces.api_key import PresentedKey, create_api_key, parse_api_key
from chalicelib.errors import Conflict
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.workspace import Key, Scope
from tests.memory.ports import memory_ports

WORKSPACE = WorkspaceUid("acme_1")


def _parse(text: str) -> PresentedKey:
    presented = parse_api_key(text)
    assert presented is not None
    return presented


def test_a_key_names_its_workspace_and_document_and_matches_the_stored_digest() -> None:
    ports = memory_ports()
    key, text = create_api_key(ports, WORKSPACE, Scope.WRITE, "CI")
    presented = _parse(text)
    assert (presented.workspace, presented.uid) == (WORKSPACE, key.uid)
    stored = ports.catalog.get(WORKSPACE, Key, key.uid)
    assert presented.digest(ports.secret()) == stored.digest
    assert (stored.name, stored.scope, stored.expires_at) == ("CI", Scope.WRITE, None)


def test_neither_the_key_nor_a_digest_with_another_secret_is_stored() -> None:
    ports = memory_ports()
    key, text = create_api_key(ports, WORKSPACE, Scope.ADMIN)
    stored = ports.catalog.get(WORKSPACE, Key, key.uid)
    assert text not in stored.model_dump_json()
    assert _parse(text).digest(b"another secret") != stored.digest


def test_two_keys_differ() -> None:
    ports = memory_ports()
    keys = [create_api_key(ports, WORKSPACE, Scope.READ) for _ in range(2)]
    assert len({text for _, text in keys}) == len({key.digest for key, _ in keys}) == 2


def test_a_uid_is_used_once() -> None:
    ports, uid = memory_ports(), new_uid()
    create_api_key(ports, WORKSPACE, Scope.READ, uid=uid)
    with pytest.raises(Conflict):
        create_api_key(ports, WORKSPACE, Scope.READ, uid=uid)


def test_any_single_typing_error_makes_a_key_invalid() -> None:
    _, text = create_api_key(memory_ports(), WORKSPACE, Scope.READ)
    for index, character in enumerate(text):
        mistyped = text[:index] + ("A" if character != "A" else "B") + text[index + 1 :]
        assert parse_api_key(mistyped) is None, index


@pytest.mark.parametrize("text", ["", "cln_live_", "cln_live_a_b_c", "Bearer x", "cln_test_" + "0" * 80, "é" * 90])
def test_text_of_another_form_is_no_key(text: str) -> None:
    assert parse_api_key(text) is None


def test_a_key_with_text_around_it_is_no_key() -> None:
    _, text = create_api_key(memory_ports(), WORKSPACE, Scope.READ)
    assert [parse_api_key(each) for each in (f" {text}", f"{text}\n", f"{text}0")] == [None] * 3
