"""Documents to store."""

from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.ids import WorkspaceUid

W1, W2 = WorkspaceUid("w1"), WorkspaceUid("w2")
NOON = datetime(2026, 3, 2, 12, 0, 0, 123_000, tzinfo=UTC)


def build_flow(uid: str, minutes: int = 0, status: FlowStatus = FlowStatus.DRAFT, campaign: str = "c1") -> Flow:
    moment = NOON + timedelta(minutes=minutes)
    return Flow(uid=uid, created_at=moment, updated_at=moment, status=status, channel_uid="ch1", campaign_uid=campaign)


def build_campaign(uid: str = "c1", name: str = "Spring sale") -> Campaign:
    steps: tuple[JsonValue, ...] = (
        {"type": "SEND", "id": "s", "params": {"color": [1, 2.5, None, True, "ü"]}},
        {"type": "END"},
    )
    return Campaign(uid=uid, created_at=NOON, updated_at=NOON, name=name, steps=steps)


def build_version(number: int) -> CampaignVersion:
    return CampaignVersion(
        version=number, campaign_uid="c1", name="Spring", steps=(), templates={"s": 3}, published_at=NOON
    )
