"""What signatures amount to: pure rules, looked at from every side."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.db import Actor
from services.preadmission.companions import states
from services.preadmission.companions.models import STATES, Companion
from services.preadmission.companions.states import EVENTS, TRANSITIONS, Signer, TransitionRefused, change, standing
from services.preadmission.companions.wording import CHANGES, STANDINGS
from services.preadmission.companions.wording import STATES as WORDS

SIGNERS = st.lists(st.builds(Signer, st.sampled_from((1, 2)), st.sampled_from(STATES), st.booleans()), max_size=4)
AUTHORITIES = st.sampled_from(("", "both", "sole", "third"))
PROOFS = st.sampled_from(("none", "sent", "accepted"))


def both(first: str, second: str) -> list[Signer]:
    return [Signer(1, first), Signer(2, second)]


def test_every_state_has_words_an_event_and_a_way_out_or_an_end() -> None:
    assert set(STATES) == set(WORDS) == set(CHANGES) == set(EVENTS) == set(TRANSITIONS) - {""}
    assert all(after <= set(STATES) for after in TRANSITIONS.values())


def test_both_holders_sign_and_the_child_is_ready_for_theatre() -> None:
    assert standing("both", both("signed", "signed")) == "ready"


@pytest.mark.parametrize("state", [state for state in STATES if state not in ("signed", "waived")])
def test_one_signature_of_two_is_never_enough(state: str) -> None:
    assert standing("both", both("signed", state)) != "ready"
    assert standing("", both("signed", state)) != "ready", "who does not say who decides is taken for two parents"


def test_a_second_holder_whom_nobody_named_is_still_missing() -> None:
    assert standing("both", [Signer(1, "signed")]) == "waiting"


def test_a_refusal_is_told_before_anything_else() -> None:
    assert standing("both", both("named", "declined")) == "declined"


def test_what_was_signed_for_another_day_has_to_be_signed_again() -> None:
    assert standing("both", [Signer(1, "signed", is_current=False), Signer(2, "signed")]) == "changed"


def test_one_parent_alone_is_enough_once_the_proof_was_accepted_and_not_before() -> None:
    alone = [Signer(1, "signed")]
    assert standing("sole", alone, "none") == "proof_awaited"
    assert standing("sole", alone, "sent") == "proof_awaited"
    assert standing("sole", alone, "accepted") == "ready"
    assert standing("sole", [Signer(1, "named")], "accepted") == "waiting"


def test_a_child_in_care_waits_for_the_sheet_of_who_decides() -> None:
    assert standing("third", [Signer(1, "on_paper")]) == "on_paper"
    assert standing("third", [Signer(1, "signed")]) == "ready"


def test_an_agent_who_has_seen_the_judgement_waives_the_second_signature() -> None:
    assert standing("both", both("signed", "waived")) == "ready"


@given(AUTHORITIES, SIGNERS, PROOFS)
def test_there_is_always_an_answer_and_ready_needs_a_signature_or_a_waiver(authority, signers, proof) -> None:
    found = standing(authority, signers, proof)
    assert found in STANDINGS
    if found == "ready":
        assert any(each.state in ("signed", "waived") for each in signers)


@given(SIGNERS, PROOFS)
def test_no_refusal_is_ever_called_ready(signers, proof) -> None:
    live = [each for each in signers if each.state not in ("revoked", "withdrawn")]
    by_rank = {each.rank: each for each in live}
    if any(each.state == "declined" for each in by_rank.values()):
        assert standing("both", signers, proof) == "declined"


@pytest.mark.parametrize(("before", "after"), list(product(TRANSITIONS, STATES)))
def test_a_change_is_one_row_or_a_refusal(before: str, after: str) -> None:
    companion = Companion(state=before)
    if after in TRANSITIONS[before]:
        row = change(companion, after, Actor("patient", "Élise"), "why")
        assert (row.from_state, row.to_state, row.actor_name, row.reason) == (before, after, "Élise", "why")
        assert companion.state == after
    else:
        with pytest.raises(TransitionRefused):
            change(companion, after, Actor("patient"))
        assert companion.state == before


def test_nothing_leaves_what_is_over() -> None:
    assert TRANSITIONS["revoked"] == TRANSITIONS["withdrawn"] == frozenset()
    assert states.INVITABLE
