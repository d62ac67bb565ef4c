"""Backends of the contract tests: memory, ministack in the same process, and moto."""

from functools import cache
from typing import Any

from tests.embedded_aws import EmbeddedAws, MotoAws

PLACES = ("memory", "ministack", "moto")


class ProvisionedAws:
    """An emulated AWS with empty tables and queues."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._aws = _embedded(name)
        self._aws.reset()
        self.names = self._aws.provision()

    def client(self, service: str) -> Any:
        return self._aws.client(service)

    @property
    def checks_partiql_conditions(self) -> bool:
        """Report whether conditions in PartiQL are checked; moto ignores the condition of an UPDATE."""
        return self.name != "moto"


class FaultyClient:
    """A client with faulty calls. Each of `faults` replaces one call; it receives the real call and the request."""

    def __init__(self, client: Any, *faults: Any) -> None:
        self._client, self._faults, self.calls = client, list(faults), 0

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls += 1
            fault = self._faults.pop(0) if self._faults else None
            return fault(getattr(self._client, name), request) if fault else getattr(self._client, name)(**request)

        return call


@cache
def _embedded(name: str) -> EmbeddedAws | MotoAws:
    return MotoAws() if name == "moto" else EmbeddedAws()
