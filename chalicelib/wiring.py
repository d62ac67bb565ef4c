"""The composition root: builds the adapter of each port, and AWS clients on first use."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any

import botocore.session
from botocore.config import Config

from chalicelib.aws import usage_meter as usage
from chalicelib.aws.balances import DynamoBalances
from chalicelib.aws.channel_secrets import ChannelSecrets
from chalicelib.aws.circuits import DynamoCircuits
from chalicelib.aws.clock import SystemClock
from chalicelib.aws.consents import DynamoConsents
from chalicelib.aws.contacts import DynamoContacts
from chalicelib.aws.events import DynamoEvents
from chalicelib.aws.executions import DynamoExecutions
from chalicelib.aws.files import S3Files
from chalicelib.aws.outbox_catalog import OutboxCatalog
from chalicelib.aws.pacing_state import DynamoPacing
from chalicelib.aws.queues import SqsEventQueue, SqsJobQueue, SqsReceiptQueue, SqsStepQueue
from chalicelib.aws.rates import DynamoRates
from chalicelib.aws.signing_secret import Secret
from chalicelib.aws.statistics import DynamoStatistics
from chalicelib.aws.timers import DynamoTimers
from chalicelib.aws.usage_limits import DynamoUsageLimits
from chalicelib.aws.webhook_queues import SqsWebhookQueue, SqsWebhookScheduler
from chalicelib.model.worker_memory import WorkerMemory
from chalicelib.ports import Ports
from chalicelib.providers.registry import ChannelTypes, ProviderClients
from chalicelib.providers.webhook_client import SignedWebhookClient
from chalicelib.settings import Settings, settings

#: Name of a service → its client. The type depends on the name, hence Any.
ClientFor = Callable[[str], Any]

#: A fixed user agent. botocore builds its default one for every request, which takes longer than signing it.
_USER_AGENT = "carillon"
#: Calls to the own tables and queues may be retried: every write is conditional or idempotent. Their parameters are
#: built by this code, so botocore need not validate them. With the user agent this saves a quarter of a worker's CPU.
_STORE = Config(
    parameter_validation=False,
    user_agent=_USER_AGENT,
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=50,
)
#: Calls to a provider are never retried by the SDK: a retry after a lost response would send a second message.
_PROVIDER = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=3,
    read_timeout=10,
    max_pool_connections=50,
    user_agent=_USER_AGENT,
)
_PROVIDERS = frozenset({"sesv2", "pinpoint-sms-voice-v2", "socialmessaging", "sns"})

_building = RLock()


@lru_cache
def client_for(service: str) -> Any:
    """Return the client of a service. It is shared by the process."""
    make: Any = _session().create_client
    with _building:  # A session is not safe to share while it builds a client.
        return make(service, config=_PROVIDER if service in _PROVIDERS else _STORE)


@lru_cache
def _session() -> botocore.session.Session:
    """Return a botocore session. boto3 builds the same clients, but its import lengthens each cold start."""
    return botocore.session.get_session()


#: Context manager for workers: counts the AWS usage inside it for the flows that are processed.
metered = usage.metered


class _Lazy:
    """A client that is built on its first call. Each takes 50 ms to build, and no function needs all of them."""

    def __init__(self, service: str, client: ClientFor) -> None:
        self._service, self._build = service, client
        self._watched: object = None

    def __getattr__(self, name: str) -> Any:
        client = self._build(self._service)
        if client is not self._watched:
            usage.watch(client)
            self._watched = client
        return getattr(client, name)


@dataclass(frozen=True, slots=True)
class _Stores:
    """The adapters that implement several ports or that others depend on."""

    clock: SystemClock
    catalog: OutboxCatalog
    contacts: DynamoContacts
    statistics: DynamoStatistics
    balances: DynamoBalances
    files: S3Files
    scheduler: SqsWebhookScheduler


def _build_stores(config: Settings, client: ClientFor) -> _Stores:
    dynamodb = _lazy("dynamodb", client)
    clock = SystemClock(config.clock_speed, config.clock_real_anchor, config.clock_virtual_anchor)
    scheduler = SqsWebhookScheduler(_lazy("sqs", client), config.webhook_scheduler_url)
    return _Stores(
        clock=clock,
        catalog=OutboxCatalog(dynamodb, config.catalog_table, clock, scheduler.schedule),
        contacts=DynamoContacts(dynamodb, config.contacts_table),
        statistics=DynamoStatistics(dynamodb, config.catalog_table, clock),
        balances=DynamoBalances(dynamodb, config.catalog_table),
        files=S3Files(_lazy("s3", client), config.files_bucket),
        scheduler=scheduler,
    )


def build_ports(config: Settings, client: ClientFor = client_for) -> Ports:
    """Build all ports on AWS, or on the service that the clients of `client` connect to."""
    dynamodb, sqs = _lazy("dynamodb", client), _lazy("sqs", client)
    stores = _build_stores(config, client)
    return Ports(
        clock=stores.clock,
        catalog=stores.catalog,
        versions=stores.catalog,
        chunks=stores.catalog,
        schedule=stores.catalog,
        contacts=stores.contacts,
        contact_shards=stores.contacts,
        consents=DynamoConsents(dynamodb, config.contacts_table),
        executions=DynamoExecutions(dynamodb, config.executions_table),
        steps=SqsStepQueue(sqs, config.step_queue_url, config.clock_speed),
        events=DynamoEvents(dynamodb, config.contacts_table),
        event_queue=SqsEventQueue(sqs, config.event_queue_url),
        receipt_queue=SqsReceiptQueue(sqs, config.receipt_queue_url),
        jobs=SqsJobQueue(sqs, config.job_queue_url, config.clock_speed),
        timers=DynamoTimers(dynamodb, config.timers_table),
        statistics=stores.statistics,
        recount_parts=stores.statistics,
        flow_errors=stores.statistics,
        pacing=DynamoPacing(dynamodb, config.catalog_table),
        circuits=DynamoCircuits(dynamodb, config.catalog_table),
        rates=DynamoRates(dynamodb, config.catalog_table),
        balances=stores.balances,
        budgets=stores.balances,
        files=stores.files,
        multipart_files=stores.files,
        usage_limits=DynamoUsageLimits(dynamodb, config.catalog_table),
        webhook_scheduler=stores.scheduler,
        webhook_queue=SqsWebhookQueue(sqs, config.webhook_queue_url),
        webhook_caller=SignedWebhookClient(_read_allowed(config)),
        channel_types=ChannelTypes(_build_edges(config, client)),
        secret=Secret(_lazy("secretsmanager", client), config.signing_secret_id),
        public_url=config.public_url,
        calls_a_minute=config.calls_a_minute,
        memory=WorkerMemory(),
    )


def _build_edges(config: Settings, client: ClientFor) -> ProviderClients:
    secrets = ChannelSecrets(_lazy("secretsmanager", client), _lazy("ssm", client), config.secrets_folder)
    return ProviderClients(
        ses=_lazy("sesv2", client),
        messaging=_lazy("pinpoint-sms-voice-v2", client),
        social=_lazy("socialmessaging", client),
        sns=_lazy("sns", client),
        secrets=secrets,
        outbox=Path(config.outbox_dir) if config.outbox_dir else None,
        public_url=config.public_url,
        twilio_url=config.twilio_url,
        meta_url=config.meta_url,
        webhook_allowed=_read_allowed(config),
    )


def _read_allowed(config: Settings) -> frozenset[str]:
    return frozenset(filter(None, config.webhook_allowed.split(",")))


def _lazy(service: str, client: ClientFor) -> Any:
    return _Lazy(service, client)


@dataclass(slots=True)
class _Process:
    """The ports of this process, built on first use."""

    ports: Ports | None = None


_process = _Process()


def ports() -> Ports:
    """Return the ports of this process, built from its environment. Raises UnusableEnvironment."""
    if _process.ports is None:
        with _building:
            _process.ports = _process.ports or build_ports(settings())
    return _process.ports


def use_ports(chosen: Ports | None) -> None:
    """Replace the ports, as tests do. None: build them from the environment again."""
    _process.ports = chosen
