"""The webhooks of a workspace: made, changed, given a new secret, taken away."""

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
from chalicelib.model.webhook import MAX_WEBHOOKS, ROW_EVENTS, WEBHOOKS, EventChoices, Webhook, Webhooks
from chalicelib.model.workspace import Workspace
from chalicelib.ports import Ports

#: Tries against others who change the list at the same moment.
TRIES = 6
#: How long the secret before the newest one signs as well.
OVERLAP = timedelta(hours=24)
Url = Annotated[str, Field(min_length=1, max_length=2_048)]


class CreateWebhookRequest(StrictModel):
    """The body of `POST /v1/webhooks`; `events` are names as `flow.completed`, or groups as `flow.*`."""

    url: Url
    events: EventChoices
    description: Annotated[str, Field(max_length=500)] = ""


class WebhookChanges(StrictModel):
    """What PATCH may change; what is not named stays. `active: true` also brings back one that was switched off."""

    url: Url = ""
    events: EventChoices = ()
    description: Annotated[str, Field(max_length=500)] = ""
    active: bool = True


def list_webhooks(ports: Ports, workspace: WorkspaceUid) -> Webhooks:
    """All, in one document; empty where there never were any."""
    return ports.catalog.find(workspace, Webhooks, WEBHOOKS) or _none_yet(ports)


def _none_yet(ports: Ports) -> Webhooks:
    now = ports.clock.now()
    return Webhooks(uid=WEBHOOKS, created_at=now, updated_at=now)


def get_webhook(ports: Ports, workspace: WorkspaceUid, uid: str) -> Webhook:
    """NotFound when it is not there."""
    found = list_webhooks(ports, workspace).find(uid)
    if found is None:
        raise NotFound("Webhook", uid)
    return found


def create_webhook(
    ports: Ports, workspace: WorkspaceUid, wish: CreateWebhookRequest, uid: str | None = None
) -> Webhook:
    """InvalidRequest for a URL that is never called, Conflict when there are as many as there may be."""
    ports.webhook_caller.check(wish.url)
    now = ports.clock.now()
    new = Webhook(
        uid=uid or new_uid(),
        url=wish.url,
        events=wish.events,
        description=wish.description,
        created_at=now,
        updated_at=now,
    )

    def add(all_of_them: Webhooks) -> Webhooks:
        if all_of_them.find(new.uid) is None and len(all_of_them.entries) >= MAX_WEBHOOKS:
            raise _TooMany(f"A workspace has at most {MAX_WEBHOOKS} webhooks", str(MAX_WEBHOOKS))
        return all_of_them.put(new)

    _write(ports, workspace, add)
    return new


class _TooMany(Conflict):
    """No try more would help."""


def change_webhook(
    ports: Ports, workspace: WorkspaceUid, uid: str, change: Callable[[Webhook], dict[str, object]]
) -> Webhook:
    """`change` gives the fields that differ, by python names."""
    changed: list[Webhook] = []

    def put(all_of_them: Webhooks) -> Webhooks:
        before = all_of_them.find(uid)
        if before is None:
            raise NotFound("Webhook", uid)
        changed.append(before.model_copy(update={**change(before), "updated_at": ports.clock.now()}))
        return all_of_them.put(changed[-1])

    _write(ports, workspace, put)
    return changed[-1]


def update_webhook(ports: Ports, workspace: WorkspaceUid, uid: str, changes: dict[str, object]) -> Webhook:
    """InvalidRequest for a URL that is never called."""
    if url := changes.get("url"):
        ports.webhook_caller.check(str(url))
    more = {"disabled_reason": None} if changes.get("active") else {}
    return change_webhook(ports, workspace, uid, lambda _: {**changes, **more})


def renew_secret(ports: Ports, workspace: WorkspaceUid, uid: str) -> Webhook:
    """A new secret; the old one signs beside it for a day."""
    until = ports.clock.now() + OVERLAP
    return change_webhook(
        ports, workspace, uid, lambda before: {"generation": before.generation + 1, "previous_until": until}
    )


def remove_webhook(ports: Ports, workspace: WorkspaceUid, uid: str) -> None:
    """NotFound when it is not there. What is on its way to it is not sent any more."""
    get_webhook(ports, workspace, uid)
    _write(ports, workspace, lambda all_of_them: all_of_them.without(uid))


def disable_webhook(ports: Ports, workspace: WorkspaceUid, uid: str, reason: str) -> None:
    """The receiver wants no more; harmless when it is gone."""
    with suppress(NotFound):
        change_webhook(ports, workspace, uid, lambda _: {"active": False, "disabled_reason": reason})


def _write(ports: Ports, workspace: WorkspaceUid, change: Callable[[Webhooks], Webhooks]) -> None:
    """Whose events are asked for is known before the webhook is, so that none is missed."""
    for _ in range(TRIES):
        stored = ports.catalog.find(workspace, Webhooks, WEBHOOKS)
        before = stored or _none_yet(ports)
        after = change(before)
        _listen(ports, workspace, before.names | after.names)
        try:
            if stored:
                ports.catalog.save(workspace, after)
            else:
                ports.catalog.add(workspace, after)
        except Conflict:
            continue
        if before.names - after.names:
            _listen(ports, workspace, after.names)
        return
    raise RetryLater("The webhooks are being changed by others, try again")


def _listen(ports: Ports, workspace: WorkspaceUid, names: frozenset[str]) -> None:
    """Events of contacts and messages are only told where somebody listens."""
    for _ in range(TRIES):
        before = get_subscriptions(ports, workspace)
        told = tuple(sorted(names))
        _want_of_rows(ports, workspace, names)
        if before.told == told:
            return
        with suppress(Conflict):
            ports.catalog.save(workspace, before.model_copy(update={"told": told}))
            return
    raise RetryLater("The listeners are being changed by others, try again")


def _want_of_rows(ports: Ports, workspace: WorkspaceUid, names: frozenset[str]) -> None:
    """What steps look at, who read the workspace anyway."""
    wanted = tuple(sorted(names & ROW_EVENTS))
    for _ in range(TRIES):
        stored = ports.catalog.get(workspace, Workspace, workspace)
        if stored.row_events == wanted:
            return
        with suppress(Conflict):
            ports.catalog.save(workspace, stored.model_copy(update={"row_events": wanted}))
            return
    raise RetryLater("The workspace is being changed by others, try again")


def secrets_of(ports: Ports, workspace: WorkspaceUid, webhook: Webhook, now: datetime) -> tuple[str, ...]:
    """`whsec_…`, the newest first; made of the installation's secret, so that no table holds them."""
    is_renewed = webhook.previous_until is not None and now < webhook.previous_until
    generations = (webhook.generation, webhook.generation - 1) if is_renewed else (webhook.generation,)
    return tuple(_secret(ports, workspace, webhook.uid, each) for each in generations)


def _secret(ports: Ports, workspace: WorkspaceUid, uid: str, generation: int) -> str:
    said = f"webhook\x1f{workspace}\x1f{uid}\x1f{generation}".encode()
    return "whsec_" + base64.b64encode(hmac.new(ports.secret(), said, hashlib.sha256).digest()).decode()
