"""An AWS that says what every request consumed by DynamoDB's rules, where the emulator says it only in part."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.aws import usage_meter as usage
from tests.bench.meter import Meter


class Telling(Meter):
    """A meter that writes what it books into the answer, before those who count by the answer see it."""

    @contextmanager
    def watch(self, *clients: Any) -> Iterator[Meter]:
        """Who counts is put behind the meter: handlers of a longer event are called before those of a shorter one."""
        first, later = ("after-call.dynamodb", "usage-units"), ("after-call", "usage-later")
        with super().watch(*clients):
            for client in clients:
                client.meta.events.unregister(first[0], usage._count_units, unique_id=first[1])
                if client.meta.service_model.service_name == "dynamodb":
                    client.meta.events.register(later[0], usage._count_units, unique_id=later[1])
            yield self
            for client in clients:
                client.meta.events.unregister(later[0], usage._count_units, unique_id=later[1])
                usage.watch(client)

    def _after(self, model: Any, parsed: Any, context: dict[str, Any], **named: Any) -> None:
        before = self._units()
        super()._after(model, parsed, context, **named)
        if model.service_model.service_name == "dynamodb" and "Error" not in parsed:
            parsed["ConsumedCapacity"] = {"CapacityUnits": self._units() - before}

    def _units(self) -> float:
        return self.tally.write_units.total() + sum(self.tally.read_units.values())
