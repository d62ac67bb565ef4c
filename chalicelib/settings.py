"""Settings of a process, read from environment variables."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Text = Annotated[str, Field(min_length=1)]


class UnusableEnvironment(Exception):
    """The process cannot start. The message names the variables that are missing or invalid."""


class Settings(BaseModel):
    """The settings. Each field is an environment variable, named by the alias or else by the field, in upper case."""

    model_config = ConfigDict(frozen=True, validate_by_name=True)

    catalog_table: Text
    contacts_table: Text
    executions_table: Text
    timers_table: Text
    step_queue_url: Text
    job_queue_url: Text
    event_queue_url: Text
    receipt_queue_url: Text
    webhook_queue_url: Text
    #: The variable keeps its first name, because deployed functions have it.
    webhook_scheduler_url: Annotated[Text, Field(alias="webhook_desk_url")]
    files_bucket: Text
    #: Name or ARN in Secrets Manager of the secret that signs cursors and hashes API keys.
    signing_secret_id: Text
    stage: Text = "prod"
    #: URL of the API, without a slash at the end. Links in responses and mails begin with it.
    public_url: str = ""
    #: Prefix of the secrets that channels name: `<folder>/<workspace>/<name>`.
    secrets_folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "carillon"
    #: Base URLs of the providers. The local stack replaces them with its local providers.
    twilio_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] = "https://api.twilio.com"
    meta_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+$")] = "https://graph.facebook.com"
    #: `host:port,…` of internal webhook receivers, which may use http and private addresses.
    webhook_allowed: Annotated[str, Field(pattern=r"^[a-z0-9.:,\[\]-]*$")] = ""
    #: Requests per minute that one API key may make.
    calls_a_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 3_000
    #: Folder where the `console` channel writes its messages as files. Local stack only.
    outbox_dir: str | None = None
    #: Speed of the engine's clock relative to the real clock, and a pair of equal times of both, in epoch seconds.
    clock_speed: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    clock_real_anchor: float = 0.0
    clock_virtual_anchor: float = 0.0


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises UnusableEnvironment for missing and invalid variables."""
    names = [field.alias or name for name, field in Settings.model_fields.items()]
    known = {name: environment[name.upper()] for name in names if name.upper() in environment}
    try:
        return Settings.model_validate(known)
    except ValidationError as error:
        raise UnusableEnvironment(_sentence(error)) from error


def _sentence(error: ValidationError) -> str:
    missing = [str(e["loc"][0]).upper() for e in error.errors() if e["type"] == "missing"]
    wrong = [f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors() if e["type"] != "missing"]
    lacking = [f"Missing environment variables: {', '.join(missing)}"] if missing else []
    return "; ".join(lacking + wrong) + "."


@cache
def settings() -> Settings:
    """Return the settings of this process."""
    return read_settings(os.environ)


def allowed_origin(environment: Mapping[str, str]) -> str:
    """Return the origin that may call the API from a browser (CORS).

    Any origin by default: a page must send a key explicitly, and no cookie is sent automatically.
    """
    return environment.get("CORS_ORIGIN") or "*"
