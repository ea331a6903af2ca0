"""Four instances, one budget and one Redis; counted where the firewall would count."""

from __future__ import annotations

import socket
import time
from contextlib import AbstractContextManager, ExitStack

import pytest

from tests.support.instances import BUDGET, HOLD, NUMBER, SCRIPTS, Instances, instances
from tests.support.proxy import Ftpweir
from tests.support.rate import expect_rate
from tests.support.redis import RedisServer
from tests.support.servers import Vsftpd
from tests.support.watching import Sampler

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(180)]

LEASE = 4
RECOVERY = 2


def four(sessions: int = NUMBER, **sharing: object) -> AbstractContextManager[Instances]:
    """Four that forget soon: a test has no minutes."""
    return instances(sessions, lease=f"{LEASE}s", recovery=f"{RECOVERY}s", **sharing)


def test_four_instances_keep_one_budget_and_use_all_of_it() -> None:
    with four() as one:
        rate = one.rate()
    assert one.firewall.most <= BUDGET
    expect_rate(rate, one.possible)


def test_four_instances_share_two_sessions_and_no_script_is_refused() -> None:
    with four(sessions=2) as one, Sampler(one.server.sessions) as sessions:
        one.batch(12)
    assert sessions.most <= 2
    assert one.firewall.most <= BUDGET


def test_the_budget_is_kept_whatever_happens_and_the_rate_comes_back() -> None:
    with four() as one:
        one.begin(80)
        for mishap in (_freeze, _restart, _flush, _cut):
            one.until_used(BUDGET - 5)
            mishap(one)
            # Two mishaps at once are one too many: docs/SCALE.md.
            time.sleep(RECOVERY + 1)
            assert one.firewall.most <= BUDGET, mishap.__name__
        one.finish()
        assert one.errors == []
        rate = one.rate()
    assert one.firewall.most <= BUDGET
    expect_rate(rate, one.possible)


def test_what_a_killed_instance_had_is_kept_free_and_used_again() -> None:
    with four() as one:
        # What the server has not heard the end of is counted for as long as it does not.
        one.lab.server.setting("net.netfilter.nf_conntrack_tcp_timeout_close_wait", 60)
        one.begin(40)
        one.until_used(BUDGET - 5)
        one.weirs[0].crash_and_restart()
        one.finish()
        assert sum(1 for batch in one.done if batch.errors) == 1
        rate = one.rate()
    assert one.firewall.most <= BUDGET
    expect_rate(rate, one.possible)


def test_who_is_cut_off_for_longer_than_its_lease_ends_in_time_for_the_others() -> None:
    with four(on_partition="abort") as one:
        one.begin(60)
        one.until_used(BUDGET - 5)
        with one.cut_off(0):
            time.sleep(LEASE)
            one.weirs[0].wait_for_log("thrown out")
            time.sleep(HOLD + 3)  # now the others have its part
            assert one.firewall.most <= BUDGET
        one.finish()
        assert sum(1 for batch in one.done if batch.errors) == 1
        one.batch(10)
    assert one.firewall.most <= BUDGET


def test_who_is_frozen_for_longer_than_its_lease_keeps_no_more_than_it_had_open() -> None:
    with four() as one:
        one.begin(60)
        one.until_used(BUDGET - 5)
        with one.frozen(0):
            # The others have its part by now; what it had open it cannot close.
            time.sleep(LEASE + HOLD + 3)
        one.finish()
        assert one.errors == []
        assert one.firewall.most <= BUDGET + SCRIPTS + 1  # data connections, and a session
        rate = one.rate()
    expect_rate(rate, one.possible)


def test_a_source_has_its_sessions_once_for_all_instances() -> None:
    with ExitStack() as undo:
        server = undo.enter_context(Vsftpd())
        redis = undo.enter_context(RedisServer())
        classes = [{"name": "few", "sessions": 3}]
        weirs = [
            undo.enter_context(
                Ftpweir(server, store=redis.url, clients=classes, refusals={"delay": "0s"})
            )
            for _ in range(2)
        ]
        heard = []
        for weir in (*weirs, *weirs, *weirs):
            client = undo.enter_context(socket.create_connection((weir.host, weir.port)))
            heard.append(client.recv(3))
        assert sorted(heard) == [b"220"] * 3 + [b"421"] * 3
        assert len(redis.ask("KEYS", "*:sessions:few:*").split()) == 1


def _freeze(one: Instances) -> None:
    with one.frozen(0):
        time.sleep(LEASE / 2)


def _restart(one: Instances) -> None:
    one.redis.kill()
    time.sleep(LEASE / 2)
    one.redis.start()


def _flush(one: Instances) -> None:
    one.redis.ask("FLUSHALL")


def _cut(one: Instances) -> None:
    with one.cut_off(0):
        time.sleep(LEASE / 2)
