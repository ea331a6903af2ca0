"""ftpweir's own doors: open, closed, taken, mute."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from loadtest.ports import free_port
from proxy.config import Address
from proxy.ops.doctor.doors import look_at_door
from proxy.ops.doctor.seen import Greeter, Met
from tests.support.honest import GREETING
from tests.support.house import house
from tests.support.misdeeds import last_says
from tests.support.scripted import scripted

SOON = 0.2


async def test_ftpweir_greets() -> None:
    async with scripted() as server, house(server) as weir:
        door = await asyncio.to_thread(look_at_door, Address("127.0.0.1", weir.port), is_plain=True)
    assert door.is_ours
    assert door.greeting is not None
    assert door.greeting.is_welcome
    assert door.pid == os.getpid()
    assert door.descriptors_open is not None


@pytest.mark.parametrize(
    ("words", "is_ours"),
    [
        ("220 (vsFTPd 3.0.3)", False),
        ("421 Too many connections (4 of 4). Ref 7f3a", True),
        ("421 Too many connections.", False),
    ],
)
async def test_a_refusal_with_a_reference_is_ours(words: str, is_ours: bool) -> None:
    async with scripted() as server:
        server.always[GREETING] = last_says(words)
        door = await asyncio.to_thread(
            look_at_door, Address("127.0.0.1", server.port), is_plain=True
        )
    assert door.is_ours is is_ours


def test_everywhere_is_knocked_at_here() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listening:
        address = Address("0.0.0.0", int(listening.getsockname()[1]))
        door = look_at_door(address, is_plain=True, patience=SOON)
        assert door.greeting is not None
        assert door.greeting.greeter is Greeter.MUTE
        assert look_at_door(address, is_plain=False).greeting is None


def test_a_free_port_could_be_had() -> None:
    door = look_at_door(Address("127.0.0.1", free_port()), is_plain=True)
    assert (door.attempt.met, door.bind_error) == (Met.REFUSAL, "")


def test_a_port_that_is_bound_and_does_not_listen_is_taken() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        door = look_at_door(Address("127.0.0.1", bound.getsockname()[1]), is_plain=True)
    assert door.bind_is_taken
    assert door.bind_error


def test_an_address_of_another_machine_cannot_be_had() -> None:
    door = look_at_door(Address("192.0.2.1", free_port()), is_plain=True)
    assert door.bind_error
    assert not door.bind_is_taken
    assert door.attempt.seconds == 0.0  # nobody was asked
