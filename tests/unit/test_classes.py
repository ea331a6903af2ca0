"""Which class a client belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.classes import NO_LIMITS, classifier
from proxy.config import Config
from proxy.ftp.protection import Require
from proxy.gate.request import Source
from proxy.shaping.quota import Limits


def source(host: str, user: bytes, *classes: dict[str, Any]) -> Source:
    """Classify a client by classes as the configuration writes them."""
    config = Config.model_validate({"upstream": {"host": "a"}, "clients": list(classes)})
    return classifier(config.clients)(host, user)


def name(host: str, user: bytes, *classes: dict[str, Any]) -> str:
    return source(host, user, *classes).class_name


EVERYONE = {"name": "everyone"}
NIGHTLY = {"name": "nightly", "source": ["10.20.0.0/16", "2001:db8::/32"]}
BATCH = {"name": "batch", "user": ["batch-*", "cron"]}
BOTH = {"name": "both", "source": "10.20.0.0/16", "user": "batch-*"}


def test_a_class_without_conditions_takes_everybody() -> None:
    assert name("192.0.2.1", b"", EVERYONE) == "everyone"


def test_the_first_match_wins() -> None:
    assert name("10.20.0.1", b"", EVERYONE, NIGHTLY) == "everyone"
    assert name("10.20.0.1", b"", NIGHTLY, EVERYONE) == "nightly"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.20.255.255", "nightly"),
        ("10.21.0.0", "everyone"),
        ("2001:db8::1", "nightly"),
        ("2001:db9::1", "everyone"),
    ],
)
def test_a_source_is_matched_by_its_networks(host: str, expected: str) -> None:
    assert name(host, b"", NIGHTLY, EVERYONE) == expected


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (b"batch-7", "batch"),
        (b"cron", "batch"),
        (b"cron2", "everyone"),
        (b"Batch-7", "everyone"),
        (b"batch-\xff\xfe", "batch"),
    ],
)
def test_a_user_is_matched_by_its_patterns_in_exact_case(user: bytes, expected: str) -> None:
    assert name("192.0.2.1", user, BATCH, EVERYONE) == expected


def test_nobody_is_any_user_before_the_name_is_given() -> None:
    assert name("192.0.2.1", b"", BATCH, EVERYONE) == "everyone"
    assert name("192.0.2.1", b"", {"name": "any", "user": "*"}, EVERYONE) == "any"


def test_where_source_and_user_are_given_both_must_match() -> None:
    assert name("10.20.0.1", b"batch-1", BOTH, EVERYONE) == "both"
    assert name("10.21.0.1", b"batch-1", BOTH, EVERYONE) == "everyone"
    assert name("10.20.0.1", b"alice", BOTH, EVERYONE) == "everyone"


def test_who_matches_no_class_has_no_name_and_no_limits() -> None:
    assert source("192.0.2.1", b"", NIGHTLY) == Source("192.0.2.1", "", NO_LIMITS)


def test_a_class_brings_its_limits() -> None:
    limits = {"sessions": 20, "transfers": 4, "transfers_per_minute": 60, "weight": 2.0}
    limits["bandwidth"] = 1 << 20
    found = source("192.0.2.1", b"", {"name": "nightly", **limits})
    assert found == Source("192.0.2.1", "nightly", Limits(20, 4, 60, 2.0, 1 << 20))


def test_a_class_that_names_no_limits_sets_none() -> None:
    assert source("192.0.2.1", b"", EVERYONE).limits == NO_LIMITS


def test_a_class_says_what_it_requires_of_tls() -> None:
    strict = {"name": "strict", "user": ["alice"], "require": "data"}
    assert source("192.0.2.1", b"alice", strict, EVERYONE).require is Require.DATA
    assert source("192.0.2.1", b"bob", strict, EVERYONE).require is Require.NONE
