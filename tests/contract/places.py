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


@cache
def _embedded(name: str) -> EmbeddedAws | MotoAws:
    return MotoAws() if name == "moto" else EmbeddedAws()
