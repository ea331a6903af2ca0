"""Laws: any text is a Config or a ConfigError, and what is shown is read back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.config import Config, ConfigError, PortRange, keys, parse, units
from proxy.config.addresses import parse_ports

WORDS = sorted({part for key in keys() for part in key.split(".")}) + [
    *("on", "off", "none", "auto", "5%", "45s", "240", "yes", "a*", "10.0.0.0/8", "127.0.0.1:21"),
    *("${A}", "${A:-b}", "${", "*a", "&a b", "!x", "<<", "~", "''", "50000-50999", "csf", "active"),
]
SCALARS = st.sampled_from(WORDS) | st.text(max_size=8)
TREES = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(SCALARS, below, max_size=4),
    max_leaves=12,
)


def flow(tree: object) -> str:
    """Write a tree as YAML of one line, without asking whether it is well formed."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    return str(tree)


def outcome(text: str) -> Config | ConfigError:
    try:
        return parse(text, "f", {"A": "a"})
    except ConfigError as error:
        return error


def holds(text: str) -> None:
    result = outcome(text)
    if isinstance(result, ConfigError):
        assert result.problems
        places = [(problem.line, problem.column) for problem in result.problems]
        assert places == sorted(places)
        assert all(line >= 1 and column >= 1 for line, column in places)
        assert "pydantic" not in str(result)


@given(st.text(st.characters(), max_size=60))
def test_any_text_is_a_configuration_or_a_list_of_problems(text: str) -> None:
    holds(text)


@given(st.text("{}[]:,-&*!|>'\"#%@`?~ \n\tab$0\x07\ufeff\ud800", max_size=40))
def test_any_mixture_of_yamls_own_characters_is_too(text: str) -> None:
    holds(text)


@given(st.dictionaries(st.sampled_from(WORDS), TREES, max_size=5))
def test_any_tree_of_our_own_words_is_too(tree: dict[str, object]) -> None:
    holds("\n".join(f"{key}: {flow(value)}" for key, value in tree.items()))


@given(st.integers(0, 10**9))
def test_a_duration_shown_is_the_duration_read(thousandths: int) -> None:
    seconds = thousandths / 1000
    assert round(units.parse_duration(units.show_duration(seconds)) * 1000) == thousandths


@given(st.integers(1, 2**40))
def test_a_rate_shown_is_the_rate_read(rate: int) -> None:
    shown = units.show_rate(rate)
    if units.SIZE.fullmatch(shown[:-2]):
        assert units.parse_rate(shown) == rate


@given(st.integers(1, 65535), st.integers(1, 65535))
def test_a_range_shown_is_the_range_read(one: int, other: int) -> None:
    ports = PortRange(min(one, other), max(one, other))
    assert parse_ports(str(ports)) == ports
