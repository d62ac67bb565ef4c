"""Language rules for the code outside of tests: banned words, and how a docstring begins."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.unit.sources import Module, functions, modules

#: Words of the first versions' private dialect, as patterns of one word → the standard term to use.
BANNED: dict[str, str] = {
    "anew": "again",
    "beforehand": "before, in advance",
    "calm": "idle, quiet period",
    "desk": "local provider, inbox",
    "fates?": "scripted outcome",
    "heed": "apply, respect",
    "hints?": "step message",
    "lest": "so that … not",
    "letters?": "outgoing message",
    "misfires?": "channel failure",
    "news": "events, outbox",
    "purses?": "flow budget",
    "revive[ds]?|reviving": "redrive, re-enqueue",
    "thereby": "so",
    "tidings": "events",
    "trail": "audit entry, change log",
    "upon": "on, after",
    "whatever|whichever|whoever": "any, every",
    "whom": "split the sentence",
    "wish(?:es)?": "request",
}
_BANNED = re.compile(rf"(?:{'|'.join(BANNED)})")
#: The good uses of a banned word: the dead-letter queue of SQS, and a URL parameter of the local webhook.
_EXCUSED = re.compile(r"dead[- _]?letters?|\?fate=", re.IGNORECASE)
#: A docstring that opens with one of these is a clause without a subject and a verb.
CLAUSE_WORDS = frozenset(
    {"as", "by", "for", "from", "how", "in", "of", "that", "those", "to", "what", "when", "where", "whether", "which"}
    | {"who", "whose", "whom", "with", "without"}
)

CHECKED = tuple(module for module in modules() if module.part != "tests")


def _docstrings(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield getattr(node, "lineno", 1), ast.get_docstring(node) or ""


def _names(module: Module) -> Iterator[tuple[int, str]]:
    """Yield the names that the module defines: functions, classes, parameters, variables and attributes."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def _words(text: str) -> list[str]:
    """Split prose or an identifier (`snake_case`, `CamelCase`) into lower-case words."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", _EXCUSED.sub("", text))]


def _id(module: Module) -> str:
    return module.name


@pytest.mark.parametrize("module", CHECKED, ids=_id)
def test_names_and_docstrings_use_no_banned_word(module: Module) -> None:
    found = [
        f"{module.name}:{line} {word}: {text[:80]}"
        for line, text in (*_docstrings(module), *_names(module))
        for word in _words(text)
        if _BANNED.fullmatch(word)
    ]
    assert found == []


@pytest.mark.parametrize("module", CHECKED, ids=_id)
def test_a_docstring_of_a_function_starts_with_a_verb_or_a_noun_phrase(module: Module) -> None:
    found = [
        f"{module.name}:{each.lineno} {docstring[:80]}"
        for each in functions(module)
        if (docstring := ast.get_docstring(each) or "") and docstring.split()[0].rstrip(",:").lower() in CLAUSE_WORDS
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("heed_no", ["heed", "no"]),
        ("TellNews", ["tell", "news"]),
        ("NEWS_SHARDS", ["news", "shards"]),
        ("the dead-letter queue", ["the", "queue"]),
    ],
)
def test_the_check_sees_every_word_of_a_name(text: str, words: list[str]) -> None:
    assert _words(text) == words
