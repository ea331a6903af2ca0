"""What `ftpweir explain` prints: every key has a sentence, a kind and a default."""

from __future__ import annotations

import pytest

from proxy.config.explain import explain, keys, keys_of


def test_a_key_is_told_with_its_kind_its_default_and_its_reason() -> None:
    assert explain("budget.guard") == (
        "budget.guard: a duration such as 45s, 2m or 1h30m\n"
        "Default: 500ms\n"
        "Added to each hold, because a FIN may have to be sent again: "
        "50ms was measured to be too little, 300ms enough.\n"
        "A new value counts at once."
    )


def test_a_required_key_says_so() -> None:
    assert "Default: none, the key is required" in str(explain("upstream.host"))


def test_a_key_that_may_be_left_out_says_so() -> None:
    assert "Default: not given" in str(explain("budget.profile"))


def test_a_section_lists_its_keys() -> None:
    assert str(explain("queue")).endswith("Keys: max_wait, max_length")
    assert str(explain("clients")).startswith("clients: Classes of sources")


@pytest.mark.parametrize("key", ["", "bugdet", "budget.", "budget.guard.x"])
def test_an_unknown_key_has_no_explanation(key: str) -> None:
    assert explain(key) is None


@pytest.mark.parametrize("key", keys())
def test_every_key_has_a_sentence_of_its_own(key: str) -> None:
    told = str(explain(key)).splitlines()
    assert len(told) in (4, 5)
    assert told[2].endswith(".")
    assert told[2] != "None"


def test_keys_are_dotted_and_sections_are_not_among_them() -> None:
    assert {"listen.address", "budget.guard", "clients.weight", "status.token"} <= set(keys())
    assert not {"listen", "budget", "clients", "status"} & set(keys())


def test_the_keys_of_a_section_are_its_own_only() -> None:
    assert keys_of("queue") == ["max_wait", "max_length"]
    assert "queue" in keys_of("")
    assert keys_of("nothing") == []
