"""Create, replace and delete channels."""

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.model.channel import Channel, ChannelFields
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.validation_problems import validation_problems
from chalicelib.ports import Ports


def create_channel(ports: Ports, workspace: WorkspaceUid, fields: ChannelFields) -> Channel:
    """Create a channel. Raises InvalidRequest with every setting that its type does not accept."""
    now = ports.clock.now()
    channel = _build(ports, fields, {"uid": new_uid(), "created_at": now, "updated_at": now})
    ports.catalog.add(workspace, channel)
    return channel


def replace_channel(ports: Ports, workspace: WorkspaceUid, uid: str, fields: ChannelFields) -> Channel:
    """Replace all fields except the type, because templates and campaigns depend on it."""
    stored = ports.catalog.get(workspace, Channel, uid)
    if fields.type != stored.type:
        raise InvalidRequest(
            [
                Problem(
                    "type",
                    f"cannot be changed; the type of this channel is {stored.type}. Create another channel instead",
                )
            ]
        )
    unchanged = {"uid": uid, "created_at": stored.created_at, "updated_at": ports.clock.now(), "rev": stored.rev}
    return ports.catalog.save(workspace, _build(ports, fields, unchanged))


def delete_channel(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Delete a channel. Raises NotFound."""
    ports.catalog.get(workspace, Channel, uid)
    ports.catalog.remove(workspace, Channel, uid)


def _build(ports: Ports, fields: ChannelFields, unchanged: dict[str, object]) -> Channel:
    return Channel.model_validate({**dict(fields), "settings": _read_settings(ports, fields), **unchanged})


def _read_settings(ports: Ports, fields: ChannelFields) -> dict[str, JsonValue]:
    """Validate the settings and return them under their camelCase names."""
    channel_type = ports.channel_types.get(fields.type)
    if channel_type is None:
        known = ", ".join(sorted(ports.channel_types))
        raise InvalidRequest([Problem("type", f"unknown channel type {fields.type}; use one of {known}")])
    try:
        read = channel_type.settings.model_validate_json(to_json(fields.settings))
    except ValidationError as error:
        raise InvalidRequest(validation_problems(error, "settings", fields.settings)) from error
    dumped: dict[str, JsonValue] = read.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped
