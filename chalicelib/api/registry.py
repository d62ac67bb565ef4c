"""The resources of the API; adding one is a module with its blueprint and its line here."""

from chalicelib.api import (
    campaigns,
    channels,
    consent,
    contacts,
    events,
    exports,
    flows,
    imports,
    links,
    messages,
    segments,
    system,
    templates,
)

RESOURCES = (
    system,
    channels,
    templates,
    contacts,
    consent,
    links,
    imports,
    exports,
    events,
    campaigns,
    flows,
    messages,
    segments,
)
