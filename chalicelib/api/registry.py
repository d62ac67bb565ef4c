"""The resources of the API. A new one is a module with its blueprint, and a line here."""

from chalicelib.api import (
    audit,
    balance,
    campaigns,
    channels,
    consent,
    contacts,
    docs,
    events,
    exports,
    flows,
    imports,
    keys,
    messages,
    segments,
    system,
    templates,
    webhooks,
)
from chalicelib.api import provider_callbacks as hooks
from chalicelib.api import public_pages as links

RESOURCES = (
    system,
    keys,
    audit,
    channels,
    templates,
    contacts,
    consent,
    links,
    docs,
    hooks,
    imports,
    exports,
    segments,
    events,
    campaigns,
    flows,
    messages,
    webhooks,
    balance,
)
