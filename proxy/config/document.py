"""A configuration file as plain data, with the place of every key and value.

Replaces ${NAME} and ${NAME:-default} in values; what comes from the environment is never read as
YAML. Knows no key and no type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from .problem import NOWHERE, ConfigError, Mark, Path, Problem, Severity, dotted
from .yamltext import MOST_NODES, Items, Node, Pairs, Text, read_nodes

Value: TypeAlias = "str | list[Value] | dict[str, Value]"

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}|\$\{")


@dataclass(slots=True)
class Document:
    """Data and places. `broken` holds the values that already have their problem."""

    name: str
    data: dict[str, Value] = field(default_factory=dict)
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    broken: set[Path] = field(default_factory=set)

    def has(self, *path: str | int) -> bool:
        """Tell whether the file says anything at this path."""
        return path in self.values

    def problem(
        self, path: Path, message: str, hint: str | None = None, severity: Severity = "error"
    ) -> Problem:
        """Place a problem at a value, or at the nearest section around it that was written."""
        near = path
        while near and near not in self.values:
            near = near[:-1]
        mark = self.values.get(near, NOWHERE)
        if isinstance(self.at(near), dict):
            mark = self.keys.get(near, mark)
        return Problem(self.name, mark.line, mark.column, dotted(path), message, hint, severity)

    def problem_at_key(self, path: Path, message: str, hint: str | None = None) -> Problem:
        """Place a problem at the key itself, not at what it says."""
        mark = self.keys.get(path, NOWHERE)
        return Problem(self.name, mark.line, mark.column, dotted(path), message, hint)

    def at(self, path: Path) -> Value | None:
        """Return the value at a path; None when it was dropped or never there."""
        value: Value | None = self.data
        for part in path:
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value


def read_document(
    text: str, name: str, env: Mapping[str, str]
) -> tuple[Document, tuple[Problem, ...]]:
    """Read what can be read. Raises ConfigError when nothing can."""
    root = read_nodes(text, name)
    document = Document(name)
    document.values[()] = Mark(1, 1)
    if root is None:
        return document, ()
    if not isinstance(root, Pairs):
        message = "expected keys such as `upstream:` at the top of the file"
        raise ConfigError([Problem(name, root.mark.line, root.mark.column, "", message)])
    filling = _Filling(document, env)
    document.data = filling.section(root, ())
    return document, tuple(filling.problems)


class _Filling:
    """One walk over the nodes; counts what aliases multiply."""

    def __init__(self, document: Document, env: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._env = env

    def _value(self, node: Node, path: Path) -> Value:
        self._document.values[path] = node.mark
        # Nine aliases of nine aliases of nine ... are a few lines of text and gigabytes of data.
        if len(self._document.values) > MOST_NODES:
            raise ConfigError([self._document.problem(path, "the aliases multiply without end")])
        match node:
            case Text():
                return self._text(node, path)
            case Items():
                return [self._value(item, (*path, at)) for at, item in enumerate(node.items)]
            case Pairs():
                return self.section(node, path)

    def section(self, node: Pairs, path: Path) -> dict[str, Value]:
        section: dict[str, Value] = {}
        for key, value in node.pairs:
            below = (*path, key.text)
            if key.text in section:
                self._repeated(below, key.mark)
                continue
            self._document.keys[below] = key.mark
            section[key.text] = self._value(value, below)
        return section

    def _repeated(self, path: Path, mark: Mark) -> None:
        first = self._document.keys[path].line
        message = f"written twice, the first time on line {first}: remove one"
        name = self._document.name
        self.problems.append(Problem(name, mark.line, mark.column, dotted(path), message))

    def _text(self, node: Text, path: Path) -> str:
        filled = ""
        end = 0
        for found in VARIABLE.finditer(node.text):
            filled += node.text[end : found.start()] + self._variable(found, path)
            end = found.end()
        return filled + node.text[end:]

    def _variable(self, found: re.Match[str], path: Path) -> str:
        name, default = found.groups()
        if name is None:
            self._break(path, "unfinished ${: write ${NAME} or ${NAME:-default}")
            return ""
        # As in a shell, :- also stands in for a variable that is set but empty.
        value: str | None = self._env.get(name) or default
        if value is None:
            self._break(path, f"the environment variable {name} is not set")
            return ""
        return value

    def _break(self, path: Path, message: str) -> None:
        self._document.broken.add(path)
        self.problems.append(self._document.problem(path, message))


def walk(value: Value, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """Visit every value, a section or list before what it contains."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, below in value.items():
            yield from walk(below, (*path, key))
    elif isinstance(value, list):
        for at, below in enumerate(value):
            yield from walk(below, (*path, at))
