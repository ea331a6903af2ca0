"""Several workers' snapshots, histories and settings made one."""

from __future__ import annotations

from dataclasses import replace

from proxy.config.in_effect import Setting
from proxy.ops.pulse import Sample
from proxy.ops.snapshot import (
    BudgetSeen,
    ClassQueue,
    ClassSeen,
    MachineSeen,
    QueueSeen,
    ServerQueue,
    Snapshot,
    Totals,
    Trouble,
    Waiter,
    WorkerSeen,
)
from proxy.ops.together import one_history, one_list, one_snapshot
from proxy.phase import Phase

WAITER = Waiter(1, "192.0.2.7", "alice", "nightly", "download", "RETR a", "budget", 3.0, None)
BUDGET = BudgetSeen(
    name="default",
    enforce="on",
    open=3,
    cooling=4,
    elsewhere=12,
    reserved=5,
    limit=40,
    configured=40,
    connections=47,
    longest_hold=60.0,
    next_slot=None,
    per_second=0.5,
    banned_for=0.0,
    sessions=1,
    sessions_elsewhere=2,
    sessions_limit=4,
    sessions_configured=6,
    is_lowered=False,
)
CLASS = ClassSeen("nightly", 1, 2, 1, 1, 3, 3, 20, None, None, None, 1.0)
ONE = Snapshot(
    at=100.0,
    version="1",
    started=10.0,
    phase=Phase.SERVING,
    upstream="ftp.example.com:21",
    listen=("0.0.0.0:2121",),
    pooling="transfer",
    budgets=(BUDGET,),
    queue=QueueSeen(
        length=1,
        limit=1000,
        max_wait=40.0,
        oldest=3.0,
        classes=(ClassQueue("nightly", 1, 3.0),),
        first=(WAITER,),
        servers=(ServerQueue(990, 40.0), ServerQueue(10, 20.0, "b")),
    ),
    sessions_total=2,
    sessions=(),
    upstream_limit=2,
    upstream_elsewhere=2,
    upstream_sessions=(),
    classes=(CLASS,),
    refusals=(),
    trouble=None,
    store_lost="",
    totals=Totals(1, 2, 0, 4, 5, 6, 7, 8),
)
OTHER = replace(
    ONE,
    at=101.0,
    started=50.0,
    budgets=(
        replace(BUDGET, open=10, cooling=2, elsewhere=8, next_slot=2.0, limit=20, is_lowered=True),
    ),
    queue=replace(ONE.queue, oldest=9.0, first=(replace(WAITER, user="bob", waited=9.0),)),
)


def test_what_each_has_is_added_up() -> None:
    both = one_snapshot([ONE, OTHER])
    assert (both.at, both.started) == (101.0, 10.0)
    assert both.sessions_total == 4
    assert both.totals == Totals(2, 4, 0, 8, 10, 12, 14, 16)
    assert (both.classes[0].sessions, both.classes[0].slots) == (4, 6)
    assert both.listen == ONE.listen


def test_what_they_share_is_told_once_and_elsewhere_is_beyond_all_of_them() -> None:
    both = one_snapshot([ONE, OTHER])
    (budget,) = both.budgets
    assert (budget.open, budget.cooling) == (13, 6)
    assert budget.elsewhere == 1  # the second sees 12 + 8 taken, of which 19 are theirs
    assert (budget.reserved, budget.limit, budget.configured) == (5, 20, 40)
    assert budget.next_slot == 2.0
    assert (budget.sessions, budget.sessions_elsewhere) == (2, 1)
    assert (budget.sessions_limit, budget.sessions_configured) == (4, 6)
    assert both.upstream_elsewhere == 1
    assert budget.is_lowered


def test_a_machine_that_one_worker_found_down_is_down() -> None:
    up = MachineSeen("one.example:21", "in use", None, 1, 3, 4)
    down = replace(up, state="down", down_for=5.0, sessions=1)
    (told,) = one_snapshot([replace(ONE, machines=(one,)) for one in (up, down)]).machines
    assert (told.state, told.down_for) == ("down", 5.0)
    assert (told.sessions, told.elsewhere, told.limit) == (2, 2, 4)


def test_the_line_is_one_with_the_longest_waiting_first() -> None:
    queue = one_snapshot([ONE, OTHER]).queue
    assert (queue.length, queue.limit, queue.oldest) == (2, 2000, 9.0)
    assert queue.classes == (ClassQueue("nightly", 2, 3.0),)
    assert queue.servers == (ServerQueue(1980, 40.0), ServerQueue(20, 20.0, "b"))
    assert [(one.place, one.user) for one in queue.first] == [(1, "bob"), (2, "alice")]


def test_who_does_not_answer_is_shown_as_such() -> None:
    both = one_snapshot([None, ONE])
    assert both.workers == (
        WorkerSeen(1, answers=False, phase="", sessions=0, waiting=0, slots=0),
        WorkerSeen(2, answers=True, phase="serving", sessions=2, waiting=1, slots=7),
    )
    assert both.sessions_total == 2


def test_all_end_as_soon_as_one_does_and_serve_as_soon_as_one_does() -> None:
    def phase(*phases: Phase) -> Phase:
        return one_snapshot([replace(ONE, phase=one) for one in phases]).phase

    assert phase(Phase.SERVING, Phase.DRAINING) is Phase.DRAINING
    assert phase(Phase.STARTING, Phase.SERVING) is Phase.SERVING


def test_a_trouble_that_goes_on_counts_more_than_a_later_one_that_is_over() -> None:
    on = replace(ONE, trouble=Trouble(10.0, "upstream_down", "", is_over=False))
    over = replace(ONE, trouble=Trouble(20.0, "upstream_down", "", is_over=True))
    assert one_snapshot([over, on, ONE]).trouble == on.trouble
    assert one_snapshot([ONE, over]).trouble == over.trouble
    assert one_snapshot([ONE, replace(ONE, store_lost="closed")]).store_lost == "closed"


def test_histories_meet_at_about_the_same_moments() -> None:
    old = [Sample(float(at), 1, 2, 40, 0) for at in range(5)]
    new = [Sample(at + 0.4, 3, 0, 40, 1) for at in range(3, 5)]
    both = list(one_history([old, new]))
    assert [one.open for one in both] == [1, 1, 1, 4, 4]
    assert both[-1] == Sample(4.0, 4, 2, 40, 1)
    assert list(one_history([])) == []


def test_a_setting_that_is_divided_shows_all_its_parts() -> None:
    def settings(ports: str) -> list[Setting]:
        return [
            Setting("passive.ports", ports, "50000-50999", False, "at once"),
            Setting("queue.max_wait", "40s", "40s", False, "at once"),
        ]

    first, second = one_list([settings("1-2"), settings("3-4")])
    assert (first.value, second.value) == ("1-2, 3-4", "40s")
