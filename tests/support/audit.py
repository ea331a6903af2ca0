"""`make audit`: is a weakness known of anything that constraints.txt pins? pip-audit is asked.

Exit codes: 0 every pin was looked up and none is known to be weak; 1 a weakness is known; 3 some or
all could not be looked up, because no registry that keeps such records answers. 0 never means that
nobody was asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from .programs import CHECKOUT

CONSTRAINTS = CHECKOUT / "constraints.txt"
PIP_AUDIT = (
    *(sys.executable, "-m", "pip_audit", "--requirement", str(CONSTRAINTS)),
    # Everything is pinned: nothing is to be resolved, so nothing need be installed.
    *("--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What pip-audit said: how many it knew, which of them are weak, and which it did not know."""

    known: int
    weak: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def code(self) -> int:
        """The exit code."""
        return 1 if self.weak else 3 if self.unknown or not self.known else 0


def understood(printed: str) -> Found:
    """Read pip-audit's JSON; what is none means that nothing was looked up."""
    try:
        told = json.loads(printed)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Found(0, (), ())
    unknown = tuple(one["name"] for one in told if "skip_reason" in one)
    weak = tuple(
        f"{one['name']} {one['version']}: {weakness['id']}, "
        f"mended in {', '.join(weakness['fix_versions']) or 'no version yet'}"
        for one in told
        for weakness in one.get("vulns", ())
    )
    return Found(len(told) - len(unknown), weak, unknown)


def audit(command: Sequence[str] = PIP_AUDIT) -> int:
    """Ask, tell, and return the exit code."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = understood(done.stdout)
    for weakness in found.weak:
        sys.stdout.write(f"WEAK  {weakness}\n")
    if not found.known and not found.unknown:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        sys.stdout.write(f"NOBODY COULD BE ASKED: {last[:300]}\n")
    elif found.unknown:
        sys.stdout.write(
            f"NOT LOOKED UP: the registry knows nothing of {len(found.unknown)} pins\n"
        )
    sys.stdout.write(f"{found.known} pins looked up, {len(found.weak)} weaknesses known\n")
    return found.code


if __name__ == "__main__":
    sys.exit(audit())
