"""Create, change and delete the webhooks of a workspace, and renew their secrets."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from chalicelib.core.notifications.manage_subscriptions import get_subscriptions
from chalicelib.errors import Conflict, NotFound, RetryLater
from chalicelib.model.base import StrictModel
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.webhook import EXECUTION_EVENTS, MAX_WEBHOOKS, WEBHOOKS, EventChoices, Webhook, Webhooks
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

#: Attempts against concurrent changes of the same document.
TRIES = 6
#: For this long after a renewal, requests are also signed with the previous secret.
OVERLAP = timedelta(hours=24)
Url = Annotated[str, Field(min_length=1, max_length=2_048)]


class CreateWebhookRequest(StrictModel):
    """The body of `POST /v1/webhooks`. `events` are names such as `flow.completed`, or groups such as `flow.*`."""

    url: Url
    """HTTPS address that receives the events."""
    events: EventChoices
    """Events or groups to deliver, for example `flow.completed` or `flow.*`."""
    description: Annotated[str, Field(max_length=500)] = ""
    """Free text for operators."""


class WebhookChanges(StrictModel):
    """The body of `PATCH /v1/webhooks/{uid}`. `active: true` also enables a webhook that Carillon has disabled."""

    url: Url = ""
    """New HTTPS address."""
    events: EventChoices = ()
    """New list of events or groups."""
    description: Annotated[str, Field(max_length=500)] = ""
    """New text for operators."""
    active: bool = True
    """Whether events are delivered; true enables a webhook that Carillon disabled."""


def list_webhooks(ports: Ports, workspace: WorkspaceUid) -> Webhooks:
    """Return the document with all webhooks, which is empty if there have never been any."""
    return ports.catalog.find(workspace, Webhooks, WEBHOOKS) or _empty(ports)


def _empty(ports: Ports) -> Webhooks:
    now = ports.clock.now()
    return Webhooks(uid=WEBHOOKS, created_at=now, updated_at=now)


def get_webhook(ports: Ports, workspace: WorkspaceUid, uid: str) -> Webhook:
    """Return a webhook. Raises NotFound."""
    found = list_webhooks(ports, workspace).find(uid)
    if found is None:
        raise NotFound("Webhook", uid)
    return found


def create_webhook(
    ports: Ports, workspace: WorkspaceUid, request: CreateWebhookRequest, uid: str | None = None
) -> Webhook:
    """Create a webhook. Raises InvalidRequest for a forbidden URL, and Conflict above `MAX_WEBHOOKS`."""
    ports.webhook_caller.check(request.url)
    now = ports.clock.now()
    new = Webhook(
        uid=uid or new_uid(),
        url=request.url,
        events=request.events,
        description=request.description,
        created_at=now,
        updated_at=now,
    )

    def add(webhooks: Webhooks) -> Webhooks:
        if webhooks.find(new.uid) is None and len(webhooks.entries) >= MAX_WEBHOOKS:
            raise _TooMany(f"A workspace has at most {MAX_WEBHOOKS} webhooks; delete one first", str(MAX_WEBHOOKS))
        return webhooks.put(new)

    _write(ports, workspace, add)
    return new


class _TooMany(Conflict):
    """The workspace is at its limit. Another attempt would fail too."""


def change_webhook(
    ports: Ports, workspace: WorkspaceUid, uid: str, change: Callable[[Webhook], dict[str, object]]
) -> Webhook:
    """Change a webhook. `change` returns the new values by Python field name. Raises NotFound."""
    changed: list[Webhook] = []

    def put(webhooks: Webhooks) -> Webhooks:
        before = webhooks.find(uid)
        if before is None:
            raise NotFound("Webhook", uid)
        changed.append(before.model_copy(update={**change(before), "updated_at": ports.clock.now()}))
        return webhooks.put(changed[-1])

    _write(ports, workspace, put)
    return changed[-1]


def update_webhook(ports: Ports, workspace: WorkspaceUid, uid: str, changes: dict[str, object]) -> Webhook:
    """Apply a PATCH. Raises NotFound, or InvalidRequest for a forbidden URL."""
    if url := changes.get("url"):
        ports.webhook_caller.check(str(url))
    more = {"disabled_reason": None} if changes.get("active") else {}
    return change_webhook(ports, workspace, uid, lambda _: {**changes, **more})


def renew_secret(ports: Ports, workspace: WorkspaceUid, uid: str) -> Webhook:
    """Renew the secret of a webhook. Requests are also signed with the old one for 24 h. Raises NotFound."""
    until = ports.clock.now() + OVERLAP
    return change_webhook(
        ports, workspace, uid, lambda before: {"generation": before.generation + 1, "previous_until": until}
    )


def remove_webhook(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """Delete a webhook. Its pending deliveries are not sent. Raises NotFound."""
    get_webhook(ports, workspace, uid)
    _write(ports, workspace, lambda webhooks: webhooks.without(uid))


def disable_webhook(ports: Ports, workspace: WorkspaceUid, uid: str, reason: str) -> None:
    """Disable a webhook and store the reason. Does nothing if the webhook is deleted."""
    with suppress(NotFound):
        change_webhook(ports, workspace, uid, lambda _: {"active": False, "disabled_reason": reason})


def _write(ports: Ports, workspace: WorkspaceUid, change: Callable[[Webhooks], Webhooks]) -> None:
    """Apply a change to the webhooks and update which events are published for them.

    The events of a new webhook are switched on before it is stored, so it misses none. Unused ones go last.
    """
    for _ in range(TRIES):
        stored = ports.catalog.find(workspace, Webhooks, WEBHOOKS)
        before = stored or _empty(ports)
        after = change(before)
        _update_event_names(ports, workspace, before.names | after.names)
        try:
            if stored:
                ports.catalog.save(workspace, after)
            else:
                ports.catalog.add(workspace, after)
        except Conflict:
            continue
        if before.names - after.names:
            _update_event_names(ports, workspace, after.names)
        return
    raise RetryLater("The webhooks were changed at the same time; try again")


def _update_event_names(ports: Ports, workspace: WorkspaceUid, names: frozenset[str]) -> None:
    """Store the names of the events to publish. Contact and message events without a subscriber are not published."""
    for _ in range(TRIES):
        before = get_subscriptions(ports, workspace)
        wanted = tuple(sorted(names))
        _update_execution_events(ports, workspace, names)
        if before.webhook_events == wanted:
            return
        with suppress(Conflict):
            ports.catalog.save(workspace, before.model_copy(update={"webhook_events": wanted}))
            return
    raise RetryLater("The event subscriptions were changed at the same time; try again")


def _update_execution_events(ports: Ports, workspace: WorkspaceUid, names: frozenset[str]) -> None:
    """Store the names of execution events in the workspace, which steps read anyway."""
    wanted = tuple(sorted(names & EXECUTION_EVENTS))
    for _ in range(TRIES):
        stored = ports.catalog.get(workspace, Workspace, workspace)
        if stored.execution_events == wanted:
            return
        with suppress(Conflict):
            ports.catalog.save(workspace, stored.model_copy(update={"execution_events": wanted}))
            return
    raise RetryLater("The workspace was changed at the same time; try again")


def secrets_of(ports: Ports, workspace: WorkspaceUid, webhook: Webhook, now: datetime) -> tuple[str, ...]:
    """Return the signing secrets (`whsec_…`), newest first. They are derived from the signing secret, not stored."""
    is_renewed = webhook.previous_until is not None and now < webhook.previous_until
    generations = (webhook.generation, webhook.generation - 1) if is_renewed else (webhook.generation,)
    return tuple(_secret(ports, workspace, webhook.uid, each) for each in generations)


def _secret(ports: Ports, workspace: WorkspaceUid, uid: str, generation: int) -> str:
    message = f"webhook\x1f{workspace}\x1f{uid}\x1f{generation}".encode()
    return "whsec_" + base64.b64encode(hmac.new(ports.secret(), message, hashlib.sha256).digest()).decode()
