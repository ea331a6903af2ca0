"""All findings in order of importance: problems first, what stops more before less. Pure."""

from __future__ import annotations

from proxy.config import Config

from .causes import RANK
from .finding import Finding
from .of_data import of_data
from .of_machine import of_machine
from .of_server import of_server
from .of_store import of_store
from .seen import Seen


def diagnose(config: Config, seen: Seen) -> tuple[Finding, ...]:
    """Conclude from everything seen; each cause is named once for each evidence."""
    findings = {
        *of_machine(seen),
        *of_store(config.sharing.lease, seen),
        *of_server(config, seen),
        *of_data(config, seen),
    }
    return tuple(sorted(findings, key=lambda one: (RANK[one.cause.code], one.evidence)))
