"""Templates that waste time or memory when published, previewed or sent as a test."""

from tests.hostile.request import Ask
from tests.unit.core.templates.test_render import BOMBS

#: Parameters of the templates.
VALUES = {"x": ["x"] * 50, "long": "x" * 16_000}


def texts() -> dict[str, str]:
    """Return the texts by name."""
    return BOMBS


def asks(uids: dict[str, str], channel: str) -> list[Ask]:
    """Return the requests; `uids` maps the names of texts to the accepted drafts."""
    found = []
    for name, uid in uids.items():
        sent = {"channelUid": channel, "to": "me", "values": VALUES}
        found += [
            Ask(f"preview of {name}", f"/v1/templates/{uid}/preview", {"values": VALUES}),
            Ask(f"publish {name}", f"/v1/templates/{uid}/publish", {}),
            Ask(f"test of {name}", f"/v1/templates/{uid}/test", sent),
        ]
    return found


def drafts() -> list[Ask]:
    """Return a request that creates a template for each text."""
    body = {"name": "Bomb", "channelType": "console"}
    return [Ask(name, "/v1/templates", {**body, "content": {"text": text}}) for name, text in texts().items()]
