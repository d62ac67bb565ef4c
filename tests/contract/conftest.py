"""The adapters that each suite runs on, and a way to lose AWS's answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from chalicelib.aws.catalog import DynamoCatalog
from chalicelib.aws.contacts import DynamoContacts
from chalicelib.aws.files import S3Files
from chalicelib.ports import Catalog, Contacts, Files
from tests.embedded_aws import EmbeddedAws, MotoAws
from tests.memory.catalog import MemoryCatalog
from tests.memory.contacts import MemoryContacts
from tests.memory.files import MemoryFiles


@cache
def embedded(name: str) -> EmbeddedAws | MotoAws:
    return MotoAws() if name == "moto" else EmbeddedAws()


@dataclass
class Backend:
    """One of memory, ministack, moto; `aws` and `env` are empty in memory."""

    name: str
    aws: EmbeddedAws | MotoAws | None = None
    env: dict[str, str] = field(default_factory=dict)

    @property
    def many(self) -> int:
        """Enough for several pages; fewer on moto, where a transaction takes 15 to 40 ms."""
        return 60 if self.name == "moto" else 250

    def skip_on(self, name: str, reason: str) -> None:
        """For the differences of an emulator, each with its reason."""
        if self.name == name:
            pytest.skip(reason)

    def client(self, service: str) -> Any:
        assert self.aws
        return self.aws.client(service)

    def patient_client(self, service: str) -> Any:
        """A client that tries again as the deployed one does; the suites' own does not."""
        assert self.aws
        return self.aws.session.client(service, config=Config(retries={"total_max_attempts": 3, "mode": "standard"}))


@pytest.fixture(params=["memory", "ministack", "moto"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "memory":
        yield Backend("memory")
        return
    aws = embedded(request.param)
    aws.reset()
    yield Backend(request.param, aws, aws.provision())
    aws.reset()


@pytest.fixture
def catalog(backend: Backend) -> Catalog:
    if not backend.aws:
        return MemoryCatalog()
    return DynamoCatalog(backend.client("dynamodb"), backend.env["CATALOG_TABLE"])


@pytest.fixture
def contacts(backend: Backend) -> Contacts:
    if not backend.aws:
        return MemoryContacts()
    # moto's PartiQL overlooks conditions.
    return DynamoContacts(backend.client("dynamodb"), backend.env["CONTACTS_TABLE"], batched=backend.name != "moto")


@pytest.fixture
def files(backend: Backend) -> Files:
    if not backend.aws:
        return MemoryFiles()
    return S3Files(backend.client("s3"), backend.env["FILES_BUCKET"])


@pytest.fixture
def lose_answer() -> Iterator[Callable[[Any, str], None]]:
    """`lose_answer(client, "PutItem")`: the next such call takes effect and its answer is lost."""
    undo: list[Callable[[], None]] = []

    def plant(client: Any, operation: str) -> None:
        service = client.meta.service_model.service_name
        event, busy = f"before-send.{service}.{operation}", [False]

        def lose(request: Any, **_: Any) -> None:
            if busy[0]:
                return
            busy[0] = True
            client.meta.events.emit_until_response(event, request=request)
            raise ConnectionClosedError(endpoint_url=request.url)

        client.meta.events.register_first(event, lose)
        undo.append(lambda: client.meta.events.unregister(event, lose))

    yield plant
    for each in undo:
        each()
