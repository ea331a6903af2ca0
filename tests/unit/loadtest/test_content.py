"""Contents follow from paths, so a stranger's file is never taken for ours."""

from __future__ import annotations

from hashlib import sha256

from loadtest.content import content, digest, size_of


def test_the_same_path_has_the_same_content_everywhere() -> None:
    assert content("/a/f1", 1000) == content("/a/f1", 1000)


def test_another_path_has_other_content() -> None:
    assert content("/a/f1", 1000) != content("/b/f1", 1000)


def test_the_digest_is_that_of_the_content() -> None:
    assert digest("/a/f1", 77) == sha256(content("/a/f1", 77)).digest()


def test_files_of_one_nominal_size_differ_by_a_few_bytes() -> None:
    sizes = {size_of(f"/a/f{number}", 4096) for number in range(100)}
    assert len(sizes) > 20
    assert min(sizes) >= 4096
    assert max(sizes) < 4096 + 61


def test_an_empty_file_stays_empty() -> None:
    assert size_of("/a/f1", 0) == 0
