"""AUTH, PBSZ and PROT: what each asks for, in which order, and what is refused without them."""

from __future__ import annotations

import pytest

from proxy.ftp.action import Answer, StartTls, Transfer
from proxy.ftp.dialogue import Dialogue, Stage
from proxy.ftp.facts import ServerFacts
from proxy.ftp.protection import NO_TLS, OF_CLASS, OF_LISTENER, Require, TlsTerms, Unprotected
from proxy.refusals import Reason
from tests.support.dialogues import do, reply_to

OFFERED = TlsTerms(is_offered=True)


def newcomer(terms: TlsTerms = OFFERED, require: Require = Require.NONE) -> Dialogue:
    """Return the dialogue of a client that has just come; `require` is what alice's class wants."""
    return Dialogue(
        "192.0.2.7",
        is_ipv6=False,
        site_harmless=frozenset(),
        tls=terms,
        requires=lambda user: require if user == b"alice" else Require.NONE,
    )


def protected(terms: TlsTerms = OFFERED, require: Require = Require.NONE) -> Dialogue:
    """Return the dialogue of a client that has shaken hands and logged in."""
    dialogue = newcomer(terms, require)
    if not terms.is_implicit:
        assert isinstance(do(dialogue, "AUTH TLS"), StartTls)
        dialogue.tls_started()
    do(dialogue, "USER alice", "PASS secret")
    dialogue.logged_in(b"/", ServerFacts())
    return dialogue


def lack(dialogue: Dialogue, line: str) -> tuple[Reason, str]:
    """Return for want of what this line is not obeyed, and the setting that says so."""
    with pytest.raises(Unprotected) as caught:
        do(dialogue, line)
    return caught.value.reason, caught.value.setting


@pytest.mark.parametrize("mechanism", ["TLS", "tls", "SSL", "TLS-C"])
def test_auth_begins_the_handshake_behind_a_234(mechanism: str) -> None:
    action = do(newcomer(), f"AUTH {mechanism}")
    assert isinstance(action, StartTls)
    assert action.reply.code == 234


@pytest.mark.parametrize("line", ["AUTH TLS", "PBSZ 0", "PROT P"])
def test_where_tls_is_not_offered_all_three_are_answered_502(line: str) -> None:
    assert reply_to(newcomer(NO_TLS), line).code == 502


def test_other_mechanisms_and_a_second_handshake_are_refused() -> None:
    assert reply_to(newcomer(), "AUTH GSSAPI").code == 504
    assert reply_to(protected(), "AUTH TLS").code == 503


def test_each_step_wants_the_one_before() -> None:
    dialogue = newcomer()
    assert reply_to(dialogue, "PBSZ 0").code == 503
    assert reply_to(dialogue, "PROT P").code == 503
    dialogue.tls_started()
    assert reply_to(dialogue, "PROT P").code == 503
    assert reply_to(dialogue, "PBSZ many").code == 501
    assert reply_to(dialogue, "PBSZ 16384").lines == (b"200 PBSZ=0",)


def test_prot_chooses_for_the_data_connections_from_then_on() -> None:
    dialogue = protected()
    do(dialogue, "PBSZ 0")
    covered = [dialogue.protection.covers_data]
    for level in "PPCP":
        assert reply_to(dialogue, f"PROT {level}").code == 200
        covered.append(dialogue.protection.covers_data)
    assert covered == [False, True, True, False, True]


@pytest.mark.parametrize(("level", "code"), [("S", 536), ("E", 536), ("X", 504)])
def test_levels_that_tls_does_not_know_are_refused(level: str, code: int) -> None:
    dialogue = protected()
    do(dialogue, "PBSZ 0")
    assert reply_to(dialogue, f"PROT {level}").code == code


def test_implicit_means_data_too_until_the_client_says_otherwise() -> None:
    dialogue = protected(TlsTerms(is_offered=True, is_implicit=True))
    assert dialogue.protection.covers_data
    assert reply_to(dialogue, "AUTH TLS").code == 503
    assert reply_to(dialogue, "PROT C").code == 200
    assert not dialogue.protection.covers_data


