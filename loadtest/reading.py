"""A scenario's file to a Scenario, or every problem with line, column and reason.

Reads YAML as the proxy does, so 21:30 stays text and a key written twice is an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from proxy.config import Config, ConfigError, Problem
from proxy.config.document import Document, read_document
from proxy.config.section import Section
from proxy.config.units import Misfit, closest, misfit

from .report.fail_if import BadExpression, parse_expression
from .scenario import Scenario

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from proxy.config.problem import Path as Place

SHIPPED = Path(__file__).parent / "scenarios"


def shipped() -> list[Path]:
    """List the scenarios that come with ftpweir."""
    return sorted(SHIPPED.glob("*.yaml"))


def find(name: str) -> Path:
    """Return the file that is meant: a path, or the name of a shipped scenario."""
    own = SHIPPED / f"{name}.yaml"
    return own if own.is_file() and not Path(name).is_file() else Path(name)


def read_scenario(path: Path) -> Scenario:
    """Read a file. Raises ConfigError with every problem."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigError([_whole(path, f"cannot be read: {error.strerror or error}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([_whole(path, "is not UTF-8 text")]) from error
    return parse_scenario(text, str(path))


def parse_scenario(text: str, name: str) -> Scenario:
    """Read a scenario's text. Raises ConfigError with every problem."""
    document, found = read_document(text, name, os.environ)
    problems = list(found)
    scenario: Scenario | None = None
    try:
        scenario = Scenario.model_validate(document.data)
    except ValidationError as error:
        problems += _problems(error, document, Scenario, ())
    else:
        problems += _of_the_proxy(scenario, document)
        problems += _of_the_expression(scenario, document)
    if scenario is None or problems:
        raise ConfigError(problems)
    return scenario


def _whole(path: Path, message: str) -> Problem:
    return Problem(str(path), 0, 0, "", message)


def _of_the_proxy(scenario: Scenario, document: Document) -> Iterator[Problem]:
    """Judge the section `ftpweir:` as the proxy itself would, but at its place in this file."""
    sections = dict(scenario.ftpweir)
    upstream = sections.get("upstream")
    sections["upstream"] = {"host": "127.0.0.1", **(upstream if isinstance(upstream, dict) else {})}
    try:
        Config.model_validate(sections)
    except ValidationError as error:
        yield from _problems(error, document, Config, ("ftpweir",))


def _of_the_expression(scenario: Scenario, document: Document) -> Iterator[Problem]:
    if scenario.fail_if is not None:
        try:
            parse_expression(scenario.fail_if)
        except BadExpression as error:
            yield document.problem(("fail_if",), str(error))


def _problems(
    error: ValidationError, document: Document, root: type[Section], above: Place
) -> Iterator[Problem]:
    for detail in error.errors(include_url=False):
        below: Place = detail["loc"]
        path = (*above, *below)
        if path in document.broken:
            continue
        match detail["type"]:
            case "missing":
                yield document.problem(path, "is missing")
            case "extra_forbidden":
                meant = closest(str(below[-1]), _keys_beside(root, below))
                yield document.problem_at_key(path, "there is no such key", meant)
            case kind:
                fault = _fault(detail, kind)
                yield document.problem(path, fault.message, fault.hint)


def _fault(detail: ErrorDetails, kind: str) -> Misfit:
    fault = detail.get("ctx", {}).get("error")
    if isinstance(fault, Misfit):
        return fault
    expected = {"model_type": "a section", "dict_type": "a section", "tuple_type": "a list"}
    return misfit(expected.get(kind, "something else here"), detail["input"])


def _keys_beside(root: type[Section], path: Place) -> list[str]:
    section: type[Section] | None = root
    for part in path[:-1]:
        if isinstance(part, str) and section is not None and part in section.model_fields:
            section = _section_in(section.model_fields[part].annotation)
    return list(section.model_fields) if section is not None else []


def _section_in(annotation: Any) -> type[Section] | None:
    """Return the section behind a key, be it one or a list of them."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Section) else None
    return next(filter(None, map(_section_in, get_args(annotation))), None)
