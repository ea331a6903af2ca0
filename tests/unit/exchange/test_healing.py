"""What both directions of healing have in common; the rest is tested beside each of them."""

from __future__ import annotations

from proxy.exchange.healing import Broken
from proxy.ftp.reply import Reply
from proxy.refusals import Reason


def test_a_server_that_says_itself_that_it_broke_off_is_quoted() -> None:
    broken = Broken.told(Reply.of(426, "The disk broke."))
    assert broken.reason is Reason.UPSTREAM_DATA_LOST
    assert broken.words == "The disk broke."
    assert broken.reply is not None
