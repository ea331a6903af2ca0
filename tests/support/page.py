"""The status address as those see it who ask it: the API, /metrics, the commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from .programs import CHECKOUT


class Page:
    """One status address, and the file that names it."""

    def __init__(self, place: str, file: Path) -> None:
        self.place = place
        self._file = file

    def text(self, path: str) -> str:
        """Return what is shown there."""
        with urllib.request.urlopen(f"http://{self.place}{path}", timeout=20) as answer:
            return str(answer.read().decode())

    def told(self, section: str) -> dict[str, Any]:
        """Return one section of the API."""
        found: dict[str, Any] = json.loads(self.text(f"/api/{section}"))
        return found

    def sum_of(self, name: str, **labels: str) -> float:
        """Add up the samples of this name that have these labels."""
        families = text_string_to_metric_families(self.text("/metrics"))
        samples = (sample for family in families for sample in family.samples)
        return sum(
            one.value
            for one in samples
            if one.name == name and labels.items() <= one.labels.items()
        )

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ftpweir that asks this address."""
        return subprocess.run(
            [sys.executable, "-m", "proxy", *words, "-c", str(self._file)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )
