"""Contract of `ports.DocumentVersions`, `ListChunks` and `DocumentSchedule`, and of removal."""

from collections.abc import Callable
from typing import Any, Protocol

import pytest

from chalicelib.errors import Conflict, RetryLater
from chalicelib.model.campaign import Campaign, CampaignVersion
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.ports import Catalog, DocumentSchedule, DocumentVersions, ListChunks
from tests.contract.conftest import Backend
from tests.contract.documents import W1, W2, build_campaign, build_flow, build_version


class CatalogStore(Catalog, DocumentSchedule, DocumentVersions, ListChunks, Protocol):
    """The ports that one adapter implements."""


# ---- versions ----


def test_a_version_and_its_document_are_stored_together(catalog: CatalogStore) -> None:
    catalog.add(W1, build_campaign())
    saved = catalog.add_version(W1, build_campaign().model_copy(update={"latest_version": 1}), 1, build_version(1))
    catalog.add_version(W1, saved.model_copy(update={"latest_version": 2}), 2, build_version(2))
    assert catalog.get(W1, Campaign, "c1").latest_version == 2
    assert catalog.get(W1, Campaign, "c1").rev == 2
    assert catalog.find_version(W1, Campaign, "c1", 1, CampaignVersion) == build_version(1)
    assert catalog.find_version(W1, Campaign, "c1", 3, CampaignVersion) is None
    assert catalog.list_versions(W1, Campaign, "c1", CampaignVersion) == (build_version(2), build_version(1))


def test_versions_are_ordered_by_number(catalog: CatalogStore) -> None:
    catalog.add(W1, build_campaign())
    campaign = build_campaign()
    for number in range(1, 12):
        campaign = catalog.add_version(W1, campaign, number, build_version(number))
    found = catalog.list_versions(W1, Campaign, "c1", CampaignVersion)
    assert [version.version for version in found] == list(range(11, 0, -1))


def test_a_version_of_a_document_that_moved_is_not_stored(catalog: CatalogStore) -> None:
    catalog.add(W1, build_campaign())
    catalog.save(W1, build_campaign())
    with pytest.raises(Conflict):
        catalog.add_version(W1, build_campaign(), 1, build_version(1))
    assert catalog.find_version(W1, Campaign, "c1", 1, CampaignVersion) is None


def test_a_version_is_never_replaced(catalog: CatalogStore) -> None:
    catalog.add(W1, build_campaign())
    saved = catalog.add_version(W1, build_campaign(), 1, build_version(1))
    with pytest.raises(Conflict):
        catalog.add_version(W1, saved, 1, build_version(1).model_copy(update={"name": "Other"}))
    assert catalog.list_versions(W1, Campaign, "c1", CampaignVersion) == (build_version(1),)
    assert catalog.get(W1, Campaign, "c1") == saved


def test_a_version_repeated_after_a_lost_answer_counts_as_held(catalog: CatalogStore) -> None:
    catalog.add(W1, build_campaign())
    changed = build_campaign().model_copy(update={"latest_version": 1})
    first = catalog.add_version(W1, changed, 1, build_version(1))
    assert catalog.add_version(W1, changed, 1, build_version(1)) == first
    assert catalog.get(W1, Campaign, "c1").rev == 1


# ---- chunks ----


def test_a_document_and_its_new_chunks_are_stored_together_or_not_at_all(catalog: CatalogStore) -> None:
    catalog.add(W1, build_flow("f1"))
    grown = build_flow("f1").model_copy(update={"chunks": 2})
    assert catalog.save_with_chunks(W1, grown, {0: ("a",), 1: ("b",)}).rev == 1
    with pytest.raises(Conflict):
        catalog.save_with_chunks(W1, grown, {0: ("c",), 1: ("d",)})
    assert [catalog.get_chunk(W1, Flow, "f1", number) for number in (0, 1)] == [("a",), ("b",)]
    assert catalog.get(W1, Flow, "f1").chunks == 2


