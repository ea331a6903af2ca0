"""What `ftpweir plan` says, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from proxy.cli import main
from proxy.ops.plan import OWN, SOURCES
from proxy.shaping.holds import PROFILES

BUDGET = "upstream: {host: ftp.example.com, sessions: 4}\nbudget: {connections: 104, headroom: 0%"


def planned(tmp_path: Path, text: str, *words: str) -> str:
    """Run the command on a configuration and return what it prints."""
    file = tmp_path / "weir.yaml"
    file.write_text(text)
    done = CliRunner().invoke(main, ["plan", "-c", str(file), *words], env={"COLUMNS": "160"})
    assert done.exit_code == 0, done.output
    return done.output


def as_json(tmp_path: Path, text: str, *words: str) -> dict[str, Any]:
    told = json.loads(planned(tmp_path, text, "--json", *words))
    assert isinstance(told, dict)
    return told


def test_the_slots_are_what_the_control_connections_leave(tmp_path: Path) -> None:
    told = as_json(tmp_path, BUDGET + "}", "--files", "10")
    assert told["budget"]["limit"] == 104
    assert told["budget"]["slots"] == 100


def test_each_address_brings_a_budget_and_sessions_of_its_own(tmp_path: Path) -> None:
    two = BUDGET.replace("sessions: 4", "sessions: 4, source_addresses: [10.0.0.1, 10.0.0.2]") + "}"
    told = as_json(tmp_path, two, "--files", "10")
    assert told["budget"]["addresses"] == 2
    assert told["budget"]["slots"] == 2 * 100
    assert told["assumed"]["sessions"] == 2 * 4
    assert "each of 2 addresses" in planned(tmp_path, two, "--files", "10")


def test_the_rate_is_slots_over_use(tmp_path: Path) -> None:
    text = BUDGET + ", time_wait: 239s, guard: 500ms}"
    told = as_json(tmp_path, text, "--files", "9000", "--size", "4194304", "--bandwidth", "10MiB")
    assert told["assumed"]["seconds_per_file"] == pytest.approx(0.5)
    assert told["plan"]["hold"] == 239.5
    assert told["plan"]["rate"] == pytest.approx(100 / 240)
    assert told["plan"]["bound"] == "budget.connections"


def test_every_profile_is_compared_under_both_ends(tmp_path: Path) -> None:
    told = as_json(tmp_path, BUDGET + ", profile: conntrack}", "--files", "1000")
    hold = {(row["profile"], row["close"]): row["hold"] for row in told["alternatives"]}
    assert set(hold) == {(name, close) for name in (OWN, *PROFILES) for close in ("fin", "reset")}
    assert hold["conntrack", "fin"] == 120.5
    assert hold["conntrack", "reset"] == hold[OWN, "reset"] == 10.5
    assert hold["csf", "reset"] == 0.5


def test_no_reset_ends_an_upload(tmp_path: Path) -> None:
    text = BUDGET + ", profile: conntrack, close: reset}"
    told = as_json(tmp_path, text, "--files", "10", "--kind", "upload")
    assert told["plan"]["hold"] == 120.5


def test_uploads_are_free_where_the_servers_own_sockets_are_counted(tmp_path: Path) -> None:
    told = as_json(tmp_path, BUDGET + ", profile: csf}", "--files", "1000", "--kind", "upload")
    assert told["plan"]["hold"] == 0.5


def test_a_class_may_be_what_limits(tmp_path: Path) -> None:
    text = BUDGET + "}\nclients: [{name: slow, transfers_per_minute: 5}, {name: everyone}]\n"
    slow = as_json(tmp_path, text, "--files", "50", "--class", "slow")
    assert slow["plan"]["bound"] == "clients.transfers_per_minute"
    assert as_json(tmp_path, text, "--files", "50")["batch"]["class"] == "everyone"


def test_a_budget_that_is_not_enforced_makes_nobody_wait(tmp_path: Path) -> None:
    text = BUDGET + ", enforce: shadow}"
    told = as_json(tmp_path, text, "--files", "100000")
    assert told["plan"]["bound"] == "upstream.sessions"
    assert "no file waits for the budget" in planned(tmp_path, text, "--files", "10")


def test_the_text_shows_rate_limit_alternatives_and_where_holds_come_from(tmp_path: Path) -> None:
    told = planned(tmp_path, BUDGET + ", time_wait: 90s}", "--files", "10000")
    assert "What decides it: budget.connections" in told
    for name in (*PROFILES, "time_wait", "reset", "nf_conntrack", "TcpTimedWaitDelay"):
        assert name in told


def test_nothing_is_cut_off_on_a_terminal_of_80_columns(tmp_path: Path) -> None:
    file = tmp_path / "weir.yaml"
    file.write_text(BUDGET + ", time_wait: 90s}")
    done = CliRunner().invoke(
        main, ["plan", "-c", str(file), "--files", "1000000"], env={"COLUMNS": "80"}
    )
    assert done.exit_code == 0
    assert "\N{HORIZONTAL ELLIPSIS}" not in done.output
    assert max(map(len, done.output.splitlines())) <= 80


def test_every_profile_has_a_source() -> None:
    assert set(SOURCES) == {*PROFILES, "time_wait"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--files", "0"], "--files"),
        (["--files", "1", "--size", "64kb"], "expected a size"),
        (["--files", "1", "--size", "0"], "at least one byte"),
        (["--files", "1", "--class", "nobody"], "there is everyone"),
        ([], "--files"),
    ],
)
def test_bad_usage_is_explained_with_exit_code_2(
    tmp_path: Path, words: list[str], why: str
) -> None:
    file = tmp_path / "weir.yaml"
    file.write_text("upstream: {host: ftp.example.com}\n")
    done = CliRunner().invoke(main, ["plan", "-c", str(file), *words])
    assert done.exit_code == 2
    assert why in done.output


def test_a_bad_configuration_is_exit_code_2(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["plan", "-c", str(tmp_path / "none.yaml"), "--files", "1"])
    assert done.exit_code == 2
