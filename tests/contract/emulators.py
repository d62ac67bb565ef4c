"""Where the engine's contract suites run: the fakes in memory, ministack in process, and moto."""

from functools import cache
from typing import Any

from tests.embedded_aws import EmbeddedAws, MotoAws

PLACES = ("memory", "ministack", "moto")


class Place:
    """An empty AWS with everything provisioned."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._aws = _embedded(name)
        self._aws.reset()
        self.names = self._aws.provision()

    def client(self, service: str) -> Any:
        return self._aws.client(service)

    @property
    def heeds_conditions_in_partiql(self) -> bool:
        """moto writes whatever the condition of an UPDATE in PartiQL says."""
        return self.name != "moto"


class Faulty:
    """A client some of whose calls go wrong: `faults` are called with the answer, or with None before the call."""

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
