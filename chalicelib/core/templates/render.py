"""Render templates: compile their sources, resolve their variables, and produce the text of each field."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

from minijinja import Environment, TemplateError
from pydantic import JsonValue
from pydantic.alias_generators import to_snake

from chalicelib.core.templates.sandbox import (
    MAX_OUTPUT_BYTES,
    MAX_TEXT,
    RenderBudgetExceeded,
    build_environment,
    render_budget,
)
from chalicelib.core.templates.source_guard import SourceFault, guard_source
from chalicelib.errors import GiveUp, Problem
from chalicelib.model.contact import Contact
from chalicelib.model.template import MAX_SOURCE_BYTES, ParameterStrategy, TemplateVersion

#: Number of compiled contents that one process caches.
COMPILED_KEPT = 128
_ONE_LINE = ("subject", "from", "reply")
#: The two names that may stand before a dot. Any other variable is plain.
_EVENT, _CONTACT = "event", "contact"
#: Fields of a contact that a template may use.
_CONTACT_FIELDS = frozenset({"uid", "external_id", "email", "phone", "first_name", "last_name", "locale", "timezone"})
_NO_LINKS: Mapping[str, str] = MappingProxyType({})


class ParameterSources(Protocol):
    """The fields of a SEND step that say how variables get their values."""

    @property
    def parameter_strategy(self) -> ParameterStrategy:
        """Strategy, which decides whether contact and event are read."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Chain of sources by variable."""

    @property
    def parameter_defaults(self) -> Mapping[str, str | int | float | bool]:
        """Default values, which override those of the template."""


@dataclass(frozen=True, slots=True)
class MissingParameter:
    """A variable without a value: the SEND is skipped with `missing_template_parameter`."""

    name: str


@dataclass(frozen=True, slots=True)
class _Compiled:
    environment: Environment
    fields: tuple[str, ...]
    variables: tuple[str, ...]
    optional: frozenset[str]


