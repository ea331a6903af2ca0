"""What holds, key by key."""

from __future__ import annotations

import re

from proxy.config import examine, keys
from proxy.config.in_effect import Setting, in_effect

TEXT = """
upstream: {host: a}
status: {address: 127.0.0.1:9000, token: do-not-show-this-token}
clients: [{name: nightly, transfers: 4}, {name: everyone}]
budget: {guard: 1s}
servers: [{name: b, match: {user: x}, upstream: {host: b}}]
"""


def settings(text: str = TEXT) -> dict[str, Setting]:
    config = examine(text, "f").config
    assert config is not None
    return {one.key: one for one in in_effect(config)}


def test_every_key_is_told_in_the_order_of_the_example() -> None:
    told = [re.sub(r"\[\d+\]", "", key) for key in settings()]
    # What a server says itself has the names that it has at the top.
    told = [key for key in told if not re.match(r"servers\.(upstream|budget|queue)\.", key)]
    assert list(dict.fromkeys(told)) == keys()


def test_a_setting_tells_its_value_its_default_and_who_chose_it() -> None:
    told = settings()
    assert told["budget.guard"] == Setting("budget.guard", "1s", "500ms", True, "at once")
    assert told["budget.close"] == (
        Setting("budget.close", "fin", "fin", False, "from the next transfer")
    )


def test_items_of_a_list_are_numbered() -> None:
    told = settings()
    assert told["clients[0].transfers"].value == "4"
    assert (told["clients[1].transfers"].value, told["clients[1].transfers"].is_given) == (
        "none",
        False,
    )


def test_a_server_is_told_with_what_it_takes_over() -> None:
    told = settings()
    assert told["servers[0].budget.guard"] == (
        Setting("servers[0].budget.guard", "1s", "500ms", False, "at once")
    )
    assert told["servers[0].upstream.host"].is_given
    assert told["servers[0].upstream.sessions"].reload == "at once"
    assert settings("upstream: {host: a}")["servers"].value == "[]"


def test_a_section_that_is_off_is_one_line() -> None:
    assert settings("upstream: {host: a}\nstatus: none")["status"].value == "none"


def test_no_secret_is_told() -> None:
    told = settings()
    assert told["status.token"].value == "(hidden)"
    assert "do-not-show" not in repr(told)


def test_a_token_that_is_no_good_is_not_repeated_in_the_problem() -> None:
    (problem,) = examine("upstream: {host: a}\nstatus: {token: hunter2}", "f").problems
    assert "hunter2" not in str(problem)
