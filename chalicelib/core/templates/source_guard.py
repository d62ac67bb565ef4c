"""Check template sources before the engine compiles them: only a small, safe part of Jinja is allowed.

The fuel limit of minijinja is not enough. Thousands of chained operators overflow the stack of its parser and kill the
process. Doubling a text by `~` in a `set` costs one instruction each time. A loop writes its raw text uncounted.
So only the tags, filters and operators below are allowed, and tags and nesting are bounded. Every expression that binds
or branches passes a guard filter (`_each`, `_keep`, `_test`), which `sandbox` implements.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Names of the guard filters.
EACH, KEEP, TEST = "_each", "_keep", "_test"
FILTERS = frozenset(
    {"abs", "bool", "capitalize", "count", "d", "decimals", "default", "e", "escape", "first", "float", "int", "items"}
    | {"join", "last", "length", "lower", "replace", "reverse", "round", "sort", "string", "times", "title", "trim"}
    | {"truncate", "upper", "urlencode"}
)
TAGS = frozenset({"if", "elif", "else", "endif", "for", "endfor", "set"})
#: Longest tag, in tokens: far above practical templates, far below a stack overflow of the parser.
MAX_TOKENS = 100
#: Joins in one expression: with texts of 16 KiB each this keeps one expression below a few milliseconds.
MAX_JOINS = 16
MAX_NESTING = 10
#: `elif` nests in the syntax tree.
MAX_ELIFS = 50

_RAW = re.compile(r"\{%[-+]?[ \t\r\n]*raw[ \t\r\n]*[-+]?%\}")
_END_RAW = re.compile(r"\{%[-+]?[ \t\r\n]*endraw[ \t\r\n]*[-+]?%\}")
_OPEN = re.compile(r"\{\{|\{%|\{#")
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<end>[-+]?(?:\}\}|%\}))|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|//|==|!=|<=|>=|[-+~/%<>=|.,:()\[\]*])""",
    re.DOTALL,
)
_WORDS = frozenset({"in", "and", "or", "not", "if", "else", "is"})
_DEFAULTS = frozenset({"default", "d"})


class SourceFault(Exception):
    """The source breaks a rule at a line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class _Tag:
    """`{{ … }}` or `{% … %}`; `closing` is where its end mark starts."""

    opening: str
    start: int
    tokens: tuple[_Token, ...]
    closing: int
    end: int

    def __getitem__(self, index: int) -> str:
        """Return the text of a token. Empty outside of the tag."""
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guarded source, and its optional variables (`name|default(…)`, `name is defined`)."""

    source: str
    optional: frozenset[str]


@dataclass(slots=True)
class _Block:
    """An open `if` or `for`; `hole` is the edit that waits for the weight of the loop's text."""

    word: str
    line: int
    elifs: int = 0
    weight: int = 0
    hole: int | None = None


@dataclass(slots=True)
class _Scanner:
    source: str
    edits: list[tuple[int, str]] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=list)
    optional: set[str] = field(default_factory=set)

    def line(self, position: int) -> int:
        return self.source.count("\n", 0, position) + 1

    def fault(self, position: int, message: str) -> SourceFault:
        return SourceFault(self.line(position), message)

    def wrap(self, tokens: tuple[_Token, ...], guard: str) -> None:
        """Puts `( … )|guard` around an expression."""
        self.edits.append((tokens[0].start, "("))
        last = tokens[-1]
        self.edits.append((last.start + len(last.text), f")|{guard}"))


def guard_source(source: str) -> Guarded:
    """Return the guarded source. Raise SourceFault at the first broken rule."""
    walk = _Scanner(source)
    written = 0
    for tag in _tags(walk):
        _count_text(walk, tag.start - written)
        written = tag.end
        _check_expression(walk, tag)
        if tag.opening == "{%":
            _statement(walk, tag)
    if walk.blocks:
        raise SourceFault(walk.blocks[-1].line, f"{{% {walk.blocks[-1].word} %}} has no end")
    return Guarded(_with_edits(source, walk.edits), frozenset(walk.optional))


def _with_edits(source: str, edits: list[tuple[int, str]]) -> str:
    parts, at = [], 0
    for position, text in sorted(edits, key=lambda edit: edit[0]):
        parts += [source[at:position], text]
        at = position
    return "".join([*parts, source[at:]])


def _count_text(walk: _Scanner, length: int) -> None:
    for block in walk.blocks:
        block.weight += length


def _tags(walk: _Scanner) -> Iterator[_Tag]:
    at = 0
    while found := _OPEN.search(walk.source, at):
        if found[0] == "{#":
            at = walk.source.find("#}", found.end()) + 2
            if at == 1:
                raise walk.fault(found.start(), "a comment {# has no end")
        elif raw := _RAW.match(walk.source, found.start()):
            ending = _END_RAW.search(walk.source, raw.end())
            if ending is None:
                raise walk.fault(found.start(), "{% raw %} has no end")
            at = ending.end()
        else:
            tag = _read_tag(walk, found[0], found.start())
            at = tag.end
            yield tag


def _read_tag(walk: _Scanner, opening: str, start: int) -> _Tag:
    at = start + 2
    if walk.source[at : at + 1] in {"-", "+"}:
        at += 1
    tokens: list[_Token] = []
    while found := _TOKEN.match(walk.source, at):
        at = found.end()
        if found.lastgroup == "end":
            _check_ending(walk, opening, found)
            return _Tag(opening, start, tuple(tokens), found.start(), at)
        if found.lastgroup != "space":
            tokens.append(_Token(str(found.lastgroup), found[0], found.start()))
        if len(tokens) > MAX_TOKENS:
            raise walk.fault(start, f"a tag has more than {MAX_TOKENS} words and signs")
    if at >= len(walk.source):
        raise walk.fault(start, f"unexpected end of the text: {opening} is not closed")
    raise walk.fault(at, f"unexpected {walk.source[at]!r} in a tag")


def _check_ending(walk: _Scanner, opening: str, found: re.Match[str]) -> None:
    if found[0].endswith("%}") != (opening == "{%"):
        raise walk.fault(found.start(), f"{opening} is closed by {found[0]}")


def _check_expression(walk: _Scanner, tag: _Tag) -> None:
    joins = depth = 0
    for index, token in enumerate(tag.tokens):
        joins += token.text in {"~", "+"}
        depth += (token.text in {"(", "["}) - (token.text in {")", "]"})
        _check_token(walk, tag, index)
    if joins > MAX_JOINS:
        raise walk.fault(tag.start, f"more than {MAX_JOINS} ~ or + in one tag")
    if depth:
        raise walk.fault(tag.start, "a bracket is not closed")


def _check_token(walk: _Scanner, tag: _Tag, index: int) -> None:
    token, before = tag.tokens[index], tag[index - 1]
    if token.text in {"*", "**"}:
        raise walk.fault(token.start, f"{token.text} is not available; write price|times(2)")
    if token.text == "(" and _is_call(tag, index):
        raise walk.fault(token.start, f"{before} is not a function that templates may call")
    if token.text == "[" and not _is_subscript(tag, index):
        _check_list(walk, tag, index)
    if token.text == "," and not _is_in_call(tag, index):
        raise walk.fault(token.start, "a list is written in square brackets")
    if token.kind == "name":
        _check_name(walk, tag, index)


def _check_name(walk: _Scanner, tag: _Tag, index: int) -> None:
    name, before, after = tag[index], tag[index - 1], tag[index + 1]
    if before == "|" and name not in FILTERS:
        raise walk.fault(tag.tokens[index].start, f"there is no filter {name}; there are {', '.join(sorted(FILTERS))}")
    if (after == "|" and tag[index + 2] in _DEFAULTS) or (
        after == "is" and "defined" in (tag[index + 2], tag[index + 3])
    ):
        walk.optional.add(_path_ending_at(tag, index))


def _path_ending_at(tag: _Tag, index: int) -> str:
    path = tag[index]
    while tag[index - 1] == "." and index >= 2 and tag.tokens[index - 2].kind == "name":
        index -= 2
        path = f"{tag[index]}.{path}"
    return path


def _is_operand(tag: _Tag, index: int) -> bool:
    """Return whether a value ends here. A bracket after it then calls or subscripts it."""
    if index < 0:
        return False
    token = tag.tokens[index]
    return token.kind == "text" or token.text in {")", "]"} or (token.kind == "name" and token.text not in _WORDS)


def _is_statement_word(tag: _Tag, index: int) -> bool:
    return tag.opening == "{%" and index == 0


def _is_call(tag: _Tag, index: int) -> bool:
    if not _is_operand(tag, index - 1) or _is_statement_word(tag, index - 1):
        return False
    return tag[index - 2] not in {"|", "is"} and not (tag[index - 2] == "not" and tag[index - 3] == "is")


def _is_subscript(tag: _Tag, index: int) -> bool:
    return _is_operand(tag, index - 1) and not _is_statement_word(tag, index - 1)


def _check_list(walk: _Scanner, tag: _Tag, index: int) -> None:
    """Lists hold plain values only: lists of lists of variables double with every level."""
    for token in tag.tokens[index + 1 :]:
        if token.text == "]":
            return
        if token.kind not in {"text", "number"} and token.text not in {",", "-"}:
            raise walk.fault(token.start, "a list may hold texts and numbers only")


def _is_in_call(tag: _Tag, index: int) -> bool:
    """Return whether a comma separates filter arguments, list values or loop names."""
    if tag[0] == "for" and "in" not in [token.text for token in tag.tokens[:index]]:
        return True
    depth = 0
    for at in range(index - 1, -1, -1):
        depth += (tag[at] in {")", "]"}) - (tag[at] in {"(", "["})
        if depth < 0:
            return tag[at] == "[" or tag[at - 2] in {"|", "is", "not"}
    return False


def _statement(walk: _Scanner, tag: _Tag) -> None:
    word = tag[0]
    if word not in TAGS:
        raise walk.fault(tag.start, f"{{% {word} %}} is not available; there are {', '.join(sorted(TAGS))}, raw")
    if word in {"if", "for"}:
        _open_block(walk, tag)
    elif word in {"elif", "else"}:
        _branch(walk, tag)
    elif word == "set":
        _set(walk, tag)
    else:
        _close_block(walk, tag)


def _open_block(walk: _Scanner, tag: _Tag) -> None:
    if len(walk.blocks) >= MAX_NESTING:
        raise walk.fault(tag.start, f"if and for are nested deeper than {MAX_NESTING}")
    block = _Block(tag[0], walk.line(tag.start))
    walk.blocks.append(block)
    if tag[0] == "if":
        _wrap_rest(walk, tag, 1)
    else:
        _loop(walk, tag, block)


def _wrap_rest(walk: _Scanner, tag: _Tag, start: int) -> None:
    if len(tag.tokens) <= start:
        raise walk.fault(tag.start, f"{{% {tag[0]} %}} has nothing to look at")
    if all(token.kind == "name" or token.text == "." for token in tag.tokens[start:]):
        walk.optional.add(_path_ending_at(tag, len(tag.tokens) - 1))
    walk.wrap(tag.tokens[start:], TEST)


def _loop(walk: _Scanner, tag: _Tag, block: _Block) -> None:
    words = [token.text for token in tag.tokens]
    if "in" not in words or "recursive" in words:
        raise walk.fault(tag.start, "write {% for item in items %}")
    start = words.index("in") + 1
    condition = words.index("if", start) if "if" in words[start:] else len(words)
    if condition == start:
        raise walk.fault(tag.start, "{% for %} has nothing to go through")
    walk.wrap(tag.tokens[start:condition], EACH)
    block.hole = len(walk.edits) - 1
    if condition < len(words):
        _wrap_rest(walk, tag, condition + 1)


def _branch(walk: _Scanner, tag: _Tag) -> None:
    if not walk.blocks:
        raise walk.fault(tag.start, f"{{% {tag[0]} %}} is outside of an if")
    if tag[0] == "elif":
        walk.blocks[-1].elifs += 1
        if walk.blocks[-1].elifs > MAX_ELIFS:
            raise walk.fault(tag.start, f"an if has more than {MAX_ELIFS} elif")
        _wrap_rest(walk, tag, 1)


def _set(walk: _Scanner, tag: _Tag) -> None:
    if len(tag.tokens) < 4 or tag.tokens[1].kind != "name" or tag[2] != "=":
        raise walk.fault(tag.start, "write {% set name = value %}")
    walk.wrap(tag.tokens[3:], KEEP)


def _close_block(walk: _Scanner, tag: _Tag) -> None:
    if not walk.blocks or f"end{walk.blocks[-1].word}" != tag[0]:
        raise walk.fault(tag.start, f"{{% {tag[0]} %}} closes nothing")
    block = walk.blocks.pop()
    if block.hole is not None:
        position, text = walk.edits[block.hole]
        walk.edits[block.hole] = (position, f"{text}({block.weight})")
