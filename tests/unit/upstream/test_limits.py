from __future__ import annotations

from proxy.upstream.limits import PoolLimits


def test_downloads_end_by_fin_unless_told_otherwise() -> None:
    assert not PoolLimits(sessions=2, lifetime=1.0, idle=1.0, login_memory=1.0, outage=0.0).resets
