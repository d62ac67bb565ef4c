"""Routes of the prepaid balance of a workspace."""

from chalice.app import Blueprint

from chalicelib.api.http.endpoint import ApiResponse, Call, ListQuery, NoBody, endpoint, respond, respond_page
from chalicelib.core.billing.top_up import find_balance, set_alerts, set_auto_reload, top_up
from chalicelib.model.balance import Alerts, AutoReload, Balance, LedgerEntry, TopUp
from chalicelib.model.base import rfc3339
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.money import write_money
from chalicelib.model.workspace import Scope, Workspace
from chalicelib.ports import Page, Ports

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET /v1/balance")
def get_balance(call: Call[NoBody, NoBody]) -> ApiResponse:
    """What is free, what flows have drawn, and both together."""
    return respond(_show(call.ports, call.workspace, find_balance(call.ports, call.workspace)), "Balance")


@endpoint(blueprint, "POST /v1/balance/topup", scope=Scope.ADMIN, body=TopUp, idempotent=True)
def post_topup(call: Call[TopUp, NoBody]) -> ApiResponse:
    """Credits an amount that was paid; it resumes no flow."""
    balance = top_up(call.ports, call.workspace, call.body, call.reserved_uid or new_uid())
    return respond(_show(call.ports, call.workspace, balance), "Balance topped up", 201)


@endpoint(blueprint, "GET /v1/balance/auto-reload")
def get_auto_reload(call: Call[NoBody, NoBody]) -> ApiResponse:
    """Whether it reloads by itself, when, and by how much."""
    return respond(find_balance(call.ports, call.workspace).settings.auto_reload, "Auto-reload")


@endpoint(blueprint, "PUT /v1/balance/auto-reload", scope=Scope.ADMIN, body=AutoReload)
def put_auto_reload(call: Call[AutoReload, NoBody]) -> ApiResponse:
    """Three reloads a day at most; none of them resumes a flow."""
    return respond(set_auto_reload(call.ports, call.workspace, call.body).settings.auto_reload, "Auto-reload set")


@endpoint(blueprint, "PUT /v1/balance/alerts", scope=Scope.ADMIN, body=Alerts)
def put_alerts(call: Call[Alerts, NoBody]) -> ApiResponse:
    """From when on the balance reads as low."""
    return respond(_show(call.ports, call.workspace, set_alerts(call.ports, call.workspace, call.body)), "Alerts set")


@endpoint(blueprint, "GET /v1/balance/transactions", query=ListQuery)
def list_transactions(call: Call[NoBody, ListQuery]) -> ApiResponse:
    """Newest first; what flows spend is booked when their rows are counted, so not message by message."""
    page = call.ports.balances.list_entries(call.workspace, call.query.limit, call.cursor)
    currency = call.ports.catalog.get(call.workspace, Workspace, call.workspace).currency
    return respond_page(call, Page(tuple(_show_entry(entry, currency) for entry in page.items), page.cursor))


def _show(ports: Ports, workspace: WorkspaceUid, balance: Balance) -> dict[str, object]:
    return {
        "free": write_money(balance.available),
        "reserved": write_money(balance.reserved),
        "total": write_money(balance.available + balance.reserved),
        "currency": ports.catalog.get(workspace, Workspace, workspace).currency,
        "isLow": balance.is_low,
        "alerts": balance.settings.alerts,
    }


def _show_entry(entry: LedgerEntry, currency: str) -> dict[str, object]:
    return {
        "uid": entry.uid,
        "type": entry.kind.value,
        "amount": write_money(entry.units),
        "currency": currency,
        "flowUid": entry.flow or None,
        "note": entry.note or None,
        "at": rfc3339(entry.at),
    }
