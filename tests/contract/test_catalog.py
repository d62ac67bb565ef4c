"""Contract of `ports.Catalog`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.aws.catalog import DynamoCatalog
from chalicelib.errors import Conflict, InvalidRequest, NotFound, RetryLater, TooLarge
from chalicelib.model.campaign import Campaign
from chalicelib.model.channel import Channel
from chalicelib.model.flow import Flow, FlowStatus
from chalicelib.model.flow_configuration import FlowConfiguration
from chalicelib.ports import Catalog, Page
from tests.contract.conftest import Backend
from tests.contract.documents import NOON, W1, W2, build_campaign, build_flow


def read_all(read: Callable[[str | None], Page[Flow]]) -> list[list[str]]:
    """Return the uids of all pages of a list."""
    pages, cursor = [], None
    while True:
        page = read(cursor)
        pages.append([document.uid for document in page.items])
        cursor = page.cursor
        if cursor is None:
            return pages


# ---- add, find, get ----


def test_a_document_comes_back_as_it_was_stored(catalog: Catalog) -> None:
    campaign = build_campaign()
    flow = build_flow("f1").model_copy(
        update={
            "expanded_chunks": (0, 2),
            "queued_at": NOON,
            "configuration": FlowConfiguration(pause_between_contacts_ms=2000, max_concurrent_messages=2),
        }
    )
    catalog.add(W1, campaign)
    catalog.add(W1, flow)
    assert catalog.find(W1, Campaign, "c1") == campaign
    assert catalog.get(W1, Flow, "f1") == flow


def test_what_is_not_there_is_none_or_not_found(catalog: Catalog) -> None:
    assert catalog.find(W1, Flow, "f1") is None
    with pytest.raises(NotFound, match="Flow f1 was not found"):
        catalog.get(W1, Flow, "f1")


def test_many_are_found_at_once_and_those_that_are_missing_are_left_out(catalog: Catalog) -> None:
    for number in range(5):
        catalog.add(W1, build_flow(f"f{number}"))
    catalog.add(W2, build_flow("foreign"))
    found = catalog.find_many(W1, Flow, ["f1", "f3", "f3", "foreign", "gone"])
    assert found == {"f1": build_flow("f1"), "f3": build_flow("f3")}
    assert catalog.find_many(W1, Campaign, ["f1"]) == {}
    assert catalog.find_many(W1, Flow, []) == {}


def test_a_taken_uid_is_a_conflict_even_for_the_same_document(catalog: Catalog) -> None:
    catalog.add(W1, build_flow("f1"))
    with pytest.raises(Conflict, match="Flow f1 already exists"):
        catalog.add(W1, build_flow("f1"))
    with pytest.raises(Conflict):
        catalog.add(W1, build_flow("f1", minutes=5), under=(Campaign, "c1"))
    assert catalog.children(W1, Campaign, "c1", Flow, 10, None).items == ()


def test_kinds_and_workspaces_do_not_see_each_other(catalog: Catalog) -> None:
    catalog.add(W1, build_flow("same"))
    catalog.add(W1, build_campaign("same"))
    catalog.add(W2, build_flow("same", minutes=3))
    catalog.remove(W2, Flow, "same")
    assert catalog.get(W1, Flow, "same").created_at == NOON
    assert catalog.get(W1, Campaign, "same").name == "Spring sale"
    assert catalog.find(W2, Flow, "same") is None


def test_one_of_many_racing_adds_wins(catalog: Catalog, backend: Backend) -> None:
    backend.skip_on("moto", "it is not safe for threads: a failing transaction loses concurrent writes")

    def add(number: int) -> bool:
        try:
            catalog.add(W1, build_flow("f1", minutes=number))
        except (Conflict, RetryLater):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(8))) == 1


def test_a_document_that_no_item_can_hold_is_too_large(catalog: Catalog) -> None:
    with pytest.raises(TooLarge, match="380,000 bytes"):
        catalog.add(W1, build_campaign().model_copy(update={"steps": ("x" * 400_000,)}))
    assert catalog.find(W1, Campaign, "c1") is None
    catalog.add(W1, build_campaign())
    with pytest.raises(TooLarge):
        catalog.save(W1, build_campaign().model_copy(update={"steps": ("ü" * 200_000,)}))
    catalog.save(W1, build_campaign().model_copy(update={"steps": ("x" * 370_000,)}))


# ---- save ----


def test_each_save_returns_the_next_rev(catalog: Catalog) -> None:
    catalog.add(W1, build_flow("f1"))
    first = catalog.save(W1, catalog.get(W1, Flow, "f1").model_copy(update={"description": "one"}))
    second = catalog.save(W1, first.model_copy(update={"description": "two"}))
    assert (first.rev, second.rev) == (1, 2)
    assert catalog.get(W1, Flow, "f1") == second


def test_of_two_writers_one_wins(catalog: Catalog) -> None:
    catalog.add(W1, build_flow("f1"))
    mine = theirs = catalog.get(W1, Flow, "f1")
    catalog.save(W1, mine.model_copy(update={"description": "mine"}))
    with pytest.raises(Conflict, match="Flow f1 was changed by another request"):
        catalog.save(W1, theirs.model_copy(update={"description": "theirs"}))
    assert catalog.get(W1, Flow, "f1").description == "mine"


def test_the_loser_does_not_undo_what_came_after_its_own_write(catalog: Catalog) -> None:
    catalog.add(W1, build_flow("f1"))
    mine = build_flow("f1").model_copy(update={"description": "mine"})
    saved = catalog.save(W1, mine)
    catalog.save(W1, saved.model_copy(update={"description": "later"}))
    with pytest.raises(Conflict):
        catalog.save(W1, mine)


def test_a_removed_document_cannot_be_saved(catalog: Catalog) -> None:
    with pytest.raises(Conflict):
        catalog.save(W1, build_flow("f1"))
    assert catalog.find(W1, Flow, "f1") is None


def test_a_save_repeated_after_a_lost_answer_counts_as_held(catalog: Catalog) -> None:
    catalog.add(W1, build_flow("f1"))
    changed = build_flow("f1").model_copy(update={"description": "mine"})
    assert catalog.save(W1, changed) == catalog.save(W1, changed)
    assert catalog.get(W1, Flow, "f1").rev == 1


def test_a_save_whose_answer_was_lost_can_be_tried_again(
    catalog: Catalog, backend: Backend, lose_answer: Callable[[Any, str], None]
) -> None:
    backend.skip_on("memory", "there is no answer to lose")
    catalog.add(W1, build_flow("f1"))
    changed = build_flow("f1").model_copy(update={"description": "mine"})
    lose_answer(backend.client("dynamodb"), "PutItem")
    with pytest.raises(RetryLater):
        catalog.save(W1, changed)
    assert catalog.save(W1, changed).rev == 1


def test_an_add_whose_answer_was_lost_is_repeated_by_the_client_without_a_conflict(
    backend: Backend, lose_answer: Callable[[Any, str], None]
) -> None:
    backend.skip_on("memory", "there is no answer to lose")
    backend.skip_on("moto", "it ignores ClientRequestToken")
    client = backend.retrying_client("dynamodb")
    catalog = DynamoCatalog(client, backend.env["CATALOG_TABLE"])
    lose_answer(client, "TransactWriteItems")
    catalog.add(W1, build_flow("f1"), under=(Campaign, "c1"))
    assert catalog.get(W1, Flow, "f1").rev == 0


# ---- page ----


def test_a_list_holds_every_document_once_newest_first(catalog: Catalog, backend: Backend) -> None:
    for number in range(backend.many):
        catalog.add(W1, build_flow(f"f{number:03d}", minutes=number // 2))
    catalog.add(W1, build_campaign())
    catalog.add(W2, build_flow("foreign"))
    pages = read_all(lambda cursor: catalog.page(W1, Flow, {}, backend.many * 2 // 5, cursor))
    assert [len(page) * 10 // backend.many for page in pages] == [4, 4, 2]
    assert [uid for page in pages for uid in page] == [f"f{number:03d}" for number in reversed(range(backend.many))]


def test_a_filtered_list_has_full_pages_and_misses_nothing(catalog: Catalog, backend: Backend) -> None:
    for number in range(backend.many):
        status = FlowStatus.RUNNING if number % 7 == 0 else FlowStatus.PAUSED
        catalog.add(W1, build_flow(f"f{number:03d}", number, status, campaign=f"c{number % 2}"))
    wanted = [f"f{number:03d}" for number in reversed(range(backend.many)) if number % 14 == 0]
    pages = read_all(lambda cursor: catalog.page(W1, Flow, {"status": "running", "campaignUid": "c0"}, 4, cursor))
    assert [len(page) for page in pages[:-1]] == [4] * (len(pages) - 1)
    assert len(pages) == -(-len(wanted) // 4)
    assert [uid for page in pages for uid in page] == wanted


def test_a_page_that_takes_all_has_no_cursor(catalog: Catalog) -> None:
    for number in range(3):
        catalog.add(W1, build_flow(f"f{number}", number))
    assert len(catalog.page(W1, Flow, {}, 3, None).items) == 3
    assert catalog.page(W1, Flow, {}, 3, None).cursor is None
    assert catalog.page(W1, Flow, {"status": "running"}, 3, None) == Page((), None)


def test_a_document_that_comes_or_goes_between_pages_moves_no_other(catalog: Catalog) -> None:
    for number in range(6):
        catalog.add(W1, build_flow(f"f{number}", number))
    first = catalog.page(W1, Flow, {}, 2, None)
    catalog.add(W1, build_flow("f9", 9))
    catalog.remove(W1, Flow, "f4")
    second = catalog.page(W1, Flow, {}, 2, first.cursor)
    assert [flow.uid for flow in first.items + second.items] == ["f5", "f4", "f3", "f2"]


def test_a_filter_between_stars_matches_a_part(catalog: Catalog) -> None:
    for uid, name in (("a", "Spring sale"), ("b", "Late spring"), ("c", "Summer"), ("d", "*")):
        catalog.add(W1, build_campaign(uid, name))

    def found(name: str) -> set[str]:
        return {campaign.uid for campaign in catalog.page(W1, Campaign, {"name": name}, 10, None).items}

    assert found("*spring*") == {"a", "b"}
    assert found("spring sale") == {"a"}
    assert found("spring") == set()
    assert found("*") == {"d"}


def test_a_save_moves_the_document_to_its_new_marks(catalog: Catalog) -> None:
    catalog.add(W1, build_flow("f1"))
    catalog.save(W1, build_flow("f1", status=FlowStatus.PAUSED))
    assert [flow.rev for flow in catalog.page(W1, Flow, {"status": "paused"}, 10, None).items] == [1]
    assert catalog.page(W1, Flow, {"status": "draft"}, 10, None).items == ()


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!", "bm90IGpzb24", "W10", "eyJwayI6IDF9", "ünï", "e30", "eyJwayI6eyJTIjoiXHVkODAwIn19"]
)
def test_a_cursor_that_is_none_is_an_invalid_request(catalog: Catalog, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        catalog.page(W1, Flow, {}, 10, cursor)
    with pytest.raises(InvalidRequest):
        catalog.children(W1, Campaign, "c1", Flow, 10, cursor)


def test_a_cursor_of_another_list_is_an_invalid_request(catalog: Catalog) -> None:
    for number in range(3):
        catalog.add(W1, build_flow(f"f{number}", number), under=(Campaign, "c1"))
    page, children = catalog.page(W1, Flow, {}, 1, None), catalog.children(W1, Campaign, "c1", Flow, 1, None)
    assert page.cursor
    assert children.cursor
    for workspace, kind in ((W2, Flow), (W1, Channel)):
        with pytest.raises(InvalidRequest):
            catalog.page(workspace, kind, {}, 1, page.cursor)
    with pytest.raises(InvalidRequest):
        catalog.page(W1, Flow, {}, 1, children.cursor)
    for workspace, parent, kind in ((W2, "c1", Flow), (W1, "c2", Flow), (W1, "c1", Channel)):
        with pytest.raises(InvalidRequest):
            catalog.children(workspace, Campaign, parent, kind, 1, children.cursor)


# ---- children ----


def test_children_are_listed_newest_first_each_once(catalog: Catalog, backend: Backend) -> None:
    for number in range(backend.many):
        catalog.add(W1, build_flow(f"f{number:03d}", minutes=number // 2), under=(Campaign, "c1"))
    catalog.add(W1, build_flow("other"), under=(Campaign, "c2"))
    catalog.add(W1, build_flow("none"))
    pages = read_all(lambda cursor: catalog.children(W1, Campaign, "c1", Flow, backend.many * 2 // 5, cursor))
    assert [len(page) * 10 // backend.many for page in pages] == [4, 4, 2]
    assert [uid for page in pages for uid in page] == [f"f{number:03d}" for number in reversed(range(backend.many))]
    assert catalog.children(W1, Campaign, "c1", Channel, 10, None).items == ()


def test_children_are_read_as_they_are_now_and_removed_ones_are_gone(catalog: Catalog) -> None:
    for number in range(3):
        catalog.add(W1, build_flow(f"f{number}", number), under=(Campaign, "c1"))
    catalog.save(W1, build_flow("f0", 0, FlowStatus.PAUSED))
    catalog.remove(W1, Flow, "f1")
    found = catalog.children(W1, Campaign, "c1", Flow, 10, None).items
    assert [(flow.uid, flow.status, flow.rev) for flow in found] == [("f2", "draft", 0), ("f0", "paused", 1)]


def test_a_child_saved_since_still_takes_its_pointer_with_it(catalog: Catalog) -> None:
    catalog.add(W1, build_flow("f1"), under=(Campaign, "c1"))
    catalog.save(W1, build_flow("f1"))
    catalog.remove(W1, Flow, "f1")
    catalog.add(W1, build_flow("f1"))
    assert catalog.children(W1, Campaign, "c1", Flow, 10, None).items == ()