def check_content(content: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Return the variables that the sources use, and all problems of the sources."""
    problems = []
    for name, source in content.items():
        try:
            _compile_field(build_environment(), name, source)
        except SourceFault as fault:
            problems.append(Problem(f"content.{name}", f"line {fault.line}: {fault.message}"))
    return (() if problems else _compiled(tuple(content.items())).variables), tuple(problems)


def render(version: TemplateVersion, values: Mapping[str, JsonValue]) -> Mapping[str, str]:
    """Return every field as text. Raises GiveUp: `render_failed`, or `missing_template_parameter` inside an event."""
    compiled = _compiled_or_give_up(version.content)
    _check_values(values)
    return {name: _render_field(compiled, name, values) for name in compiled.fields}


def _compiled_or_give_up(content: Mapping[str, str]) -> _Compiled:
    try:
        return _compiled(tuple(content.items()))
    except SourceFault as fault:
        raise GiveUp("render_failed", f"line {fault.line}: {fault.message}") from fault


def _render_field(compiled: _Compiled, name: str, values: Mapping[str, JsonValue]) -> str:
    try:
        with render_budget():
            text: str = compiled.environment.render_template(name, **values)
    except (RenderBudgetExceeded, TypeError, ValueError) as fault:
        reason = fault if isinstance(fault, RenderBudgetExceeded) else "calls a filter with a value of a wrong type"
        raise GiveUp("render_failed", f"{name} {reason}") from fault
    except TemplateError as fault:
        code = "missing_template_parameter" if fault.kind == "UndefinedError" else "render_failed"
        raise GiveUp(code, f"{name}: {_reason(fault)} (line {fault.line})") from fault
    return _checked(name, text)


def _checked(name: str, text: str) -> str:
    if len(text.encode()) > MAX_OUTPUT_BYTES:
        raise GiveUp("render_failed", f"{name} becomes longer than {MAX_OUTPUT_BYTES} bytes")
    if name.lower().startswith(_ONE_LINE) and len(text.splitlines()) > 1:
        raise GiveUp("render_failed", f"{name} must not contain a line break")
    return text


def _reason(fault: TemplateError) -> str:
    """Return the message of the engine without the position and without values, which may be personal data."""
    if fault.kind == "OutOfFuel":
        return "takes too many steps"
    return str(fault.detail or fault.message.partition(" (in ")[0])


@lru_cache(maxsize=COMPILED_KEPT)
def _compiled(content: tuple[tuple[str, str], ...]) -> _Compiled:
    environment = build_environment()
    variables: set[str] = set()
    optional: set[str] = set()
    for name, source in content:
        used, may_miss = _compile_field(environment, name, source)
        variables |= used
        optional |= may_miss
    return _Compiled(environment, tuple(name for name, _ in content), tuple(sorted(variables)), frozenset(optional))


def _compile_field(environment: Environment, name: str, source: str) -> tuple[set[str], frozenset[str]]:
    if len(source.encode(errors="replace")) > MAX_SOURCE_BYTES:
        raise SourceFault(1, f"the text is longer than {MAX_SOURCE_BYTES} bytes")
    guarded = guard_source(source)
    try:
        environment.add_template(name, guarded.source)
        return environment.undeclared_variables_in_str(source, nested=True), guarded.optional
    except TemplateError as fault:
        raise SourceFault(fault.line or 1, _reason(fault)) from fault
    except UnicodeError as fault:
        raise SourceFault(1, "the text is not valid Unicode") from fault


def _check_values(values: Mapping[str, JsonValue]) -> None:
    for name, value in values.items():
        if not _is_short(value):
            raise GiveUp("render_failed", f"The value of {name} is longer than {MAX_TEXT} characters")


def _is_short(value: JsonValue) -> bool:
    return len(value if isinstance(value, str) else repr(value)) <= MAX_TEXT


def resolve_parameters(
    version: TemplateVersion,
    sources: ParameterSources,
    contact: Contact,
    event: Mapping[str, JsonValue] | None = None,
    links: Mapping[str, str] = _NO_LINKS,
) -> Mapping[str, JsonValue] | MissingParameter:
    """Return the value of every variable, or the first one without. `links`: variables that Carillon fills itself."""
    values, missing = resolve_all(version, sources, contact, event, links)
    return MissingParameter(missing[0]) if missing else values


def resolve_all(
    version: TemplateVersion,
    sources: ParameterSources,
    contact: Contact | None,
    event: Mapping[str, JsonValue] | None = None,
    links: Mapping[str, str] = _NO_LINKS,
) -> tuple[Mapping[str, JsonValue], tuple[str, ...]]:
    """Return the available values in the form for `render`, and the names of the missing ones."""
    look = sources.parameter_strategy is ParameterStrategy.USE_CONTACT_ASSOCIATION
    defaults = {**version.parameter_defaults, **sources.parameter_defaults}
    resolver = _Resolver(contact if look else None, (event or {}) if look else {}, defaults)
    may_miss = _compiled_or_give_up(version.content).optional
    values: dict[str, JsonValue] = {}
    missing: list[str] = []
    for name in version.variables:
        if name in links:
            values[name] = links[name]
            continue
        value = resolver.value(name, sources.parameters.get(name) if look else None)
        if _has_value(value):
            _place(values, name, value)
        elif name not in may_miss:
            missing.append(name)
    return values, tuple(missing)


def _has_value(value: JsonValue) -> bool:
    return value is not None and value not in ("", [], {})


def _place(values: dict[str, JsonValue], name: str, value: JsonValue) -> None:
    """Store a value. `event.total` and `event.city` become one mapping; a deeper path is part of its first property."""
    root, _, property_name = name.partition(".")
    if not property_name:
        values[root] = value
        return
    inner = values.setdefault(root, {})
    if isinstance(inner, dict):
        inner[property_name.partition(".")[0]] = value


@dataclass(frozen=True, slots=True)
class _Resolver:
    contact: Contact | None
    event: Mapping[str, JsonValue]
    defaults: Mapping[str, str | int | float | bool]

    def value(self, name: str, chain: str | None) -> JsonValue:
        """Return the value of the first source that has one. Without a chain the name of the variable is the source."""
        for source in chain.split(",") if chain else (name, "default"):
            found = self._look(name, source.strip())
            if _has_value(found):
                return found
        return None

    def _look(self, name: str, source: str) -> JsonValue:
        root, _, rest = source.partition(".")
        if source == "default":
            return self.defaults.get(name.rpartition(".")[2])
        if root == _EVENT:
            return self.event.get(rest.partition(".")[0]) if rest else dict(self.event)
        if self.contact is None:
            return None
        return _contact_value(self.contact, rest if root == _CONTACT else source)


@lru_cache(maxsize=1024)
def _field_of(source: str) -> str:
    """Return the field name. Cached, because it is needed for every variable of every message and takes 10 µs."""
    return to_snake(source)


def _contact_value(contact: Contact, source: str) -> JsonValue:
    field = _field_of(source)
    if field in _CONTACT_FIELDS and (known := getattr(contact, field)):
        return str(known)
    value = contact.attributes.get(source)
    if source == "name" and not value:
        return " ".join(part for part in (contact.first_name, contact.last_name) if part)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
