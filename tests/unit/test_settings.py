"""Test reading the settings from environment variables."""

import pytest

from chalicelib.settings import Settings, UnusableEnvironment, read_settings

NEEDED = [(field.alias or name).upper() for name, field in Settings.model_fields.items() if field.is_required()]
WHOLE = dict.fromkeys(NEEDED, "x")


def test_every_missing_variable_is_named_in_one_sentence() -> None:
    message = r"^Missing environment variables: CATALOG_TABLE, .*SIGNING_SECRET_ID\.$"
    with pytest.raises(UnusableEnvironment, match=message):
        read_settings({})


def test_an_invalid_variable_is_named() -> None:
    with pytest.raises(UnusableEnvironment, match="CLOCK_SPEED"):
        read_settings({**WHOLE, "CLOCK_SPEED": "fast"})


def test_the_default_clock_speed_is_one() -> None:
    assert read_settings(WHOLE).clock_speed == 1.0
    assert read_settings({**WHOLE, "CLOCK_SPEED": "60"}).clock_speed == 60.0


def test_the_scheduler_of_webhooks_keeps_its_deployed_variable() -> None:
    assert read_settings({**WHOLE, "WEBHOOK_DESK_URL": "https://queue"}).webhook_scheduler_url == "https://queue"
