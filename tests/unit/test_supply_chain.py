"""What is installed is what was tested: pins, ranges, and what an audit may conclude."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.audit import CONSTRAINTS, audit, understood
from tests.support.programs import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"([A-Za-z0-9._-]+)==([\w.!+]+)")


def pins() -> dict[str, str]:
    lines = [line for line in CONSTRAINTS.read_text().splitlines() if line[:1] not in ("", "#")]
    found = [PIN.fullmatch(line) for line in lines]
    assert [line for line, pin in zip(lines, found, strict=True) if pin is None] == []
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin is not None}


def requirements() -> Iterator[Requirement]:
    """Everything that this Python needs, extras included."""
    for texts in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        for text in texts:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement


def test_every_requirement_is_pinned_within_its_range() -> None:
    """To mend: make constraints"""
    known = pins()
    for requirement in requirements():
        version = known[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} and {version}"


def test_a_range_says_what_is_the_oldest_that_serves() -> None:
    loose = [str(one) for one in requirements() if one.name in SERVING and not one.specifier]
    assert loose == []


SERVING = {Requirement(text).name for text in PROJECT["dependencies"]}


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_whoever_installs_keeps_to_the_pins(file: str) -> None:
    text = (CHECKOUT / file).read_text()
    assert "--constraint constraints.txt" in text
    installs = [line for line in text.splitlines() if "pip install" in line]
    # `make constraints` finds out what the pins shall be.
    assert [it for it in installs if "--constraint" not in it and ".cache/" not in it] == []


WEAK = {"id": "PYSEC-1", "fix_versions": ["2.1"]}
SOUND = {"name": "click", "version": "8.0", "vulns": []}


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ([SOUND], 0),
        ([SOUND, {"name": "x", "version": "2.0", "vulns": [WEAK]}], 1),
        ([SOUND, {"name": "x", "skip_reason": "not found"}], 3),
        ([{"name": "x", "skip_reason": "not found"}], 3),
        ([], 3),
    ],
)
def test_an_audit_is_good_only_if_everything_was_looked_up(told: list[object], code: int) -> None:
    assert understood(json.dumps({"dependencies": told})).code == code


def test_an_audit_without_an_answer_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    failing = [sys.executable, "-c", "raise SystemExit('no way to the registry')"]
    assert audit(failing) == 3
    assert "NOBODY COULD BE ASKED: no way to the registry" in capsys.readouterr().out


def test_a_known_weakness_is_named_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"dependencies": [{"name": "x", "version": "2.0", "vulns": [WEAK]}]}
    assert audit([sys.executable, "-c", f"print({json.dumps(told)!r})"]) == 1
    assert "WEAK  x 2.0: PYSEC-1, mended in 2.1" in capsys.readouterr().out
