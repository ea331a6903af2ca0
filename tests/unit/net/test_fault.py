"""What is told of a connection that ended."""

from __future__ import annotations

import pytest

from proxy.net.fault import Fault, Why


@pytest.mark.parametrize("why", Why)
def test_it_says_when_it_was_tls(why: Why) -> None:
    told = str(Fault(why, "bad record mac"))
    assert told == ("TLS: bad record mac" if why is Why.TLS else "bad record mac")
