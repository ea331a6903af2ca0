"""Who gets in: by token where there is one, by a local name where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.ops.page.access import Doorkeeper, Verdict, Visit

TOKEN = "a-token-of-some-length"


def visit(**changes: Any) -> Visit:
    fields: dict[str, Any] = {
        "method": "GET",
        "path": "/",
        "host": "127.0.0.1:8021",
        "headers": {},
        "cookie": "",
        "query_token": "",
    }
    return Visit(**{**fields, **changes})


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8021", "127.0.0.1", "localhost:8021", "LOCALHOST.", "[::1]:8021", "127.1.2.3:80"],
)
def test_a_local_name_is_let_in(host: str) -> None:
    assert Doorkeeper(None).judge(visit(host=host)) is Verdict.WELCOME


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8021", "localhost.evil.example", "192.0.2.1:8021"),
        *("[::1].evil.example", "127.0.0.1@evil.example", "127.0.0.1:80:evil", "0.0.0.0:8021"),
    ],
)
def test_a_name_that_leads_here_from_elsewhere_is_not(host: str) -> None:
    assert Doorkeeper(None).judge(visit(host=host)) is Verdict.FOREIGN


@pytest.mark.parametrize(
    "shown",
    [{"headers": {"authorization": f"Bearer {TOKEN}"}}, {"cookie": TOKEN}],
)
def test_the_token_is_taken_from_header_or_cookie(shown: dict[str, Any]) -> None:
    assert Doorkeeper(TOKEN).judge(visit(host="status.example", **shown)) is Verdict.WELCOME


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"cookie": TOKEN + "x"},
        {"cookie": TOKEN[:-1]},
        {"headers": {"authorization": f"Basic {TOKEN}"}},
        {"query_token": "wrong"},
        {"cookie": "caf\u00e9"},
    ],
)
def test_anything_else_is_not_even_let_in_from_this_machine(shown: dict[str, Any]) -> None:
    assert Doorkeeper(TOKEN).judge(visit(**shown)) is Verdict.UNKNOWN


def test_a_token_in_the_address_is_to_be_remembered() -> None:
    assert Doorkeeper(TOKEN).judge(visit(query_token=TOKEN)) is Verdict.REMEMBER


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_to_everybody(path: str) -> None:
    assert Doorkeeper(TOKEN).judge(visit(path=path, host="x")) is Verdict.WELCOME
    assert Doorkeeper(None).judge(visit(path=path, host="x")) is Verdict.WELCOME


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_change_needs_a_header_that_no_foreign_page_can_send(token: str | None) -> None:
    keeper = Doorkeeper(token)
    asked = visit(method="POST", path="/api/reload", cookie=TOKEN)
    assert keeper.judge(asked) is Verdict.UNASKED
    meant = visit(
        method="POST", path="/api/reload", cookie=TOKEN, headers={"x-ftpweir-action": "yes"}
    )
    assert keeper.judge(meant) is Verdict.WELCOME


def test_a_change_is_judged_even_where_health_is_open() -> None:
    assert Doorkeeper(TOKEN).judge(visit(method="POST", path="/readyz")) is Verdict.UNKNOWN
