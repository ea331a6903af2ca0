"""What follows from data connections, the written file and the sessions counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.config import Config
from proxy.ops.doctor.of_data import of_data
from proxy.ops.doctor.seen import Attempt, Data, Met, Seen, Sessions, Write

HOST = "10.0.0.1"


def config(**sections: object) -> Config:
    upstream = {"host": "ftp.example.com", **sections.pop("upstream", {})}  # type: ignore[dict-item]
    return Config.model_validate({"upstream": upstream, **sections})


def at(met: Met) -> Attempt:
    return Attempt(HOST, 40000, met, 1.0)


PASV = Data(
    "PASV",
    "227 Entering.",
    is_agreed=True,
    told=HOST,
    attempt=at(Met.ANSWER),
    code=226,
    words="Done.",
    server_closed_first=True,
)
EPSV = replace(PASV, verb="EPSV", told="", close="reset")
PORT = replace(PASV, verb="PORT", told="")
NO_EPSV = Data("EPSV", "502 No.")


def failed(data: Data, met: Met) -> Data:
    return replace(data, attempt=at(met), code=0, words="")


def codes(*data: Data, wish: Config | None = None) -> list[str]:
    seen = Seen(attempts=[at(Met.ANSWER)], data=list(data))
    return [one.cause.code for one in of_data(wish or config(), seen)]


def test_a_good_server_could_be_reset() -> None:
    assert codes(PASV, EPSV, PORT) == ["reset_possible"]


@pytest.mark.parametrize("met", [Met.SILENCE, Met.REFUSAL, Met.NO_WAY])
def test_blocked_passive_ports(met: Met) -> None:
    assert codes(failed(PASV, met), failed(EPSV, met), PORT) == ["passive_blocked"]
    assert codes(failed(PASV, met), NO_EPSV, PORT) == ["passive_blocked"]


def test_a_connection_that_was_not_tried_is_not_blocked() -> None:
    nothing = [failed(one, Met.NO_ROOM) for one in (PASV, EPSV, PORT)]
    assert codes(*nothing) == []


def test_passive_mode_refused() -> None:
    assert codes(Data("PASV", "502 No."), NO_EPSV, PORT) == ["passive_refused"]


def test_passive_ports_are_not_needed_in_active_mode() -> None:
    active = config(upstream={"data": "active"})
    found = codes(failed(PASV, Met.SILENCE), NO_EPSV, PORT, wish=active)
    assert found == ["passive_unused"]


def test_passive_ports_are_not_needed_where_ftpweir_may_choose() -> None:
    auto = config(upstream={"data": "auto"})
    blocked = failed(PASV, Met.SILENCE)
    assert codes(blocked, NO_EPSV, PORT, wish=auto) == ["passive_unused"]
    assert codes(blocked, NO_EPSV, failed(PORT, Met.SILENCE), wish=auto) == [
        "passive_blocked",
        "active_unused",
    ]


def test_the_server_cannot_connect_to_us() -> None:
    active = config(upstream={"data": "active"})
    blocked = failed(PORT, Met.SILENCE)
    assert codes(PASV, blocked) == ["active_unused"]
    assert codes(PASV, blocked, wish=active) == ["active_blocked"]
    assert codes(PASV, Data("PORT", "500 Illegal."), wish=active) == ["active_blocked"]


def test_a_foreign_address() -> None:
    foreign = replace(PASV, told="192.168.1.1")
    assert codes(foreign, NO_EPSV) == ["foreign_address"]
    assert codes(failed(foreign, Met.REFUSAL), NO_EPSV) == ["foreign_address_dead"]
    # EPSV tells no address: there it works.
    assert codes(failed(foreign, Met.REFUSAL), replace(EPSV, close="fin")) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [(550, "listing_refused"), (530, "listing_refused"), (426, "data_broken"), (522, "data_tls")],
)
def test_a_listing_that_fails(code: int, found: str) -> None:
    assert codes(replace(PASV, code=code)) == [found]


def test_tls_that_fails_on_data_connections_alone() -> None:
    assert codes(replace(PASV, code=425, tls_failure="EOF")) == ["data_tls"]


def test_a_server_that_does_not_take_a_reset() -> None:
    broken = replace(EPSV, code=426, words="Failure writing.")
    assert codes(PASV, broken) == ["reset_impossible"]
    assert codes(PASV, broken, wish=config(budget={"close": "reset"})) == ["reset_unsafe"]
    assert codes(PASV, EPSV, wish=config(budget={"close": "reset"})) == []
    # Where listings fail anyhow, the reset is not to blame.
    assert codes(replace(PASV, code=426), replace(broken, words="")) == ["data_broken"] * 2
    assert codes(PASV, replace(EPSV, server_closed_first=False)) == []


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (Write("/x", 226, "Done."), []),
        (Write("/x", 452, "No."), ["storage_full"]),
        (Write("/x", 552, "No."), ["storage_full"]),
        (Write("/x", 426, "Failure writing to local file.", had_begun=True), ["storage_full"]),
        (Write("/x", 451, "Error.", had_begun=True, broke="Broken pipe"), ["storage_full"]),
        (Write("/x", 553, "Could not create file."), ["write_refused"]),
        (Write("/x", 550, "No space left on device."), ["storage_full"]),
        (Write("/x", 550, "Permission denied."), ["write_refused"]),
    ],
)
def test_what_a_written_file_tells(write: Write, found: list[str]) -> None:
    told = of_data(config(), Seen(write=write))
    assert [one.cause.code for one in told] == found


@pytest.mark.parametrize(
    ("sessions", "counted", "found"),
    [
        (2, Sessions(2, "421 Too many.", 20), []),
        (2, Sessions(1, "421 Too many.", 20), ["sessions_fewer"]),
        (2, Sessions(5, "421 Too many.", 20), ["sessions_more"]),
        (2, Sessions(20, "", 20), []),
        ("auto", Sessions(5, "421 Too many.", 20), []),
    ],
)
def test_what_counted_sessions_tell(sessions: object, counted: Sessions, found: list[str]) -> None:
    told = of_data(config(upstream={"sessions": sessions}), Seen(sessions=counted))
    assert [one.cause.code for one in told] == found
