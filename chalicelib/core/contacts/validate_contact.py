"""Checks and normalises what a caller says of a contact: address, phone, time zone."""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from chalicelib.errors import InvalidRequest, Problem

#: By python name: what a caller says → what is kept. Raises ValueError with a sentence.
_Check = Callable[[str, str], str]


def normalise_contact(given: Mapping[str, object], region: str) -> dict[str, object]:
    """`given` (python names) with its address and phone normalised; InvalidRequest with every problem.

    `region` (ISO 3166 alpha-2) is where phones without a country code are dialled.
    """
    checked = dict(given)
    problems = []
    for name, check in _CHECKS.items():
        value = given.get(name)
        if isinstance(value, str):
            try:
                checked[name] = check(value, region)
            except ValueError as error:
                problems.append(Problem(name, str(error)))
    if problems:
        raise InvalidRequest(problems)
    return checked


def check_value(name: str, value: str, region: str | None = None) -> str:
    """One value, normalised; ValueError. Without a region a phone is left alone unless it has its country code."""
    if name == "phone" and region is None and not value.lstrip().startswith("+"):
        return value
    return _CHECKS[name](value, region or "ZZ")


def is_timezone(name: str) -> bool:
    """Whether the IANA database knows it."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _email(value: str, _region: str) -> str:
    """With its domain as it travels: lower case, punycode. SES takes no other, and 64 ASCII characters before the @."""
    # Imported here: workers that check no address start 30 ms sooner.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415  see above

    try:
        found = validate_email(
            value.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True, strict=True
        )
    except EmailNotValidError as error:
        raise ValueError(f"is not an e-mail address: {error}") from error
    return found.ascii_email or found.normalized


def _phone(value: str, region: str) -> str:
    """E.164. With a country code a possible number will do, as plans outgrow this library; without, a valid one."""
    import phonenumbers  # noqa: PLC0415  as above

    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError("is not a phone number; write it like +491701234567") from error
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    international = value.lstrip().startswith("+")
    if not possible or not (international or phonenumbers.is_valid_number(number)):
        raise ValueError(f"is not a phone number of region {region}; write it like +491701234567")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _timezone(value: str, _region: str) -> str:
    if not is_timezone(value):
        raise ValueError("is not an IANA time zone; write it like Europe/Berlin")
    return value


_CHECKS: Mapping[str, _Check] = {"email": _email, "phone": _phone, "timezone": _timezone}
