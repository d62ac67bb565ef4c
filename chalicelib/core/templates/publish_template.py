"""Publish a template as its next immutable version."""

import re
from collections.abc import Iterable

from chalicelib.core.templates.edit_template import check_fields
from chalicelib.core.templates.render import check_content
from chalicelib.errors import Conflict, InvalidRequest, Problem
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.template import Template, TemplateStatus, TemplateVersion
from chalicelib.ports import Ports

_NAME = re.compile(r"(?:(?:event|contact)\.)?[A-Za-z_][A-Za-z0-9_]{0,63}|event(?:\.[A-Za-z_][A-Za-z0-9_]{0,63})+")


def publish_template(ports: Ports, workspace: WorkspaceUid, uid: str) -> Template:
    """Publish the template and return it. Nothing happens if it did not change since the last version.

    Raises InvalidRequest with every source that does not compile, Conflict for a rejected template.
    """
    template = ports.catalog.get(workspace, Template, uid)
    if template.status is TemplateStatus.REJECTED:
        raise Conflict("A rejected template must be changed before it is published", "REJECTED", ("DRAFT",))
    if template.status is TemplateStatus.PUBLISHED and not template.draft_changed:
        return template
    version = build_version(ports, template, template.latest_version + 1)
    published = template.model_copy(
        update={
            "status": TemplateStatus.PUBLISHED,
            "latest_version": version.version,
            "draft_changed": False,
            "updated_at": version.published_at,
        }
    )
    return ports.versions.add_version(workspace, published, version.version, version)


def build_version(ports: Ports, template: Template, number: int) -> TemplateVersion:
    """Build a version from the working copy without storing it. Raises InvalidRequest with all problems."""
    content = check_fields(ports, template.channel_type, template.content)
    variables, problems = check_content(content)
    problems = (*problems, *_unknown(variables))
    if problems:
        raise InvalidRequest(problems)
    return TemplateVersion(
        version=number,
        channel_type=template.channel_type,
        message_type=template.message_type,
        content=content,
        parameter_defaults=template.parameter_defaults,
        variables=variables,
        published_at=ports.clock.now(),
    )


def _unknown(variables: Iterable[str]) -> list[Problem]:
    """Return problems of variable names. Any plain name may be an attribute; only event and contact have properties."""
    return [
        Problem("content", f"the variable {name} is unknown: only event.… and contact.… have properties")
        for name in variables
        if not _NAME.fullmatch(name)
    ]
