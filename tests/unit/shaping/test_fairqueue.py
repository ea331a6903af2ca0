"""Turns between sources; the laws over any history are in tests/property/test_fairqueue.py."""

from __future__ import annotations

import pytest

from proxy.shaping.fairqueue import FEW, FairQueue, Ticket


def line_up(queue: FairQueue[str], source: str, files: int, weight: float = 1.0) -> None:
    for number in range(1, files + 1):
        queue.push(f"{source}{number}", source, weight, 0.0)


def serve_all(queue: FairQueue[str]) -> list[str]:
    served = []
    while queue:
        ticket = queue.heads()[0]
        queue.serve(ticket)
        served.append(ticket.item)
    return served


def first_of(queue: FairQueue[str], source: str) -> Ticket[str]:
    return next(ticket for ticket in queue.heads() if ticket.source == source)


def test_one_source_is_served_in_the_order_of_arrival() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 3)
    assert serve_all(queue) == ["a1", "a2", "a3"]


def test_sources_take_turns_whatever_the_length_of_their_lines() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 4)
    line_up(queue, "b", 2)
    assert serve_all(queue) == ["a1", "b1", "a2", "b2", "a3", "a4"]


def test_a_source_of_weight_two_gets_two_turns_for_one() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 4, weight=2.0)
    line_up(queue, "b", 3)
    assert serve_all(queue) == ["a1", "b1", "a2", "a3", "b2", "a4", "b3"]


def test_a_turn_of_higher_cost_delays_the_next_one() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 2)
    line_up(queue, "b", 3)
    queue.serve(first_of(queue, "a"), cost=2.5)
    assert serve_all(queue) == ["b1", "b2", "b3", "a2"]


def test_the_last_to_leave_levels_all_accounts() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 3)
    serve_all(queue)
    assert queue.known == 0
    line_up(queue, "a", 1)
    line_up(queue, "b", 1)
    assert serve_all(queue) == ["a1", "b1"]


def test_an_idle_source_saves_up_no_turns() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 9)
    line_up(queue, "b", 1)
    for _ in range(6):
        queue.serve(queue.heads()[0])
    line_up(queue, "b", 3)
    assert serve_all(queue) == ["b1", "a6", "b2", "a7", "b3", "a8", "a9"]


def test_an_idle_source_that_comes_back_lines_up_behind_a_newcomer() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 9)
    line_up(queue, "b", 1)
    for _ in range(6):
        queue.serve(queue.heads()[0])
    line_up(queue, "newcomer", 1)
    line_up(queue, "b", 1)
    assert [ticket.source for ticket in queue.heads()] == ["newcomer", "b", "a"]


def test_a_source_that_was_passed_over_goes_first_but_saves_up_no_turns() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "blocked", 3)
    line_up(queue, "a", 9)
    for _ in range(6):
        queue.serve(first_of(queue, "a"))
    assert serve_all(queue) == ["blocked1", "blocked2", "a7", "blocked3", "a8", "a9"]


def test_who_leaves_costs_its_source_nothing() -> None:
    queue: FairQueue[str] = FairQueue()
    gone = [queue.push(str(number), "a", 1.0, 0.0) for number in range(50)]
    line_up(queue, "b", 2)
    for ticket in gone:
        queue.remove(ticket)
    line_up(queue, "a", 2)
    assert serve_all(queue) == ["b1", "a1", "b2", "a2"]


def test_leaving_twice_does_no_harm() -> None:
    queue: FairQueue[str] = FairQueue()
    ticket = queue.push("x", "a", 1.0, 0.0)
    queue.remove(ticket)
    queue.remove(ticket)
    assert len(queue) == 0


def test_a_removed_ticket_gets_no_turn() -> None:
    queue: FairQueue[str] = FairQueue()
    ticket = queue.push("x", "a", 1.0, 0.0)
    queue.remove(ticket)
    with pytest.raises(ValueError, match="first waiting"):
        queue.serve(ticket)


def test_a_removed_ticket_gets_no_turn_while_others_keep_its_source_known() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "b", 2)
    ticket = queue.push("x", "a", 1.0, 0.0)
    queue.serve(first_of(queue, "a"))
    with pytest.raises(ValueError, match="first waiting"):
        queue.serve(ticket)


def test_nobody_overtakes_inside_a_source() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 1)
    second = queue.push("a2", "a", 1.0, 0.0)
    with pytest.raises(ValueError, match="first waiting"):
        queue.serve(second)


def test_who_comes_back_gets_the_old_place_inside_its_source() -> None:
    queue: FairQueue[str] = FairQueue()
    gone = queue.push("old", "a", 1.0, 0.0)
    line_up(queue, "a", 3)
    queue.remove(gone)
    queue.push("old", "a", 1.0, 9.0, tag=gone.tag)
    assert serve_all(queue) == ["old", "a1", "a2", "a3"]


def test_who_comes_back_gets_the_old_place_among_sources() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 2)
    gone = queue.push("old", "b", 1.0, 0.0)
    line_up(queue, "c", 2)
    queue.remove(gone)
    queue.serve(queue.heads()[0])
    queue.serve(queue.heads()[0])
    queue.push("old", "b", 1.0, 9.0, tag=gone.tag)
    assert serve_all(queue) == ["old", "a2", "c2"]


def test_the_old_place_is_paid_as_any_other() -> None:
    queue: FairQueue[str] = FairQueue()
    gone = queue.push("old", "b", 1.0, 0.0)
    line_up(queue, "a", 6)
    queue.remove(gone)
    for _ in range(3):
        queue.serve(queue.heads()[0])
    queue.push("old", "b", 1.0, 9.0, tag=gone.tag)
    line_up(queue, "b", 2)
    assert serve_all(queue) == ["old", "a4", "b1", "a5", "b2", "a6"]


