"""Creates, replaces and deletes channels."""

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.model.channel import Channel, ChannelFields
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.validation_problems import validation_problems
from chalicelib.ports import Ports


def create_channel(ports: Ports, workspace: WorkspaceUid, fields: ChannelFields) -> Channel:
    """Raises InvalidRequest with every setting that its type does not take."""
    now = ports.clock.now()
    channel = _build(ports, fields, {"uid": new_uid(), "created_at": now, "updated_at": now})
    ports.catalog.add(workspace, channel)
    return channel


def replace_channel(ports: Ports, workspace: WorkspaceUid, uid: str, fields: ChannelFields) -> Channel:
    """All fields but the type, which templates and campaigns rely on."""
    stored = ports.catalog.get(workspace, Channel, uid)
    if fields.type != stored.type:
        raise InvalidRequest([Problem("type", f"cannot be changed: this channel is of the type {stored.type}")])
    kept = {"uid": uid, "created_at": stored.created_at, "updated_at": ports.clock.now(), "rev": stored.rev}
    return ports.catalog.save(workspace, _build(ports, fields, kept))


def delete_channel(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Raises NotFound."""
    ports.catalog.get(workspace, Channel, uid)
    ports.catalog.remove(workspace, Channel, uid)


def _build(ports: Ports, fields: ChannelFields, kept: dict[str, object]) -> Channel:
    return Channel.model_validate({**dict(fields), "settings": _read_settings(ports, fields), **kept})


def _read_settings(ports: Ports, fields: ChannelFields) -> dict[str, JsonValue]:
    """As their model writes them, under camelCase names."""
    kind = ports.channel_types.get(fields.type)
    if kind is None:
        known = ", ".join(sorted(ports.channel_types))
        raise InvalidRequest([Problem("type", f"there is no channel type {fields.type}; there are {known}")])
    try:
        read = kind.settings.model_validate_json(to_json(fields.settings))
    except ValidationError as error:
        raise InvalidRequest(validation_problems(error, "settings", fields.settings)) from error
    dumped: dict[str, JsonValue] = read.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped
