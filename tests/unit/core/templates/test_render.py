"""Templates render what was meant, say what is wrong, and cannot hurt the worker that renders them."""

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from chalicelib.core.templates.render import MissingParameter, check_content, render, resolve_all, resolve_parameters
from chalicelib.errors import GiveUp
from chalicelib.model.contact import Contact
from chalicelib.model.message import MessageType
from chalicelib.model.template import ParameterStrategy, TemplateVersion

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Sources:
    parameters: Mapping[str, str] = field(default_factory=dict)
    parameter_defaults: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    parameter_strategy: ParameterStrategy = ParameterStrategy.USE_CONTACT_ASSOCIATION


def version(defaults: Mapping[str, str | int | float | bool] | None = None, **content: str) -> TemplateVersion:
    variables, _ = check_content(content)
    return TemplateVersion(
        version=1,
        channel_type="email",
        message_type=MessageType.MESSAGE,
        content=content,
        parameter_defaults=defaults or {},
        variables=variables,
        published_at=NOW,
    )


def contact(**fields: object) -> Contact:
    return Contact.model_validate({"uid": "c1", "created_at": NOW, "updated_at": NOW, **fields})


ANA = contact(
    first_name="Ana",
    last_name="Ruiz",
    email="ana@example.com",
    attributes={"favoriteColor": "teal", "city": "Lima", "joined": date(2024, 2, 29), "likes": ("tea", "jazz")},
)


def written(source: str, **values: object) -> str:
    return render(version(text=source), values)["text"]  # type: ignore[arg-type]  values are what JSON can say


def problem(source: str) -> str:
    variables, problems = check_content({"text": source})
    assert variables == ()
    assert [each.field for each in problems] == ["content.text"]
    return problems[0].message


class TestRendering:
    def test_variables_conditions_loops_and_filters_do_what_jinja_does(self) -> None:
        source = (
            "{# a note #}Hi {{ name|title }}{% if vip %}, dear{% elif true %}!{% endif %}"
            "{%- for item in items if item != 'b' -%} {{ loop.index }}:{{ item }} {%- else %} none{% endfor -%} "
            "{% set total = price|times(2) %}{{ total|decimals(2) }} {{ 'x' ~ name }} "
            "{{ items[0] }} {{ items|join('+') }}"
        )
        assert written(source, name="ana", vip=True, items=["a", "b", "c"], price=1.5) == (
            "Hi Ana, dear1:a2:c3.00 xana a a+b+c"
        )

    def test_raw_text_keeps_its_braces(self) -> None:
        assert written("{% raw %}{{ x }}{% endraw %} {{ '%}' }}") == "{{ x }} %}"

    def test_html_is_escaped_and_text_is_not(self) -> None:
        made = render(version(html="<b>{{ name }}</b>", text="{{ name }}"), {"name": "<i>&"})
        assert made == {"html": "<b>&lt;i&gt;&amp;</b>", "text": "<i>&"}

    def test_nothing_turns_the_escaping_off(self) -> None:
        for source in ("{{ name|safe }}", "{% autoescape false %}{{ name }}{% endautoescape %}"):
            assert check_content({"html": source})[1]

    @pytest.mark.parametrize("name", ["subject", "fromName", "replyTo"])
    @pytest.mark.parametrize("break_", ["\n", "\r", "\r\nBcc: all@example.com", "\u2028"])
    def test_a_line_break_never_reaches_a_header(self, name: str, break_: str) -> None:
        with pytest.raises(GiveUp, match="line break") as caught:
            render(version(**{name: "Hello {{ city }}!"}), {"city": f"Lima{break_}x"})
        assert caught.value.code == "render_failed"

    def test_a_value_inside_an_event_that_is_not_there_counts_as_a_missing_parameter(self) -> None:
        with pytest.raises(GiveUp) as caught:
            written("{{ event.order.total }}", event={"order": {}})
        assert caught.value.code == "missing_template_parameter"

    def test_an_error_never_shows_a_value(self) -> None:
        with pytest.raises(GiveUp) as caught:
            written("{{ name|int }}", name="CANARY")
        assert "CANARY" not in str(caught.value)

    def test_a_failing_filter_is_the_templates_fault_and_not_a_crash(self) -> None:
        for source in ("{{ 'x'|times(2) }}", "{{ 1|decimals('x') }}", "{{ 1|truncate('x') }}", "{{ nope|replace() }}"):
            with pytest.raises(GiveUp):
                written(source, nope="y")


class TestChecking:
    def test_every_problem_is_told_at_once_with_field_and_line(self) -> None:
        _, problems = check_content({"subject": "{{ a", "text": "fine {{ b }}", "html": "\n\n{{ c|nofilter }}"})
        assert [each.field for each in problems] == ["content.subject", "content.html"]
        assert problems[1].message.startswith("line 3: there is no filter nofilter")

    def test_variables_are_listed_with_their_paths(self) -> None:
        variables, problems = check_content(
            {
                "subject": "{{ first_name }}",
                "text": "{{ event.total }}{% for x in likes %}{{ x }}{{ contact.city }}{% endfor %}",
            }
        )
        assert problems == ()
        assert variables == ("contact.city", "event.total", "first_name", "likes")

    @pytest.mark.parametrize(
        "source",
        [
            "{{ a", "{% if a %}", "{% endif %}", "{% for x in y %}{% endif %}", "{{ a %}", "{% if a }}",
            "{# never closed", "{% raw %}", "{{ (a }}", "{{ 'a }}", "{{ a ! b }}", "{% set a %}x{% endset %}",
            "{% set a, b = c %}", "{% %}", "{% for x in y recursive %}{% endfor %}", "{% else %}", "{{ }}",
            "{% if %}{% endif %}", "{{ a b }}", "{{ ü }}", "{% include 'x' %}", "{% extends 'x' %}",
            "{% import 'x' as y %}", "{% macro m() %}{% endmacro %}", "{% call x() %}{% endcall %}",
            "{% filter upper %}{% endfilter %}", "{% with a=b %}{% endwith %}", "{% block x %}{% endblock %}",
            "{% do x() %}", "{{ range(10) }}", "{{ debug() }}", "{{ a.b() }}", "{{ a['b']() }}", "{{ loop(x) }}",
            "{{ {'a': a} }}", "{{ [a, a] }}", "{{ (a, a) }}", "{{ a * 2 }}", "{{ 2 ** 9 }}", "{{ a|map('upper') }}",
            "{{ a|_keep }}", "{{ 'x'|format(1) }}", "{{ 'x' (1) }}",
        ],
    )  # fmt: skip
    def test_what_is_not_the_small_language_is_refused_in_a_sentence(self, source: str) -> None:
        assert problem(source).startswith("line 1: ")

    def test_a_source_longer_than_its_limit_is_refused(self) -> None:
        assert "65536 bytes" in problem("ü" * 32_769)

    def test_a_lone_surrogate_is_refused(self) -> None:
        assert "Unicode" in problem("\ud800")


DEEP = "{{ " + "-" * 20_000 + "1 }}"
BOMBS = {
    "nested loops": "{% for a in x %}" * 9 + "y" + "{% endfor %}" * 9,
    "nested loops that write nothing": "{% for a in x %}" * 9 + "{% if a == 'never' %}{% endif %}" + "{% endfor %}" * 9,
    "a loop over a long raw text": "{% for a in long %}" + "y" * 60_000 + "{% endfor %}",
    "a loop that writes a long text": "{% for a in long %}{{ long }}{% endfor %}",
    "a huge repeat": "{{ 'x' * 50000000 }}",
    "a huge number": "{{ 9|times(999999999999999)|times(999999999999999)|times(99999999999999999) }}",
    "a huge width": "{{ 'x'|indent(99999999) }}",
    "a huge rounding": "{{ 1.5|round(1000000000)|decimals(1000000000) }}" + "{{ long }}" * 17,
    "a huge range": "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "doubling by set": "{% set a = long %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "doubling by set and plus": "{% set a = 'xxxxxxxx' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "doubling in a list": "{% set a = 'x' %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}",
    "doubling by blocks": "{% set a %}x{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40,
    "doubling in a namespace": "{% set n = namespace(s='x') %}{% for i in x %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "chained replace": "{{ 'a'" + "|replace('a', 'aaaaaaaaaa')" * 12 + " }}",
    "replace of nothing": "{{ long|replace('', long) }}",
    "a join by a long text": "{{ long|join(long) }}",
    "many joins": "{{ " + " ~ ".join(["long"] * 5_000) + " }}",
    "work in a condition": "{% for a in long %}{% if (long ~ long ~ long)|upper|lower|title|replace('x', 'y') == a %}"
    "{% endif %}{% endfor %}",
    "deep includes": "{% include 'text' %}",
    "a macro that calls itself": "{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "signs that overflow the parser": DEEP,
    "words that overflow the parser": "{{ " + "not " * 16_000 + "1 }}",
    "brackets": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "a long chain of filters": "{{ long" + "|upper" * 10_000 + " }}",
    "a long path": "{{ long" + ".a" * 30_000 + " }}",
    "deep blocks": "{% if x %}" * 3_000 + "{% endif %}" * 3_000,
    "a long chain of elif": "{% if x %}" + "{% elif x %}" * 5_000 + "{% endif %}",
    "comparisons in a loop": "{% for a in long %}{% for b in long if b|upper|lower|trim == 'z' %}{% endfor %}"
    "{% endfor %}",
}  # fmt: skip


class TestBombs:
    @pytest.mark.parametrize("name", BOMBS)
    def test_a_bomb_ends_in_a_clear_error_within_200_ms(self, name: str) -> None:
        started = time.process_time()
        _, problems = check_content({"text": BOMBS[name]})
        if not problems:
            with pytest.raises(GiveUp) as caught:
                written(BOMBS[name], x=["x"] * 50, long="x" * 16_000)
            assert caught.value.code == "render_failed"
        assert time.process_time() - started < 0.2

    def test_a_long_variable_is_not_rendered(self) -> None:
        with pytest.raises(GiveUp, match="longer than"):
            written("{{ a }}", a="x" * 16_385)

    def test_a_large_honest_template_is_no_bomb(self) -> None:
        source = "".join(f"<p>{{{{ name }}}} number {number}</p>\n" for number in range(2_200))
        assert len(source) > 60_000
        assert written(source, name="Ana").count("Ana") == 2_200

    def test_the_limits_hold_in_a_thread_with_the_usual_stack_too(self) -> None:
        widest = (
            "{{ "
            + "-" * 96
            + "1 }}"
            + "{% if x %}" * 10
            + "{{ "
            + "(" * 40
            + "1"
            + ")" * 40
            + " }}"
            + "{% endif %}" * 10
        )
        code = (
            "import threading; threading.stack_size(256 * 1024)\n"
            "from chalicelib.core.templates.render import check_content\n"
            f"threads = [threading.Thread(target=check_content, args=({{'text': {widest!r}}},)) for _ in range(2)]\n"
            "[t.start() for t in threads]; [t.join() for t in threads]"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestParameters:
    def test_a_chain_is_followed_until_something_has_a_value(self) -> None:
        template = version(text="{{ likes_best }}", defaults={"likes_best": "nothing"})
        for chain, value in (
            ("favoriteColor, favoriteSport, default", "teal"),
            ("favoriteSport, favoriteColor, default", "teal"),
            ("favoriteSport, default", "nothing"),
        ):
            assert resolve_parameters(template, Sources({"likes_best": chain}), ANA) == {"likes_best": value}

    def test_without_a_default_in_its_chain_nothing_left_is_a_missing_parameter(self) -> None:
        template = version(text="{{ sport }}", defaults={"sport": "chess"})
        assert resolve_parameters(template, Sources({"sport": "favoriteSport"}), ANA) == MissingParameter("sport")

    @pytest.mark.parametrize(
        ("source", "value"),
        [
            ("first_name", "Ana"), ("firstName", "Ana"), ("name", "Ana Ruiz"), ("city", "Lima"),
            ("email", "ana@example.com"), ("contact.city", "Lima"), ("contact.firstName", "Ana"),
            ("joined", "2024-02-29"), ("likes", ["tea", "jazz"]),
            ("event.total", 12.5),
        ],
    )  # fmt: skip
    def test_sources_are_fields_attributes_and_event_properties(self, source: str, value: object) -> None:
        template = version(text="{{ it }}")
        assert resolve_parameters(template, Sources({"it": source}), ANA, {"total": 12.5}) == {"it": value}

    def test_an_attribute_called_name_wins_over_first_and_last_name(self) -> None:
        named = contact(first_name="Ana", attributes={"name": "Dr. Ruiz"})
        assert resolve_parameters(version(text="{{ name }}"), Sources(), named) == {"name": "Dr. Ruiz"}

    def test_a_variable_that_is_not_mentioned_means_what_it_is_called_then_the_default(self) -> None:
        template = version(text="{{ city }} {{ sport }} {{ event.total }}", defaults={"sport": "chess"})
        values = resolve_parameters(template, Sources(), ANA, {"total": 3})
        assert values == {"city": "Lima", "sport": "chess", "event": {"total": 3}}
        assert render(template, values) == {"text": "Lima chess 3"}  # type: ignore[arg-type]  asserted above

    def test_the_steps_defaults_win_over_the_templates(self) -> None:
        template = version(text="{{ sport }}", defaults={"sport": "chess"})
        assert resolve_parameters(template, Sources(parameter_defaults={"sport": "go"}), ANA) == {"sport": "go"}

    def test_use_default_does_not_look_at_the_contact(self) -> None:
        template = version(text="{{ city }} {{ first_name }}", defaults={"city": "your city"})
        sources = Sources({"city": "city, default"}, parameter_strategy=ParameterStrategy.USE_DEFAULT)
        assert resolve_all(template, sources, ANA) == ({"city": "your city"}, ("first_name",))

    def test_zero_and_false_are_values_and_the_empty_text_is_none(self) -> None:
        one = contact(attributes={"points": 0, "vip": False, "city": ""})
        template = version(text="{{ points }}{{ vip }}{{ city }}")
        assert resolve_all(template, Sources(), one) == ({"points": 0, "vip": False}, ("city",))

    def test_what_the_text_itself_allows_to_be_missing_is_not_missed(self) -> None:
        template = version(
            text="{{ sport|default('chess') }} {% if club %}{{ club }}{% endif %}{{ x if y is defined else x }}"
        )
        assert resolve_all(template, Sources(), ANA) == ({}, ("x",))
        assert render(template, {"x": 1}) == {"text": "chess 1"}
