"""What the configuration says about transfers, as an exchange goes by it. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.net.custom import Custom
from proxy.net.replay import ReplayMemory
from proxy.upstream.habits import Habits
from proxy.upstream.reach import Reach
from proxy.upstream.vigilance import Vigilance


@dataclass(frozen=True, slots=True)
class ExchangeRules:
    """What the configuration says about transfers. Seconds."""

    reach: Reach
    connect: float
    stall: float
    final: float
    goodbyes: Custom  # the server's
    resumptions: Custom  # of our TLS sessions, by the server
    splice: bool = True
    habits: Habits | None = None  # close: reset; None: downloads end by FIN
    vigilance: Vigilance | None = None  # heal.downloads; None: what breaks stays broken
    upload_vigilance: Vigilance | None = None  # heal.uploads, likewise
    replays: ReplayMemory | None = None  # what uploads keep to be sent again
    dscp: int | None = None  # None: data connections are not marked
