"""Routes of the prepaid balance of a workspace."""

from chalice.app import Blueprint

from chalicelib.api.http.endpoint import (
    ApiResponse,
    Call,
    ListQuery,
    NoBody,
    ResponseForm,
    endpoint,
    respond,
    respond_page,
)
from chalicelib.api.responses.balance import (
    BalanceResponse,
    TransactionResponse,
    balance_response,
    transaction_response,
)
from chalicelib.core.billing.top_up import find_balance, set_alerts, set_auto_reload, top_up
from chalicelib.model.balance import Alerts, AutoReload, Balance, TopUp
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.workspace import Scope, Workspace
from chalicelib.ports import Page, Ports

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET /v1/balance", response=BalanceResponse)
def get_balance(call: Call[NoBody, NoBody]) -> ApiResponse[BalanceResponse]:
    """Return the available amount, the amount reserved by flows, and the total."""
    return respond(_response(call.ports, call.workspace, find_balance(call.ports, call.workspace)), "Balance")


@endpoint(
    blueprint,
    "POST /v1/balance/topup",
    response=BalanceResponse,
    status=201,
    scope=Scope.ADMIN,
    body=TopUp,
    idempotent=True,
)
def post_topup(call: Call[TopUp, NoBody]) -> ApiResponse[BalanceResponse]:
    """Top up the balance. Paused flows stay paused."""
    balance = top_up(call.ports, call.workspace, call.body, call.reserved_uid or new_uid())
    return respond(_response(call.ports, call.workspace, balance), "Balance topped up", 201)


@endpoint(blueprint, "GET /v1/balance/auto-reload", response=AutoReload)
def get_auto_reload(call: Call[NoBody, NoBody]) -> ApiResponse[AutoReload]:
    """Return the settings of the automatic reload."""
    return respond(find_balance(call.ports, call.workspace).settings.auto_reload, "Auto-reload")


@endpoint(blueprint, "PUT /v1/balance/auto-reload", response=AutoReload, scope=Scope.ADMIN, body=AutoReload)
def put_auto_reload(call: Call[AutoReload, NoBody]) -> ApiResponse[AutoReload]:
    """Set the automatic reload. It runs at most three times a day and resumes no flow."""
    return respond(set_auto_reload(call.ports, call.workspace, call.body).settings.auto_reload, "Auto-reload set")


@endpoint(blueprint, "PUT /v1/balance/alerts", response=BalanceResponse, scope=Scope.ADMIN, body=Alerts)
def put_alerts(call: Call[Alerts, NoBody]) -> ApiResponse[BalanceResponse]:
    """Set the threshold of the low-balance alert."""
    return respond(
        _response(call.ports, call.workspace, set_alerts(call.ports, call.workspace, call.body)), "Alerts set"
    )


@endpoint(
    blueprint, "GET /v1/balance/transactions", response=TransactionResponse, form=ResponseForm.PAGE, query=ListQuery
)
def list_transactions(call: Call[NoBody, ListQuery]) -> ApiResponse[TransactionResponse]:
    """List ledger entries, newest first. The spend of a flow is recorded by recounts, not per message."""
    page = call.ports.balances.list_entries(call.workspace, call.query.limit, call.cursor)
    currency = call.ports.catalog.get(call.workspace, Workspace, call.workspace).currency
    return respond_page(call, Page(tuple(transaction_response(entry, currency) for entry in page.items), page.cursor))


def _response(ports: Ports, workspace: WorkspaceUid, balance: Balance) -> BalanceResponse:
    return balance_response(balance, ports.catalog.get(workspace, Workspace, workspace).currency)
