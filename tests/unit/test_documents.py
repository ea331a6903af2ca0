"""The documents say what the code does: generated parts, links, test names, examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.config import examine
from proxy.ops import logs
from proxy.refusals import REFUSALS, Reason
from tests.support.documents import GENERATED, ROOT, names_of_parts, parts, written_anew

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
_CITED = re.compile(r"\b([\w/.-]+\.md)(?:, ([A-Z]\w+)\b)?")
_TEST_NAME = re.compile(r"`((?:test_|Test)\w+)`")
_TEST_FILE = re.compile(r"`(tests/[\w/.]+)`")


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_generated_parts_are_what_the_code_says(path: Path) -> None:
    """To mend: python -m tests.support.documents"""
    document = path.read_text()
    assert written_anew(document) == document


def test_every_generated_part_stands_in_a_document() -> None:
    asked = [name for path in GENERATED for name in names_of_parts(path.read_text())]
    assert sorted(asked) == sorted(parts())


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_links_lead_somewhere(path: Path) -> None:
    links = _LINK.findall(path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_links_within_a_document_lead_to_a_heading(path: Path) -> None:
    text = path.read_text()
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def test_each_decision_bears_a_number_of_its_own() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").iterdir())
    numbers = [decision.name[:3] for decision in decisions]
    assert numbers == [f"{number:03}" for number in range(1, len(decisions) + 1)]
    for number, decision in zip(numbers, decisions, strict=True):
        assert decision.read_text().startswith(f"# {number}: ")


def test_every_refusal_is_in_the_runbook() -> None:
    runbook = (ROOT / "docs" / "OPERATIONS.md").read_text()
    assert [one.sentence for one in REFUSALS.values() if one.sentence not in runbook] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_every_test_that_a_document_names_exists(path: Path) -> None:
    document = path.read_text()
    sources = "\n".join(test.read_text() for test in ROOT.glob("tests/**/test_*.py"))
    known = set(re.findall(r"(?:def |^)((?:test_|Test)\w+)", sources, re.MULTILINE))
    assert [name for name in _TEST_NAME.findall(document) if name not in known] == []
    assert [name for name in _TEST_FILE.findall(document) if not (ROOT / name).exists()] == []


def test_every_document_that_code_names_exists_and_so_does_its_section() -> None:
    code = [
        path for room in ("proxy", "tests", "loadtest") for path in ROOT.glob(f"{room}/**/*.py")
    ]
    cited = {found for path in code for found in _CITED.findall(path.read_text())}
    documents = {path.relative_to(ROOT).as_posix(): path.read_text() for path in DOCUMENTS}
    documents |= {path.removeprefix("docs/"): text for path, text in documents.items()}
    assert cited
    assert [name for name, _ in cited if name not in documents] == []
    sections = [(name, title) for name, title in cited if title]
    assert [one for one in sections if f"\n## {one[1]}\n" not in documents[one[0]]] == []


def test_the_example_of_the_readme_is_a_good_configuration() -> None:
    example = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example is not None
    assert examine(example[1], "README.md", {}).problems == ()


def test_every_event_of_the_log_is_on_the_behaviour_page() -> None:
    page = (ROOT / "docs" / "BEHAVIOUR.md").read_text()
    assert [name for name, _ in logs._NAMES.values() if f"`{name}`" not in page] == []


def test_reasons_that_the_behaviour_page_borrows_are_real() -> None:
    page = (ROOT / "docs" / "BEHAVIOUR.md").read_text()
    borrowed = re.findall(r"a reason of \[REFUSALS\.md\].*", page)
    words = {word for row in borrowed for word in re.findall(r"`(\w+)`", row)}
    assert words
    assert words <= {reason.value for reason in Reason}
