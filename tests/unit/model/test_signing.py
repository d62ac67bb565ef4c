"""Signed tokens and keyed hashes: what cannot be forged, and what means the same."""

import pytest

from chalicelib.model.message import MessageType
from chalicelib.model.signing import CONFIRM, UNSUBSCRIBE, Links, hash_address, sign_token, verify_token
from chalicelib.model.suppression import AddressKind

SECRET = b"secret"
PARTS = ("w1", "ann", "email", "NEWSLETTER")
TOKEN = sign_token(SECRET, UNSUBSCRIBE, PARTS)


def test_a_token_comes_back_as_its_parts_and_fits_a_path() -> None:
    assert verify_token(SECRET, UNSUBSCRIBE, TOKEN, 4) == PARTS
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
    longest = sign_token(SECRET, CONFIRM, ("w" * 64, "c" * 64, "t" * 40, "CONVERSATION", "9" * 12, "f" * 16))
    assert len(longest) <= 330


@pytest.mark.parametrize(
    "token",
    ["", ".", "x", TOKEN[:-1], TOKEN + "A", TOKEN.replace("ann", "bob"), TOKEN.replace(".email.", ".sms."),
     "w1.ann.email." + TOKEN, TOKEN.partition(".")[2], sign_token(b"other", UNSUBSCRIBE, PARTS),
     sign_token(SECRET, CONFIRM, PARTS), "é.ü", TOKEN.lower()],
)  # fmt: skip
def test_what_was_not_signed_for_this_is_nothing(token: str) -> None:
    assert verify_token(SECRET, UNSUBSCRIBE, token, 4) is None


def test_parts_do_not_run_into_one_another() -> None:
    assert sign_token(SECRET, UNSUBSCRIBE, ("a", "bc")) != sign_token(SECRET, UNSUBSCRIBE, ("ab", "c"))


def test_a_link_is_made_where_there_is_a_place_to_lead_to() -> None:
    asked = ("w1", "ann", "email", MessageType.NEWSLETTER)
    assert Links(SECRET, "https://x.example/prod").unsubscribe(*asked) == f"https://x.example/prod/u/{TOKEN}"
    assert Links(SECRET, "").unsubscribe(*asked) is None


def test_an_address_has_one_hash_in_a_workspace_however_it_is_spelled() -> None:
    known = hash_address(SECRET, "w1", AddressKind.EMAIL, "Ann@Example.com")
    assert hash_address(SECRET, "w1", AddressKind.EMAIL, " ann@example.COM ") == known
    others = {
        hash_address(SECRET, "w2", AddressKind.EMAIL, "ann@example.com"),
        hash_address(b"other", "w1", AddressKind.EMAIL, "ann@example.com"),
        hash_address(SECRET, "w1", AddressKind.PHONE, "ann@example.com"),
        hash_address(SECRET, "w1", AddressKind.EMAIL, "ben@example.com"),
    }
    assert len(others | {known}) == 5
    assert len(known) == 40
