"""What is measured."""

from __future__ import annotations

from loadtest.bench.peers import DIRECT, EVERYBODY, FTPWEIR, MOD_PROXY, TWO_WORKERS
from loadtest.bench.works import WORKS, Tls


def test_no_two_works_or_peers_have_one_name() -> None:
    names = [work.name for work in WORKS] + [peer.name for peer in EVERYBODY]
    assert len(names) == len(set(names))


def test_only_ftpweir_serves_more_scripts_than_the_server_has_sessions() -> None:
    (work,) = (work for work in WORKS if work.name == "wan-down")
    assert len(work.deeds_behind(FTPWEIR)) == 8
    assert len(work.deeds_behind(MOD_PROXY)) == len(work.deeds_behind(DIRECT)) == work.sessions


def test_a_hurried_work_is_done_once() -> None:
    assert all(work.in_a_hurry().rounds == 1 for work in WORKS)
    assert all(bool(work.in_a_hurry().files) == bool(work.files) for work in WORKS)


def test_tls_is_measured_on_either_side_and_only_where_ftp_is_read() -> None:
    in_tls = [work for work in WORKS if work.tls is not Tls.NOBODY]
    assert {work.tls for work in in_tls} == {Tls.SERVER, Tls.SCRIPTS}
    reads_ftp = (MOD_PROXY, FTPWEIR, TWO_WORKERS)
    assert all(peer in reads_ftp for work in in_tls for peer in work.peers)
