"""Each level is judged from the end of the warm-up on, and what rises is named."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from loadtest.soak.findings import Soak, as_json, findings
from loadtest.soak.levels import LEVELS, Sample
from loadtest.soak.picture import draw
from loadtest.soak.trend import TooFew


def run(leak: float = 0.0, seconds: int = 100) -> Soak:
    """A proxy that warms up for 20 s; then `leak` descriptors a second are lost."""
    samples = [
        Sample(
            at=at,
            memory=min(at, 20) * 5_000_000,
            descriptors=300 + int(leak * max(0, at - 20)),
            threads=2,
            tasks=90 + at % 3,
            sessions=80 + at % 5,
            slots=at * 37 % 400,
            transfers=at * 200,
        )
        for at in range(seconds)
    ]
    return findings(samples, 20)


def test_what_only_warms_up_does_not_rise() -> None:
    assert run().rising == []


def test_what_rises_is_named() -> None:
    assert run(leak=0.5).rising == ["descriptors"]


def test_transfers_are_counted_behind_the_warm_up() -> None:
    assert run().transfers == (99 - 20) * 200


def test_words_tell_slope_and_verdict() -> None:
    descriptors = run(leak=1.0).held[1]
    assert descriptors.words == "rises: +3,600 an hour (99 %: +3,600 to +3,600)"


def test_a_run_that_broke_off_in_its_warm_up_is_not_judged() -> None:
    with pytest.raises(TooFew):
        run(seconds=25)


def test_machines_read_every_level_and_sample() -> None:
    told = json.loads(json.dumps(as_json(run(leak=0.5), {"python": "3"})))
    assert list(told["levels"]) == [level.name for level in LEVELS]
    assert told["levels"]["descriptors"]["rises"]
    assert len(told["levels"]["memory"]["points"]) == 100


def test_the_picture_has_a_panel_for_each_level() -> None:
    picture = ElementTree.fromstring(draw(run(leak=0.5), "10 minutes & <more>"))
    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "10 minutes & <more>" in words
    assert [level.title for level in LEVELS] == [word for word in words if word in TITLES]
    assert any((word or "").startswith("rises: ") for word in words)


TITLES = {level.title for level in LEVELS}
