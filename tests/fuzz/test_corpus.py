"""What fuzzing found stays found out: each kept input and each honest one, through its target."""

from __future__ import annotations

from pathlib import Path

import pytest

from .seeds import seeds
from .targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("target", TARGETS)
def test_every_kept_input_has_an_outcome_that_is_allowed(target: str) -> None:
    kept = [file.read_bytes() for file in sorted((CORPUS / target).glob("*"))]
    for data in [b"", *seeds(target), *kept]:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_honest_input_cut_anywhere_has_an_outcome_that_is_allowed(target: str) -> None:
    for honest in seeds(target):
        for at in range(0, len(honest), max(1, len(honest) // 50)):
            TARGETS[target](honest[:at])
            TARGETS[target](honest[:at] + b"\xff\0\r\n" + honest[at:])


def test_every_target_has_honest_seeds() -> None:
    assert all(seeds(target) for target in TARGETS)