def test_chunks_are_kept_by_number_and_replaced(catalog: CatalogStore) -> None:
    catalog.add(W1, build_flow("f1"))
    entries = tuple(f"{number:064d}" for number in range(2_000))
    catalog.put_chunk(W1, Flow, "f1", 0, entries)
    catalog.put_chunk(W1, Flow, "f1", 1, ["old"])
    catalog.put_chunk(W1, Flow, "f1", 1, ["new", ""])
    catalog.put_chunk(W1, Flow, "f1", 2, [])
    assert catalog.get_chunk(W1, Flow, "f1", 0) == entries
    assert catalog.get_chunk(W1, Flow, "f1", 1) == ("new", "")
    assert catalog.get_chunk(W1, Flow, "f1", 2) == ()
    assert catalog.get_chunk(W1, Flow, "f1", 3) == ()
    with pytest.raises(ValueError, match="newline"):
        catalog.put_chunk(W1, Flow, "f1", 3, ["two\nlines"])


# ---- remove ----


def test_removal_takes_versions_chunks_and_pointers_along(catalog: CatalogStore) -> None:
    catalog.add(W1, build_campaign())
    catalog.add_version(W1, build_campaign(), 1, build_version(1))
    assert catalog.find_version(W1, Campaign, "c1", 1, CampaignVersion)
    for number in range(40):
        catalog.put_chunk(W1, Campaign, "c1", number, ["x"])
    catalog.add(W1, build_flow("f1"), under=(Campaign, "c1"))
    catalog.remove(W1, Campaign, "c1")
    assert catalog.find(W1, Campaign, "c1") is None
    assert catalog.find_version(W1, Campaign, "c1", 1, CampaignVersion) is None
    assert catalog.list_versions(W1, Campaign, "c1", CampaignVersion) == ()
    assert {catalog.get_chunk(W1, Campaign, "c1", number) for number in range(40)} == {()}
    assert catalog.children(W1, Campaign, "c1", Flow, 10, None).items == ()
    assert catalog.page(W1, Campaign, {}, 10, None).items == ()
    assert catalog.find(W1, Flow, "f1") is not None


def test_removal_can_be_repeated(catalog: CatalogStore) -> None:
    catalog.add(W1, build_flow("f1"), under=(Campaign, "c1"))
    for _ in range(2):
        catalog.remove(W1, Flow, "f1")
    catalog.remove(W1, Flow, "never was")


def test_a_removal_that_broke_off_is_seen_and_done_again(
    catalog: CatalogStore, backend: Backend, lose_answer: Callable[[Any, str], None]
) -> None:
    backend.skip_on("memory", "its removal is one step")
    catalog.add(W1, build_flow("f1"), under=(Campaign, "c1"))
    catalog.put_chunk(W1, Flow, "f1", 0, ["x"])
    lose_answer(backend.client("dynamodb"), "BatchWriteItem")
    with pytest.raises(RetryLater):
        catalog.remove(W1, Flow, "f1")
    assert catalog.find(W1, Flow, "f1")
    catalog.remove(W1, Flow, "f1")
    assert backend.client("dynamodb").scan(TableName=backend.env["CATALOG_TABLE"])["Items"] == []


# ---- active ----


def test_active_documents_are_found_over_all_workspaces(catalog: CatalogStore) -> None:
    catalog.add(W1, build_flow("draft"))
    catalog.add(W1, build_flow("running", status=FlowStatus.RUNNING))
    catalog.add(W2, build_flow("queued", status=FlowStatus.QUEUED))
    catalog.add(W2, build_flow("started"))
    catalog.save(W2, build_flow("started", status=FlowStatus.RUNNING))
    assert sorted(catalog.list_active(Flow)) == [("w1", "running"), ("w2", "queued"), ("w2", "started")]
    catalog.save(W1, build_flow("running", status=FlowStatus.PAUSED))
    catalog.remove(W2, Flow, "queued")
    assert list(catalog.list_active(Flow)) == [("w2", "started")]
    assert list(catalog.list_active(Campaign)) == []
