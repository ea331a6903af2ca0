"""The state file: what it remembers, what it does not believe, and whose it is."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proxy.shaping.ledger import Kind
from proxy.store.journal import Journal, JournalError, Remembered, glance

NOW = 1000.0
HERE, ELSEWHERE = b"a" * 36, b"b" * 36  # two boots of the machine
HEADER, ROW, ROWS_AT_FIRST = 64, 24, 1024
BOOT_AT, OFFSET_AT = 8, 48
STATE, KIND, UNTIL = 0, 1, 16  # inside a row
NOT_A_NUMBER = b"\0\0\0\0\0\0\xf8\x7f"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "ledger.state"


def filled(state: Path, rows: int = 0) -> Journal:
    """Begin a journal with one slot open, one cooling for a minute, and `rows` more open."""
    journal = Journal(state, now=NOW)
    journal.start(NOW)
    journal.opened(1, Kind.DOWNLOAD, NOW)
    journal.opened(2, Kind.UPLOAD, NOW)
    journal.closed(2, NOW + 60)
    for slot in range(3, 3 + rows):
        journal.opened(slot, Kind.LISTING, NOW)
    return journal


def after_kill(state: Path, *, boot: bytes | None = None) -> list[Remembered] | None:
    """Return what a process would find that starts now, had the present one been killed."""
    copy = state.with_name("copy")
    shutil.copy(state, copy)
    found = Journal(copy, now=NOW, boot=boot)
    try:
        return found.remembered
    finally:
        found.close()


def damaged(state: Path, at: int, data: bytes) -> list[Remembered] | None:
    """Return what is found after these bytes were overwritten."""
    with state.open("r+b") as file:
        file.seek(at)
        file.write(data)
    return after_kill(state)


def row_of(state: Path, kind: Kind) -> int:
    """Return where the only row of this kind that is in use begins."""
    data = state.read_bytes()
    wanted = list(Kind).index(kind)
    (at,) = (at for at in range(HEADER, len(data), ROW) if data[at] and data[at + KIND] == wanted)
    return at


def test_a_first_start_remembers_nothing(state: Path) -> None:
    journal = Journal(state, now=NOW)
    assert journal.remembered == []
    journal.close()


def test_only_its_owner_may_read_it(state: Path) -> None:
    Journal(state, now=NOW).close()
    assert state.stat().st_mode & 0o777 == 0o600


def test_who_is_killed_leaves_what_was_open_and_what_was_cooling(state: Path) -> None:
    journal = filled(state)
    found = after_kill(state)
    assert found is not None
    assert set(found) == {Remembered(Kind.DOWNLOAD, None), Remembered(Kind.UPLOAD, NOW + 60)}
    journal.close()


def test_a_cancelled_slot_is_not_remembered(state: Path) -> None:
    journal = Journal(state, now=NOW)
    journal.start(NOW)
    journal.opened(1, Kind.DOWNLOAD, NOW)
    journal.cancelled(1)
    assert after_kill(state) == []
    journal.close()


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_remembered_as_itself(state: Path, kind: Kind) -> None:
    journal = Journal(state, now=NOW)
    journal.start(NOW)
    journal.opened(1, kind, NOW)
    assert after_kill(state) == [Remembered(kind, None)]
    journal.close()


def test_a_clean_end_is_remembered_as_well(state: Path) -> None:
    filled(state).close()
    found = after_kill(state)
    assert found is not None
    assert len(found) == 2


def test_rows_of_cooled_slots_are_used_again(state: Path) -> None:
    journal = Journal(state, now=NOW)
    journal.start(NOW)
    for slot in range(5 * ROWS_AT_FIRST):
        now = NOW + slot
        journal.opened(slot, Kind.DOWNLOAD, now)
        journal.closed(slot, now + 60)
    assert state.stat().st_size == HEADER + ROWS_AT_FIRST * ROW
    journal.close()


def test_the_table_grows_with_what_is_open(state: Path) -> None:
    journal = filled(state, rows=3 * ROWS_AT_FIRST)
    found = after_kill(state)
    assert found is not None
    assert len(found) == 2 + 3 * ROWS_AT_FIRST
    journal.close()


def test_it_begins_with_room_for_the_whole_budget(state: Path) -> None:
    journal = Journal(state, now=NOW, rows=2 * ROWS_AT_FIRST + 1)
    assert state.stat().st_size == HEADER + 3 * ROWS_AT_FIRST * ROW
    journal.close()


# What is not believed.


def test_until_everything_is_booked_again_the_new_table_is_not_believed(state: Path) -> None:
    filled(state).close()
    journal = Journal(state, now=NOW)
    assert after_kill(state) is None
    journal.opened(1, Kind.DOWNLOAD, NOW)
    assert after_kill(state) is None
    journal.start(NOW)
    assert after_kill(state) == [Remembered(Kind.DOWNLOAD, None)]
    journal.close()


@pytest.mark.parametrize("size", [1, 55, 56, 63, 64, HEADER + ROW, HEADER + ROWS_AT_FIRST * ROW])
def test_a_file_that_was_cut_is_not_believed(state: Path, size: int) -> None:
    filled(state, rows=ROWS_AT_FIRST).close()
    os.truncate(state, size)
    assert after_kill(state) is None


def test_a_file_with_a_torn_end_is_not_believed(state: Path) -> None:
    filled(state).close()
    with state.open("ab") as file:
        file.write(b"\0")
    assert after_kill(state) is None


def test_growth_that_was_cut_short_loses_nothing(state: Path) -> None:
    journal = filled(state)
    with state.open("ab") as file:
        file.write(bytes(ROWS_AT_FIRST * ROW))  # the file has grown, its header not yet
    assert len(after_kill(state) or ()) == 2
    journal.close()


@pytest.mark.parametrize(
    "content", [b"x", b"listen: 127.0.0.1:2121\n" * 9, bytes(HEADER + ROWS_AT_FIRST * ROW)]
)
def test_a_file_of_another_kind_is_not_believed(state: Path, content: bytes) -> None:
    state.write_bytes(content)
    assert after_kill(state) is None


@pytest.mark.parametrize(("place", "byte"), [(STATE, 3), (STATE, 255), (KIND, len(Kind))])
def test_a_row_that_makes_no_sense_spoils_the_table(state: Path, place: int, byte: int) -> None:
    filled(state).close()
    at = row_of(state, Kind.UPLOAD)
    assert damaged(state, at + place, bytes([byte])) is None


def test_a_time_that_is_no_number_spoils_the_table(state: Path) -> None:
    filled(state).close()
    at = row_of(state, Kind.UPLOAD)
    assert damaged(state, at + UNTIL, NOT_A_NUMBER) is None


# Boots.


def test_after_a_crash_of_the_machine_nothing_is_believed(state: Path) -> None:
    journal = Journal(state, now=NOW, boot=HERE)
    journal.start(NOW)
    assert after_kill(state, boot=HERE) == []
    assert after_kill(state, boot=ELSEWHERE) is None
    journal.close()


def test_a_clean_end_holds_across_a_reboot_and_its_times_too(state: Path) -> None:
    uptime = time.monotonic()
    before = Journal(state, now=uptime, boot=HERE)
    before.start(uptime)
    before.opened(1, Kind.DOWNLOAD, uptime)
    before.closed(1, uptime + 60)
    before.close()
    rebooted = uptime + 1_000_000  # another origin of the clock; no time has passed
    after = Journal(state, now=rebooted, boot=ELSEWHERE)
    assert after.remembered is not None
    (found,) = after.remembered
    assert found.until == pytest.approx(rebooted + 60, abs=30)  # the test itself takes some time
    after.close()


def test_a_wall_clock_that_is_no_number_is_not_believed(state: Path) -> None:
    filled(state).close()
    assert damaged(state, OFFSET_AT, NOT_A_NUMBER) is not None  # the same boot never asks for it
    assert damaged(state, BOOT_AT, ELSEWHERE) is None


def test_without_a_boot_to_compare_only_a_clean_end_is_believed(state: Path) -> None:
    journal = Journal(state, now=NOW, boot=b"unknown")
    journal.start(NOW)
    assert after_kill(state, boot=b"unknown") is None
    journal.close()
    assert after_kill(state, boot=b"unknown") == []


# Whose it is.


def test_two_proxies_never_share_a_file(state: Path) -> None:
    first = Journal(state, now=NOW)
    with pytest.raises(JournalError, match="in use by another ftpweir"):
        Journal(state, now=NOW)
    first.close()
    Journal(state, now=NOW).close()


@pytest.mark.parametrize("name", ["", "no-such-folder/state"])
def test_a_path_that_cannot_be_opened_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(JournalError, match=r"cannot open the state file .*: [A-Z]"):
        Journal(tmp_path / name, now=NOW)


@pytest.mark.parametrize("name", ["null", "zero"])
def test_what_is_no_file_is_told(name: str) -> None:
    with pytest.raises(JournalError, match="is no file: write 'state: none'"):
        Journal(Path("/dev", name), now=NOW)


def test_a_pipe_is_no_file(state: Path) -> None:
    os.mkfifo(state)
    with pytest.raises(JournalError, match="is no file"):
        Journal(state, now=NOW)


# A file may not grow past a limit of the process: as good as a full disk, and needs no root.
FULL = """
import resource, signal, sys
from pathlib import Path
from proxy.store.journal import Journal, JournalError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    Journal(Path(sys.argv[1]), now=0.0)
except JournalError as problem:
    sys.exit(str(problem))
"""


def test_a_full_disk_is_told_before_it_kills(state: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(state)], capture_output=True, text=True, check=False
    )
    reason = os.strerror(errno.EFBIG)
    assert (done.returncode, done.stderr) == (1, f"cannot use the state file {state}: {reason}\n")


def test_a_glance_sees_what_a_running_proxy_holds_and_changes_nothing(state: Path) -> None:
    journal = filled(state)
    before = state.read_bytes()
    seen = glance(state, now=NOW)
    assert seen is not None
    assert seen.is_held
    expected = {Remembered(Kind.DOWNLOAD, None), Remembered(Kind.UPLOAD, NOW + 60)}
    assert seen.slots is not None
    assert set(seen.slots) == expected
    assert state.read_bytes() == before
    journal.close()
    after = glance(state, now=NOW)
    assert after is not None
    assert not after.is_held
    Journal(state, now=NOW).close()  # nothing keeps the next proxy out


def test_a_glance_tells_nothing_from_unbelievable(state: Path) -> None:
    assert glance(state, now=NOW) is None
    assert not state.exists()
    state.write_bytes(b"nonsense")
    seen = glance(state, now=NOW)
    assert seen is not None
    assert seen.slots is None
