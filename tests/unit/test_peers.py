"""The comparison with other systems: what it adds up, what it refuses, and what it calls a double."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.peers import servers, table
from tests.bench.peers.contestants import Outcome, count_messages, peers
from tests.bench.peers.processes import cpu_seconds

CONTACTS = 500  # Three thousand steps.
OURS = {"store-1": 30.0, "launcher": 3.0, "clock": 3.0, "worker-1": 12.0, "worker-2": 12.0}
THEIRS = {"store-1": 6.0, "store-2": 3.0, "launcher": 1.0, "worker-1": 20.0, "worker-2": 30.0}


def test_a_figure_is_the_median_of_the_rounds_by_1000_steps() -> None:
    rounds = [{"ours": {**OURS, "worker-1": seconds}} for seconds in (12.0, 15.0, 300.0)]
    figures = table.summarise(rounds, CONTACTS)["ours"]
    assert (figures["workers"], figures["launcher"], figures["store"], figures["all"]) == (9, 2, 10, 21)
    assert (figures["lowest"], figures["highest"]) == (20, 116)


def test_a_ratio_is_above_one_where_carillon_takes_less() -> None:
    found = table.summarise([{"ours": OURS, "theirs": THEIRS}], CONTACTS)
    assert table.ratios(found, "ours", ["theirs"])["theirs"] == {
        "without emulator": 2.0,
        "with emulator": 1.0,
        "without stores": 1.7,
    }


def test_work_of_children_counts_also_after_their_end() -> None:
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    before = cpu_seconds({"us": os.getpid()})["us"]
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert cpu_seconds({"us": os.getpid()})["us"] - before >= 0.4  # The kernel rounds to ticks.


def test_a_second_file_of_a_message_is_a_double(tmp_path: Path) -> None:
    for name in ("flow.ann.one.1.json", "flow.ann.two.1.json", "flow.ann.two.1.2.json", ".draft"):
        (tmp_path / name).touch()
    assert count_messages(tmp_path) == (3, 1)


@pytest.mark.parametrize("outcome", [(9, 20, 0), (10, 19, 0), (10, 20, 1)])
def test_a_run_that_lost_or_doubled_something_has_no_figures(outcome: tuple[int, int, int]) -> None:
    with pytest.raises(RuntimeError, match="instead of"):
        Outcome({}, *outcome).check(10)


def test_every_peer_runs_with_a_strict_and_a_lenient_durability() -> None:
    kept: dict[str, set[str]] = {}
    for peer in peers():
        kept.setdefault(peer.name, set()).add(peer.durability)
    assert {name: len(settings) for name, settings in kept.items()} == dict.fromkeys(kept, 2)
    assert kept.keys() == {"Celery", "Celery with PostgreSQL", "DBOS", "procrastinate"}


def test_what_is_not_installed_is_named_with_its_package() -> None:
    with pytest.raises(servers.Missing, match="apt-get install some-package"):
        servers.find("a-program-that-nobody-has", "some-package")
