"""Text to Config, or every problem at once. Reads no file; the environment is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import ValidationError

from .crosscheck import crosscheck
from .document import Document, read_document
from .models import Config
from .problem import ConfigError, Problem, in_line_order
from .wording import problems_of

NO_ENVIRONMENT: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text gave: the configuration, unless an error forbids it, and the problems."""

    config: Config | None
    problems: tuple[Problem, ...]
    document: Document | None = None  # where each key stands; None: nothing could be read


def examine(text: str, name: str, env: Mapping[str, str] = NO_ENVIRONMENT) -> Reading:
    """Read a configuration and never raise: `ftpweir check` prints the problems."""
    try:
        document, problems = read_document(text, name, env)
    except ConfigError as error:
        return Reading(None, error.problems)
    return _judged(document, problems)


def parse(text: str, name: str, env: Mapping[str, str] = NO_ENVIRONMENT) -> Config:
    """Read a configuration; warnings are passed over. Raises ConfigError."""
    return usable(examine(text, name, env))


def simple(upstream_host: str, port: int = 21, listen: str = "127.0.0.1:2121") -> Config:
    """Make the configuration of `ftpweir run --upstream`: all defaults. Raises ConfigError."""
    document = Document("command line")
    document.data = {
        "listen": listen,
        "upstream": {"host": upstream_host, "port": str(port)},
    }
    return usable(_judged(document, ()))


def usable(reading: Reading) -> Config:
    """Return the configuration or raise all its problems."""
    if reading.config is None:
        raise ConfigError(reading.problems)
    return reading.config


def _judged(document: Document, found: tuple[Problem, ...]) -> Reading:
    problems = [*found]
    config: Config | None = None
    try:
        config = Config.model_validate(document.data)
    except ValidationError as error:
        problems.extend(problems_of(error, document))
    else:
        problems.extend(crosscheck(config, document))
    if any(problem.severity == "error" for problem in problems):
        config = None
    return Reading(config, in_line_order(problems), document)
