"""The environment as a model."""

import pytest

from chalicelib.settings import Settings, UnusableEnvironment, read_settings

NEEDED = [name.upper() for name, field in Settings.model_fields.items() if field.is_required()]
WHOLE = dict.fromkeys(NEEDED, "x")


def test_every_missing_variable_is_named_in_one_sentence() -> None:
    message = r"^Missing environment variables: CATALOG_TABLE, .*SIGNING_SECRET_ID\.$"
    with pytest.raises(UnusableEnvironment, match=message):
        read_settings({})


def test_a_variable_that_cannot_be_read_is_named() -> None:
    with pytest.raises(UnusableEnvironment, match="CLOCK_SPEED"):
        read_settings({**WHOLE, "CLOCK_SPEED": "fast"})


def test_the_clock_runs_at_its_own_speed_unless_told() -> None:
    assert read_settings(WHOLE).clock_speed == 1.0
    assert read_settings({**WHOLE, "CLOCK_SPEED": "60"}).clock_speed == 60.0
