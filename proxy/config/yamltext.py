"""YAML text to nodes that are only text, lists and sections, each with its place.

Never guesses a type: YAML 1.1 reads 21:30 as 1290, no as False and 017 as 15, and lets the last of
two equal keys win. So the parser's events are taken as they are, and nothing resolves a scalar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol, TypeAlias

import yaml

from .problem import ConfigError, Mark, Problem

DEEPEST = 16
MOST_NODES = 10_000

# What YAML 1.1 section 5.1 calls printable; looked for here, where the place is still known.
UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar, exactly as written."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """A section, with repeated keys still in it."""

    mark: Mark
    pairs: tuple[tuple[Text, Node], ...]


class _Place(Protocol):
    """What both parsers, with libyaml and without, tell of a place; they count from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


Node: TypeAlias = Text | Items | Pairs


def read_nodes(text: str, name: str) -> Node | None:
    """Read one document; None means there is nothing but comments. Raises ConfigError."""
    if found := UNPRINTABLE.search(text):
        before = text[: found.start()]
        mark = Mark(before.count("\n") + 1, found.start() - before.rfind("\n"))
        _fail(name, mark, f"the character {found[0]!r} may not stand in a YAML file")
    try:
        return _Reader(text, name).read()
    except yaml.YAMLError as error:
        mark = _mark(getattr(error, "problem_mark", None))
        _fail(name, mark, f"this is not YAML: {getattr(error, 'problem', error)}")


def _fail(name: str, mark: Mark, message: str) -> NoReturn:
    raise ConfigError([Problem(name, mark.line, mark.column, "", message)])


class _Reader:
    """Turns events into nodes; an anchor is known only once its node is complete."""

    def __init__(self, text: str, name: str) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=PARSER)
        self._name = name
        self._anchors: dict[str, Node] = {}
        self._count = 0

    def read(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._refuse(event, "only one YAML document is read; remove the --- line")
                root = self._node(next(self._events), depth=0)
        is_empty = isinstance(root, Text) and root.text == ""
        return None if is_empty else root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        self._count += 1
        if depth > DEEPEST or self._count > MOST_NODES:
            self._refuse(event, "the file is nested or filled beyond what a configuration needs")
        if isinstance(event, yaml.AliasEvent):
            return self._known(event)
        if getattr(event, "tag", None) is not None:
            self._refuse(event, "tags (!...) are not used here: remove the tag")
        node = self._content(event, depth)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = node
        return node

    def _known(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            self._refuse(event, f"no anchor &{event.anchor} is complete before this alias")
        return self._anchors[event.anchor]

    def _content(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return Text(_mark(event.start_mark), event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(_mark(event.start_mark), tuple(self._items(depth + 1)))
        return Pairs(_mark(event.start_mark), tuple(self._pairs(depth + 1)))

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth)

    def _pairs(self, depth: int) -> Iterator[tuple[Text, Node]]:
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth)
            if not isinstance(key, Text):
                self._refuse(event, "a key must be a plain word")
            yield key, self._node(next(self._events), depth)

    def _refuse(self, event: yaml.Event, message: str) -> NoReturn:
        _fail(self._name, _mark(event.start_mark), message)


def _mark(place: _Place | None) -> Mark:
    return Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
