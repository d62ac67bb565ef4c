"""Runs once on an empty DATA: creates the workspace, its key, and a small sample with a running flow."""

import argparse
import json
import sys
from pathlib import Path

from chalicelib.core.channels.edit_channel import create_channel
from chalicelib.core.contacts.save_contact import upsert_contact
from chalicelib.core.flows.create_flow import NewFlow, create_flow
from chalicelib.core.flows.merge_configuration import ConfigurationChange
from chalicelib.core.launching.edit_campaign import CampaignFields, create_campaign
from chalicelib.core.templates.edit_template import create_template
from chalicelib.core.templates.publish_template import publish_template
from chalicelib.core.workspaces.create_workspace import create_workspace
from chalicelib.model.channel import ChannelFields
from chalicelib.model.contact import Contact
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid
from chalicelib.model.message import MessageType
from chalicelib.model.template import TemplateFields
from chalicelib.ports import Ports
from chalicelib.wiring import ports
from infra.local.data import write_atomically

SENDER = "hello@carillon.example"
#: First name, last name, favourite colour (the template has a fallback for missing ones), tags.
PEOPLE = (
    ("Ada", "Lovelace", "blue", ("vip",)),
    ("Alan", "Turing", "green", ("vip",)),
    ("Annie", "Easley", "", ()),
    ("Barbara", "Liskov", "red", ("vip",)),
    ("Betty", "Holberton", "grey", ()),
    ("Claude", "Shannon", "", ()),
    ("Donald", "Knuth", "yellow", ()),
    ("Dorothy", "Vaughan", "orange", ("vip",)),
    ("Edsger", "Dijkstra", "", ()),
    ("Frances", "Allen", "purple", ()),
    ("Grace", "Hopper", "navy", ("vip",)),
    ("Hedy", "Lamarr", "black", ()),
    ("John", "Backus", "", ()),
    ("Joan", "Clarke", "teal", ()),
    ("Karen", "Jones", "pink", ()),
    ("Kathleen", "Booth", "", ()),
    ("Mary", "Jackson", "white", ()),
    ("Niklaus", "Wirth", "brown", ()),
    ("Radia", "Perlman", "silver", ("vip",)),
    ("Tony", "Hoare", "", ()),
)
#: Two minutes for 20 contacts: long enough to watch, pause and resume the flow.
PACE = ConfigurationChange(
    pause_between_contacts_ms=6_000, pause_between_contacts_salt_ms=2_000, max_concurrent_messages=1
)


def make_sample(everything: Ports, workspace: WorkspaceUid) -> dict[str, object]:
    """Create the sample and return its ids for the printed commands."""
    contacts = make_contacts(everything, workspace)
    email = ChannelFields(name="Newsletter", type="email", settings={"fromEmail": SENDER})
    channel = create_channel(everything, workspace, email).uid
    console = create_channel(everything, workspace, ChannelFields(name="Console", type="console")).uid
    welcome, reminder = make_templates(everything, workspace)
    campaign = make_campaigns(everything, workspace, (channel, console), (welcome, reminder))
    uids = [contact.uid for contact in contacts]
    flow = start_sample_flow(everything, workspace, channel, campaign, uids)
    return {"channelUid": channel, "campaignUid": campaign, "contactUids": uids, "flowUid": flow.uid}


def make_contacts(everything: Ports, workspace: WorkspaceUid) -> list[Contact]:
    """Create the contacts, with addresses at example.com that reach no person."""
    made = []
    for number, (first, last, colour, tags) in enumerate(PEOPLE, start=1):
        fields = {
            "external_id": f"sample-{number:02d}",
            "email": f"{first}.{last}@example.com".lower(),
            "first_name": first,
            "last_name": last,
            "tags": tags,
            "attributes": {"favoriteColor": colour} if colour else {},
        }
        made.append(upsert_contact(everything, workspace, fields).contact)
    return made


def make_templates(everything: Ports, workspace: WorkspaceUid) -> tuple[str, str]:
    """Create and publish an email template and a console template."""
    welcome = TemplateFields(
        name="Welcome",
        channel_type="email",
        message_type=MessageType.MESSAGE,
        content={
            "subject": "Welcome, {{ first_name }}",
            "text": "Hello {{ first_name }},\n\nwe have something in {{ color }} for you.\n\nCarillon\n",
            "from_name": "Carillon",
        },
        parameter_defaults={"first_name": "friend", "color": "your favourite colour"},
    )
    reminder = TemplateFields(
        name="Reminder",
        channel_type="console",
        content={"text": "{{ first_name }} was written to a while ago."},
        parameter_defaults={"first_name": "Somebody"},
    )
    made = [create_template(everything, workspace, fields).uid for fields in (welcome, reminder)]
    for uid in made:
        publish_template(everything, workspace, uid)
    return made[0], made[1]


def make_campaigns(
    everything: Ports, workspace: WorkspaceUid, channels: tuple[str, str], templates: tuple[str, str]
) -> str:
    """Create a campaign in the short form and one with steps; return the uid of the first."""
    short = CampaignFields(
        name="Welcome",
        description="One e-mail, written in the short form.",
        channel_uid=channels[0],
        template_uid=templates[0],
        parameters={"first_name": "first_name, default", "color": "favoriteColor, default"},
    )
    steps = CampaignFields(
        name="Welcome and remind",
        description="An e-mail, a pause of two minutes, and a line on the console.",
        steps=(
            {
                "id": "hello",
                "type": "SEND",
                "channelUid": channels[0],
                "templateUid": templates[0],
                "parameters": {"first_name": "first_name, default", "color": "favoriteColor, default"},
            },
            {"id": "pause", "type": "WAIT", "for": "PT2M"},
            {
                "id": "remind",
                "type": "SEND",
                "channelUid": channels[1],
                "templateUid": templates[1],
                "parameters": {"first_name": "first_name, default"},
            },
            {"id": "done", "type": "END"},
        ),
    )
    create_campaign(everything, workspace, steps)
    return create_campaign(everything, workspace, short).uid


def start_sample_flow(
    everything: Ports, workspace: WorkspaceUid, channel: str, campaign: str, contacts: list[str]
) -> Flow:
    """Start a paced flow for all contacts."""
    request = NewFlow(
        channel_uid=channel,
        campaign_uid=campaign,
        contact_uids=tuple(contacts),
        description="The sample's flow",
        configuration=PACE,
    )
    return create_flow(everything, workspace, request)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.sample", description="Fill an empty local stack.")
    parser.add_argument("--data", type=Path, required=True, help="directory that takes key and sample.json")
    parser.add_argument("--no-sample", action="store_true", help="make the workspace and its key only")
    given = parser.parse_args()
    workspace, key = create_workspace(ports(), "My workspace")
    if not given.no_sample:
        found = make_sample(ports(), WorkspaceUid(workspace.uid))
        write_atomically(given.data / "sample.json", json.dumps(found, indent=1) + "\n")
    # Written last: without a key, the next start treats DATA as empty and creates everything again.
    write_atomically(given.data / "key", key + "\n")
    (given.data / "key").chmod(0o600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
