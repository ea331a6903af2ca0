"""Uploads that were vouched for are looked up on the server's disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.content import content
from loadtest.grounds import lay_out, wrong_uploads
from loadtest.layout import Member, members
from loadtest.record import Kind, Outcome, Record

from .examples import scenario

STORED = Record(Kind.FILE, Outcome.DONE, 226, 0, 0, 0, 0.0, 1.0)


def uploader() -> Member:
    return members([scenario().scripts[1].model_copy(update={"do": "upload"})])[0]


def test_every_file_to_be_fetched_is_there(tmp_path: Path) -> None:
    places = members(scenario().scripts)
    lay_out(tmp_path, places)
    for path, size in places[0].files_on_server():
        assert (tmp_path / path.lstrip("/")).read_bytes() == content(path, size)


@pytest.mark.parametrize(
    ("kept", "said"), [(None, "nothing is there"), (0.5, "bytes are there"), (1, "")]
)
def test_what_was_stored_is_compared(tmp_path: Path, kept: float | None, said: str) -> None:
    place = uploader()
    lay_out(tmp_path, [place])
    whole = content(place.path(0, 0), place.size(0, 0))
    if kept is not None:
        file = tmp_path / place.path(0, 0).lstrip("/")
        file.write_bytes(whole[: int(len(whole) * kept)])
    wrong = wrong_uploads(tmp_path, [place], [STORED])
    assert (said in wrong[0] and "yet 226" in wrong[0]) if said else wrong == []


def test_a_failed_upload_may_be_missing(tmp_path: Path) -> None:
    lost = Record(Kind.FILE, Outcome.LOST, 0, 0, 0, 0, 0.0, 1.0)
    assert wrong_uploads(tmp_path, [uploader()], [lost]) == []
