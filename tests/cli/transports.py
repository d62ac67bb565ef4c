"""The client's wire, without a network: to the API in the test's own process, and with faults on it."""

from collections.abc import Callable, Mapping

from infra.client.calls import Reply
from tests.integration.conftest import Api


class ApiWire:
    """Hands every request to the Chalice app."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        reply = self._api.call(method, path, body or b"", headers)
        return Reply(reply.status, reply.headers, reply.text.encode())


class FaultyWire:
    """Loses answers, or puts others in their place, as it is told; `sent` is all that went through."""

    def __init__(self, wire: ApiWire, faults: Callable[[int], Reply | Exception | None]) -> None:
        self._wire, self._faults = wire, faults
        self.sent: list[tuple[str, str, Mapping[str, str]]] = []

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        self.sent.append((method, path, headers))
        fault = self._faults(len(self.sent))
        if isinstance(fault, Reply):
            return fault
        reply = self._wire.send(method, path, body, headers)
        if fault is not None:
            raise fault
        return reply
