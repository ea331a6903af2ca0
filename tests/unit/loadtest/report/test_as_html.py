"""The page stands alone and takes no word for markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from loadtest.report.as_html import page

from ..examples import report


class Outline(HTMLParser):
    """Collects which elements there are, and which never close."""

    VOID = frozenset({"meta", "link", "line", "circle", "rect", "path", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Push."""
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Pop, if it is the one that is open."""
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_every_element_is_closed() -> None:
    outline = Outline()
    outline.feed(page(report(violations=1)))
    assert outline.open == []
    assert outline.seen.count("svg") >= 5


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = page(report())
    assert not re.search(r"\b(src|href|@import|url\()", html)
    addresses = set(re.findall(r"https?://[^\"' ]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a place


def test_words_are_never_markup() -> None:
    html = page(report())
    assert "that &lt;sums&gt; are right" in html
    assert "421 &lt;Too&gt; many" in html


def test_the_data_cannot_end_its_element() -> None:
    it = report()
    tricky = replace(it, findings=[replace(it.findings[0], target="</script>"), it.findings[1]])
    assert page(tricky).count("</script>") == 2


def test_the_verdict_says_why() -> None:
    assert "Passed." in page(report())
    assert "exceeded 1 times" in page(report(violations=1))
