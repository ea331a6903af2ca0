"""`ftpweir sbom`: what this installation is made of, for scanners. Asks nobody.

CycloneDX 1.6 as JSON, without moments and serial numbers: an installation always gives one text.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from typing import Any, Final

import click

OURSELVES: Final = "ftpweir"
_LICENSE: Final = "License :: OSI Approved :: "


@click.command(short_help="Tell what this installation is made of (CycloneDX).")
def sbom() -> None:
    """Print the software bill of materials of this installation."""
    click.echo(json.dumps(document(distributions()), indent=1))


def document(found: Iterable[Distribution]) -> dict[str, Any]:
    """Return the bill of what was found, which ftpweir itself is part of."""
    parts = {_normal(one.name): one for one in found}
    here = {name: _component(name, parts[name]) for name in sorted(parts)}
    ours = here.pop(OURSELVES) | {"type": "application"}
    python = {
        "type": "platform",
        "bom-ref": "python",
        "name": sys.implementation.name,
        "version": ".".join(map(str, sys.version_info[:3])),
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": [*here.values(), python],
        "dependencies": [
            {
                "ref": _reference(name, one),
                "dependsOn": [_reference(need, parts[need]) for need in _needs(one, parts)],
            }
            for name, one in sorted(parts.items())
        ],
    }


def _component(name: str, one: Distribution) -> dict[str, Any]:
    component = {
        "type": "library",
        "bom-ref": _reference(name, one),
        "name": name,
        "version": one.version,
        "purl": f"pkg:pypi/{name}@{one.version}",
    }
    licenses = list(_licenses(one))
    return component | ({"licenses": licenses} if licenses else {})


def _licenses(one: Distribution) -> Iterator[dict[str, Any]]:
    """Prefer the expression; older packages only say it among their classifiers."""
    if expression := one.metadata["License-Expression"]:
        yield {"expression": expression}
        return
    for classifier in one.metadata.get_all("Classifier") or ():
        if classifier.startswith(_LICENSE):
            yield {"license": {"name": classifier.removeprefix(_LICENSE)}}


def _needs(one: Distribution, parts: dict[str, Distribution]) -> list[str]:
    """Name what it requires without being asked for an extra, as far as it is here."""
    required = (text for text in one.requires or () if "extra ==" not in text)
    names = {_normal(re.split(r"[^\w.-]", text, maxsplit=1)[0]) for text in required}
    return sorted(names & parts.keys())


def _reference(name: str, one: Distribution) -> str:
    return f"{name}@{one.version}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
