"""The bill of materials: valid, complete, and the same each time."""

from __future__ import annotations

import json
from importlib.metadata import distributions
from typing import Any

from click.testing import CliRunner
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from proxy import __version__
from proxy.cli import main


def printed() -> str:
    result = CliRunner().invoke(main, ["sbom"])
    assert result.exit_code == 0
    return result.output


def bill() -> dict[str, Any]:
    told: dict[str, Any] = json.loads(printed())
    return told


def test_it_is_what_cyclonedx_says_a_bill_is() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(printed()) is None


def test_it_is_about_ftpweir() -> None:
    ours = bill()["metadata"]["component"]
    assert (ours["type"], ours["purl"]) == ("application", f"pkg:pypi/ftpweir@{__version__}")


def test_everything_that_is_installed_stands_in_it_with_its_version() -> None:
    listed = {one["name"]: one["version"] for one in bill()["components"]}
    for one in distributions():
        name = one.name.lower().replace("_", "-").replace(".", "-")
        assert name == "ftpweir" or listed[name] == one.version


def test_it_tells_who_needs_whom() -> None:
    needs = {one["ref"].split("@")[0]: one["dependsOn"] for one in bill()["dependencies"]}
    assert any(need.startswith("markdown-it-py@") for need in needs["rich"])
    assert set().union(*needs.values()) <= {one["ref"] for one in bill()["dependencies"]}


def test_licences_are_told_where_the_package_tells_them() -> None:
    licences = {one["name"]: one.get("licenses") for one in bill()["components"]}
    assert licences["pyyaml"] == [{"license": {"name": "MIT License"}}]


def test_the_same_installation_gives_the_same_text() -> None:
    assert printed() == printed()
