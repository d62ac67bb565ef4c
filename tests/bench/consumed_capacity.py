"""A meter that adds the consumed capacity to every response, because the emulator reports it only in part."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.aws import usage_meter as usage
from tests.bench.meter import Meter


class Telling(Meter):
    """A meter that writes the units it counts into the response, before other handlers read it."""

    @contextmanager
    def watch(self, *clients: Any) -> Iterator[Meter]:
        """Register the usage handlers after the meter: botocore calls handlers of a longer event name first."""
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
