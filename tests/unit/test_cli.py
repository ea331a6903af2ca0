"""The command: what it prints, and its exit codes."""

from __future__ import annotations

import contextlib
import ftplib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from proxy import __version__
from proxy.cli import _ready, main
from proxy.commands.output import watched
from proxy.config import keys, simple
from proxy.demo import PASSWORD, SESSIONS, USER
from proxy.phase import Serving
from proxy.refusals import Reason
from tests.support.programs import CHECKOUT
from tests.support.waiting import until

GOOD = "upstream: {host: ftp.example.com}\n"
WARNED = GOOD + "clients:\n- name: nightly\n  source: 10.20.0.0/16\n"
BAD = "upstream:\n  host: ftp.example.com\n  sesions: 2\nqueue: {max_wait: 21:30}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ftpweir.yaml"


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def ended(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m proxy` in a folder to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@contextlib.contextmanager
def running(folder: Path, *arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run it in a folder while the block lasts; yield it and its port once it is ready."""
    process = subprocess.Popen(
        command(*arguments), cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        found = re.fullmatch(r"ready: listening on 127\.0\.0\.1:(\d+)\n", ready)
        assert found, ready
        yield process, int(found[1])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "proxy", *map(str, arguments)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}


def visitor(port: int) -> ftplib.FTP:
    """Log in at the demo server behind a running proxy."""
    ftp = ftplib.FTP(timeout=20)
    ftp.connect("127.0.0.1", port)
    ftp.login(USER, PASSWORD)
    return ftp


def is_refused(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


# Of itself.


def test_it_tells_its_version() -> None:
    result = invoke("--version")
    assert (result.exit_code, result.output) == (0, f"ftpweir, version {__version__}\n")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_its_help_shows_how_to_begin(option: str) -> None:
    result = invoke(option)
    assert result.exit_code == 0
    assert "ftpweir run --demo" in result.output


@pytest.mark.parametrize(
    "named",
    ["--workers", "store", "servers", "doctor", "make bench", "make loadtest", "docs/FTPS.md"],
)
def test_its_help_names_whatever_is_big(named: str) -> None:
    assert named in invoke("--help").output.partition("Where to go on:")[2]


def test_its_help_leads_to_what_exists() -> None:
    places = invoke("--help").output.partition("Where to go on:")[2]
    for document in re.findall(r"(?:config|docs)/\S+\.\w+", places):
        assert (CHECKOUT / document).is_file(), document
    for target in re.findall(r"make (\S+)(?=,)", places):
        assert f"\n{target}:" in (CHECKOUT / "Makefile").read_text()
    for word in re.findall(r"ftpweir explain (\w+)", places):
        assert invoke("explain", word).exit_code == 0, word
    for name, options in re.findall(r"ftpweir (\w+)(.*?)(?:,|$)", places, re.MULTILINE):
        known = {one for param in main.commands[name].params for one in param.opts}
        assert set(re.findall(r" (-\S+)", options)) <= known


def test_the_module_is_the_command(tmp_path: Path) -> None:
    done = ended(tmp_path, "--version")
    assert (done.returncode, done.stdout) == (0, invoke("--version").output)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run"], "give one of: -c FILE, --upstream HOST"),
        (["run", "--demo", "--upstream", "a"], "give one of"),
        (["run", "-c", "a.yaml", "--demo"], "give one of"),
        (["run", "-c", "a.yaml", "--listen", "127.0.0.1:0"], "a file has its own 'listen'"),
        (["run", "--demo", "--port", "21"], "No such option"),
        (["run", "-c", "."], "is a directory"),
        (["check"], "give the file: ftpweir check -c FILE"),
        (["explain"], "Missing argument 'REASON|KEY'"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_bad_usage_is_told_with_exit_code_2(arguments: list[str], told: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


# check


def test_a_good_file_is_called_good(file: Path) -> None:
    file.write_text(GOOD)
    result = invoke("check", "-c", file)
    assert (result.exit_code, result.output) == (0, f"{file}: good\n")


def test_warnings_are_told_and_keep_nobody_from_starting(file: Path) -> None:
    file.write_text(WARNED)
    result = invoke("check", "-c", file)
    assert result.exit_code == 0
    assert re.match(rf"{file}:\d+:\d+: warning: ", result.output)
    assert result.output.endswith(f"{file}: good, with warnings\n")


def test_every_problem_is_told_with_its_place(file: Path) -> None:
    file.write_text(BAD)
    result = invoke("check", "-c", file)
    assert result.exit_code == 1
    first, second = result.output.splitlines()
    assert first.startswith(f"{file}:3:3: upstream.sesions: ")
    assert first.endswith("(did you mean sessions?)")
    assert second.startswith(f"{file}:4:19: queue.max_wait: ")


def test_a_file_that_is_not_there_is_a_problem(file: Path) -> None:
    result = invoke("check", "-c", file)
    assert (result.exit_code, result.output) == (
        1,
        f"{file}: cannot be read: No such file or directory\n",
    )


# explain


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained_by_any_spelling_of_its_name(reason: Reason) -> None:
    lower, upper = invoke("explain", reason.value), invoke("explain", reason.name)
    assert lower.exit_code == 0
    assert lower.output == upper.output


@pytest.mark.parametrize("key", keys())
def test_every_setting_is_explained(key: str) -> None:
    assert invoke("explain", key).exit_code == 0


def test_an_unknown_word_is_a_problem() -> None:
    result = invoke("explain", "421")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Nothing is known by the name of '421'; docs/REFUSALS.md lists the refusals, "
        "config/ftpweir.yaml the settings.\n"
    )


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("guard", "budget.guard"),
        ("sessions", "upstream.sessions or clients.sessions"),
        ("budget.conections", "budget.connections"),
        ("clas_sessions", "class_sessions"),
    ],
)
def test_a_misspelt_word_is_asked_back(word: str, meant: str) -> None:
    result = invoke("explain", word)
    assert result.exit_code == 1
    assert result.stderr == f"Nothing is known by the name of {word!r} (did you mean {meant}?).\n"


def test_a_setting_is_explained_in_any_case() -> None:
    assert invoke("explain", "Budget.Guard").output == invoke("explain", "budget.guard").output


def test_the_list_of_commands_is_not_cut_off() -> None:
    assert "..." not in invoke("--help").output.partition("Commands:")[2]


# run


def test_a_bad_file_keeps_it_from_starting(file: Path) -> None:
    file.write_text(BAD)
    done = ended(file.parent, "run", "-c", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == invoke("check", "-c", file).output


@pytest.mark.parametrize("upstream", ["ftp.example.com:99999", "no host", ":21", ""])
def test_a_bad_upstream_keeps_it_from_starting(upstream: str) -> None:
    result = invoke("run", "--upstream", upstream)
    assert result.exit_code == 2
    assert result.stderr.startswith("command line: upstream.")
    assert "Traceback" not in result.output


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = "{}:{}".format(*taken.getsockname())
        done = ended(tmp_path, "run", "--upstream", "127.0.0.1", "--listen", place)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cannot listen on {place}: Address already in use")
    assert done.stderr.count("\n") == 1


def test_a_state_file_that_cannot_be_used_is_told(file: Path) -> None:
    file.write_text(GOOD + "listen: 127.0.0.1:0\nstate: no-such-folder/state\n")
    done = ended(file.parent, "run", "-c", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("cannot open the state file no-such-folder/state: ")


@pytest.mark.parametrize(
    ("upstream", "told"),
    [
        ("127.0.0.1", r"127\.0\.0\.1:21"),
        ("127.0.0.1:2100", r"127\.0\.0\.1:2100"),
        ("::1", r"\[?::1\]?:21"),
        ("[::1]:2100", r"\[?::1\]?:2100"),
        ("localhost:2100", "localhost:2100"),
    ],
)
def test_the_server_may_be_given_with_or_without_its_port(
    tmp_path: Path, upstream: str, told: str
) -> None:
    arguments = ("run", "--upstream", upstream, "--listen", "127.0.0.1:0")
    with running(tmp_path, *arguments) as (process, _):
        assert process.stdout is not None
        line = process.stdout.readline()
    assert re.fullmatch(f"behind it: {told}, with at most 2 sessions at once\n", line)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_serves_and_ends_when_told(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path, "run", "--demo", "--listen", "127.0.0.1:0") as (process, port):
        visitors = [visitor(port) for _ in range(2 * SESSIONS)]
        for ftp in visitors:
            assert "README.txt" in ftp.nlst()
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(2)]
        assert told == [
            f"behind it: the demo server, with at most {SESSIONS} sessions at once\n",
            f"try it:    curl ftp://{USER}:{PASSWORD}@127.0.0.1:{port}/\n",
        ]
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        for ftp in visitors:
            ftp.close()
    assert not list(tmp_path.iterdir())  # the demo needs no ledger


def test_a_second_sigterm_ends_a_transfer_that_hangs(tmp_path: Path) -> None:
    with (
        running(tmp_path, "run", "--demo", "--listen", "127.0.0.1:0") as (process, port),
        contextlib.closing(visitor(port)) as ftp,
        ftp.transfercmd("STOR incoming/never-ending"),
    ):
        process.send_signal(signal.SIGTERM)
        until(lambda: is_refused(port), "nobody is let in any more")
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0  # far below timeouts.drain


def test_a_proxy_whose_greeting_nobody_can_keep_serves_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", watched(full))
        _ready(simple("ftp.example.com"), Serving(("127.0.0.1:2121",), None), demo=False)
        sys.stdout.close()
    assert "cannot write the output" in capsys.readouterr().err
