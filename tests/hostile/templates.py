"""Templates made to burn time or memory: at publishing, in a preview, in a test send."""

from tests.hostile.request import Ask
from tests.unit.core.templates.test_render import BOMBS

#: What they feed on.
VALUES = {"x": ["x"] * 50, "long": "x" * 16_000}


def texts() -> dict[str, str]:
    """By name."""
    return BOMBS


def asks(uids: dict[str, str], channel: str) -> list[Ask]:
    """`uids`: the templates that were taken as drafts, by the names of their texts."""
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
    """Each as a new template."""
    body = {"name": "Bomb", "channelType": "console"}
    return [Ask(name, "/v1/templates", {**body, "content": {"text": text}}) for name, text in texts().items()]
