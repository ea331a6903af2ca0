"""YAML as text only: no guessed types, every place known, hostile files refused."""

from __future__ import annotations

import pytest
import yaml

from proxy.config import yamltext
from proxy.config.problem import ConfigError, Mark
from proxy.config.yamltext import Items, Node, Pairs, Text, read_nodes


@pytest.fixture(autouse=True, params=["CSafeLoader", "SafeLoader"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every fact hold with and without libyaml."""
    monkeypatch.setattr(yamltext, "PARSER", getattr(yaml, request.param))


def plain(node: Node | None) -> object:
    """Strip the places: the content is what these tests compare."""
    match node:
        case Text(text=text):
            return text
        case Items(items=items):
            return [plain(item) for item in items]
        case Pairs(pairs=pairs):
            return [(key.text, plain(value)) for key, value in pairs]
        case None:
            return None


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_nodes(text, "f")
    (problem,) = caught.value.problems
    return str(problem)


@pytest.mark.parametrize(
    "text",
    ["21:30", "no", "on", "true", "017", "1e3", "2026-01-01", "0x10", "null", "~", "1_000", ".inf"],
)
def test_a_scalar_stays_the_text_it_is(text: str) -> None:
    assert plain(read_nodes(f"a: {text}", "f")) == [("a", text)]


def test_sections_and_lists_keep_their_form() -> None:
    assert plain(read_nodes("a: [b, {c: d}]\ne:\n  - f\n", "f")) == [
        ("a", ["b", [("c", "d")]]),
        ("e", ["f"]),
    ]


def test_repeated_keys_are_kept_for_the_reader_to_refuse() -> None:
    assert plain(read_nodes("a: b\na: c", "f")) == [("a", "b"), ("a", "c")]


def test_places_count_from_one() -> None:
    root = read_nodes("# comment\na:\n  b: c\n", "f")
    assert isinstance(root, Pairs)
    key, below = root.pairs[0]
    assert key.mark == Mark(2, 1)
    assert isinstance(below, Pairs)
    assert below.pairs[0][1].mark == Mark(3, 6)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "--- \n...\n"])
def test_a_file_without_content_is_empty(text: str) -> None:
    assert read_nodes(text, "f") is None


def test_an_alias_repeats_what_its_anchor_named() -> None:
    assert plain(read_nodes("a: &x [b]\nc: *x", "f")) == [("a", ["b"]), ("c", ["b"])]


def test_an_alias_inside_its_own_anchor_is_refused() -> None:
    assert refusal("a: &x [*x]").startswith("f:1:8: no anchor &x is complete")


@pytest.mark.parametrize("text", ["a: !!int 5", "a: ! b", "a: !!python/name:os.system x", "!x {}"])
def test_a_tag_is_refused(text: str) -> None:
    assert "tags (!...) are not used here" in refusal(text)


def test_a_second_document_is_refused() -> None:
    assert refusal("a: b\n---\nc: d\n").startswith("f:2:1: only one YAML document")


@pytest.mark.parametrize("text", ["? [a]\n: b", "{a: b}: c"])
def test_a_key_that_is_no_word_is_refused(text: str) -> None:
    assert "a key must be a plain word" in refusal(text)


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 200_000, "a:\n- b\n" + "- b\n" * 20_000])
def test_nesting_and_size_are_bounded(text: str) -> None:
    assert "beyond what a configuration needs" in refusal(text)


def test_a_syntax_error_has_its_place() -> None:
    assert refusal("a: b\n\tc: d").startswith("f:2:1: this is not YAML: ")
    assert refusal("a: b\nc: [d\n").startswith("f:3:1: this is not YAML: ")


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: b\nc: \x07", "f:2:4"), ("\x00", "f:1:1"), ("a: \ud800", "f:1:4"), ("a\ufeff", "f:1:2")],
)
def test_a_character_that_yaml_forbids_has_its_place(text: str, place: str) -> None:
    assert refusal(text).startswith(f"{place}: the character ")
