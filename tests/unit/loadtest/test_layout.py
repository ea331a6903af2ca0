"""Names follow from numbers, on both sides alike."""

from __future__ import annotations

from loadtest.layout import members

from .examples import scenario


def test_every_script_has_a_place_and_a_folder_of_its_own() -> None:
    places = members(scenario().scripts)
    assert [place.folder for place in places] == ["/hog-0000", "/hog-0001", "/small-0000"]


def test_scripts_of_one_source_share_an_address() -> None:
    hog, other, small = members(scenario().scripts)
    assert hog.source(0) == other.source(1) != small.source(2)


def test_each_script_may_come_from_a_new_address() -> None:
    group = scenario().scripts[1].model_copy(update={"sources": "new"})
    [place] = members([group])
    assert len({place.source(script) for script in range(10_000)}) == 10_000


def test_ten_thousand_scripts_have_different_addresses() -> None:
    many = scenario().scripts[1].model_copy(update={"count": 10_000})
    assert len({place.source(0) for place in members([many])}) == 10_000


def test_uploads_of_later_arrivals_have_names_of_their_own() -> None:
    group = scenario().scripts[1].model_copy(update={"do": "upload"})
    [place] = members([group])
    assert place.path(0, 1) != place.path(1, 1)
    assert list(place.files_on_server()) == []
