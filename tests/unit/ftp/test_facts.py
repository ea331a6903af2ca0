"""What a server says of itself, and what of it is passed on."""

from __future__ import annotations

import pytest

from proxy.ftp.facts import ServerFacts, features_reply
from proxy.ftp.reply import Reply, ReplyReader

SYSTEM = Reply.of(215, "UNIX Type: L8")
REFUSAL = Reply.of(500, "What?")


def feat(*lines: bytes) -> Reply:
    return Reply(211, (b"211-Features:", *lines, b"211 End"))


def test_features_are_the_inner_lines_with_or_without_their_blank() -> None:
    facts = ServerFacts.of(feat(b" UTF8", b"MDTM", b"  REST STREAM ", b" "), SYSTEM)
    assert facts == ServerFacts((b"UTF8", b"MDTM", b"REST STREAM"), SYSTEM)


@pytest.mark.parametrize("reply", [REFUSAL, Reply.of(211, "No features."), Reply.of(530, "Log in")])
def test_a_server_that_lists_nothing_has_no_extras(reply: Reply) -> None:
    assert ServerFacts.of(reply, SYSTEM).features == ()


def test_a_refused_syst_tells_no_system() -> None:
    assert ServerFacts.of(feat(), REFUSAL).system is None


def test_a_feature_counts_in_any_case_and_only_as_a_whole_word() -> None:
    facts = ServerFacts((b"utf8", b"Mlst type*;"))
    assert facts.has(b"UTF8")
    assert facts.has(b"MLST")
    assert not facts.has(b"UTF")


def test_a_fresh_login_has_the_starred_facts() -> None:
    facts = ServerFacts((b"MLST Type*;Size*;UNIX.mode;Modify*;", b"MDTM"))
    assert facts.option_defaults == {b"MLST": b"Type;Size;Modify;"}


def test_a_server_without_mlst_has_no_default_for_it() -> None:
    assert ServerFacts((b"MDTM", b"UTF8")).option_defaults == {}


def test_feat_always_tells_what_we_do_ourselves() -> None:
    told = features_reply(ServerFacts())
    assert told.lines == (b"211-Features:", b" EPRT", b" EPSV", b" PASV", b"211 End")


def test_feat_hides_what_is_not_carried() -> None:
    told = (b"AUTH TLS", b"pbsz", b"PROT", b"CCC", b"MODE Z", b"HOST", b"LANG EN*", b"EPRT IPV4")
    assert features_reply(ServerFacts(told)) == features_reply(ServerFacts())


def test_feat_has_one_feature_a_line_behind_one_blank() -> None:
    reply = features_reply(ServerFacts((b"UTF8", b"MLST type*;", b"UTF8")))
    assert reply.lines[1:-1] == (b" EPRT", b" EPSV", b" MLST type*;", b" PASV", b" UTF8")


def test_a_feature_that_looks_like_an_end_does_not_end_the_list() -> None:
    reply = features_reply(ServerFacts((b"211 End",)))
    assert ReplyReader().feed(reply.encode()) == [reply]
