"""docs/TIME_WAIT.md says what the code says: the holds, their sources, the keys of a plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from proxy.config import parse
from proxy.ops.plan import SOURCES, Plan, Question
from proxy.shaping.holds import PROFILES
from proxy.shaping.ledger import Kind
from tests.support.documents import ROOT

PAGE = (ROOT / "docs" / "TIME_WAIT.md").read_text()


def holds_rows() -> Iterator[str]:
    for name, holds in PROFILES.items():
        told = (holds.server_closed, holds.we_closed, holds.reset, holds.unanswered)
        numbers = " | ".join(f"{seconds:g}" for seconds in told)
        yield f"| `profile: {name}` | {numbers} | {SOURCES[name]} |"
    yield f"| `time_wait: T` | T | T | 10, or T if less | T | {SOURCES['time_wait']} |"


def test_the_table_of_holds_is_what_the_ledger_uses() -> None:
    assert "\n".join(holds_rows()) in PAGE


def test_every_key_of_a_plan_is_documented() -> None:
    config = parse("upstream: {host: ftp.example.com}\n", "plan.yaml")
    question = Question(10, 1000, Kind.DOWNLOAD, 1, None, 0.1, 10**7)
    words = set(re.findall(r"[\w.\[\]]+", PAGE))
    missing = [key for key in keys_of(Plan(config, question).as_json()) if key not in words]
    assert missing == []


def keys_of(told: dict[str, Any], path: str = "") -> Iterator[str]:
    """Name every key; those of a list's items by themselves."""
    for key, value in told.items():
        if isinstance(value, dict):
            yield from keys_of(value, f"{path}{key}.")
        elif isinstance(value, list):
            yield f"{path}{key}[]"
            yield from value[0]
        else:
            yield f"{path}{key}"
