"""Seeded bugs that the harness must catch: `python -m tests.faults mutants` tries them all.

A mutant is a change of source text. A separate process applies it while it imports the module.
"""

import importlib.abc
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
#: Exit code when no scenario caught the mutant. Python itself exits with 1 after an error.
SURVIVED = 4


@dataclass(frozen=True)
class Mutant:
    """A seeded bug. `old` occurs exactly once in `file`; the `scenarios` run until one breaks an invariant."""

    name: str
    file: str
    old: str
    new: str
    scenarios: tuple[str, ...]

    @property
    def module(self) -> str:
        return self.file.removesuffix(".py").replace("/", ".")

    def apply(self) -> str:
        """Return the source with the bug. Raise ValueError when the code has changed and the mutant no longer fits."""
        text = (ROOT / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(
                f"{self.name}: {self.file} must contain the text to replace once, not {text.count(self.old)} times"
            )
        return text.replace(self.old, self.new)


_CORE = "chalicelib/core/"
MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "no_claim",
        f"{_CORE}steps/claims.py",
        "for each, ok in zip(wanted, results, strict=True) if ok]\n    return",
        "for each, ok in zip(wanted, results, strict=True)]\n    return",
        ("send",),
    ),
    Mutant(
        "undecided_claims_kept",
        f"{_CORE}steps/deliver.py",
        "        delivery.release_uncertain(claims.uncertain)\n",
        "        pass\n",
        ("send",),
    ),
    Mutant(
        "receipt_during_recount_forgotten",
        f"{_CORE}reconciliation/finish_recount.py",
        "if not totals.open and has_changed(ports, done):",
        "if not totals:",
        ("late_receipt",),
    ),
    Mutant("no_sequence_check", "tests/memory/executions.py", "stored.seq == expect.seq and ", "", ("wait",)),
    Mutant(
        "no_reenqueue",
        f"{_CORE}reconciliation/finish_recount.py",
        "if totals.overdue and flow.status",
        "if not flow and flow.status",
        ("wait",),
    ),
    Mutant(
        "no_sweeper",
        f"{_CORE}reconciliation/watch_flows.py",
        "acted += _watch(ports, workspace, flow)",
        "pass",
        ("send",),
    ),
    Mutant(
        "statistics_twice",
        f"{_CORE}steps/batch_result.py",
        "self.counters.update(difference(before, after))",
        "self.counters.update(difference(before, after) + difference(before, after))",
        ("send",),
    ),
    Mutant(
        "recount_twice",
        f"{_CORE}reconciliation/recount_flow.py",
        "totals.counters.update(counters_of(timed))",
        "totals.counters.update(counters_of(timed) + counters_of(timed))",
        ("send",),
    ),
    Mutant(
        "provider_retries",
        f"{_CORE}steps/deliver.py",
        "        return delivery.batch.plan.channel_types[message.channel.type].send(message)\n",
        "        kind = delivery.batch.plan.channel_types[message.channel.type]\n        first = kind.send(message)\n"
        "        return kind.send(message) if isinstance(first, OutcomeUnknown) else first\n",
        ("send",),
    ),
    Mutant(
        "ends_without_counting",
        f"{_CORE}reconciliation/finish_recount.py",
        "if result.is_reconciled and not totals.open and done.enrolment_closed:",
        "if done.enrolment_closed:",
        ("recount",),
    ),
    Mutant(
        "lease_too_short",
        f"{_CORE}steps/admission/base.py",
        "LEASE = timedelta(seconds=45)",
        "LEASE = timedelta(0)",
        ("send",),
    ),
    Mutant(
        "unstable_ab",
        "chalicelib/nodes/ab_test.py",
        "context.contact.uid",
        "context.contact.uid + context.now.isoformat()",
        ("ab_test",),
    ),
    Mutant(
        "pause_unchecked",
        f"{_CORE}steps/claims.py",
        "    if flow is None or flow.status is not FlowStatus.RUNNING:\n",
        "    if flow is None:\n",
        ("pause",),
    ),
    Mutant(
        "contact_not_read_again",
        f"{_CORE}steps/claims.py",
        "    if contact.rev == candidate.contact.rev:\n",
        "    if contact:\n",
        ("opt_out",),
    ),
    Mutant(
        "sends_not_registered",
        f"{_CORE}steps/admission/base.py",
        "epoch, batch.uid, count, until)",
        "epoch, batch.uid, 0, until)",
        ("pause",),
    ),
    Mutant(
        "event_enters_twice",
        "chalicelib/core/events/entry_rules.py",
        "if each.cause and each.cause.event == event.id",
        "if False",
        ("re_entry_double",),
    ),
    Mutant(
        "event_finished_too_early",
        f"{_CORE}events/ingest_events.py",
        "    entered = sum(\n",
        "    ports.events.finish(workspace, unprocessed)\n    entered = sum(\n",
        ("event",),
    ),
    Mutant(
        "schedule_not_moved_with_its_flow",
        f"{_CORE}launching/start_scheduled.py",
        "return store_and_start(ports, workspace, flow, unique, [after])",
        "flow = flow.model_copy(update={'uid': uid_at(ports.clock.now(), str(id(flow)))})\n"
        "    started = store_and_start(ports, workspace, flow, unique, [])\n"
        "    ports.catalog.save(workspace, after)\n    return started",
        ("scheduled",),
    ),
    Mutant(
        "key_ignored",
        f"{_CORE}launching/trigger_campaign.py",
        "flow_uid = _reserve(ports, workspace, uid, request.idempotency_key)",
        "flow_uid = new_uid()",
        ("api",),
    ),
    Mutant(
        "lost_claim_sent_again",
        "chalicelib/core/steps/apply_send_result.py",
        'return _response_lost(execution, replace(attempt, cost=cost), "worker_lost")',
        "return execution",
        ("send",),
    ),
    Mutant(
        "one_attempt_too_many",
        "chalicelib/core/steps/apply_send_result.py",
        "if execution.attempt >= attempt.configuration.max_retries:",
        "if execution.attempt > attempt.configuration.max_retries:",
        ("refusals",),
    ),
    Mutant(
        "channel_fails_contacts",
        "chalicelib/core/steps/apply_send_result.py",
        "        case ChannelFailure() | AccountUnpaid() | TransientFailure(unreached=True):\n",
        "        case ChannelFailure(code=code):\n"
        "            return _fail(execution, attempt, code)\n        case None:\n",
        ("channel_fault",),
    ),
    Mutant(
        "lost_response_not_charged",
        "chalicelib/core/steps/apply_send_result.py",
        "replace(again, answer_lost=True, paid=cost)",
        "replace(again, answer_lost=True)",
        ("balance_resend",),
    ),
    Mutant(
        "wait_cut_short",
        "chalicelib/core/steps/interpreter.py",
        "waiting=True, due=until",
        "waiting=True, due=context.now + (until - context.now) / 2",
        ("wait",),
    ),
    Mutant(
        "events_not_published",
        f"{_CORE}contacts/store_with_events.py",
        "        ports.event_queue.send(workspace, [event for _, event in entries])\n",
        "        del workspace, entries\n",
        ("contact_event",),
    ),
    Mutant(
        "retry_twice",
        f"{_CORE}flows/find_retried.py",
        "theirs.overlaps(ours[theirs.flow_uid])",
        "False",
        ("operator_retry",),
    ),
)
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from its source with a bug."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant, self._text = mutant, mutant.apply()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> object:
        if name != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(name, self, origin=str(ROOT / self._mutant.file))

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._text, f"{self._mutant.file} with {self._mutant.name}", "exec"), module.__dict__)


def install_mutant(name: str) -> None:
    """Make this process run with the bug. Call it before the code under test is imported."""
    sys.meta_path.insert(0, _Finder(BY_NAME[name]))


def hunt(name: str) -> str | None:
    """Try a mutant in a separate process. Return the violation that caught it, or None when it survived."""
    command = [sys.executable, "-m", "tests.faults", "hunt", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in {0, SURVIVED}:
        raise RuntimeError(f"the mutant {name} could not be tried: {done.stderr[-2000:]}")
    return done.stdout.strip() or None
