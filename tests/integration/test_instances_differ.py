"""Two instances, one store, different budgets: whoever looks at either of them is told."""

from __future__ import annotations

import ftplib
import json
import os
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from typing import Any

import pytest

from loadtest.ports import free_port
from proxy.config import Status
from proxy.ops.doctor.running import ask_running
from tests.support.programs import CHECKOUT
from tests.support.proxy import Ftpweir
from tests.support.redis import RedisServer
from tests.support.servers import Vsftpd
from tests.support.users import ALICE
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.root, pytest.mark.timeout(120)]

SESSIONS = 4


def budget(connections: int) -> dict[str, object]:
    return {"connections": connections, "headroom": "0%", "profile": "none"}


def instance(server: Vsftpd, redis: RedisServer, connections: int) -> Ftpweir:
    return Ftpweir(
        server,
        status=f"127.0.0.1:{free_port('127.0.0.1')}",
        upstream={"sessions": SESSIONS},
        budget=budget(connections),
        store=redis.url,
        sharing={"recovery": "1s"},
    )


def shown(weir: Ftpweir, section: str) -> str:
    command = [sys.executable, "-m", "proxy", "show", section, "-c", str(weir.config_file)]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "COLUMNS": "200"}
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stdout


def told(weir: Ftpweir, section: str) -> dict[str, Any]:
    place = weir.config()["status"]
    with urllib.request.urlopen(f"http://{place}/api/{section}", timeout=20) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def test_the_lower_limit_holds_for_both_and_the_others_sessions_are_told() -> None:
    with ExitStack() as undo:
        server = undo.enter_context(Vsftpd())
        redis = undo.enter_context(RedisServer())
        many = undo.enter_context(instance(server, redis, 40))
        few = undo.enter_context(instance(server, redis, 30))
        client = undo.enter_context(ftplib.FTP())
        client.connect(few.host, few.port, timeout=30)
        client.login(ALICE.name, ALICE.password)
        until(lambda: many.events("limits differ"), "who would go by more tells it")
        (event,) = many.events("limits differ")
        assert (event["setting"], event["ours"], event["lowest"]) == ("budget.connections", 40, 30)
        assert few.events("limits differ") == []
        assert "another instance goes by 30, not by 40" in shown(many, "budget")
        asked = ask_running(Status.model_validate({"address": many.config()["status"]}))
        assert asked is not None
        assert asked.undercut == ("budget: another one goes by 30, this one by 40",)
        until(lambda: told(many, "upstream")["elsewhere"] == 1, "the session of the other is known")
        assert f"0 of {SESSIONS} (1 dealt out but not used here) sessions" in shown(
            many, "upstream"
        )
        assert (told(few, "upstream")["elsewhere"], told(many, "upstream")["sessions"]) == (0, [])
        few.reload(budget=budget(40))
        until(lambda: not told(many, "budget")["budgets"][0]["is_lowered"], "they agree again")
