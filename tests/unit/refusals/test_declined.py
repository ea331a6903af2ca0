from __future__ import annotations

import errno

from proxy.refusals import Declined, Reason


def test_a_refusal_carries_what_its_sentence_needs() -> None:
    declined = Declined(Reason.BUDGET, used=3, limit=4, who="bob", retry=1.5, waited=2.0)
    assert str(declined) == "budget"
    assert (declined.used, declined.limit, declined.who) == (3, 4, "bob")
    assert (declined.retry, declined.waited) == (1.5, 2.0)


def test_a_refusal_ends_no_session_unless_it_says_so() -> None:
    assert not Declined(Reason.UPSTREAM_LOST).ends_session
    assert Declined(Reason.UPSTREAM_LOST, ends_session=True).ends_session


def test_a_time_limit_is_to_blame_only_where_nobody_answered() -> None:
    silence = Declined.for_want_of_data(Reason.CLIENT_DATA, TimeoutError("none within 10 s"))
    assert (silence.words, silence.setting) == ("none within 10 s", None)
    refused = ConnectionRefusedError(111, "Connection refused")
    declined = Declined.for_want_of_data(Reason.CLIENT_DATA, refused)
    assert (declined.words, declined.setting) == ("Connection refused", "")


def test_a_descriptor_that_we_lack_is_nobody_elses_fault() -> None:
    lack = OSError(errno.EMFILE, "Too many open files")
    assert Declined.for_want_of_data(Reason.UPSTREAM_DATA, lack).reason is Reason.DESCRIPTORS
