"""A scenario is read strictly: every problem has its place and its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.reading import find, parse_scenario, read_scenario, shipped
from proxy.config import ConfigError

HEAD = "name: it\nproves: something\n"
SCRIPTS = "scripts:\n  - name: a\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text, "s.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_a_short_scenario_is_enough() -> None:
    scenario = parse_scenario(HEAD + SCRIPTS, "s.yaml")
    assert scenario.targets == ("direct", "ftpweir")
    assert scenario.judged == "ftpweir"
    assert scenario.scripts[0].files == 10


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_every_shipped_scenario_is_good_and_named_as_its_file(path: Path) -> None:
    assert read_scenario(path).name == path.stem
    assert find(path.stem) == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD, "s.yaml:1:1: scripts: is missing"),
        (HEAD + SCRIPTS + "    file: 3\n", "s.yaml:5:5: scripts.file: there is no such key (did "
         "you mean files?)"),
        (HEAD + SCRIPTS + "    size: 4k\n", "s.yaml:5:11: scripts.size: expected a size such as "
         "64KiB or 20MiB, got '4k'"),
        (HEAD + SCRIPTS + "    patience: 5\n", "s.yaml:5:15: scripts.patience: expected a duration "
         "such as 45s, 2m or 1h30m, got '5' (did you mean 5s?)"),
        (HEAD + SCRIPTS + "load:\n  arrivals: at-once\n", "s.yaml:6:13: load.arrivals: expected "
         "together, constant or poisson, got 'at-once'"),
        (HEAD + SCRIPTS + "server: {kind: iis}\n", "s.yaml:5:16: server.kind: expected embedded, "
         "vsftpd, pure-ftpd, proftpd or an address and port such as 127.0.0.1:2121 or "
         "[::1]:2121, got 'iis'"),
        (HEAD + SCRIPTS + "ftpweir: {queue: {max_wait: 5}}\n", "s.yaml:5:29: "
         "ftpweir.queue.max_wait: expected a duration such as 45s, 2m or 1h30m, got '5' (did you "
         "mean 5s?)"),
        (HEAD + SCRIPTS + "ftpweir: {queu: {}}\n", "s.yaml:5:11: ftpweir.queu: there is no such "
         "key (did you mean queue?)"),
        (HEAD + SCRIPTS + "fail_if: success\n", "s.yaml:5:10: fail_if: expected NAME > NUMBER, "
         "got success"),
        (HEAD + HEAD + SCRIPTS, "s.yaml:3:1: name: written twice, the first time on line 1: "
         "remove one"),
        (HEAD + "scripts: []\n", "s.yaml:3:10: scripts: expected at least one group of scripts, "
         "got an empty list"),
        (HEAD + SCRIPTS + "  - name: a\n", "s.yaml:1:1: expected groups with different names, got "
         "'a'"),
    ],
)  # fmt: skip
def test_a_problem_has_line_column_and_reason(text: str, said: str) -> None:
    assert said in problems(text)


def test_a_missing_file_is_a_problem_too() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_scenario(Path("/nowhere/at-all.yaml"))
