"""`--fail-if "violations>0 or p95_queue>30s"`: comparisons of metrics, joined by and, or, not.

Reads its own small language and never runs the text as a program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Final, TypeAlias

from proxy.config.units import DURATION, PERCENT, closest, parse_duration, parse_percent

TOKEN = re.compile(r"\s*(?:(<=|>=|==|!=|<|>|\(|\))|([A-Za-z_][\w.:\-]*)|([0-9][\w.%]*))")
COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "==": eq,
    "!=": ne,
}

Metrics: TypeAlias = Mapping[str, float]


class BadExpression(ValueError):
    """An expression that cannot be read, or that names what was not measured."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`name operator bound`."""

    name: str
    operator: str
    bound: float
    text: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts of which all (and), one (or) or none (not) must hold."""

    word: str
    parts: tuple[Expression, ...]


Expression: TypeAlias = "Comparison | Joined"


def parse_expression(text: str) -> Expression:
    """Read an expression. Raises BadExpression."""
    reader = _Reader(_tokens(text))
    found = reader.either()
    if reader.next is not None:
        raise BadExpression(f"did not expect {reader.next!r}: join comparisons with and, or")
    return found


def what_holds(expression: Expression, metrics: Metrics) -> list[str]:
    """Return the comparisons that make the expression true; an empty list means it is false."""
    match expression:
        case Comparison(name, operator, bound, text):
            value = _measured(name, metrics)
            return [f"{text} ({name} is {value:g})"] if COMPARE[operator](value, bound) else []
        case Joined("not", parts):
            return [] if what_holds(parts[0], metrics) else ["what follows `not` is false"]
        case Joined(word, parts):
            held = [what_holds(part, metrics) for part in parts]
            if word == "and" and not all(held):
                return []
            return [reason for reasons in held for reason in reasons]


def _measured(name: str, metrics: Metrics) -> float:
    if name not in metrics:
        meant = closest(name, list(metrics))
        asked = f" (did you mean {meant}?)" if meant else f"; there are {', '.join(metrics)}"
        raise BadExpression(f"nothing is measured by the name of {name!r}{asked}")
    return metrics[name]


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise BadExpression(f"cannot read {text[at:].strip()!r}")
        tokens.append(found[0].strip())
        at = found.end()
    return tokens


class _Reader:
    """Recursive descent: or binds weaker than and, and weaker than not."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._depth = 0

    @property
    def next(self) -> str | None:
        return self._tokens[0] if self._tokens else None

    def either(self) -> Expression:
        parts = [self._all()]
        while self.next == "or":
            self._take()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Joined("or", tuple(parts))

    def _all(self) -> Expression:
        parts = [self._one()]
        while self.next == "and":
            self._take()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Joined("and", tuple(parts))

    def _one(self) -> Expression:
        self._depth += 1
        if self._depth > 50:
            raise BadExpression("too deeply nested")
        try:
            if self.next == "not":
                self._take()
                return Joined("not", (self._one(),))
            if self.next == "(":
                self._take()
                inner = self.either()
                if self._take() != ")":
                    raise BadExpression("a ( is not closed")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Comparison:
        name, operator, bound = self._take(), self._take(), self._take()
        if not re.match(r"[A-Za-z_]", name) or operator not in COMPARE:
            raise BadExpression(f"expected NAME > NUMBER, got {name} {operator} {bound}".rstrip())
        return Comparison(name, operator, _bound(bound), f"{name}{operator}{bound}")

    def _take(self) -> str:
        return self._tokens.pop(0) if self._tokens else ""


def _bound(text: str) -> float:
    if PERCENT.fullmatch(text):
        return parse_percent(text)
    if text == "100%":
        return 1.0
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    if text and DURATION.fullmatch(text):
        return parse_duration(text)
    raise BadExpression(f"expected a number, a share such as 99% or a duration, got {text!r}")
