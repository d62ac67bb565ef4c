"""What the environment tells a process, read once as a model."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Text = Annotated[str, Field(min_length=1)]


class UnusableEnvironment(Exception):
    """The process cannot start; the message is one sentence that names the variables."""


class Settings(BaseModel):
    """Fields are environment variables in lower case."""

    model_config = ConfigDict(frozen=True)

    catalog_table: Text
    contacts_table: Text
    executions_table: Text
    timers_table: Text
    step_queue_url: Text
    job_queue_url: Text
    event_queue_url: Text
    receipt_queue_url: Text
    webhook_queue_url: Text
    webhook_desk_url: Text
    files_bucket: Text
    #: Name or ARN, in Secrets Manager, of the key that signs cursors and hashes API keys.
    signing_secret_id: Text
    stage: Text = "prod"
    #: Where the API answers, without a slash at the end; what links in answers and mails begin with.
    public_url: str = ""
    #: Folder of the secrets that channels name: `<folder>/<workspace>/<name>`.
    secrets_folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "carillon"
    #: Providers' hosts; a laptop has its own.
    twilio_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] = "https://api.twilio.com"
    meta_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] = "https://graph.facebook.com"
    #: `host:port,…` of webhook receivers of the company's own, which need be neither https nor public.
    webhook_allowed: Annotated[str, Field(pattern=r"^[a-z0-9.:,\[\]-]*$")] = ""
    #: How many calls one API key may make in a minute.
    calls_a_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 3_000
    #: Where the `console` channel also writes its messages as files; the laptop only.
    outbox_dir: str | None = None
    #: The engine's clock may run faster than the real one; it read `virtual` when that read `real` (epoch seconds).
    clock_speed: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    clock_real_anchor: float = 0.0
    clock_virtual_anchor: float = 0.0


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises UnusableEnvironment for what is missing or cannot be read."""
    known = {name: environment[name.upper()] for name in Settings.model_fields if name.upper() in environment}
    try:
        return Settings.model_validate(known)
    except ValidationError as error:
        raise UnusableEnvironment(_sentence(error)) from error


def _sentence(error: ValidationError) -> str:
    missing = [str(e["loc"][0]).upper() for e in error.errors() if e["type"] == "missing"]
    wrong = [f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors() if e["type"] != "missing"]
    said = [f"The environment lacks {', '.join(missing)}"] if missing else []
    return "; ".join(said + wrong) + "."


@cache
def settings() -> Settings:
    """The settings of this process."""
    return read_settings(os.environ)


def allowed_origin(environment: Mapping[str, str]) -> str:
    """Whose pages may call the API (CORS). Any by default: a key is sent by hand, no cookie comes along by itself."""
    return environment.get("CORS_ORIGIN") or "*"
