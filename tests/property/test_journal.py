"""The state file at any moment: it says neither less than what counts nor more, but for one write.

The model is a dictionary of slots. A kill is a copy of the file, or SIGKILL where it must be real.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.shaping.ledger import Kind
from proxy.store.journal import Journal, Remembered

kinds = st.sampled_from(list(Kind))
steps = st.one_of(
    st.tuples(st.just("open"), kinds),
    st.tuples(st.just("close"), st.integers(0, 9), st.sampled_from([0.0, 5.0, 60.0])),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    st.tuples(st.just("pass"), st.sampled_from([0.5, 5.0, 30.0])),
    st.tuples(st.just("restart")),
)


@dataclass
class Life:
    """A journal, and what it must say: each slot with its end, None while it is open."""

    folder: Path
    now: float = 1000.0
    runs: int = 0
    serial: int = 0
    slots: dict[int, Remembered] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.journal = Journal(self.path, now=self.now)
        self.journal.start(self.now)

    @property
    def path(self) -> Path:
        """The file of the present run; that of a killed one stays as it was."""
        return self.folder / f"state-{self.runs}"

    @property
    def open(self) -> list[int]:
        return [slot for slot, life in self.slots.items() if life.until is None]

    @property
    def counting(self) -> Counter[Remembered]:
        return Counter(
            life for life in self.slots.values() if life.until is None or life.until > self.now
        )

    def found(self) -> list[Remembered]:
        """Return what would be found after a kill."""
        copy = self.folder / "copy"
        shutil.copy(self.path, copy)
        journal = Journal(copy, now=self.now)
        journal.close()
        copy.unlink()
        assert journal.remembered is not None
        return journal.remembered

    def take(self, kind: Kind) -> None:
        self.serial += 1
        self.journal.opened(self.serial, kind, self.now)
        self.slots[self.serial] = Remembered(kind, None)

    def end(self, slot: int, until: float) -> None:
        self.journal.closed(slot, until)
        self.slots[slot] = Remembered(self.slots[slot].kind, until)

    def restart(self) -> None:
        """Be killed, and begin again as the budget does: what was open has ended with us."""
        old = self.path
        self.runs += 1
        shutil.copy(old, self.path)
        self.journal.close()
        self.journal = Journal(self.path, now=self.now)
        assert self.journal.remembered is not None
        self.slots.clear()
        for one in self.journal.remembered:
            until = self.now + 60.0 if one.until is None else one.until
            if until > self.now:
                self.take(one.kind)
                self.end(self.serial, until)
        self.journal.start(self.now)


@given(script=st.lists(steps, max_size=40))
def test_a_kill_at_any_point_is_remembered_as_it_was(script: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder))
        for step in script:
            match step:
                case ("open", Kind() as kind):
                    life.take(kind)
                case ("close", int(pick), float(hold)) if life.open:
                    life.end(life.open[pick % len(life.open)], life.now + hold)
                case ("cancel", int(pick)) if life.open:
                    slot = life.open[pick % len(life.open)]
                    life.journal.cancelled(slot)
                    del life.slots[slot]
                case ("pass", float(seconds)):
                    life.now += seconds
                case ("restart",):
                    life.restart()
                case _:
                    assert not life.open  # nothing to end
            found = Counter(life.found())
            assert found >= life.counting
            extra = found - life.counting  # rows of what has cooled down, not used again yet
            assert all(one.until is not None and one.until <= life.now for one in extra)
        life.journal.close()


@given(data=st.binary(max_size=4096))
def test_no_file_is_too_odd_to_start_with(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state")
        path.write_bytes(data)
        journal = Journal(path, now=0.0)
        assert journal.remembered == (None if data else [])
        journal.close()


@given(at=st.integers(0, 64 + 24 * 8), data=st.binary(min_size=1, max_size=24))
def test_whatever_was_overwritten_makes_at_worst_a_full_budget(at: int, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder))
        for _ in range(1024):
            life.take(Kind.UPLOAD)
        with life.path.open("r+b") as file:
            file.seek(at)
            file.write(data)
        life.journal.close()
        journal = Journal(life.path, now=life.now)
        assert journal.remembered is None or len(journal.remembered) <= 1024
        journal.close()


# Tells each write before and after it, and never stops by itself.
ENDLESS = """
import os, random, sys
from pathlib import Path
from proxy.shaping.ledger import Kind
from proxy.store.journal import Journal
chance = random.Random(int(sys.argv[2]))
journal = Journal(Path(sys.argv[1]), now=0.0)
journal.start(0.0)
kinds, open_slots, slot = list(Kind), [], 0
def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
while True:
    deed = chance.choice(("open", "open", "close", "cancel"))
    if deed == "open" or not open_slots:
        slot += 1
        kind = chance.choice(kinds)
        tell("open", slot, kind.value)
        journal.opened(slot, kind, 0.0)
        open_slots.append(slot)
    elif deed == "close":
        gone = open_slots.pop(chance.randrange(len(open_slots)))
        tell("close", gone)
        journal.closed(gone, 1e9 + gone)
    else:
        gone = open_slots.pop(chance.randrange(len(open_slots)))
        tell("cancel", gone)
        journal.cancelled(gone)
    tell("done")
"""


@pytest.mark.parametrize("seed", range(8))
def test_a_process_killed_while_it_writes_is_at_most_one_write_behind(
    tmp_path: Path, seed: int
) -> None:
    path = tmp_path / "state"
    heard = killed_in_the_middle(path, seed)
    # What was told last may have been written, or not, or half.
    before, after = model_of(heard[:-1]), model_of(heard)
    journal = Journal(path, now=0.0)
    assert journal.remembered is not None
    assert Counter(journal.remembered) in (before, after)
    journal.close()


def killed_in_the_middle(path: Path, seed: int) -> list[str]:
    """Let it write for a while, end it by SIGKILL, and return all the deeds it told of."""
    words = random.Random(seed).randrange(1, 3000)
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(path), str(seed)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        heard = [process.stdout.readline() for _ in range(words)]
        process.kill()
        heard += process.stdout.readlines()
    process.wait()
    # The very last line may be "done": then nothing was being written.
    return [line.strip() for line in heard if not line.startswith("done")]


def model_of(deeds: list[str]) -> Counter[Remembered]:
    """Return what the table says after these deeds."""
    slots: dict[int, Remembered] = {}
    for deed in deeds:
        match deed.split():
            case ["open", slot, kind]:
                slots[int(slot)] = Remembered(Kind(kind), None)
            case ["close", slot]:
                slots[int(slot)] = Remembered(slots[int(slot)].kind, 1e9 + int(slot))
            case ["cancel", slot]:
                del slots[int(slot)]
            case _:
                raise AssertionError(deed)
    return Counter(slots.values())
