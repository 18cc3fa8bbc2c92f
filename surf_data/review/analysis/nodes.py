"""Reads the text that PostgreSQL writes of a tree of nodes: ``pg_proc.prosqlbody``, ``pg_rewrite.ev_action``.

The text is made for the server alone and changes with its version, so nothing here insists on a field: whatever a
reader does not find or know must lead to the more careful answer.
"""

import re
from collections.abc import Iterator
from typing import Any

# Parentheses, braces, and words in which a backslash takes the meaning of the next character away.
_TOKEN = re.compile(r"[(){}]|(?:[^\s(){}\\]|\\.)+", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# A list of numbers: integers, object ids, transaction ids; and a set of small numbers.
_NUMBERS = frozenset({"i", "o", "x"})
_SET = "b"
# What says how an expression was written, and nothing of what it means.
_LAYOUT = re.compile(r"location$|format$|^var(?:no|attno)syn$|^stmt_len$")


class Node:
    """One node of a tree.

    Arguments:
        kind: what it is, as the server calls it: ``QUERY``, ``VAR``.
        fields: its fields by name: nodes, lists, frozen sets of numbers, texts, ``None``. Numbers and booleans are
            texts, too.
    """

    __slots__ = ("_fields", "kind")

    def __init__(self, kind: str, fields: dict[str, Any]) -> None:
        #: What it is.
        self.kind: str = kind
        self._fields = fields

    def __getitem__(self, name: str) -> Any:
        """Return a field; ``None`` if it is empty or if this version of PostgreSQL has no such field."""
        return self._fields.get(name)

    def number(self, name: str) -> int:
        """Return a field that is a number; 0 if there is none."""
        return int(self._fields.get(name) or 0)

    def true(self, name: str) -> bool:
        """Return whether a field is true."""
        return bool(self._fields.get(name) == "true")

    def items(self, name: str) -> list[Any]:
        """Return a field that is a list; an empty one if there is none."""
        return self._fields.get(name) or []

    def children(self) -> Iterator["Node"]:
        """Yield the nodes right below this one."""
        for value in self._fields.values():
            yield from _nodes(value)

    def walk(self) -> Iterator["Node"]:
        """Yield this node and all below it."""
        yield self
        for child in self.children():
            yield from child.walk()

    def text(self) -> str:
        """Return what the node means, without where and how it was written: equal where the server finds it equal."""
        fields = " ".join(f":{name} {_text(value)}" for name, value in self._fields.items() if not _LAYOUT.search(name))
        return f"{{{self.kind} {fields}}}"


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _nodes(each)


def _text(value: Any) -> str:
    if isinstance(value, Node):
        return value.text()
    if isinstance(value, list):
        return f"({' '.join(_text(each) for each in value)})"
    return repr(sorted(value) if isinstance(value, frozenset) else value)


def read(text: str) -> Any:
    """Return what ``text`` says: a node, a list or a text."""
    return _value(iter(_TOKEN.findall(text)))


def _value(words: Iterator[str], first: str | None = None) -> Any:
    word = next(words) if first is None else first
    if word == "{":
        return _node(words)
    if word == "(":
        return _list(words)
    # What is empty is written as <>, and an empty text as "".
    return None if word == "<>" else "" if word == '""' else _ESCAPE.sub(r"\1", word)


def _node(words: Iterator[str]) -> Node:
    kind = next(words)
    fields: dict[str, Any] = {}
    label = next(words)
    while label != "}":
        value = _value(words)
        following = next(words)
        if following == "[":
            # The bytes of a constant, after their number.
            value = [int(byte) for byte in iter(words.__next__, "]")]
            following = next(words)
        fields[label[1:]] = value
        label = following
    return Node(kind, fields)


def _list(words: Iterator[str]) -> Any:
    word = next(words)
    if word in _NUMBERS:
        return [int(each) for each in iter(words.__next__, ")")]
    if word == _SET:
        return frozenset(int(each) for each in iter(words.__next__, ")"))
    values = []
    while word != ")":
        value = _value(words, word)
        # In lists texts are in quotes, which the server does not escape.
        values.append(value[1:-1] if isinstance(value, str) and word.startswith('"') else value)
        word = next(words)
    return values
