"""A report that was written is read back the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.report import as_json
from loadtest.report.as_json import BadReport

from ..examples import report


def test_a_report_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    as_json.write(report(failed=1), file)
    assert as_json.read(file) == report(failed=1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 99}'])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "r.json"
    file.write_text(text)
    with pytest.raises(BadReport, match=r"r\.json"):
        as_json.read(file)


def test_a_missing_report_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadReport, match="No such file"):
        as_json.read(tmp_path / "r.json")
