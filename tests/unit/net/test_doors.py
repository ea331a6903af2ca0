"""Listening sockets that come and go while the others stay."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from proxy.config import Address, Listen
from proxy.net.doors import CannotListen, Doors


class Greeter(asyncio.Protocol):
    """Says which listener let the client in."""

    def __init__(self, listen: Listen) -> None:
        self._listen = listen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        word = "told" if self._listen.proxy_protocol == "on" else "plain"
        transport.write(word.encode())  # type: ignore[attr-defined]  # uvloop's and asyncio's own
        transport.close()


def greeter(listen: Listen) -> Callable[[], Greeter]:
    return lambda: Greeter(listen)


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    doors = Doors(greeter)
    yield doors
    doors.close()


def at(*places: str) -> list[Listen]:
    return [Listen.model_validate({"address": place}) for place in places]


async def adopt(doors: Doors, *listens: Listen) -> None:
    await doors.adopt(doors.bind(listens), listens)


async def knock(place: str) -> str:
    host, _, port = place.rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    return said.decode()


async def test_a_bound_door_lets_in_only_once_it_is_adopted(doors: Doors) -> None:
    listens = at("127.0.0.1:0")
    bound = doors.bind(listens)
    assert doors.places == []
    await doors.adopt(bound, listens)
    (place,) = doors.places
    assert await knock(place) == "plain"


async def test_doors_that_stay_are_not_bound_anew(doors: Doors) -> None:
    await adopt(doors, *at("127.0.0.1:0", "127.0.0.2:0"))
    stays, goes = doors.places
    await adopt(doors, *at("127.0.0.3:0", "127.0.0.1:0"))
    comes, still = doors.places
    assert still == stays
    assert [await knock(place) for place in (comes, still)] == ["plain", "plain"]
    with pytest.raises(ConnectionRefusedError):
        await knock(goes)


async def test_two_doors_whose_ports_the_kernel_chooses_are_two(doors: Doors) -> None:
    await adopt(doors, *at("127.0.0.1:0", "127.0.0.1:0"))
    before = doors.places
    await adopt(doors, *at("127.0.0.1:0", "127.0.0.1:0"))
    assert doors.places == before
    assert len(set(before)) == 2


async def test_what_a_listener_says_of_its_clients_counts_for_the_next_one(doors: Doors) -> None:
    (listen,) = at("127.0.0.1:0")
    await adopt(doors, listen)
    (place,) = doors.places
    await adopt(doors, listen.model_copy(update={"proxy_protocol": "on"}))
    assert doors.places == [place]
    assert await knock(place) == "told"


async def test_an_address_that_cannot_be_had_changes_nothing(doors: Doors) -> None:
    await adopt(doors, *at("127.0.0.1:0"))
    before = doors.places
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = "127.0.0.1:{1}".format(*taken.getsockname())
        with pytest.raises(CannotListen, match=f"^cannot listen on {other}: Address already in"):
            doors.bind(at("127.0.0.2:0", other))
    assert doors.places == before
    assert await knock(before[0]) == "plain"


async def test_a_name_that_nobody_knows_is_told(doors: Doors) -> None:
    with pytest.raises(CannotListen, match=r"^cannot listen on nowhere\.invalid:2121: "):
        doors.bind([Listen(address=Address("nowhere.invalid", 2121))])


async def test_a_door_closed_before_it_opened_stays_closed(doors: Doors) -> None:
    listens = at("127.0.0.1:0")
    bound = doors.bind(listens)
    bound[0].close()
    await doors.adopt(bound, listens)


def test_doors_closed_at_any_moment_while_they_open_are_closed() -> None:
    for turns in range(6):
        # On asyncio's loop, whatever the others run on: to open takes it several turns.
        with asyncio.Runner(debug=True) as runner:
            runner.run(_close_after(turns))


async def _close_after(turns: int) -> None:
    doors, listens = Doors(greeter), at("127.0.0.1:0", "127.0.0.1:0")
    bound = doors.bind(listens)
    places = [door.place for door in bound]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(doors.adopt(bound, listens))
        for _ in range(turns):
            await asyncio.sleep(0)
        doors.close()
    if turns:  # else they are adopted afterwards
        for place in places:
            with pytest.raises(ConnectionRefusedError):
                await knock(place)
    doors.close()


async def test_closed_doors_let_nobody_in(doors: Doors) -> None:
    await adopt(doors, *at("127.0.0.1:0"))
    (place,) = doors.places
    doors.close()
    with pytest.raises(ConnectionRefusedError):
        await knock(place)


async def test_an_inherited_socket_is_used_and_survives_being_closed_and_opened_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        place = "127.0.0.1:{1}".format(*given.getsockname())
        doors = Doors(greeter, [given])
        try:
            listens = at(place)
            await doors.adopt(doors.bind(listens, claim_all=True), listens)
            assert await knock(place) == "plain"
            await adopt(doors, *at("127.0.0.2:0"))
            await adopt(doors, *at(place))
            assert await knock(place) == "plain"
        finally:
            doors.close()


async def test_an_inherited_socket_that_no_listener_names_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        place = "127.0.0.1:{1}".format(*given.getsockname())
        doors = Doors(greeter, [given])
        with pytest.raises(CannotListen, match=f"the service manager listens on {place}"):
            doors.bind(at("127.0.0.2:0"), claim_all=True)
