"""Start a campaign on request, once per idempotency key."""

from hashlib import blake2b
from typing import Annotated

from pydantic import Field

from chalicelib.core.launching.launch_campaign import LaunchRequest, start_campaign
from chalicelib.errors import Conflict
from chalicelib.model.campaign import Campaign
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.trigger import ApiTrigger, ManualTrigger
from chalicelib.model.trigger_key import KEY_LIFE, TriggerKey
from chalicelib.ports import Ports


class TriggerRequest(LaunchRequest):
    """The body of `trigger`. Within 24 hours, the same `idempotencyKey` starts one flow only."""

    idempotency_key: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Key of the call; the same key starts no second flow."""


def trigger_campaign(ports: Ports, workspace: WorkspaceUid, uid: str, request: TriggerRequest) -> Flow:
    """Start a flow. A repeated key returns the flow of the first call.

    Raises NotFound, InvalidRequest with all problems, or Conflict if the campaign is running or its trigger is a
    schedule or an event.
    """
    campaign = ports.catalog.get(workspace, Campaign, uid)
    kind = campaign.trigger.type
    if not isinstance(campaign.trigger, ManualTrigger | ApiTrigger):
        raise Conflict(f"A campaign with the trigger {kind} cannot be started by a call", kind, ("manual", "api"))
    if request.idempotency_key is None:
        return start_campaign(ports, workspace, campaign, request, kind)
    flow_uid = _reserve(ports, workspace, uid, request.idempotency_key)
    known = ports.catalog.find(workspace, Flow, flow_uid)
    if known is not None:
        return known
    try:
        return start_campaign(ports, workspace, campaign, request, kind, flow_uid)
    except Conflict:
        # A concurrent call with the same key may have stored the flow first.
        known = ports.catalog.find(workspace, Flow, flow_uid)
        if known is None:
            raise
        return known


def _reserve(ports: Ports, workspace: WorkspaceUid, campaign: str, key: str) -> str:
    """Return the uid of the flow that belongs to this key."""
    now = ports.clock.now()
    uid = blake2b(f"{campaign}\x1f{key}".encode(), digest_size=20).hexdigest()
    fresh = TriggerKey(uid=uid, created_at=now, updated_at=now, flow_uid=new_uid())
    known = ports.catalog.find(workspace, TriggerKey, uid)
    if known is not None and now - known.updated_at < KEY_LIFE:
        return known.flow_uid
    try:
        if known is None:
            ports.catalog.add(workspace, fresh)
        else:
            ports.catalog.save(workspace, fresh.model_copy(update={"rev": known.rev}))
    except Conflict:
        return ports.catalog.get(workspace, TriggerKey, uid).flow_uid
    return fresh.flow_uid
