"""The local stack as a process: it starts, restarts workers, ends, continues, and explains a failed start."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from infra.local.gateway import Match, Routes
from infra.local.runner import InvalidAnswer, read_failures
from infra.local.virtual_time import continue_from, describe
from tests.e2e.stack import ROOT, Stack, eventually, is_alive


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("stack") / "data", "--sample", "0").wait_until_up()
    yield running
    running.end()


def test_every_process_is_named_in_pids_json(stack: Stack) -> None:
    pids = stack.pids()

    assert set(pids) == {"supervisor", "aws", "providers", "api", "workers", "clock"}
    assert pids["supervisor"] == stack.process.pid
    assert len(pids["workers"]) == 2
    assert all(is_alive(pid) for pid in [pids["aws"], pids["api"], pids["clock"], *pids["workers"]])


def test_the_first_key_is_kept_in_a_file(stack: Stack) -> None:
    assert (stack.data / "key").read_text().strip() in stack.read_log()


def test_health_names_queues_workers_and_clock(stack: Stack) -> None:
    status, body = stack.get("/_local/health")

    assert status == 200
    assert {"api", "StepQueue", "JobQueue", "clock", "worker-1", "worker-2"} <= set(json.loads(body)["up"])


def test_an_unknown_path_is_answered_in_our_shape(stack: Stack) -> None:
    status, body = stack.get("/v1/there/is/nothing/here")

    assert status == 404
    assert set(json.loads(body)) == {"error", "message", "details", "requestId"}


@pytest.mark.parametrize("path", ["/outbox/../key", "/outbox/..%2fkey", "/outbox/%2e%2e/key", "/outbox/.hidden.eml"])
def test_the_outbox_shows_nothing_outside_of_it(stack: Stack, path: str) -> None:
    assert stack.get(path)[0] == 404


def test_an_accepted_mail_is_in_the_outbox_escaped(stack: Stack) -> None:
    ses = stack.aws("sesv2")
    ses.create_email_identity(EmailIdentity="stack.example")

    sent = ses.send_email(
        FromEmailAddress="us@stack.example",
        Destination={"ToAddresses": ["someone@there.example"]},
        Content={"Simple": {"Subject": {"Data": "<b>Hällo</b>"}, "Body": {"Text": {"Data": "<i>ü</i>"}}}},
        EmailTags=[{"Name": "message", "Value": "message-1"}],
    )

    (path,) = (stack.data / "outbox").glob(f"*-{sent['MessageId']}.eml")
    assert b"X-Carillon-Message: message-1" in path.read_bytes()
    assert "&lt;b&gt;Hällo&lt;/b&gt;" in stack.get("/outbox")[1].decode()
    assert "&lt;i&gt;ü&lt;/i&gt;" in stack.get(f"/outbox/{path.name}")[1].decode()


def test_the_local_ses_sends_a_large_flow_without_the_limit_of_a_new_account(stack: Stack) -> None:
    """With the 14 messages/s of a new account, 10,000 mails would take 12 minutes."""
    account = stack.aws("sesv2").get_account()

    assert account["SendQuota"]["MaxSendRate"] >= 500
    assert account["SendQuota"]["Max24HourSend"] >= 1_000_000
    assert account["SendingEnabled"]


@pytest.mark.parametrize("name", ["api", "clock", "worker", "providers", "aws"])
def test_a_killed_process_is_started_again_within_two_seconds(stack: Stack, name: str) -> None:
    def pid() -> int:
        pids = stack.pids()
        return int(pids["workers"][0] if name == "worker" else pids[name] or 0)

    before = pid()
    os.kill(before, signal.SIGKILL)

    after = eventually(lambda: (found := pid()) and found != before and found, 2)
    eventually(stack.is_up, 60)
    assert is_alive(after)
    assert "starting it again" in stack.read_log()
    assert name != "aws" or "restarts from its last save" in stack.read_log()


def test_a_second_supervisor_on_the_same_data_is_refused(stack: Stack) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "infra.local", "--port", "0", "--data", str(stack.data)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert second.returncode == 2
    assert second.stderr.strip().startswith("Another local stack runs on")
    assert stack.is_up()


def refused(*options: str) -> str:
    """Return the message of a start that fails."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.local", *options],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_port_in_use_is_reported(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert refused("--port", port, "--data", str(tmp_path / "data")).startswith(f"Port {port} cannot be used")


def test_data_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert "cannot be used" in refused("--port", "0", "--data", str(tmp_path / "data"))


def test_data_of_a_newer_format_is_reported(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("2\n")
    assert "newer Carillon (format 2" in refused("--port", "0", "--data", str(tmp_path))


def test_a_clean_end_keeps_messages_and_files_for_the_next_start(tmp_path: Path) -> None:
    first = Stack(tmp_path / "data", "--sample", "0", "--workers", "1").wait_until_up()
    sqs, s3 = first.aws("sqs"), first.aws("s3")
    queue = sqs.create_queue(QueueName="kept", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="in flight")
    sqs.receive_message(QueueUrl=queue)
    sqs.send_message(QueueUrl=queue, MessageBody="delayed", DelaySeconds=900)
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    s3.put_object(Bucket=bucket, Key="a/file.csv", Body=b"uid\n")
    key = (first.data / "key").read_text()
    children = [pid for name, pid in first.pids().items() if name not in {"workers", "supervisor"}]

    assert first.end() == 0
    assert not any(map(is_alive, children))

    second = Stack(tmp_path / "data", "--workers", "1", port=first.port)
    try:
        second.wait_until_up()
        counts = second.aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        assert counts["ApproximateNumberOfMessagesNotVisible"] == "1"
        assert counts["ApproximateNumberOfMessagesDelayed"] == "1"
        assert second.aws("s3").get_object(Bucket=bucket, Key="a/file.csv")["Body"].read() == b"uid\n"
        assert (second.data / "key").read_text() == key
    finally:
        assert second.end(signal.SIGINT) == 0


def test_a_killed_supervisor_leaves_no_process_behind(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", "--sample", "0", "--workers", "1").wait_until_up()
    pids = stack.pids()
    children = [pids[name] for name in ("aws", "providers", "api", "clock")] + pids["workers"]

    stack.end(signal.SIGKILL)

    eventually(lambda: not any(map(is_alive, children)), 15)


def test_a_fixed_segment_goes_before_a_parameter() -> None:
    routes = Routes(["/flows/{uid}", "/flows/active", "/flows/{uid}/pause", "/"])

    assert routes.find("/flows/active") == Match("/flows/active", {})
    assert routes.find("/flows/active/pause") == Match("/flows/{uid}/pause", {"uid": "active"})
    assert routes.find("/flows/a%2Fb/") == Match("/flows/{uid}", {"uid": "a/b"})
    assert routes.find("/") == Match("/", {})
    assert routes.find("/flows") is None


def test_two_parameter_names_on_one_level_are_refused_as_by_api_gateway() -> None:
    with pytest.raises(ValueError, match="on one level"):
        Routes(["/flows/{uid}", "/flows/{id}/pause"])


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
    ],
)
def test_only_the_named_messages_fail(answer: object, failed: set[str]) -> None:
    assert read_failures(answer, {"a", "b"}) == failed


@pytest.mark.parametrize(
    "answer",
    ["yes", [], {"batchItemFailures": [{"itemIdentifier": "other"}]}, {"batchItemFailures": [{"id": "a"}]}],
)
def test_an_invalid_answer_deletes_nothing(answer: object) -> None:
    with pytest.raises(InvalidAnswer):
        read_failures(answer, {"a", "b"})


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("speed", [0.5, 1, 60])
def test_the_clock_never_goes_backwards_over_a_restart(speed: float, clean: bool) -> None:
    first = continue_from(None, 60, real=1_000)
    stopped, started = 1_100, 1_400

    second = continue_from(describe(first, seen=stopped, clean=clean), speed, real=started)

    assert second.now(started) >= first.now(stopped) + (started - stopped) - 1e-6
    assert second.now(started + 10) == pytest.approx(second.now(started) + 10 * speed)
