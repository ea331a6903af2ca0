"""Many scripts behind few server sessions: before real servers that would refuse a third."""

from __future__ import annotations

import pytest

from tests.support.backend import Backend
from tests.support.proxy import Ftpweir
from tests.support.servers import SERVERS
from tests.support.swarm import Swarm, content, folder, is_binary
from tests.support.users import ALICE, USERS, User
from tests.support.watching import Sampler

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(300)]

SCRIPTS = 200
ROUNDS = 10
LIMIT = 2

every_server = pytest.mark.parametrize("kind", SERVERS, ids=lambda kind: kind.kind)


@every_server
def test_200_scripts_of_one_user_share_two_sessions(kind: type[Backend]) -> None:
    share_two_sessions(kind, (ALICE,))


@every_server
def test_200_scripts_of_three_users_share_two_sessions(kind: type[Backend]) -> None:
    share_two_sessions(kind, USERS)


def share_two_sessions(kind: type[Backend], users: tuple[User, ...]) -> None:
    logins = [(user.name, user.password) for user in users]
    with (
        kind(max_per_ip=LIMIT) as server,
        Ftpweir(
            server,
            upstream={"sessions": LIMIT},
            budget={"enforce": "off"},
            clients=[{"name": "everyone"}],
        ) as weir,
    ):
        swarm = Swarm(weir.host, weir.port, logins, SCRIPTS, ROUNDS)
        for script in range(SCRIPTS):
            server.place(f"{folder(script)}/seed", b"", users[script % len(users)])
        with Sampler(server.sessions, every=0.1) as sessions:
            swarm = swarm.run()
        assert swarm.refusals == []
        assert swarm.failures == []
        assert swarm.succeeded == SCRIPTS
        assert sessions.most <= LIMIT
        assert_the_disk_is_right(server, users)
        # Nor did the server ever have to refuse one: a third was not even tried.
        assert not weir.log_contains("upstream refused a session")


def assert_the_disk_is_right(server: Backend, users: tuple[User, ...]) -> None:
    for script in range(SCRIPTS):
        home = server.home(users[script % len(users)])
        for turn in range(ROUNDS):
            if is_binary(script):
                stored = (home / folder(script) / f"file-{turn}").read_bytes()
                assert stored == content(script, turn)
