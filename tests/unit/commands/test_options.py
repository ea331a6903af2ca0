"""What commands have in common."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from proxy.commands.options import at_server, load_config, place_of


def test_a_good_file_is_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("upstream: {host: ftp.example.com}\n")
    assert load_config(tmp_path / "good.yaml").upstream.host == "ftp.example.com"


def test_every_problem_of_a_bad_file_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text("upstream: {hots: a}\nqueue: {max_wait: 21:30}\n")
    with pytest.raises(SystemExit) as ended:
        load_config(tmp_path / "bad.yaml")
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) >= 2


def test_a_spoilt_file_does_not_keep_anybody_from_asking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text("upstream: {hots: a}\n")
    with pytest.raises(SystemExit) as ended:
        place_of(tmp_path / "bad.yaml", None)
    assert ended.value.code == 2
    assert "--status ADDR:PORT" in capsys.readouterr().err
    assert str(place_of(tmp_path / "bad.yaml", "127.0.0.1:9000").address) == "127.0.0.1:9000"


STANDBY = """
upstream: {host: one.example, standby: ["two.example:2121"], sessions: 3}
servers:
  - {name: b, match: {user: b}, upstream: {host: three.example, standby: [four.example]}}
state: /var/lib/ftpweir.state
"""


def test_a_standby_server_is_chosen_by_its_address(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(STANDBY)
    config = load_config(tmp_path / "good.yaml")
    two = at_server(config, "two.example:2121").config
    four = at_server(config, "four.example:21").config
    assert (two.upstream.host, two.upstream.port, two.upstream.sessions) == ("two.example", 2121, 3)
    assert two.upstream.standby == ()
    assert two.state_files == ("/var/lib/ftpweir.state.two.example:2121",)
    assert four.upstream.host == "four.example"
    assert four.state_files == ("/var/lib/ftpweir.state.b.four.example:21",)


@pytest.mark.parametrize(
    ("name", "server", "budget"),
    [
        (None, "", "default"),
        ("two.example:2121", "", "two.example:2121"),
        ("b", "b", "b"),
        ("four.example:21", "b", "b/four.example:21"),
    ],
)
def test_a_server_is_known_to_a_running_ftpweir_by_its_budget(
    tmp_path: Path, name: str | None, server: str, budget: str
) -> None:
    (tmp_path / "good.yaml").write_text(STANDBY)
    chosen = at_server(load_config(tmp_path / "good.yaml"), name)
    assert (chosen.server, chosen.budget) == (server, budget)


def test_a_standby_server_is_found_where_we_have_several_addresses_too(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(
        "upstream: {host: one, standby: [two], source_addresses: [192.0.2.7, 192.0.2.8]}\n"
        "state: s\n"
    )
    chosen = at_server(load_config(tmp_path / "good.yaml"), "two:21")
    assert chosen.budget == "192.0.2.7@two:21"
    assert chosen.config.state_files == ("s.192.0.2.7@two:21", "s.192.0.2.8@two:21")


def test_a_server_that_the_file_lacks_is_told_with_those_it_has(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(STANDBY)
    with pytest.raises(click.UsageError, match=r"names two\.example:2121, b, four\.example:21"):
        at_server(load_config(tmp_path / "good.yaml"), "five.example")
