from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import cast

from proxy.gate.request import Permit, Request, Source
from proxy.shaping.holds import Ending
from proxy.shaping.ledger import Kind
from proxy.shaping.quota import Limits
from proxy.upstream.egress import Egress
from proxy.upstream.identity import Credentials

SOURCE = Source("192.0.2.7", "nightly", Limits())
Asked = partial(Request, since=0.0)


def test_a_source_is_counted_by_class_and_address() -> None:
    assert SOURCE.key == ("nightly", "192.0.2.7")


def test_a_command_never_waits_behind_a_transfer() -> None:
    assert Asked(SOURCE).flow != Asked(SOURCE, Kind.LISTING).flow


def test_all_transfers_of_a_source_with_one_login_wait_in_one_line() -> None:
    assert Asked(SOURCE, Kind.DOWNLOAD).flow == Asked(SOURCE, Kind.UPLOAD).flow


def test_each_source_waits_in_a_line_of_its_own() -> None:
    assert Asked(SOURCE).flow != Asked(replace(SOURCE, host="192.0.2.8")).flow


def test_each_login_waits_in_a_line_of_its_own() -> None:
    alice, bob = (Credentials(name, b"secret").key() for name in (b"alice", b"bob"))
    assert Asked(SOURCE, key=alice).flow != Asked(SOURCE, key=bob).flow
    assert "secret" not in Asked(SOURCE, key=alice).flow


def test_a_permit_is_given_back_once() -> None:
    given: list[Ending | None] = []
    permit = Permit(cast(Egress, None), None, lambda _, ending: given.append(ending))
    permit.settle(Ending.FIN)
    permit.settle(None)
    assert given == [Ending.FIN]