@pytest.mark.parametrize("require", [Require.LOGIN, Require.DATA])
@pytest.mark.parametrize("line", ["USER alice", "PASS secret", "ACCT x"])
def test_a_login_in_clear_is_refused_where_tls_is_required(require: Require, line: str) -> None:
    dialogue = newcomer(TlsTerms(is_offered=True, require=require))
    assert lack(dialogue, line) == (Reason.TLS_LOGIN, OF_LISTENER)
    assert dialogue.stage is Stage.GREETED


def test_data_in_clear_is_refused_where_that_is_required() -> None:
    dialogue = protected(TlsTerms(is_offered=True, require=Require.DATA))
    assert lack(dialogue, "RETR a") == (Reason.TLS_DATA, OF_LISTENER)
    do(dialogue, "PBSZ 0", "PROT P")
    assert isinstance(do(dialogue, "RETR a"), Transfer)
    assert reply_to(dialogue, "PROT C").code == 534
    assert isinstance(do(dialogue, "RETR a"), Transfer)


def test_data_in_clear_is_allowed_where_the_login_alone_is_required() -> None:
    dialogue = protected(TlsTerms(is_offered=True, require=Require.LOGIN))
    assert isinstance(do(dialogue, "RETR a"), Transfer)


@pytest.mark.parametrize("require", [Require.LOGIN, Require.DATA])
def test_a_class_may_require_tls_before_its_users_name_themselves(require: Require) -> None:
    dialogue = newcomer(require=require)
    assert lack(dialogue, "USER alice") == (Reason.TLS_LOGIN, OF_CLASS)
    assert dialogue.stage is Stage.GREETED
    assert reply_to(dialogue, "USER bob").code == 331


def test_a_class_may_require_tls_for_data_too() -> None:
    dialogue = protected(require=Require.DATA)
    assert lack(dialogue, "RETR a") == (Reason.TLS_DATA, OF_CLASS)
    do(dialogue, "PBSZ 0", "PROT P")
    assert isinstance(do(dialogue, "RETR a"), Transfer)
    assert reply_to(dialogue, "PROT C").code == 534


def test_a_class_that_requires_less_than_its_listener_changes_nothing() -> None:
    terms = TlsTerms(is_offered=True, require=Require.DATA)
    dialogue = protected(terms, require=Require.LOGIN)
    assert lack(dialogue, "RETR a") == (Reason.TLS_DATA, OF_LISTENER)
    assert lack(newcomer(terms), "USER alice") == (Reason.TLS_LOGIN, OF_LISTENER)


def test_who_logged_in_before_the_handshake_must_do_so_again() -> None:
    dialogue = newcomer()
    do(dialogue, "USER alice", "PASS secret")
    dialogue.logged_in(b"/home", ServerFacts())
    do(dialogue, "TYPE I", "AUTH TLS")
    dialogue.tls_started()
    assert dialogue.stage is Stage.GREETED
    assert dialogue.state.type == b"A"
    assert reply_to(dialogue, "RETR a").code == 530


def test_rein_keeps_the_control_connection_protected_and_forgets_prot() -> None:
    dialogue = protected()
    do(dialogue, "PBSZ 0", "PROT P", "REIN")
    assert dialogue.protection.is_on
    assert not dialogue.protection.covers_data
    assert reply_to(dialogue, "PROT P").code == 503


def test_feat_tells_of_tls_where_it_is_offered() -> None:
    for terms, is_told in ((OFFERED, True), (NO_TLS, False)):
        dialogue = newcomer(terms)
        do(dialogue, "USER alice", "PASS secret")
        dialogue.logged_in(b"/", ServerFacts((b"AUTH TLS", b"PROT", b"SIZE")))
        action = do(dialogue, "FEAT")
        assert isinstance(action, Answer)
        told = [line.strip() for line in action.reply.lines]
        help_text = b" ".join(reply_to(dialogue, "HELP").lines).split()
        assert (b"AUTH" in help_text) is is_told
        assert (b"AUTH TLS" in told) is is_told
        assert (b"PROT" in told) is is_told


@pytest.mark.parametrize("line", ["CCC", "ADAT x", "MIC x", "CONF x", "ENC x"])
def test_protection_is_never_taken_away_again(line: str) -> None:
    action = do(protected(), line)
    assert isinstance(action, Answer)
    assert action.reply.code == 533
