"""Where standard output takes no more, a command says so and ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proxy.commands.output import CannotPrint, watched


@pytest.mark.parametrize("command", [["sbom"], ["explain", "budget.guard"], ["--help"]])
def test_a_full_disk_is_told_in_words(command: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "proxy", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    words = "Error: cannot write the output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, words)


def test_what_is_left_after_a_failure_goes_nowhere() -> None:
    with open("/dev/full", "w") as full:
        stream = watched(full)
        stream.write("x")
        with pytest.raises(CannotPrint, match="No space left"):
            stream.flush()
        stream.write("more")
        stream.close()


def test_an_output_that_takes_everything_is_as_before(tmp_path: Path) -> None:
    with open(tmp_path / "kept", "w", encoding="ascii", errors="replace") as kept:
        stream = watched(kept)
        assert (stream.encoding, stream.errors) == ("ascii", "replace")
        stream.write("told\u2588")
        stream.close()
        assert not kept.closed
    assert (tmp_path / "kept").read_text() == "told?"
