"""`python -m proxy.refusals` prints the page."""

from __future__ import annotations

import runpy

import pytest

from proxy.refusals import document


def test_the_package_run_as_a_program_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_module("proxy.refusals", run_name="__main__")
    assert capsys.readouterr().out == document()
