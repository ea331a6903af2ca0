"""Byte budgets: who may move how many bytes now, out of one total and one rate for each source.

Prepaid: a grant is spent when it is given, and what did not move is refunded, so that a bucket
never owes. Pure: time is an argument. It moves nothing, and knows no sockets and no clock.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import count
from math import inf, nextafter
from typing import Final

# Seconds of the rate that an idle bucket saves up. It bears a late timer, and is 1 % of 10 s.
DEPTH: Final = 0.1
# Seconds of the rate in one grant, at most: fifty grants a second cost next to nothing.
LONGEST_GRANT: Final = 0.02
# Seconds in which each of many has had a grant: grants shrink rather than let anybody stall.
ROUND: Final = 0.25

# Forgetting costs a walk over all sources: not worth it below this many.
FEW: Final = 64

# Bytes in one grant, at most: whoever moves them keeps everybody else waiting.
LARGEST_GRANT: Final = 1 << 20


class Bucket:
    """Whole bytes that may be spent, earned at `rate` bytes per second."""

    def __init__(self, rate: int, now: float) -> None:
        self._rate = rate
        self._level = self._depth
        self._at = now  # up to when the rate has been turned into bytes

    @property
    def rate(self) -> int:
        """Bytes per second."""
        return self._rate

    @property
    def _depth(self) -> int:
        return max(1, int(self._rate * DEPTH))

    def change(self, rate: int, now: float) -> None:
        """Earn at another rate from now on."""
        self._earn(now)
        self._rate = rate
        self._level = min(self._level, self._depth)

    def has(self, want: int, now: float) -> bool:
        """Tell whether so many bytes may be spent now."""
        self._earn(now)
        return self._level >= want

    def ready_at(self, want: int) -> float:
        """Tell when so many bytes can be spent, if nobody spends any before."""
        return self._at + max(0, want - self._level) / self._rate

    def spend(self, count: int) -> None:
        """Take bytes out. ValueError if there are not so many: ask `has` first."""
        if count > self._level:
            raise ValueError(f"{count} bytes are not there, only {self._level}")
        self._level -= count

    def refund(self, count: int) -> None:
        """Put back what was spent and did not move."""
        self._level = min(self._depth, self._level + count)

    def is_full(self, now: float) -> bool:
        """Tell whether forgetting this bucket would change nothing."""
        return self.has(self._depth, now)

    def most(self, part: float) -> int:
        """Tell the largest grant of somebody who is due this part of the rate."""
        fair = int(self._rate * min(LONGEST_GRANT, ROUND * part))
        return max(1, min(fair, LARGEST_GRANT))

    def _earn(self, now: float) -> None:
        earned = int((now - self._at) * self._rate)
        if earned <= 0:
            return
        self._level += earned
        self._at += earned / self._rate
        if self._level >= self._depth:
            self._level, self._at = self._depth, now


@dataclass(slots=True, eq=False)
class Flow:
    """One transfer's place. `granted` is what it has been given and has not fetched yet."""

    share: _Share
    granted: int = 0
    is_waiting: bool = False
    has_left: bool = False


@dataclass(slots=True, eq=False)
class _Share:
    """One source: its own rate, its account in virtual time, and its flows that wait in turn."""

    bucket: Bucket | None
    weight: float
    account: float
    flows: int = 0
    line: deque[Flow] = field(default_factory=deque)
    is_queued: bool = False


