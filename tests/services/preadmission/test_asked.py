"""What a person is asked: what concerns them, nothing else; an answer that changes back brings everything back."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.pieces.models import KINDS as PIECES
from services.preadmission import asked
from services.preadmission.answers import STEPS, Answers, Coverage, Directives, Identity, Room, Situation, Trust
from services.preadmission.asked import MINUTES, ORDER, Facts
from services.preadmission.kinds import FOR_EVERYBODY, STAY_KINDS

DAY = date(2027, 3, 12)
births = st.dates(date(1920, 1, 1), DAY)
situations = st.builds(
    Situation,
    accident=st.sampled_from(["none", "work", "road", "other"]),
    protection=st.sampled_from(["none", "guardianship", "curatorship", "family", "safeguard"]),
    authority=st.sampled_from(["", "both", "sole", "third"]),
)
covers = st.builds(
    Coverage,
    amo_kind=st.sampled_from(["french", "ame", "european", "convention", "none"]),
    amc_kind=st.sampled_from(["private", "c2s", "none"]),
)
rooms = st.builds(Room, room=st.sampled_from(["shared", "single", ""]))
trusts = st.builds(Trust, wanted=st.sampled_from(["yes", "already", "no"]))


@st.composite
def everybody(draw: Any) -> Facts:
    """Any person, with any answers so far."""
    kinds: tuple[st.SearchStrategy[Any], ...] = (situations, covers, rooms, trusts)
    given_: dict[str, Answers] = {each.step: each for kind in kinds if (each := draw(st.none() | kind)) is not None}
    options = frozenset(draw(st.sets(st.just("address_proof"))))
    return Facts(draw(st.sampled_from(STAY_KINDS)), DAY, draw(st.none() | births), given_, options)


def adult(stay_kind: str = "inpatient", *answers: Answers) -> Facts:
    return Facts(stay_kind, DAY, date(1979, 3, 5), {each.step: each for each in answers})


def child(age: int, stay_kind: str = "inpatient", *answers: Answers) -> Facts:
    return Facts(stay_kind, DAY, date(DAY.year - age, 1, 1), {each.step: each for each in answers})


@given(everybody())
def test_everybody_answers_the_same_questions_in_the_same_order_and_ends_by_sending(facts: Facts) -> None:
    steps = asked.steps(facts)
    assert set(steps) >= FOR_EVERYBODY | {"pieces", "check"}
    assert list(steps) == [each for each in ORDER if each in steps]
    assert steps[0] == "stay"
    assert steps[-1] == "check"
    assert set(steps) <= set(MINUTES)


@given(everybody())
def test_nobody_is_asked_what_does_not_concern_them(facts: Facts) -> None:
    steps, pieces = set(asked.steps(facts)), asked.pieces(facts)
    situation = facts.given(Situation) or Situation()
    assert ("accident" in steps) == (situation.accident != "none")
    assert ("work_accident" in pieces) == (situation.accident == "work")
    assert ("maternity" in steps) == (facts.stay_kind == "maternity")
    assert ("holders" in steps) == facts.is_minor
    if facts.is_minor:
        assert not steps & {"trust", "directives", "protector"}
        assert not pieces.keys() & {"protection_judgement", "trusted_person_form"}
    else:
        assert not pieces.keys() & {"family_book", "parent_identity", "parental_authority"} - {"family_book"}
    if facts.stay_kind == "outpatient":
        assert not steps & {"room", "trust", "directives"}


@given(everybody())
def test_only_documents_that_exist_are_asked_and_identity_always(facts: Facts) -> None:
    pieces = asked.pieces(facts)
    assert pieces.keys() <= PIECES.keys()
    assert pieces["identity"]


@given(everybody(), covers)
def test_each_cover_asks_for_its_own_paper_and_for_no_other(facts: Facts, cover: Coverage) -> None:
    facts = Facts(facts.stay_kind, DAY, facts.born_on, {**facts.answers, "coverage": cover}, facts.options)
    own = {"french": "health_card", "ame": "ame", "european": "european_card", "convention": "care_form"}
    papers = set(own.values()) & asked.pieces(facts).keys()
    assert papers == ({own[cover.amo_kind]} if cover.amo_kind in own else set())


@given(everybody())
def test_nobody_is_kept_from_sending_for_want_of_cover(facts: Facts) -> None:
    nothing = Coverage(amo_kind="none", amc_kind="none")
    facts = Facts(facts.stay_kind, DAY, facts.born_on, {**facts.answers, "coverage": nothing})
    needed = {kind for kind, is_needed in asked.pieces(facts).items() if is_needed}
    assert not needed & {"health_card", "ame", "european_card", "care_form", "payment_guarantee", "top_up_card", "c2s"}


@given(everybody(), st.sampled_from(sorted(STEPS)))
def test_a_choice_changed_and_changed_back_asks_the_same_again_and_loses_no_answer(facts: Facts, step: str) -> None:
    other = Situation(accident="work", protection="guardianship", authority="sole")
    turned = Facts(facts.stay_kind, DAY, facts.born_on, {**facts.answers, "situation": other}, facts.options)
    back = Facts(facts.stay_kind, DAY, facts.born_on, {**turned.answers, **facts.answers}, facts.options)
    if "situation" in facts.answers:
        assert asked.steps(back) == asked.steps(facts)
        assert asked.pieces(back) == asked.pieces(facts)
    assert set(asked.sent(facts)) == set(facts.answers) & set(asked.steps(facts))


@given(everybody())
def test_each_answer_shortens_what_is_left_and_never_lengthens_the_rest(facts: Facts) -> None:
    """Monotone: answering a step that opens no other takes exactly this step away."""
    before = asked.missing(facts, pieces_lack=True)
    answered = Facts(facts.stay_kind, DAY, facts.born_on, {**facts.answers, "identity": Identity()}, facts.options)
    assert asked.missing(answered, pieces_lack=True) == before - {"identity"}
    assert asked.minutes(asked.missing(answered, pieces_lack=True)) <= asked.minutes(before)
    assert asked.missing(facts, pieces_lack=False) == before - {"pieces"}


def test_what_is_no_longer_asked_is_kept_but_not_sent() -> None:
    accident = STEPS["accident"].model_validate({"happened_on": DAY - timedelta(days=9), "employer": "Ateliers"})
    told = adult("inpatient", Situation(accident="none"), accident)
    assert "accident" in told.answers
    assert "accident" not in asked.sent(told)
    again = Facts("inpatient", DAY, told.born_on, {**told.answers, "situation": Situation(accident="work")})
    assert asked.sent(again)["accident"] == accident


def test_a_protected_adult_names_who_protects_them_and_a_short_protection_asks_nothing_more() -> None:
    assert "protector" in asked.steps(adult("inpatient", Situation(protection="guardianship")))
    assert "protector" not in asked.steps(adult("inpatient", Situation(protection="safeguard")))
    assert asked.pieces(adult("inpatient", Situation(protection="curatorship")))["protection_judgement"]


def test_a_child_of_sixteen_has_a_card_of_their_own() -> None:
    assert asked.has_own_card(child(16))
    assert not asked.has_own_card(child(15))


def test_one_is_of_age_on_the_very_day_of_the_stay() -> None:
    eve = Facts("inpatient", DAY, date(DAY.year - 18, DAY.month, DAY.day + 1))
    assert eve.is_minor
    assert not Facts("inpatient", DAY, date(DAY.year - 18, DAY.month, DAY.day)).is_minor


def test_an_agreement_of_the_insurer_is_for_a_single_room_only() -> None:
    assert "insurer_agreement" in asked.pieces(adult("inpatient", Room(room="single")))
    assert "insurer_agreement" not in asked.pieces(adult("inpatient", Room(room="shared")))


def test_directives_that_the_hospital_may_keep_can_be_sent_and_are_never_required() -> None:
    here, elsewhere = Directives(exist="yes", kept="here"), Directives(exist="yes", kept="doctor")
    assert asked.pieces(adult("inpatient", here))["advance_directives"] is False
    assert "advance_directives" not in asked.pieces(adult("inpatient", elsewhere))
