"""One line a deed: its name, its level, its fields."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import re
from typing import Any

import pytest

from proxy import events
from proxy.events import Event
from proxy.ops.logs import EventLog
from proxy.ops.outlet import Outlet

from .examples import KINDS

Output = pytest.CaptureFixture[str]

SAMPLES: dict[str, Any] = {
    "str": "text",
    "int": 7,
    "bool": True,
    "int | None": None,
    "float": 0.123456,
    "float | None": 0.123456,
    "tuple[str, ...]": ["one", "two"],
}
DIALLED = events.UpstreamOpened(upstream_session=7, user="alice", seconds=0.123456)
REFUSED = events.UpstreamRefused(words="421 Too many.", reason="upstream_refused", backoff=0.25)
FAULT = events.Fault(where="serve", error="ValueError()", trace="Traceback...\n")


def written(output: Output, level: str, *told: Event) -> list[dict[str, Any]]:
    """Log the events at this level; return the lines, read as JSON."""
    log = EventLog("json", level)
    for event in told:
        log(event)
    captured = output.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def sample(kind: type[Event]) -> Event:
    """Make an event of this kind, each field filled with something of its type."""
    values: dict[str, Any] = {field.name: SAMPLES[str(field.type)] for field in fields(kind)}
    return kind(**values)


def fields(kind: type[Event]) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_has_its_line_with_all_its_fields(kind: type[Event], capfd: Output) -> None:
    (line,) = written(capfd, "debug", sample(kind))
    told = {field.name for field in fields(kind) if SAMPLES[str(field.type)] is not None}
    assert set(line) == told | {"event", "level", "timestamp"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_terminal_shows_the_fields_in_the_events_own_order(
    kind: type[Event], capfd: Output
) -> None:
    EventLog("console", "debug")(sample(kind))
    told = [field.name for field in fields(kind) if SAMPLES[str(field.type)] is not None]
    plain = re.sub(r"\x1b\[[0-9;]*m", "", capfd.readouterr().err)
    places = [plain.index(f" {name}=") for name in told]
    assert places == sorted(places)


@pytest.mark.parametrize("kind", KINDS)
def test_no_event_has_a_field_for_a_password(kind: type[Event]) -> None:
    assert not {field.name for field in fields(kind)} & {"password", "secret", "account"}


def test_each_kind_of_event_has_a_name_of_its_own(capfd: Output) -> None:
    lines = written(capfd, "debug", *(sample(kind) for kind in KINDS))
    assert len({line["event"] for line in lines}) == len(KINDS)


def test_seconds_are_rounded_to_a_tenth_of_a_millisecond(capfd: Output) -> None:
    (line,) = written(capfd, "info", DIALLED)
    assert line["seconds"] == 0.1235


def test_what_is_empty_is_left_out_and_what_is_zero_is_not(capfd: Output) -> None:
    (line,) = written(capfd, "info", events.UpstreamOpened(0, "", 0.0))
    assert line.keys() == {"event", "level", "timestamp", "upstream_session", "seconds"}
    assert (line["upstream_session"], line["seconds"]) == (0, 0.0)


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("debug", ["info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_a_level_hides_what_is_below_it(level: str, told: list[str], capfd: Output) -> None:
    lines = written(capfd, level, DIALLED, REFUSED, FAULT)
    assert [line["level"] for line in lines] == told


def test_a_line_of_json_is_one_line_whatever_a_client_sent(capfd: Output) -> None:
    odd = 'a\r\nb\x1b[31m"\0\ud800\u2028'
    (line,) = written(capfd, "info", events.LoginFailed("s", "h", odd, "530"))
    assert line["user"] == odd


def test_nothing_that_a_client_sent_reaches_a_terminal_as_it_is(capfd: Output) -> None:
    EventLog("console", "info")(
        events.LoginFailed("s", "h", "evil\x1b[2J\x9b31m\u202e", "530 m\u00fcde\r\nforged")
    )
    (line,) = capfd.readouterr().err.splitlines()
    assert r"evil\x1b[2J\x9b31m\u202e" in line
    assert r"'530 müde\r\nforged'" in line
    assert not {"\x9b", "\u202e", "\r"} & set(line)


def test_times_are_in_utc_where_machines_read(capfd: Output) -> None:
    (line,) = written(capfd, "info", DIALLED)
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["console", "auto"])
def test_a_console_line_is_for_people_and_auto_knows_no_terminal(form: str, capfd: Output) -> None:
    EventLog(form, "info")(DIALLED)
    line = capfd.readouterr().err
    assert "upstream session opened" in line
    assert line.startswith("{") == (form == "auto")


def test_auto_writes_for_people_on_a_terminal() -> None:
    reader, terminal = os.openpty()
    EventLog("auto", "info", Outlet(terminal))(DIALLED)
    assert not os.read(reader, 4096).startswith(b"{")
    os.close(terminal)
    os.close(reader)


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_could_not_be_written_is_told_before_the_next_line_that_can_be(form: str) -> None:
    reader, pipe = os.pipe()
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 8192)
    log, written = EventLog(form, "info", Outlet(pipe, patience=0.01)), 0
    with contextlib.suppress(BlockingIOError):
        while True:
            log(FAULT)
            written += 1
    with pytest.raises(BlockingIOError):
        log(FAULT)
    assert os.read(reader, 8192).count(b"ValueError") == written
    log(DIALLED)
    log(DIALLED)
    lost, *others = os.read(reader, 8192).decode().splitlines()
    assert "lines lost" in lost
    assert len(others) == 2
    words = ("lines=2", "why='nobody") if form == "console" else ('"lines": 2', '"why": "nobody')
    plain = re.sub(r"\x1b\[[0-9;]*m", "", lost)
    assert all(word in plain for word in words)
    os.close(pipe)
    os.close(reader)


def test_another_form_and_level_count_from_the_next_line_on(capfd: Output) -> None:
    log = EventLog("json", "error")
    log(DIALLED)
    log.adopt("console", "info")
    log(DIALLED)
    (line,) = capfd.readouterr().err.splitlines()
    assert not line.startswith("{")


def test_an_empty_list_is_no_field(capfd: Output) -> None:
    (line,) = written(capfd, "info", events.Reloaded(changed=("queue.max_wait",), warnings=()))
    assert line["changed"] == ["queue.max_wait"]
    assert "warnings" not in line
