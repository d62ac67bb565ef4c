"""Sample data of every run: a workspace with channel, template, campaign and contacts, and a second workspace.

Documents are built once, so that a run stores them in about 1 ms.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from chalicelib.model.campaign import Audience, Campaign
from chalicelib.model.channel import Channel
from chalicelib.model.contact import Contact
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.template import Template, TemplateStatus, TemplateVersion
from chalicelib.model.trigger import EntryPolicy
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports
from tests.memory.clock import START

HERE, NEIGHBOUR = WorkspaceUid("here"), WorkspaceUid("neighbour")
CHANNEL, TEMPLATE = "console", "hello"
_STAMPS = {"created_at": START, "updated_at": START}


def contact_uid(number: int) -> str:
    return f"c{number}"


@cache
def _contact(number: int) -> Contact:
    return Contact(uid=contact_uid(number), email=f"c{number}@example.com", first_name=f"Name{number}", **_STAMPS)


@cache
def _documents() -> tuple[Workspace, Template, TemplateVersion]:
    content = {"text": "Hello {{ first_name }}"}
    template = Template(
        uid=TEMPLATE, name="Hello", channel_type="console", content=content, status=TemplateStatus.PUBLISHED,
        latest_version=0, draft_changed=False, **_STAMPS,
    )  # fmt: skip
    version = TemplateVersion(
        version=1, channel_type="console", message_type=MessageType.MESSAGE, content=content,
        variables=("first_name",), published_at=START,
    )  # fmt: skip
    return Workspace(uid="here", name="Here", **_STAMPS), template, version


def store_sample_data(ports: Ports, contacts: int, channel: Mapping[str, Any]) -> None:
    """Store workspace, channel, template and contacts in two workspaces. No flow starts in the second one."""
    workspace, template, version = _documents()
    for where in (HERE, NEIGHBOUR):
        ports.catalog.add(where, workspace.model_copy(update={"uid": where}))
        ports.catalog.add(where, Channel(uid=CHANNEL, name="Console", type="console", **_STAMPS, **channel))
        ports.catalog.add(where, template)
        ports.versions.add_version(where, template.model_copy(update={"latest_version": 1}), 1, version)
        for number in range(contacts):
            ports.contacts.add(where, _contact(number))


def build_campaign(
    uid: str, steps: tuple[Mapping[str, Any], ...], contacts: int, configuration: Mapping[str, Any], **fields: Any
) -> Campaign:
    """A draft over all contacts, unless `fields` give it a trigger that takes no audience."""
    audience = Audience(contact_uids=tuple(contact_uid(number) for number in range(contacts)))
    written: dict[str, Any] = {
        "uid": uid, "name": uid, "steps": tuple(dict(step) for step in steps), "audience": audience,
        "configuration": FlowConfiguration(**configuration), **_STAMPS, "entry": EntryPolicy(), **fields,
    }  # fmt: skip
    return Campaign(**written)
