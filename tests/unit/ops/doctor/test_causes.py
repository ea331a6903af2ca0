"""The table of causes: complete, in order, in words that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.config import keys
from proxy.ops.doctor import of_data, of_machine, of_server, of_store
from proxy.ops.doctor.causes import CAUSES, RANK
from proxy.ops.doctor.finding import Area, Cause
from proxy.refusals import Reason

ROOT = Path(__file__).parents[4]
NO_SETTING = {"explicit", "implicit", "timedatectl"}
SOURCES = "".join(
    Path(module.__file__ or "").read_text() for module in (of_data, of_machine, of_server, of_store)
)


@pytest.mark.parametrize("cause", CAUSES.values(), ids=list(CAUSES))
def test_a_cause_is_told_in_sentences(cause: Cause) -> None:
    assert cause.sentence.endswith(".")
    assert cause.remedy.endswith(".")


@pytest.mark.parametrize("code", CAUSES)
def test_every_cause_can_be_met(code: str) -> None:
    assert f'"{code}"' in SOURCES


def test_every_setting_that_is_named_exists() -> None:
    words = " ".join(f"{one.sentence} {one.remedy}" for one in CAUSES.values())
    named = set(re.findall(r"`([a-z]+(?:\.[a-z_]+)?)(?=[:`])", words)) - NO_SETTING
    known = {*keys(), *(key.partition(".")[0] for key in keys())}
    assert named
    assert named <= known


def test_the_heavier_stands_before_the_lighter() -> None:
    weights = [cause.weight for cause in CAUSES.values()]
    assert weights == sorted(weights)
    assert [RANK[code] for code in CAUSES] == list(range(len(CAUSES)))


def test_the_six_classes_of_trouble_are_told_apart() -> None:
    met = {cause.area for cause in CAUSES.values()}
    assert {Area.NAMES, Area.ROUTE, Area.PASSIVE, Area.TLS, Area.LOGIN, Area.LIMIT} <= met


def test_the_runbook_names_causes_and_refusals_that_exist() -> None:
    page = (ROOT / "docs" / "OPERATIONS.md").read_text()
    runbook = page.partition("## When something is wrong")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", runbook))
    assert named
    metrics = {name for name in named if name.startswith(("ftpweir_", "process_"))}
    assert named - metrics <= {*CAUSES, *Reason}
