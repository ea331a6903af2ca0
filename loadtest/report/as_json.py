"""The report for machines: exactly the findings, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from .findings import Report

FORMAT = 1
_REPORT = TypeAdapter(Report)


class BadReport(Exception):
    """A file that is no report of ours."""


def write(report: Report, path: Path) -> None:
    """Write a report, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps({"format": FORMAT, **asdict(report)}, indent=1) + "\n")
    fresh.replace(path)


def read(path: Path) -> Report:
    """Read a report. Raises BadReport."""
    try:
        plain = json.loads(path.read_text())
        if plain.pop("format", None) != FORMAT:
            raise BadReport(f"{path}: no report of this version of the load test")
        return _REPORT.validate_python(plain)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        told = "its values do not fit" if isinstance(error, ValidationError) else str(error)
        raise BadReport(f"{path}: {told}") from error
