"""The status page in a real browser, before a real proxy: it lives, and it can be read."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from loadtest.ports import free_port
from tests.support.browser import Page, browsing
from tests.support.crowd import Habit, crowd, many
from tests.support.proxy import Ftpweir
from tests.support.raw_client import RawClient
from tests.support.servers import PyFtpd
from tests.support.users import USERS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

FILE = "report.csv"
TOKEN = "a-token-of-some-length"
TIGHT: dict[str, Any] = {
    "upstream": {"sessions": 2, "bandwidth": "2MiB/s"},
    "budget": {"connections": 20, "time_wait": "4s", "guard": "100ms", "headroom": "0%"},
    "queue": {"max_wait": "3s"},
    "refusals": {"delay": "200ms"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[PyFtpd]:
    with PyFtpd() as server:
        for user in USERS:
            (server.home(user) / FILE).write_bytes(os.urandom(5_000))
        with (server.home(USERS[0]) / "long").open("wb") as long:
            long.truncate(60 << 20)  # half a minute at TIGHT's bandwidth: a browser may be slow
        yield server


@pytest.fixture
def place() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def proxy(server: PyFtpd, place: str) -> Iterator[Ftpweir]:
    with Ftpweir(server, status=place, **TIGHT) as proxy:
        yield proxy


@pytest.fixture
async def page(proxy: Ftpweir, place: str) -> AsyncIterator[Page]:
    async with browsing() as page:
        await page.look_like(width=1240, height=900)
        await page.open(f"http://{place}/")
        await page.until("document.querySelector('#phase').innerText == 'serving'", "it is shown")
        yield page


async def test_an_idle_proxy_says_so_in_words(page: Page) -> None:
    text = await page.text()
    assert "0 of 20 connections counted" in text
    assert "Nobody waits: whoever comes is served at once." in text
    assert "None: nobody was turned away." in text
    assert "No client is connected." in text
    grounds = set()
    for dark in (False, True):
        await page.look_like(width=1240, height=900, dark=dark)
        grounds.add(await page.tell("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2
    assert page.complaints == []


async def test_it_follows_a_batch_and_an_overload(page: Page, proxy: Ftpweir) -> None:
    with crowd(proxy.port, many(30, FILE)):
        await page.until("/^[1-9]/.test(document.title)", "the title counts slots")
        await page.until("document.querySelectorAll('#queue tbody tr').length > 2", "a queue")
        await page.until("document.querySelectorAll('#seats tbody tr').length > 0", "a session")
        await page.until("document.querySelector('#refusals details')", "a refusal")
        await page.until("document.querySelector('.plot path.cooling')", "the plot is drawn")
        await page.tell("document.querySelector('#refusals summary').click()")
        first = await page.text("#clients")
        await page.until(f"document.querySelector('#clients').innerText != {first!r}", "it moves")
        assert "What helps:" in await page.text("#refusals details[open]")
        for width in (390, 1240):
            await page.look_like(width=width, height=844)
            await page.until(f"innerWidth == {width}", "the screen has this size")
            # Whoever reads it on a telephone at night scrolls in one direction only.
            assert await page.tell("document.documentElement.scrollWidth") <= width
    await page.until("/Nobody waits/.test(document.body.innerText)", "the queue is empty again")
    assert page.complaints == []


async def test_what_a_client_calls_itself_is_only_text(page: Page, proxy: Ftpweir) -> None:
    evil = "<img/src=x/onerror=document.title='owned'>"
    async with RawClient.connected(proxy.port) as client:
        await client.expect(220)
        await client.ask(f"USER {evil}")
        await page.until(f"document.querySelector('#clients').innerText.includes({evil!r})", "it")
        assert await page.tell("document.querySelectorAll('#clients img').length") == 0
        assert "owned" not in await page.tell("document.title")
    assert page.complaints == []


async def test_a_path_is_only_text_and_its_length_moves_nothing(
    page: Page, proxy: Ftpweir, server: PyFtpd
) -> None:
    evil = "<svg onload=document.title='owned'>" + "W" * 150
    (server.home(USERS[0]) / evil).write_bytes(b"x")
    with crowd(proxy.port, [Habit("127.0.0.1", USERS[0], evil, files=100)]):
        await page.until(r"/<svg onload.*\u2026/.test(document.body.innerText)", "it is shown cut")
        assert await page.tell("document.querySelectorAll('td svg').length") == 0
        assert "owned" not in await page.tell("document.title")
        for width in (390, 1240):
            await page.look_like(width=width, height=844)
            await page.until(f"innerWidth == {width}", "the screen has this size")
            assert await page.tell("document.documentElement.scrollWidth") <= width
    assert page.complaints == []


async def test_what_the_server_says_is_only_text_with_the_way_to_its_cause(
    server: PyFtpd, place: str
) -> None:
    async def turns_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"421 <img src=x onerror=document.title='owned'> Too many.\r\n")
        await writer.drain()
        writer.close()

    full = await asyncio.start_server(turns_away, "127.0.0.1", 0)
    elsewhere = {**TIGHT, "upstream": {"port": full.sockets[0].getsockname()[1]}}
    with Ftpweir(server, status=place, **elsewhere) as proxy:
        async with full, browsing() as page, RawClient.connected(proxy.port) as client:
            await client.expect(220)
            await client.say("USER alice", "PASS secret")
            await page.open(f"http://{place}/")
            await page.until("document.querySelector('.notice.bad code')", "trouble is told")
            told = await page.text(".notice.bad")
            assert "<img src=x" in told
            assert "ftpweir doctor -c FILE" in told
            assert "owned" not in await page.tell("document.title")
            assert page.complaints == []


async def test_while_it_drains_nobody_is_promised_a_turn(page: Page, proxy: Ftpweir) -> None:
    with crowd(proxy.port, [Habit("127.0.0.1", USERS[0], "long", files=1)]):
        await page.until("/RETR long/.test(document.body.innerText)", "it moves")
        moved = "[...document.querySelectorAll('.tile')].pop().innerText"
        await page.until(f"!{moved}.includes('0 B so far')", "bytes count while they move")
        proxy.signal(signal.SIGTERM)
        await page.until("/ftpweir is ending/.test(document.body.innerText)", "it says so")
        assert "no transfer begins any more" in await page.text("#queue")
        assert await page.text("#phase") == "draining"
        proxy.stop()


async def test_it_tells_that_it_gets_no_answer_any_more(page: Page, proxy: Ftpweir) -> None:
    proxy.stop()
    await page.until("/No answer from ftpweir since/.test(document.body.innerText)", "it notices")
    assert await page.text("#phase") == "no answer"
    assert await page.tell("getComputedStyle(document.querySelector('.card')).opacity < 1")


async def test_of_several_servers_it_tells_which_one_is_used(server: PyFtpd, place: str) -> None:
    standby = f"127.0.0.1:{free_port()}"
    with Ftpweir(server, status=place, upstream={"standby": [standby]}):
        async with browsing() as page:
            await page.open(f"http://{place}/")
            await page.until("document.querySelectorAll('#machines tbody tr').length == 2", "both")
            shown = await page.text("#machines")
            for words in ("in use", "0 of 2", standby, "standby"):
                assert words in shown
            assert page.complaints == []


async def test_with_a_token_the_address_opens_it_once(server: PyFtpd, place: str) -> None:
    status = {"address": place, "token": TOKEN}
    with Ftpweir(server, status=status, **TIGHT):
        async with browsing() as page:
            await page.open(f"http://{place}/?token={TOKEN}")
            await page.until("document.title.endsWith('ftpweir') && location.search == ''", "open")
            await page.until("/serving/.test(document.body.innerText)", "the cookie serves")
            assert page.complaints == []
