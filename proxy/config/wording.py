"""The validator's errors in plain words, each at its place. Never shows the library's own text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from .document import Document
from .explain import keys, keys_of
from .problem import Path, Problem, dotted
from .units import Misfit, closest, misfit

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# What the kinds of errors that are not ours mean here; any other kind gets the last sentence.
EXPECTED = {
    "model_type": "a section with keys of its own",
    "tuple_type": "a list (each item on a line that begins with -)",
}
ANYTHING_ELSE = "something else here"

FOR_EXAMPLE = {
    "upstream": "the server behind us is missing: write `upstream:` and below it `  host: NAME`",
    "upstream.host": "the name or address of the server is missing",
}


def problems_of(error: ValidationError, document: Document) -> Iterator[Problem]:
    """Tell each error once; values that already have their problem are passed over."""
    for detail in error.errors(include_url=False):
        path: Path = detail["loc"]
        if path not in document.broken:
            yield _problem(detail, path, document)


def _problem(detail: ErrorDetails, path: Path, document: Document) -> Problem:
    match detail["type"]:
        case "missing":
            message = FOR_EXAMPLE.get(dotted(path), "is missing")
            return document.problem(path, message)
        case "extra_forbidden":
            return document.problem_at_key(path, "there is no such key", _key_meant(path))
        case kind:
            fault = detail.get("ctx", {}).get("error")
            if not isinstance(fault, Misfit):
                fault = misfit(EXPECTED.get(kind, ANYTHING_ELSE), detail["input"])
            return document.problem(path, fault.message, fault.hint)


def _key_meant(path: Path) -> str | None:
    """Look in the same section first, then for the very word in any other."""
    word = str(path[-1]).lower()
    section = dotted(path[:-1])
    if near := closest(word.replace("-", "_"), keys_of(section)):
        return near
    elsewhere = [key for key in keys() if key.rpartition(".")[2] == word]
    return elsewhere[0] if len(elsewhere) == 1 else None
