"""Templates and helpers that the tests of templates share."""

from typing import Any

from tests.integration.conftest import Api

TEXT = {"name": "Hello", "channelType": "console", "content": {"text": "Hi {{ first_name }} from {{ city }}"}}
MAIL = {
    "name": "News",
    "channelType": "email",
    "messageType": "NEWSLETTER",
    "content": {"subject": "Hi {{ name }}", "html": "<p>{{ name }}</p>", "from_name": "Ana"},
}


def fields_of(reply: Any) -> list[str]:
    """Return the sorted field names of a validation error."""
    assert reply.json["error"] == "validation_error"
    return sorted(detail["field"] for detail in reply.json["details"])


def create_template(api: Api, template: dict[str, Any] = TEXT) -> str:
    """Create a template and return its URL."""
    return f"/v1/templates/{api.post('/v1/templates', template).data['uid']}"
