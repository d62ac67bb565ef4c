"""Local AWS: ministack with an outbox for mails, immediate long polling and periodic saves of its state."""

import asyncio
import importlib
import json
import logging
import os
import sys
from contextlib import suppress
from email.utils import parseaddr
from pathlib import Path

from infra.local import orphan
from infra.local.asgi import (
    Answer,
    ClientDisconnected,
    Receive,
    Scope,
    Send,
    find_header,
    json_answer,
    read_body,
    replay,
    with_body,
)
from infra.local.aws_queues import RECEIVE, WAKING, Queues
from infra.local.aws_shortcuts import install_shortcuts
from infra.local.aws_state import GetStates, Saver
from infra.local.mail import build_eml, write_eml
from infra.local.paths import RELEASE, SAVE
from infra.local.serve import serve
from infra.local.virtual_time import virtual_now

SEND_EMAIL = "/v2/email/outbound-emails"
IDENTITIES = "/v2/email/identities"
ACCOUNT = "/v2/email/account"
#: The local SES allows 500 messages/s. A new AWS account allows 14; set a channel's `ratePerSecond` to simulate that.
QUOTA = {"Max24HourSend": 5_000_000.0, "MaxSendRate": 500.0}
#: Sent mails that ministack keeps in memory for SES.GetSendQuota. The outbox stores all mails.
MAX_MAILS_IN_MEMORY = 1_000
#: Name prefixes of operations that only read.
READING = ("Get", "BatchGet", "TransactGet", "List", "Describe", "Query", "Scan", "Head")

log = logging.getLogger("aws")


class Aws:
    """The ASGI application: ministack with what the local stack adds."""

    def __init__(self, outbox: Path, state: Path) -> None:
        # Imported late, because ministack reads its settings from the environment at import.
        self._ministack = importlib.import_module("ministack.app")
        self._ses = importlib.import_module("ministack.services.ses")
        persistence = importlib.import_module("ministack.core.persistence")
        sqs, tables, statements = (
            importlib.import_module(f"ministack.services.{name}") for name in ("sqs", "dynamodb", "_dynamodb_keywords")
        )
        install_shortcuts(sqs, tables, statements)
        self._queues = Queues(self._ministack.app, sqs)
        self._saver = Saver(self._ministack._build_persistence_save_dict, state, persistence)
        self._outbox = outbox
        self._timer: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # The lifespan of ministack calls `save_all` at the end. setattr, because the module is untyped.
        setattr(self._ministack, "save_all", self._save_on_shutdown)  # noqa: B010

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._loop = asyncio.get_running_loop()
            self._timer = asyncio.ensure_future(self._saver.run())
            await self._ministack.app(scope, receive, send)
        elif scope["type"] == "http":
            with suppress(ClientDisconnected):
                await self._serve(scope, receive, send)
        else:
            await self._ministack.app(scope, receive, send)

    def release(self) -> None:
        """End all long polls; may be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._queues.release)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = find_header(scope, b"x-amz-target") or ""
        if target == RECEIVE:
            self._saver.changed |= await self._queues.receive(scope, receive, send)
            return
        self._saver.changed |= _changes(scope["method"], target)
        if target in WAKING:
            await self._queues.send_and_wake(scope, receive, send)
        elif scope["method"] == "POST" and scope["path"] == SEND_EMAIL:
            await self._send_email(scope, receive, send)
        elif scope["method"] == "GET" and scope["path"] == ACCOUNT:
            await self._answer_account(scope, send)
        elif scope["path"] == SAVE:
            saved = await self._saver.save()
            await json_answer(200 if saved else 500, {"saved": saved}).pass_on(send)
        elif scope["path"] == RELEASE:
            self.release()
            await json_answer(200, {}).pass_on(send)
        else:
            await self._ministack.app(scope, receive, send)

    async def _send_email(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write an accepted mail to the outbox before its sender gets the response."""
        body = await read_body(receive)
        answer = await self._call_ses(scope, body)
        if (
            answer.status == 400
            and b"not verified" in answer.body
            and await self._verify_domain(scope, json.loads(body))
        ):
            answer = await self._call_ses(scope, body)
        if answer.status == 200:
            ses_id = json.loads(answer.body)["MessageId"]
            accepted = virtual_now(os.environ)
            write_eml(self._outbox, ses_id, accepted, build_eml(json.loads(body), ses_id, accepted))
            for mails in self._ses._sent_emails.all_values():
                del mails[:-MAX_MAILS_IN_MEMORY]
        await answer.pass_on(send)

    async def _answer_account(self, scope: Scope, send: Send) -> None:
        account = json.loads((await self._call_ses(scope, b"")).body)
        await json_answer(200, {**account, "SendQuota": {**account["SendQuota"], **QUOTA}}).pass_on(send)

    async def _call_ses(self, scope: Scope, body: bytes) -> Answer:
        answer = Answer()
        await self._ministack.app(scope, replay(body), answer.record)
        return answer

    async def _verify_domain(self, scope: Scope, request: dict[str, str]) -> bool:
        """Verify the sender's domain, as SES requires. Every domain is accepted, since no mail leaves this machine."""
        domain = parseaddr(request.get("FromEmailAddress", ""))[1].rpartition("@")[2].lower()
        if not domain:
            return False
        body = json.dumps({"EmailIdentity": domain}).encode()
        verification = {**with_body(scope, body), "path": IDENTITIES, "raw_path": IDENTITIES.encode()}
        verified = (await self._call_ses(verification, body)).status == 200
        if verified:
            orphan.say(f"{domain} is now verified in the local SES; on AWS, verify it in SES before sending")
        return verified

    def _save_on_shutdown(self, _states: GetStates) -> None:
        if self._timer is not None:
            self._timer.cancel()
        orphan.say("saved" if self._saver.save_on_shutdown() else "could not save; the next start uses the last save")


def _changes(method: str, target: str) -> bool:
    if target:
        return not target.rpartition(".")[2].startswith(READING)
    return method not in {"GET", "HEAD", "OPTIONS"}


def main() -> None:
    aws = Aws(Path(os.environ["OUTBOX_DIR"]), Path(os.environ["STATE_DIR"]))
    orphan.begin(aws.release)
    serve(aws)
    sys.stdout.flush()
    # Everything is saved. A normal exit frees a large state object by object, which takes seconds.
    os._exit(0)


if __name__ == "__main__":
    main()
