"""Create, update and delete the draft of a template."""

from collections.abc import Mapping

from pydantic import ValidationError

from chalicelib.errors import InvalidRequest, Problem
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.template import MAX_SOURCE_BYTES, Template, TemplateFields, TemplateStatus
from chalicelib.model.validation_problems import validation_problems
from chalicelib.ports import Ports

#: A change of one of these fields requires a new version.
_SENT = ("content", "message_type", "parameter_defaults")


def create_template(ports: Ports, workspace: WorkspaceUid, fields: TemplateFields) -> Template:
    """Create a draft. Its sources may not compile yet, but must be content fields of the channel type."""
    content = check_fields(ports, fields.channel_type, fields.content)
    now = ports.clock.now()
    values = {**dict(fields), "content": content}
    template = Template.model_validate({**values, "uid": new_uid(), "created_at": now, "updated_at": now})
    ports.catalog.add(workspace, template)
    return template


def update_template(ports: Ports, workspace: WorkspaceUid, uid: str, changes: Mapping[str, object]) -> Template:
    """Update the draft. `changes` uses Python names. A rejected template becomes a draft; versions do not change."""
    template = ports.catalog.get(workspace, Template, uid)
    changed = Template.model_validate({**dict(template), **changes, "updated_at": ports.clock.now()})
    content = check_fields(ports, changed.channel_type, changed.content)
    differs = template.draft_changed or any(getattr(changed, name) != getattr(template, name) for name in _SENT)
    update: dict[str, object] = {"content": content, "draft_changed": differs}
    if template.status is TemplateStatus.REJECTED:
        update |= {"status": TemplateStatus.DRAFT, "reject_reason": None}
    return ports.catalog.save(workspace, changed.model_copy(update=update))


def delete_template(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Delete a template with its versions. Raise NotFound."""
    ports.catalog.get(workspace, Template, uid)
    ports.catalog.remove(workspace, Template, uid)


def check_fields(ports: Ports, channel_type: str, content: Mapping[str, str]) -> dict[str, str]:
    """Return the content with camelCase names. Raise InvalidRequest with all unknown fields."""
    kind = ports.channel_types.get(channel_type)
    if kind is None:
        known = ", ".join(sorted(ports.channel_types))
        raise InvalidRequest([Problem("channelType", f"there is no channel type {channel_type}; there are {known}")])
    problems = [
        Problem(f"content.{name}", f"must be at most {MAX_SOURCE_BYTES} bytes long")
        for name, source in content.items()
        if len(source.encode()) > MAX_SOURCE_BYTES
    ]
    try:
        read = kind.content.model_validate(dict(content))
    except ValidationError as error:
        raise InvalidRequest([*validation_problems(error, "content"), *problems]) from error
    if problems:
        raise InvalidRequest(problems)
    dumped: dict[str, str] = read.model_dump(by_alias=True, exclude_none=True)
    return dumped