def test_an_old_place_behind_everybody_is_no_worse_than_a_new_one() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 2)
    queue.push("old", "b", 1.0, 0.0, tag=99.0)
    assert serve_all(queue) == ["a1", "old", "a2"]


def test_a_new_ticket_stays_behind_those_whose_tags_date_from_a_longer_line() -> None:
    queue: FairQueue[str] = FairQueue()
    tickets = [queue.push(f"a{number}", "a", 1.0, 0.0) for number in (1, 2, 3)]
    queue.remove(tickets[0])
    queue.remove(tickets[1])
    late = queue.push("late", "a", 1.0, 0.0)
    assert late.tag >= tickets[2].tag
    assert serve_all(queue) == ["a3", "late"]


def test_a_source_pays_afterwards_for_a_long_turn() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 3)
    line_up(queue, "b", 3)
    queue.serve(first_of(queue, "a"))
    queue.charge("a", 2.0)
    assert serve_all(queue) == ["b1", "b2", "b3", "a2", "a3"]


def test_a_charge_is_divided_by_the_weight_of_the_source() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 2, weight=4.0)
    line_up(queue, "b", 2)
    queue.charge("a", 2.0)
    assert serve_all(queue) == ["b1", "a1", "a2", "b2"]


def test_a_charge_counts_the_latest_weight() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 1, weight=1.0)
    line_up(queue, "a", 1, weight=4.0)
    line_up(queue, "b", 2)
    queue.charge("a", 2.0)
    assert serve_all(queue) == ["b1", "a1", "b2", "a1"]


def test_a_charge_starts_from_the_present_not_from_a_turn_long_ago() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 1)
    line_up(queue, "b", 9)
    for _ in range(7):
        queue.serve(queue.heads()[0])
    queue.charge("a", 2.0)
    line_up(queue, "a", 1)
    assert serve_all(queue) == ["b7", "b8", "a1", "b9"]


def test_a_source_that_is_forgotten_still_pays_while_others_wait() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "b", 4)
    queue.charge("a", 4.0, weight=2.0)
    line_up(queue, "a", 1)
    assert serve_all(queue) == ["b1", "b2", "b3", "a1", "b4"]


def test_nothing_is_owed_while_nobody_waits() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.charge("a", 5.0)
    assert queue.known == 0
    line_up(queue, "a", 1)
    line_up(queue, "b", 1)
    assert serve_all(queue) == ["a1", "b1"]


def test_a_place_is_told_among_all_and_inside_the_source() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "hog", 3)
    last = queue.push("last", "hog", 1.0, 0.0)
    small = queue.push("small", "b", 1.0, 0.0)
    assert queue.position(small) == (2, 1)
    assert queue.position(last) == (5, 4)


def test_all_turns_are_told_without_giving_one() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 3)
    line_up(queue, "b", 1)
    assert [ticket.item for ticket in queue.turns()] == ["a1", "b1", "a2", "a3"]
    assert len(queue) == 4


def test_who_has_left_has_no_place() -> None:
    queue: FairQueue[str] = FairQueue()
    ticket = queue.push("x", "a", 1.0, 0.0)
    queue.remove(ticket)
    with pytest.raises(ValueError, match="left"):
        queue.position(ticket)


def test_the_line_counts_all_and_each_source() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "a", 2)
    line_up(queue, "b", 1)
    assert (len(queue), queue.waiting("a"), queue.waiting("b"), queue.waiting("c")) == (3, 2, 1, 0)


def test_the_oldest_wait_counts_from_its_own_arrival() -> None:
    queue: FairQueue[str] = FairQueue()
    assert queue.oldest(5.0) == 0.0
    first = queue.push("x", "a", 1.0, 1.0)
    queue.push("y", "b", 1.0, 3.0)
    assert queue.oldest(5.0) == 4.0
    queue.remove(first)
    assert queue.oldest(5.0) == 2.0


def test_passing_sources_are_forgotten_once_virtual_time_has_passed_them() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "steady", 20 * FEW)
    for number in range(10 * FEW):
        queue.push("x", f"passing{number}", 1.0, 0.0)
        queue.serve(first_of(queue, f"passing{number}"))
        queue.serve(first_of(queue, "steady"))
        assert queue.known <= 2 * FEW


def test_a_waiting_source_is_not_forgotten_however_many_pass_it() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "blocked", 1)
    line_up(queue, "steady", 4 * FEW)
    for number in range(3 * FEW):
        queue.push("x", f"passing{number}", 1.0, 0.0)
        queue.serve(first_of(queue, f"passing{number}"))
        queue.serve(first_of(queue, "steady"))
    assert queue.heads()[0].source == "blocked"


def test_a_source_that_owes_is_not_forgotten_however_many_pass_it() -> None:
    queue: FairQueue[str] = FairQueue()
    line_up(queue, "steady", 4 * FEW)
    queue.charge("debtor", 1000.0)
    for number in range(3 * FEW):
        queue.push("x", f"passing{number}", 1.0, 0.0)
        queue.serve(first_of(queue, f"passing{number}"))
        queue.serve(first_of(queue, "steady"))
    debtor = queue.push("x", "debtor", 1.0, 0.0)
    assert queue.position(debtor) == (len(queue), 1)


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_weight_of_nothing_is_an_error(weight: float) -> None:
    queue: FairQueue[str] = FairQueue()
    with pytest.raises(ValueError, match="weight"):
        queue.push("x", "a", weight, 0.0)
