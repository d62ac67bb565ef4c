"""Read the secret of a channel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from chalicelib.errors import NotFound, RetryLater
from chalicelib.model.message import ChannelFailure, TransientFailure
from chalicelib.providers.base import get_setting

if TYPE_CHECKING:
    from chalicelib.model.channel import Channel
    from chalicelib.model.ids import WorkspaceUid
    from chalicelib.providers.base import Secrets


def get_secret(secrets: Secrets, workspace: WorkspaceUid, channel: Channel) -> Mapping[str, str]:
    """Return the JSON object of a secret. Raises NotFound if there is no such object, and RetryLater."""
    name = get_setting(channel, "secretName")
    try:
        found = json.loads(secrets(workspace, name))
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise NotFound("A JSON object in the secret", name)
    return {str(key): str(value) for key, value in found.items()}


def read_secret_fault(error: NotFound | RetryLater) -> ChannelFailure | TransientFailure:
    """Return the send result for a secret that cannot be read: the message was not sent."""
    return ChannelFailure("secret_not_found") if isinstance(error, NotFound) else TransientFailure("secret_unavailable")
