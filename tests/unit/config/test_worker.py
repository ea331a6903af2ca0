from __future__ import annotations

import pytest

from proxy.config import Config, PortRange
from proxy.config.worker import TooFew, for_worker


def config(**sections: object) -> Config:
    ports = {"ports": "52000-52099"}
    upstream = {"host": "ftp.example.com", "ports": "51000-51010"}
    return Config.model_validate({"upstream": upstream, "passive": ports, **sections})


def test_ports_are_divided_without_overlap_and_none_is_left_over() -> None:
    parts = [for_worker(config(), number, 3) for number in range(3)]
    assert [part.passive.ports for part in parts] == [
        PortRange(52000, 52032),
        PortRange(52033, 52065),
        PortRange(52066, 52099),
    ]
    assert [len(part.upstream.ports) for part in parts] == [3, 3, 5]


def test_each_has_a_state_file_and_the_first_has_the_usual_one() -> None:
    whole = config(state="/var/lib/weir")
    first, second = (for_worker(whole, number, 2) for number in range(2))
    assert (first.state, second.state) == ("/var/lib/weir", "/var/lib/weir.worker2")


def test_what_is_absent_stays_absent_and_all_else_is_the_same() -> None:
    whole = config(state="none", status="none")
    second = for_worker(whole, 1, 2)
    assert (second.state, second.status) == (None, None)
    assert second.listen == whole.listen
    assert second.budget == whole.budget


def test_more_workers_than_ports_are_too_many() -> None:
    with pytest.raises(TooFew, match="upstream.ports has 11 ports"):
        for_worker(config(), 0, 12)
