"""Makes the draft of a campaign its next immutable version."""

from chalicelib.core.campaigns.validate_campaign import validate_campaign
from chalicelib.errors import Conflict, InvalidRequest, NotFound, RetryLater
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports

#: Tries against others who publish the same campaign or change it meanwhile.
TRIES = 6


def publish_campaign(
    ports: Ports, workspace: WorkspaceUid, uid: str, default_channel: str | None = None
) -> tuple[Campaign, CampaignVersion]:
    """The newest version if nothing changed since, else the next one; InvalidRequest with every problem."""
    for _ in range(TRIES):
        try:
            return _publish(ports, workspace, uid, default_channel)
        except Conflict:
            continue
    raise RetryLater("The campaign is being changed by others, try again")


def _publish(
    ports: Ports, workspace: WorkspaceUid, uid: str, default_channel: str | None
) -> tuple[Campaign, CampaignVersion]:
    campaign = ports.catalog.get(workspace, Campaign, uid)
    examination = validate_campaign(ports, workspace, campaign, default_channel)
    if examination.problems:
        raise InvalidRequest(examination.problems, "The campaign cannot be launched as it is")
    newest = ports.versions.find_version(workspace, Campaign, uid, campaign.latest_version, CampaignVersion)
    if newest and not campaign.draft_changed and newest.templates == examination.pins:
        return campaign, newest
    version = CampaignVersion(
        version=campaign.latest_version + 1,
        campaign_uid=campaign.uid,
        name=campaign.name,
        steps=campaign.steps,
        configuration=campaign.configuration,
        trigger=campaign.trigger,
        entry=campaign.entry,
        templates=examination.pins,
        channel_uid=campaign.short_form.channel_uid if campaign.short_form else None,
        published_at=ports.clock.now(),
    )
    published = campaign.model_copy(
        update={"latest_version": version.version, "draft_changed": False, "updated_at": ports.clock.now()}
    )
    return ports.versions.add_version(workspace, published, version.version, version), version


def get_version(ports: Ports, workspace: WorkspaceUid, uid: str, number: int) -> CampaignVersion:
    """One immutable version; NotFound when there is no such campaign or number."""
    ports.catalog.get(workspace, Campaign, uid)
    version = ports.versions.find_version(workspace, Campaign, uid, number, CampaignVersion)
    if version is None:
        raise NotFound("Campaign version", f"{uid} v{number}")
    return version
