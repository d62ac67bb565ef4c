"""Publish the draft of a campaign as its next immutable version."""

from chalicelib.core.campaigns.validate_campaign import validate_campaign
from chalicelib.errors import Conflict, InvalidRequest, NotFound, RetryLater
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.ids import WorkspaceUid
from chalicelib.ports import Ports

#: Attempts against concurrent changes of the same campaign.
TRIES = 6


def publish_campaign(
    ports: Ports, workspace: WorkspaceUid, uid: str, default_channel: str | None = None
) -> tuple[Campaign, CampaignVersion]:
    """Publish the draft, or return the newest version if the draft is the same.

    Raises NotFound, InvalidRequest with all problems, or RetryLater after too many conflicts.
    """
    for _ in range(TRIES):
        try:
            return _publish(ports, workspace, uid, default_channel)
        except Conflict:
            continue
    raise RetryLater("The campaign was changed at the same time; try again")


def _publish(
    ports: Ports, workspace: WorkspaceUid, uid: str, default_channel: str | None
) -> tuple[Campaign, CampaignVersion]:
    campaign = ports.catalog.get(workspace, Campaign, uid)
    report = validate_campaign(ports, workspace, campaign, default_channel)
    if report.problems:
        raise InvalidRequest(report.problems, "The campaign has problems; fix them first")
    newest = ports.versions.find_version(workspace, Campaign, uid, campaign.latest_version, CampaignVersion)
    if newest and not campaign.draft_changed and newest.templates == report.pins:
        return campaign, newest
    version = CampaignVersion(
        version=campaign.latest_version + 1,
        campaign_uid=campaign.uid,
        name=campaign.name,
        steps=campaign.steps,
        configuration=campaign.configuration,
        trigger=campaign.trigger,
        entry=campaign.entry,
        templates=report.pins,
        channel_uid=campaign.short_form.channel_uid if campaign.short_form else None,
        published_at=ports.clock.now(),
    )
    published = campaign.model_copy(
        update={"latest_version": version.version, "draft_changed": False, "updated_at": ports.clock.now()}
    )
    return ports.versions.add_version(workspace, published, version.version, version), version


def get_version(ports: Ports, workspace: WorkspaceUid, uid: str, number: int) -> CampaignVersion:
    """Return a published version. Raises NotFound if the campaign or the version does not exist."""
    ports.catalog.get(workspace, Campaign, uid)
    version = ports.versions.find_version(workspace, Campaign, uid, number, CampaignVersion)
    if version is None:
        raise NotFound("Campaign version", f"{uid} v{number}")
    return version
