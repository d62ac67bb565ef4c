"""The resources of the API; adding one is a module with its blueprint and its line here."""

from chalicelib.api import (
    audit,
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
    links,
    messages,
    segments,
    system,
    templates,
)

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
    imports,
    exports,
    segments,
    events,
    campaigns,
    flows,
    messages,
)
