"""The parent of several processes, with real ones; what they do is a few lines of the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.programs import CHECKOUT
from tests.support.waiting import until

# Each child leaves a file with its process id, says that it serves, and waits for a signal.
PARENT = """
import asyncio, os, signal, sys, time
from pathlib import Path
from proxy.events import Reloaded, ReloadRefused
from proxy.phase import Phase
from proxy.workers import Word, Workers, parent, voice as voices

parent.SOON, parent.SILENT, voices.BEAT = 0.01, float(sys.argv[3]), 0.05
folder, fails = Path(sys.argv[1]), sys.argv[2]

def work(number, voice):
    if fails == "at once":
        return 2
    (folder / f"{number}.{os.getpid()}").touch()
    asyncio.run(listen(number, voice))
    return 0

async def listen(number, voice):
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)

    async def judge(agree):
        if (folder / f"dies.{number}").exists():
            os._exit(3)
        can = not (folder / f"refuses.{number}").exists()
        told = await agree(Reloaded((), ()) if can else ReloadRefused(("no",)))
        begun = folder / f"begun.{number}"
        begun.write_text(str(told))
        begun.rename(folder / f"{type(told).__name__}.{number}")  # there as a whole, or not

    async with asyncio.TaskGroup() as tasks:
        voice.entered(Phase.SERVING)
        beside = [
            tasks.create_task(voice.keep_told(lambda: True, str)),
            tasks.create_task(voice.listen(lambda agree: tasks.create_task(judge(agree)))),
        ]
        await over.wait()
        for task in beside:
            task.cancel()

def desk(number, voice):
    voice.say(Word.SERVES)
    while not (folder / "drain").exists():
        voice.say(Word.SOUND)
        time.sleep(0.05)
    voice.say(Word.DRAIN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.sigwait({signal.SIGTERM})
    (folder / "desk").touch()
    return 0

class Overseer:
    def ready(self): (folder / "ready").touch()
    def ending(self): (folder / "ending").touch()
    def reread(self): (folder / "reread").touch()
    def decided(self, outcome): (folder / "decided").write_text(str(outcome))
    def look(self, is_sound, status):
        (folder / "status").write_text(f"{is_sound} {status}")
        return time.monotonic() + 3600.0
    def tell(self, line): print(line, flush=True)

sys.exit(Workers(2, work, Overseer(), desk=desk).run())
"""


class Parent:
    """The running parent and what its workers have left in the folder."""

    def __init__(self, folder: Path, fails: str = "never", silent: float = 60.0) -> None:
        self.folder = folder
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "NOTIFY_SOCKET": "@nobody"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(folder), fails, str(silent)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def has(self, *names: str) -> bool:
        return all((self.folder / name).exists() for name in names)

    def pids(self, number: int) -> set[int]:
        return {int(path.suffix[1:]) for path in self.folder.glob(f"{number}.*")}

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
        return self.process.returncode


def test_all_serve_and_end(tmp_path: Path) -> None:
    parent = Parent(tmp_path)
    until(lambda: parent.has("ready"), "both serve")
    assert not parent.has("ending")
    assert parent.end() == 0
    assert parent.has("ending")


def test_a_reload_is_done_by_all_or_by_nobody(tmp_path: Path) -> None:
    parent = Parent(tmp_path)
    until(lambda: parent.has("ready"), "both serve")
    parent.process.send_signal(signal.SIGHUP)
    until(lambda: parent.has("Reloaded.0", "Reloaded.1"), "both go on by the new file")
    assert parent.has("reread", "decided")
    (tmp_path / "refuses.1").touch()
    parent.process.send_signal(signal.SIGHUP)
    until(lambda: parent.has("ReloadRefused.0", "ReloadRefused.1"), "both give it up")
    assert "worker 2: no" in (tmp_path / "ReloadRefused.0").read_text()
    assert parent.end() == 0


def test_a_reload_in_which_one_dies_is_given_up(tmp_path: Path) -> None:
    parent = Parent(tmp_path)
    until(lambda: parent.has("ready"), "both serve")
    (tmp_path / "dies.1").touch()
    parent.process.send_signal(signal.SIGHUP)
    until(lambda: parent.has("ReloadRefused.0"), "the other gives it up")
    assert "worker 2: it has ended with 3" in (tmp_path / "decided").read_text()
    (tmp_path / "dies.1").unlink()
    until(lambda: len(parent.pids(1)) == 2, "another has taken its place")
    assert parent.end() == 0


def test_one_that_dies_is_started_again(tmp_path: Path) -> None:
    parent = Parent(tmp_path)
    until(lambda: parent.has("ready"), "both serve")
    (dead,) = parent.pids(1)
    os.kill(dead, signal.SIGKILL)
    until(lambda: len(parent.pids(1)) == 2, "another has taken its place")
    assert len(parent.pids(0)) == 1
    parent.process.send_signal(signal.SIGTERM)
    told, _ = parent.process.communicate(timeout=20)
    assert "worker 2 ended with -9" in told
    assert parent.process.returncode == 0


def test_one_that_hangs_is_ended_and_started_again(tmp_path: Path) -> None:
    parent = Parent(tmp_path, silent=1.0)
    until(lambda: parent.has("ready"), "both serve")
    (hanging,) = parent.pids(0)
    os.kill(hanging, signal.SIGSTOP)
    until(lambda: len(parent.pids(0)) > 1, "another has taken its place")
    parent.process.send_signal(signal.SIGTERM)
    told, _ = parent.process.communicate(timeout=20)
    assert "worker 1 hangs" in told
    assert parent.process.returncode == 0


def test_the_desk_can_have_all_end_and_goes_last(tmp_path: Path) -> None:
    parent = Parent(tmp_path)
    until(lambda: parent.has("ready"), "all serve")
    workers = parent.pids(0) | parent.pids(1)
    (tmp_path / "drain").touch()
    parent.process.communicate(timeout=20)
    assert parent.process.returncode == 0
    assert parent.has("ending", "desk")
    assert not any(is_running(pid) for pid in workers)
    assert "2 workers" in (tmp_path / "status").read_text()


def test_what_cannot_begin_is_not_tried_again(tmp_path: Path) -> None:
    parent = Parent(tmp_path, "at once")
    parent.process.communicate(timeout=20)
    assert parent.process.returncode == 2
    assert not parent.has("ready")


def test_workers_do_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent = Parent(tmp_path)
    until(lambda: parent.has("ready"), "both serve")
    parent.process.kill()
    parent.process.communicate(timeout=20)
    workers = parent.pids(0) | parent.pids(1)
    until(lambda: not any(is_running(pid) for pid in workers), "both have ended")


def is_running(pid: int) -> bool:
    """Tell whether it is there and not merely unburied."""
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
