"""AWS on this machine: ministack, with an outbox for mails, instant long polling and a state saved on a timer."""

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
from infra.local.asgi import Answer, Gone, Receive, Scope, Send, find_header, json_answer, read_body, replay, with_body
from infra.local.aws_queues import RECEIVE, WAKING, Queues
from infra.local.aws_shortcuts import take_shortcuts
from infra.local.aws_state import GetStates, Saver
from infra.local.mail import build_eml, write_eml
from infra.local.paths import RELEASE, SAVE
from infra.local.serve import serve
from infra.local.virtual_time import virtual_now

SEND_EMAIL = "/v2/email/outbound-emails"
IDENTITIES = "/v2/email/identities"
ACCOUNT = "/v2/email/account"
#: Of an account that sends much; a new one has 14 a second, which `ratePerSecond` of a channel can play.
QUOTA = {"Max24HourSend": 5_000_000.0, "MaxSendRate": 500.0}
#: Sent mails that ministack keeps in memory (SES.GetSendQuota counts them); the outbox has them all.
KEPT_MAILS = 1_000
#: Operations that change nothing, by the start of their names.
READING = ("Get", "BatchGet", "TransactGet", "List", "Describe", "Query", "Scan", "Head")

log = logging.getLogger("aws")


class Aws:
    """The ASGI application: ministack with what the local stack adds."""

    def __init__(self, outbox: Path, state: Path) -> None:
        # Imported here: ministack reads its settings from the environment when it is imported.
        self._ministack = importlib.import_module("ministack.app")
        self._ses = importlib.import_module("ministack.services.ses")
        persistence = importlib.import_module("ministack.core.persistence")
        sqs, tables, statements = (
            importlib.import_module(f"ministack.services.{name}") for name in ("sqs", "dynamodb", "_dynamodb_keywords")
        )
        take_shortcuts(sqs, tables, statements)
        self._queues = Queues(self._ministack.app, sqs)
        self._saver = Saver(self._ministack._build_persistence_save_dict, state, persistence)
        self._outbox = outbox
        self._timer: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # Its lifespan calls this at the end. setattr: the module is untyped, and this is no attribute of ours.
        setattr(self._ministack, "save_all", self._save_at_the_end)  # noqa: B010

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._loop = asyncio.get_running_loop()
            self._timer = asyncio.ensure_future(self._saver.run())
            await self._ministack.app(scope, receive, send)
        elif scope["type"] == "http":
            with suppress(Gone):
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
            await self._tell_account(scope, send)
        elif scope["path"] == SAVE:
            saved = await self._saver.save()
            await json_answer(200 if saved else 500, {"saved": saved}).pass_on(send)
        elif scope["path"] == RELEASE:
            self.release()
            await json_answer(200, {}).pass_on(send)
        else:
            await self._ministack.app(scope, receive, send)

    async def _send_email(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The mail is in the outbox before its sender learns that it was accepted."""
        body = await read_body(receive)
        answer = await self._ask_ses(scope, body)
        if answer.status == 400 and b"not verified" in answer.body and await self._believe(scope, json.loads(body)):
            answer = await self._ask_ses(scope, body)
        if answer.status == 200:
            ses_id = json.loads(answer.body)["MessageId"]
            accepted = virtual_now(os.environ)
            write_eml(self._outbox, ses_id, accepted, build_eml(json.loads(body), ses_id, accepted))
            for mails in self._ses._sent_emails.all_values():
                del mails[:-KEPT_MAILS]
        await answer.pass_on(send)

    async def _tell_account(self, scope: Scope, send: Send) -> None:
        told = json.loads((await self._ask_ses(scope, b"")).body)
        await json_answer(200, {**told, "SendQuota": {**told["SendQuota"], **QUOTA}}).pass_on(send)

    async def _ask_ses(self, scope: Scope, body: bytes) -> Answer:
        answer = Answer()
        await self._ministack.app(scope, replay(body), answer.take)
        return answer

    async def _believe(self, scope: Scope, request: dict[str, str]) -> bool:
        """SES sends for verified domains only. The laptop believes everybody: no mail leaves it."""
        domain = parseaddr(request.get("FromEmailAddress", ""))[1].rpartition("@")[2].lower()
        if not domain:
            return False
        body = json.dumps({"EmailIdentity": domain}).encode()
        asked = {**with_body(scope, body), "path": IDENTITIES, "raw_path": IDENTITIES.encode()}
        verified = (await self._ask_ses(asked, body)).status == 200
        if verified:
            orphan.say(f"{domain} may send mails from now on; on AWS it must be verified in SES first")
        return verified

    def _save_at_the_end(self, _states: GetStates) -> None:
        if self._timer is not None:
            self._timer.cancel()
        orphan.say(
            "saved" if self._saver.save_at_the_end() else "could not save; the next start goes on from the last save"
        )


def _changes(method: str, target: str) -> bool:
    if target:
        return not target.rpartition(".")[2].startswith(READING)
    return method not in {"GET", "HEAD", "OPTIONS"}


def main() -> None:
    aws = Aws(Path(os.environ["OUTBOX_DIR"]), Path(os.environ["STATE_DIR"]))
    orphan.begin(aws.release)
    serve(aws)
    sys.stdout.flush()
    # Everything is saved; taking a large state apart object by object would take seconds.
    os._exit(0)


if __name__ == "__main__":
    main()
