from __future__ import annotations

from proxy.refusals import Reason
from proxy.session.declined import Declined


def test_a_refusal_carries_what_its_sentence_needs() -> None:
    declined = Declined(Reason.BUDGET, used=3, limit=4, who="bob", retry=1.5, waited=2.0)
    assert str(declined) == "budget"
    assert (declined.used, declined.limit, declined.who) == (3, 4, "bob")
    assert (declined.retry, declined.waited) == (1.5, 2.0)


def test_a_refusal_ends_no_session_unless_it_says_so() -> None:
    assert not Declined(Reason.UPSTREAM_LOST).ends_session
    assert Declined(Reason.UPSTREAM_LOST, ends_session=True).ends_session
