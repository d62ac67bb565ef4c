"""Fixtures of the adapters under test, and a way to lose the responses of AWS."""

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
    """The backend of an adapter: memory, ministack or moto. `aws` and `env` are empty for memory."""

    name: str
    aws: EmbeddedAws | MotoAws | None = None
    env: dict[str, str] = field(default_factory=dict)

    @property
    def many(self) -> int:
        """Number of entries that fill several pages; fewer on moto, where a transaction takes 15 to 40 ms."""
        return 60 if self.name == "moto" else 250

    def skip_on(self, name: str, reason: str) -> None:
        """Skip the test on an emulator that differs from AWS, with the reason."""
        if self.name == name:
            pytest.skip(reason)

    def client(self, service: str) -> Any:
        assert self.aws
        return self.aws.client(service)

    def retrying_client(self, service: str) -> Any:
        """Return a client that retries as the deployed one does; the other clients of the suites do not retry."""
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
    # moto ignores conditions in PartiQL.
    return DynamoContacts(backend.client("dynamodb"), backend.env["CONTACTS_TABLE"], batched=backend.name != "moto")


@pytest.fixture
def files(backend: Backend) -> Files:
    if not backend.aws:
        return MemoryFiles()
    return S3Files(backend.client("s3"), backend.env["FILES_BUCKET"])


@pytest.fixture
def lose_answer() -> Iterator[Callable[[Any, str], None]]:
    """After `lose_answer(client, "PutItem")`, the next PutItem takes effect, but its response is lost."""
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
