"""Completion in people's shells: what the documents say is sourced, and Tab is pressed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import CHECKOUT, program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

BASH = """
eval "$(_FTPWEIR_COMPLETE=bash_source ftpweir)"
COMP_WORDS=({line}) COMP_CWORD={last}
_ftpweir_completion ftpweir
echo "${{COMPREPLY[@]}}"
"""
FISH = """
_FTPWEIR_COMPLETE=fish_source ftpweir | source
complete -C "{line}"
"""
# A shell of its own behind a terminal of its own: what Tab adds to the line is what is read.
ZSH = """
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner 'PS1=; autoload -Uz compinit; compinit -u -D'
zpty -w inner 'eval "$(_FTPWEIR_COMPLETE=zsh_source ftpweir)"; echo so""urced'
zpty -r inner told '*sourced*'
zpty -w -n inner $'{line}\\t'
zpty -r inner told '*{whole}*'
print -r -- "$told"
zpty -d inner
"""


def run(shell: str, script: str) -> str:
    """Have a shell without anybody's settings run a script, with ftpweir on its PATH."""
    quiet = {"bash": "--norc", "fish": "--no-config", "zsh": "-f"}[shell]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT),
        "TERM": "dumb",
    }
    done = subprocess.run(
        [program(shell), quiet, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


CASES = [
    ("ftpweir show q", "queue"),
    ("ftpweir explain budget.g", "budget.guard"),
]


@pytest.mark.parametrize(("line", "whole"), CASES)
def test_bash_completes(line: str, whole: str) -> None:
    assert whole in run("bash", BASH.format(line=line, last=len(line.split()) - 1)).split()


@pytest.mark.parametrize(("line", "whole"), CASES)
def test_fish_completes(line: str, whole: str) -> None:
    assert whole in run("fish", FISH.format(line=line)).split()


@pytest.mark.parametrize(("line", "whole"), CASES[:1])
def test_zsh_completes(line: str, whole: str) -> None:
    assert f"ftpweir show {whole}" in run("zsh", ZSH.format(line=line, whole=whole))
