"""Listeners and classes of sources."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from proxy.config.clientside import ClientClass, as_listeners, at_least_one
from proxy.config.units import Misfit


def test_an_address_alone_is_a_listener() -> None:
    assert as_listeners("a:1") == [{"address": "a:1"}]
    assert as_listeners(["a:1", {"address": "b:2"}]) == [{"address": "a:1"}, {"address": "b:2"}]


def test_what_is_no_listener_is_left_for_the_model_to_refuse() -> None:
    assert as_listeners({"address": "a:1"}) == {"address": "a:1"}


def test_an_empty_list_would_serve_nobody() -> None:
    with pytest.raises(Misfit, match="expected at least one item, got an empty list"):
        at_least_one([])
    with pytest.raises(Misfit):
        as_listeners([])
    assert at_least_one(["a"]) == ["a"]


@pytest.mark.parametrize(
    ("source", "user", "everybody"),
    [
        ((), (), True),
        ((), ("*",), True),
        ((), ("batch-*",), False),
        (("0.0.0.0/0", "::/0"), (), True),
        (("0.0.0.0/0",), (), False),
        (("10.0.0.0/8",), ("*",), False),
    ],
)
def test_a_class_matches_everybody_only_without_any_condition(
    source: tuple[str, ...], user: tuple[str, ...], everybody: bool
) -> None:
    networks = tuple(ip_network(each) for each in source)
    each = ClientClass(name="a", source=networks, user=user)
    assert each.matches_everybody is everybody
