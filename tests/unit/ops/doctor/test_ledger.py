"""The state file, looked at and never touched."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from proxy.config import Config
from proxy.ops.doctor.ledger import look_at_ledgers
from proxy.ops.doctor.seen import Ledger
from proxy.shaping.ledger import Kind
from proxy.store.journal import Journal


def look(
    state: Path | None, *, enforce: str = "on", addresses: tuple[str, ...] = ()
) -> list[Ledger]:
    config = Config.model_validate(
        {
            "upstream": {"host": "ftp.example.com", "source_addresses": addresses},
            "budget": {"enforce": enforce},
            "state": str(state) if state else None,
        }
    )
    return list(look_at_ledgers(config, time.monotonic()))


def test_what_a_running_proxy_holds_is_seen(tmp_path: Path) -> None:
    state = tmp_path / "state"
    now = time.monotonic()
    journal = Journal(state, now=now)
    journal.start(now)
    for slot, kind in enumerate((Kind.CONTROL, Kind.DOWNLOAD, Kind.LISTING)):
        journal.opened(slot, kind, now)
    journal.closed(1, now + 60)
    journal.closed(2, now - 1)  # no longer counts, but tells that it worked
    (seen,) = look(state)
    assert (seen.is_held, seen.used, seen.limit, seen.had_data) == (True, 2, 380, 2)
    assert seen.next_free == pytest.approx(60, abs=5)
    journal.close()
    (seen,) = look(state)
    assert (seen.is_held, seen.used) == (False, 2)


def test_a_first_start_has_nothing_to_remember(tmp_path: Path) -> None:
    (seen,) = look(tmp_path / "state")
    assert (seen.problem, seen.used, seen.is_believed) == ("", 0, True)
    assert not (tmp_path / "state").exists()


def test_a_file_that_cannot_be_believed_fills_the_budget(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"nonsense")
    (seen,) = look(tmp_path / "state")
    assert (seen.is_believed, seen.used) == (False, seen.limit)


def test_a_file_that_cannot_be_used_is_a_problem(tmp_path: Path) -> None:
    assert look(tmp_path / "nowhere" / "state")[0].problem.endswith("is no directory")
    assert look(tmp_path)[0].problem == "it is no file"
    os.mkfifo(tmp_path / "pipe")
    assert look(tmp_path / "pipe")[0].problem == "it is no file"


def test_each_egress_address_has_a_file_of_its_own(tmp_path: Path) -> None:
    seen = look(tmp_path / "state", addresses=("127.0.0.1", "127.0.0.2"))
    assert [one.path for one in seen] == [f"{tmp_path}/state.127.0.0.{n}" for n in (1, 2)]


@pytest.mark.parametrize(("state", "enforce"), [(None, "on"), (Path("s"), "off")])
def test_without_a_budget_there_is_no_file(state: Path | None, enforce: str) -> None:
    assert look(state, enforce=enforce) == []


def test_what_only_this_user_may_not_do_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    journal = Journal(tmp_path / "state", now=now)
    journal.start(now)
    journal.opened(1, Kind.DOWNLOAD, now)
    journal.close()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, who runs tests, may everything
    (seen,) = look(tmp_path / "state")
    assert (seen.problem, seen.is_denied) == ("this user may not write it", True)
    assert seen.used == 1  # what can be read counts
    (seen,) = look(tmp_path / "other")
    assert seen.is_denied
    assert not look(tmp_path / "nowhere" / "state")[0].is_denied
