"""What does not agree in a file is told, and nothing is told of a file that agrees."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from auth.identity import nir
from services.preadmission.answers import (
    AccidentFacts,
    Answers,
    Coverage,
    Maternity,
    Protector,
    Situation,
)
from services.preadmission.asked import Facts
from services.preadmission.office.checks import Check, Seen, checks
from services.preadmission.office.wording import CHECKS, check

STAY = date(2027, 3, 15)
ADULT = date(1979, 3, 2)
NIR = "279035121518989"
"""Of a woman born in March 1979."""


@dataclass
class Paper:
    kind: str = "identity"
    state: str = "deposited"
    expires_on: date | None = None


def seen(*answers: Answers, born_on: date = ADULT, kind: str = "inpatient", **more: object) -> Seen:
    facts = Facts(kind, STAY, born_on, {each.step: each for each in answers})
    return replace(Seen(facts, STAY, "F"), **more)  # type: ignore[arg-type]  # fields of Seen


def codes(told: Seen) -> list[str]:
    return [each.code for each in checks(told)]


FINE = Coverage(amo_kind="french", nir=NIR, amc_kind="private", amc_until=STAY, rights_until=STAY)


def test_a_file_that_agrees_says_nothing() -> None:
    assert codes(seen(FINE, Situation(), pieces=[Paper(expires_on=STAY)])) == []


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (seen(FINE.model_copy(update={"nir": ""})), "nir_missing"),
        (seen(FINE.model_copy(update={"nir": NIR[:-1] + "0"})), "nir_key"),
        (seen(FINE, sex="M"), "nir_sex"),
        (seen(FINE, born_on=date(1979, 4, 2)), "nir_birth"),
        (seen(FINE, born_on=date(1980, 3, 2)), "nir_birth"),
        (seen(FINE.model_copy(update={"rights_until": STAY - timedelta(days=1)})), "rights_end"),
        (seen(FINE.model_copy(update={"amc_until": STAY - timedelta(days=1)})), "top_up_ends"),
        (seen(pieces=[Paper(expires_on=STAY - timedelta(days=1))]), "piece_ends"),
        (seen(Situation(), born_on=date(2015, 1, 1)), "authority_unsaid"),
        (seen(Situation(authority="both"), born_on=date(2015, 1, 1)), "second_holder_missing"),
        (seen(Situation(authority="both")), "adult_with_holders"),
        (seen(FINE, Situation(authority="sole"), born_on=date(2015, 1, 1)), "child_insured_alone"),
        (seen(Protector(ends_on=STAY - timedelta(days=1))), "measure_ends"),
        (seen(AccidentFacts(happened_on=STAY + timedelta(days=1))), "accident_after_stay"),
        (seen(Maternity(due_on=STAY, last_period_on=STAY - timedelta(days=200))), "dates_of_birth_differ"),
        (seen(similar=1), "similar"),
        (seen(late=True), "late"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_agree_is_told(told: Seen, code: str) -> None:
    assert code in codes(told)


def test_the_number_of_whoever_insures_a_child_is_not_the_childs() -> None:
    parent = FINE.model_copy(update={"insured": "parent"})
    assert "nir_birth" not in codes(seen(parent, Situation(authority="sole"), born_on=date(2015, 1, 1)))


def test_a_month_that_nobody_knew_says_nothing_of_the_birth() -> None:
    """Numbers given to people born abroad may say month 20 or more."""
    body = "27930" + NIR[5:13]
    number = f"{body}{nir.key_of(body):02d}"
    assert "nir_birth" not in codes(seen(FINE.model_copy(update={"nir": number})))


def test_a_refused_document_is_not_told_twice() -> None:
    assert codes(seen(pieces=[Paper(state="refused", expires_on=STAY - timedelta(days=9))])) == []


def test_whoever_comes_of_age_during_the_stay_is_told() -> None:
    born = date(STAY.year - 18, STAY.month, STAY.day) + timedelta(days=1)
    told = replace(seen(Situation(authority="sole"), born_on=born), ends_on=STAY + timedelta(days=3))
    assert "turns_18" in codes(told)


def test_someone_born_on_a_leap_day_can_be_checked() -> None:
    assert "turns_18" not in codes(seen(Situation(authority="sole"), born_on=date(2012, 2, 29)))


@given(
    st.builds(
        Coverage,
        amo_kind=st.sampled_from(["french", "ame", "none"]),
        nir=st.text(max_size=20),
        insured=st.sampled_from(["self", "parent"]),
    ),
    st.dates(date(1905, 1, 1), STAY),
    st.sampled_from(["F", "M", ""]),
)
def test_any_answers_are_checked_and_each_check_has_words(cover: Coverage, born_on: date, sex: str) -> None:
    found = checks(seen(cover, born_on=born_on, sex=sex))
    assert all(each.code in CHECKS for each in found)
    tones = [("danger", "warning", "info").index(each.tone) for each in found]
    assert tones == sorted(tones)


def test_each_check_is_told_with_what_it_is_about(app: Flask) -> None:
    with app.test_request_context():
        assert "15" in check(Check("rights_end", "warning", {"day": STAY}))
        assert check(Check("piece_ends", "danger", {"piece": "identity", "day": STAY}))
