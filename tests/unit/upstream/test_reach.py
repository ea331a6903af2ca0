from __future__ import annotations

import pytest

from proxy.upstream.order import WORTHWHILE, Order
from proxy.upstream.reach import Reach

FAR = 10 * WORTHWHILE


@pytest.mark.parametrize("down", [True, False])
def test_what_was_configured_is_done_whatever_was_learned(down: bool) -> None:
    for order in (Order("on"), Order("off")):
        active, passive = Reach("active", order), Reach("passive", order)
        active.failed()
        assert active.prefers_active(FAR, down=down)
        assert not passive.prefers_active(FAR, down=down)


def test_auto_lets_the_server_connect_for_what_comes_from_it() -> None:
    reach = Reach("auto", Order("on"))
    assert reach.prefers_active(FAR, down=True)
    assert not reach.prefers_active(FAR, down=False)


def test_auto_waits_for_the_proof_of_order() -> None:
    assert not Reach("auto", Order("auto")).prefers_active(FAR, down=True)
    assert not Reach("auto", Order("off")).prefers_active(FAR, down=True)


def test_auto_falls_back_for_good() -> None:
    reach = Reach("auto", Order("on"))
    reach.failed()
    assert not reach.prefers_active(FAR, down=True)


def test_what_saves_no_time_is_not_sent_together() -> None:
    order = Order("auto")
    assert not Reach("active", order).saves_time(FAR)
    for _ in range(3):
        order.was_kept()
    assert Reach("active", order).saves_time(FAR)
    assert not Reach("active", order).saves_time(WORTHWHILE / 2)
