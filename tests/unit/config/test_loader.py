"""Files: the ones we ship load, the ones nobody can read are told."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from proxy.config.addresses import Address
from proxy.config.explain import keys
from proxy.config.loader import LARGEST_FILE, check, load
from proxy.config.models import Config
from proxy.config.problem import ConfigError
from proxy.config.serverside import Upstream

SHIPPED = Path(__file__).parents[3] / "config"


def told(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    (problem,) = caught.value.problems
    return str(problem).removeprefix(str(path))


@pytest.mark.parametrize(
    "path",
    sorted([*SHIPPED.glob("*.yaml"), *SHIPPED.glob("examples/*.yaml")]),
    ids=lambda path: path.name,
)
def test_a_shipped_file_loads_without_a_problem(path: Path) -> None:
    assert check(path).problems == ()


def test_the_complete_file_says_the_defaults() -> None:
    complete = load(SHIPPED / "ftpweir.yaml")
    defaults = Config(upstream=Upstream(host=complete.upstream.host))
    assert complete.model_copy(update={"clients": defaults.clients}) == defaults


@pytest.mark.parametrize("key", keys())
def test_the_complete_file_has_every_key(key: str) -> None:
    text = (SHIPPED / "ftpweir.yaml").read_text()
    section, _, rest = key.partition(".")
    last = key.rpartition(".")[2]
    if rest:
        text = re.split(rf"^{section}:", text, flags=re.MULTILINE)[1]
        text = re.split(r"^[a-z]+:", text, flags=re.MULTILINE)[0]
    assert re.search(rf"(?:^|[ {{]){last}: ", text, flags=re.MULTILINE)


def test_the_minimal_file_has_three_lines_and_all_defaults() -> None:
    path = SHIPPED / "minimal.yaml"
    assert len(path.read_text().splitlines()) == 3
    assert load(path) == Config(upstream=Upstream(host="ftp.example.com"))


def test_there_is_an_example_for_each_of_the_usual_cases() -> None:
    names = {path.stem for path in (SHIPPED / "examples").iterdir()}
    assert names == {
        "shared-hosting-csf",
        "windows-2000-firewall",
        "appliance-nat",
        "several-servers",
    }


def test_the_environment_of_the_process_fills_in_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTPWEIR_TEST_PORT", "2199")
    path = tmp_path / "a.yaml"
    path.write_text("listen: 127.0.0.1:${FTPWEIR_TEST_PORT}\nupstream: {host: a}")
    assert load(path).listen[0].address == Address("127.0.0.1", 2199)


def test_a_byte_order_mark_is_not_content(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfupstream: {host: a}\r\n")
    assert load(str(path)).upstream.host == "a"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert told(tmp_path / "gone.yaml") == ": cannot be read: No such file or directory"


def test_a_directory_is_told(tmp_path: Path) -> None:
    assert told(tmp_path) == ": cannot be read: Is a directory"


@pytest.mark.timeout(20)
def test_a_pipe_that_nobody_writes_to_and_a_device_without_an_end_are_told_at_once(
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        assert told(path) == ": is no file but a pipe or a device: a reload reads it again"


def test_a_file_that_is_no_text_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: b\nc: \xff\n")
    assert told(path) == ":2:1: is not UTF-8 text here"


def test_a_file_over_one_mebibyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    text = b"upstream: {host: a}\n#"
    path.write_bytes(text + b"x" * (LARGEST_FILE - len(text)))
    assert load(path).upstream.host == "a"
    path.write_bytes(text + b"x" * (LARGEST_FILE - len(text) + 1))
    assert told(path) == ": is larger than 1 MiB: this is no configuration"
