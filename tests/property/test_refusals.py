"""Whatever a refusal is filled with, its line is safe, short and complete in itself."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from proxy.refusals import LONGEST, REFUSALS, Reason, Refusal, Scope

numbers = st.none() | st.integers()
seconds = st.none() | st.floats(allow_nan=True, allow_infinity=True)
hostile = st.text(max_size=300) | st.text(st.characters(max_codepoint=0x1F), max_size=40)
refusals = st.builds(
    Refusal,
    st.sampled_from(Reason),
    ref=hostile,
    used=numbers,
    limit=numbers,
    who=hostile,
    retry=seconds,
    words=hostile,
    waited=seconds,
    scope=st.none() | st.sampled_from(Scope),
)


@given(refusals)
def test_a_line_is_printable_ascii_and_fits_every_client(refusal: Refusal) -> None:
    sentence = refusal.sentence()
    assert re.fullmatch(r"[ -~]+", sentence)
    assert len(sentence) <= LONGEST


@given(refusals)
def test_a_line_always_opens_with_its_reason_and_ends_with_its_reference(refusal: Refusal) -> None:
    sentence = refusal.sentence()
    assert sentence.startswith(REFUSALS[refusal.reason].sentence)
    assert re.search(r"\. Ref [0-9A-Za-z-]{1,12}$", sentence)


@given(refusals)
def test_setting_and_advice_are_never_pushed_out(refusal: Refusal) -> None:
    entry = REFUSALS[refusal.reason]
    assert entry.advice in refusal.sentence()
    assert (entry.setting or "") in refusal.sentence()


@given(refusals, st.floats(min_value=0, max_value=99999))
def test_a_known_retry_is_told_wherever_waiting_helps(refusal: Refusal, retry: float) -> None:
    known = Refusal(refusal.reason, refusal.ref, who=refusal.who, words=refusal.words, retry=retry)
    told = re.search(r": about (\d+) s\. Ref ", known.sentence())
    assert bool(told) == REFUSALS[refusal.reason].retry_helps
    assert told is None or retry <= int(told[1]) <= retry + 1


@given(refusals, st.sampled_from([425, 450, 421]), st.booleans(), st.booleans())
def test_a_code_is_one_that_clients_survive(
    refusal: Refusal, transfer_code: int, preliminary_sent: bool, listing: bool
) -> None:
    code = refusal.code(transfer_code, preliminary_sent=preliminary_sent, listing=listing)
    usual = {421, transfer_code, 425}
    own = REFUSALS[refusal.reason].code
    assert code in ({426} if preliminary_sent else {own} if own else usual)
    assert not (listing and code == 450)
