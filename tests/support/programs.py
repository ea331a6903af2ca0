"""Where the programs of the lab are. Installs nothing; a missing one names the remedy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SERVERS = CHECKOUT / ".cache" / "servers"
# A user's PATH often lacks the folders where nft, ip and conntrack live.
SEARCH_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


def program(name: str) -> str:
    """Return the path of an installed program, or fail the test and name the remedy."""
    found = shutil.which(name, path=SEARCH_PATH)
    return found or _missing(name)


def server_program(name: str) -> str:
    """Return the path of a server that packages.sh has unpacked, or fail the test."""
    found = SERVERS / name
    return str(found) if found.is_file() else _missing(found.name)


def first_version(*command: str) -> str:
    """Return the first thing like a version that a program prints."""
    done = subprocess.run(
        [program(command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    found = re.search(r"\d+(\.\d+)+|\d{8}", done.stdout + done.stderr)
    return found[0] if found else "unknown"


def need_root(what: str) -> None:
    """Fail the test when we are not root: `what` says who needs it."""
    if os.geteuid() != 0:
        pytest.fail(f"{what} needs root: run `sudo make test`, or `make test-unit`.", pytrace=False)


def _missing(name: str) -> str:
    pytest.fail(
        f"{name} is missing: run `sudo tests/support/packages.sh`, or choose `make test-unit`.",
        pytrace=False,
    )
