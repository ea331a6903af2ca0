"""What the configuration says of transfers, for tests of one part of an exchange."""

from __future__ import annotations

from proxy.exchange.rules import ExchangeRules
from proxy.net.custom import Custom
from proxy.upstream.order import Order
from proxy.upstream.reach import Reach

RULES = ExchangeRules(
    Reach("passive", Order("off")),
    connect=5.0,
    stall=5.0,
    final=5.0,
    goodbyes=Custom(),
    resumptions=Custom(),
)