class Bandwidth:
    """Shares bytes: between sources by weight, between the transfers of a source in equal parts.

    Sources take turns in virtual time, where a grant costs its bytes divided by the weight; who was
    idle or held back by its own rate starts at the present, so nobody saves up turns.
    """

    def __init__(self, total: int | None, now: float) -> None:
        self._total = None if total is None else Bucket(total, now)
        self._shares: dict[Hashable, _Share] = {}
        self._turns: list[tuple[float, int, _Share]] = []  # heap, by account
        self._resting: list[tuple[float, int, _Share]] = []  # heap, by when its own rate allows
        self._seq = count()
        self._virtual = 0.0
        self._weights = 0.0  # of all sources that have transfers
        self._sweep_at = FEW

    @property
    def has_total(self) -> bool:
        """Tell whether even a source without a rate of its own is limited."""
        return self._total is not None

    @property
    def known(self) -> int:
        """Count the sources it remembers."""
        return len(self._shares)

    def limit_total(self, total: int | None, now: float) -> None:
        """Change the total from now on; None sets none."""
        if total is None or self._total is None:
            self._total = None if total is None else Bucket(total, now)
        else:
            self._total.change(total, now)

    def join(self, source: Hashable, rate: int | None, weight: float, now: float) -> Flow:
        """Count a transfer of this source in; its rate and weight hold for the whole source."""
        self._forget(now)
        share = self._shares.get(source)
        if share is None:
            bucket = None if rate is None else Bucket(rate, now)
            share = self._shares[source] = _Share(bucket, weight, self._virtual)
        elif rate is None or share.bucket is None:
            share.bucket = None if rate is None else Bucket(rate, now)
        elif share.bucket.rate != rate:
            share.bucket.change(rate, now)
        self._weights += weight - (share.weight if share.flows else 0.0)
        share.weight = weight
        share.flows += 1
        return Flow(share)

    def leave(self, flow: Flow) -> None:
        """Count a transfer out, whatever it was about to do. To leave twice does no harm."""
        if flow.has_left:
            return
        flow.has_left = True
        self.refund(flow, self.fetch(flow))
        if flow.is_waiting:
            flow.is_waiting = False
            flow.share.line.remove(flow)
        flow.share.flows -= 1
        if not flow.share.flows:
            self._weights -= flow.share.weight

    def ask(self, flow: Flow, now: float) -> int:
        """Return how many bytes it may move at once, all of them paid.

        0: it waits from now on, and `next_grant` will come to it.
        """
        share = flow.share
        if flow.is_waiting:
            return 0
        want = self._want(share)
        self._pass_over_the_gone()
        is_alone = not (share.line or self._turns)
        if is_alone and _has(share.bucket, want, now) and _has(self._total, want, now):
            self._pay(share, want)
            return want
        flow.is_waiting = True
        share.line.append(flow)
        if not share.is_queued:
            self._line_up(share, now)
        return 0

    def next_grant(self, now: float) -> Flow | None:
        """Grant to whoever's turn it is, and return it; None: nobody can have more now."""
        while self._resting and self._resting[0][0] <= now:
            self._line_up(heapq.heappop(self._resting)[2], now)
        while self._pass_over_the_gone():
            share = self._turns[0][2]
            want = self._want(share)
            if not _has(self._total, want, now):
                return None
            heapq.heappop(self._turns)
            share.is_queued = False
            if not _has(share.bucket, want, now):  # spent since it lined up, or the rate fell
                self._line_up(share, now)
                continue
            flow = share.line.popleft()
            flow.is_waiting = False
            flow.granted = want
            self._pay(share, want)
            if share.line:
                self._line_up(share, now)
            return flow
        return None

    def fetch(self, flow: Flow) -> int:
        """Hand over what `next_grant` has granted."""
        granted, flow.granted = flow.granted, 0
        return granted

    def refund(self, flow: Flow, unmoved: int) -> None:
        """Take back what was granted and did not move."""
        share = flow.share
        if share.bucket is not None:
            share.bucket.refund(unmoved)
        if self._total is not None:
            self._total.refund(unmoved)
        share.account -= unmoved / share.weight

    def wake_at(self, now: float) -> float | None:
        """Tell when `next_grant` is worth asking again; None: nobody waits."""
        moments = [self._resting[0][0]] if self._resting else []
        if self._turns:
            want = self._want(self._turns[0][2])
            moments.append(now if self._total is None else self._total.ready_at(want))
        return max(now, min(moments)) if moments else None

    def _want(self, share: _Share) -> int:
        """Tell how large a grant is now: at most what a transfer of the source is due in a round.

        Then each has one in a round. And as a transfer gets one grant at each look, not more, the
        only one of a source needs larger ones than a hundred that share an equal part.
        """
        flows = max(1, share.flows)  # whoever has left may still stand in a line
        own = LARGEST_GRANT if share.bucket is None else share.bucket.most(1 / flows)
        if self._total is None:
            return own
        part = share.weight / max(share.weight, self._weights)
        return min(own, self._total.most(part / flows))

    def _pay(self, share: _Share, want: int) -> None:
        for bucket in (share.bucket, self._total):
            if bucket is not None:
                bucket.spend(want)
        self._virtual = max(share.account, self._virtual)
        share.account = self._virtual + want / share.weight

    def _pass_over_the_gone(self) -> bool:
        """Let a source be first of which somebody still waits; False: nobody does."""
        while self._turns and not self._turns[0][2].line:
            heapq.heappop(self._turns)[2].is_queued = False
        return bool(self._turns)

    def _line_up(self, share: _Share, now: float) -> None:
        """Let a source await its turn, or first the moment at which its own rate allows one."""
        share.is_queued = True
        want = self._want(share)
        if share.bucket is not None and not share.bucket.has(want, now):
            # Later than now even where time is too coarse to tell: next_grant must come to an end.
            moment = max(share.bucket.ready_at(want), nextafter(now, inf))
            heapq.heappush(self._resting, (moment, next(self._seq), share))
        else:
            share.account = max(share.account, self._virtual)
            heapq.heappush(self._turns, (share.account, next(self._seq), share))

    def _forget(self, now: float) -> None:
        """Drop whoever has nothing to tell; each doubling of the sources pays one walk."""
        if len(self._shares) < self._sweep_at:
            return
        self._shares = {
            source: share for source, share in self._shares.items() if not _is_blank(share, now)
        }
        self._sweep_at = max(FEW, 2 * len(self._shares))


def _has(bucket: Bucket | None, want: int, now: float) -> bool:
    return bucket is None or bucket.has(want, now)


def _is_blank(share: _Share, now: float) -> bool:
    if share.flows or share.is_queued:
        return False
    return share.bucket is None or share.bucket.is_full(now)
