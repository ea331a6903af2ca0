"""From when on a changed key counts, and which keys differ."""

from __future__ import annotations

import pytest

from proxy.config import Config, examine, keys
from proxy.config.effect import EFFECTS, Effect, changed_keys, effect_of, rigid_changes

BASE = {"upstream": {"host": "ftp.example.com"}}


def changed(**sections: object) -> tuple[str, ...]:
    return changed_keys(Config.model_validate(BASE), Config.model_validate(BASE | sections))


@pytest.mark.parametrize("key", keys())
def test_every_key_has_an_effect(key: str) -> None:
    assert effect_of(key) in Effect


def test_every_row_is_about_a_key_or_a_section_that_exists() -> None:
    known = set(keys()) | {key.rpartition(".")[0] for key in keys()}
    assert set(EFFECTS) <= known


@pytest.mark.parametrize(
    ("key", "effect"),
    [
        ("listen", Effect.NEW_SESSIONS),
        ("listen.address", Effect.AT_ONCE),
        ("budget.connections", Effect.AT_ONCE),
        ("clients.weight", Effect.NEXT_TRANSFER),
        ("upstream.host", Effect.NEW_UPSTREAM),
        ("state", Effect.RESTART),
    ],
)
def test_a_key_follows_its_row_or_its_section(key: str, effect: Effect) -> None:
    assert effect_of(key) is effect


def test_the_same_file_changes_nothing() -> None:
    assert changed() == ()


def test_changed_keys_are_named_by_section_and_key() -> None:
    told = changed(budget={"connections": 300, "guard": 1.0}, queue={"max_wait": 30.0}, state=None)
    assert told == ("budget.connections", "budget.guard", "queue.max_wait", "state")


def test_a_list_is_one_key() -> None:
    clients = [{"name": "nightly", "sessions": 3}, {"name": "everyone"}]
    assert changed(clients=clients, listen=["127.0.0.1:2122"]) == ("listen", "clients")


def test_what_only_a_restart_changes_is_told_with_its_place() -> None:
    text = "upstream: {host: ftp.example.com}\nqueue: {max_wait: 30s}\nstate: ./other\n"
    reading = examine(text, "f.yaml")
    told = list(rigid_changes(("queue.max_wait", "state"), reading.document, settled={}))
    assert told == ["f.yaml:3:8: state: only a restart can change this: put it back, or restart"]


def test_what_a_start_has_settled_is_told_with_its_reason() -> None:
    changed = ("budget.enforce", "budget.guard")
    (told,) = rigid_changes(changed, None, settled={"budget.enforce": "it began as off"})
    assert told.endswith("budget.enforce: it began as off: only a restart can change this")
