"""What the ward needs to know: a birth, holders, trust, the room, directives; asked of whom it concerns."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from auth.models import WebSession
from portal import db
from services.preadmission.answers import Directives, Holders, Maternity, Room, Situation, Trust
from services.preadmission.companions.models import Companion
from services.preadmission.models import Preadmission
from services.preadmission.prices import actions as prices
from services.preadmission.prices import queries as price_queries
from services.preadmission.queries import answers_of
from services.preadmission.steps import STEPS
from services.preadmission.steps.maternity import MARGIN, agree, expected_from
from services.preadmission.steps.room import BELIEFS, tells_belief
from tests.factories import people
from tests.factories import preadmission as factory
from tests.ground import today
from tests.services.preadmission.conftest import Ground


def parts(name: str, day: date) -> dict[str, str]:
    return {f"{name}-day": str(day.day), f"{name}-month": str(day.month), f"{name}-year": str(day.year)}


def drafted(ground: Ground, kind: str, *, patient=None, answers=()) -> Preadmission:
    with db.transaction(db.system("tests")):
        return factory.preadmission(patient or ground.patient, ground.hospital.unit, stay_kind=kind, answers=answers,
                                    account_id=ground.account.id)  # fmt: skip


def post(browser, file: Preadmission, code: str, **data: str):
    return browser.post(f"/pre-admission/{file.id}/etapes/{STEPS[code].slug}?lang=en", data=data)


def saved(file: Preadmission, code: str):
    with db.transaction(db.system("tests")):
        return answers_of(file.id).get(code)


# -- a birth -------------------------------------------------------------------------------------------------------

BIRTH = {"multiple": "no", "follow_up": "midwife"}


@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.integers(-40, 40))
def test_two_dates_of_a_pregnancy_agree_within_a_week(last_period_on: date, days: int) -> None:
    announced = expected_from(last_period_on, None)
    assert announced - last_period_on == timedelta(weeks=41)
    assert agree(announced + timedelta(days=days), announced) == (abs(days) <= MARGIN.days)


def test_an_ultrasound_counts_before_a_memory_and_the_two_ways_of_counting_say_the_same_term() -> None:
    day = date(2026, 3, 2)
    assert expected_from(day, day + timedelta(weeks=2)) == expected_from(day, None)
    assert expected_from(None, None) is None
    assert agree(day, None)


def test_a_birth_is_saved_with_its_due_date(ground: Ground, sign_in) -> None:
    file, due_on = drafted(ground, "maternity"), today() + timedelta(days=120)
    assert post(sign_in(ground.account), file, "maternity", **BIRTH, **parts("due_on", due_on)).status_code == 303
    assert saved(file, "maternity") == Maternity(due_on=due_on, follow_up="midwife")


def test_who_knows_no_due_date_gives_another_date(ground: Ground, sign_in) -> None:
    file, period = drafted(ground, "maternity"), today() - timedelta(days=100)
    browser = sign_in(ground.account)
    refused = post(browser, file, "maternity", **BIRTH)
    assert refused.status_code == 422
    assert "Write the expected date, or another date" in refused.text
    assert post(browser, file, "maternity", **BIRTH, known="period", **parts("other_on", period)).status_code == 303
    assert saved(file, "maternity").due_on == period + timedelta(weeks=41)


@pytest.mark.parametrize("days", [-8, 8, 60])
def test_dates_that_do_not_agree_are_told_with_what_they_announce(ground: Ground, sign_in, days: int) -> None:
    file, period = drafted(ground, "maternity"), today() - timedelta(days=100)
    due_on = period + timedelta(weeks=41) + timedelta(days=days)
    answer = post(sign_in(ground.account), file, "maternity", **BIRTH, known="period", **parts("other_on", period),
                  **parts("due_on", due_on))  # fmt: skip
    assert answer.status_code == 422
    assert "The two dates do not agree" in answer.text


@pytest.mark.parametrize("days", [-60, 400])
def test_a_birth_is_not_expected_last_season_nor_in_two_years(ground: Ground, sign_in, days: int) -> None:
    file = drafted(ground, "maternity")
    due_on = today() + timedelta(days=days)
    assert post(sign_in(ground.account), file, "maternity", **BIRTH, **parts("due_on", due_on)).status_code == 422


def test_nothing_about_health_is_asked_and_a_secret_birth_is_sent_elsewhere(ground: Ground, sign_in) -> None:
    page = (
        sign_in(ground.account).get(f"/pre-admission/{drafted(ground, 'maternity').id}/etapes/naissance?lang=en").text
    )
    assert "nothing about a birth under secrecy is written on this portal" in page
    assert not any(word in page.lower() for word in ("caesarean", "parity", "miscarriage", "hiv"))


# -- holders -------------------------------------------------------------------------------------------------------


def child_of(ground: Ground, authority: str, kind: str = "day_case") -> Preadmission:
    with db.transaction(db.system("tests")):
        child = people.patient("AUBRAC", ("LÉO",), date(today().year - 8, 3, 2))
        people.give_access(ground.account, child, "parent")
    return drafted(ground, kind, patient=child, answers=(Situation(authority=authority),))


@pytest.fixture
def parent(ground: Ground, sign_in):
    def acting(child_id):
        browser = sign_in(ground.account)
        with db.transaction(db.system("tests")) as current:
            current.execute(update(WebSession).where(WebSession.account_id == ground.account.id)
                            .values(patient_id=child_id))  # fmt: skip
        return browser

    return acting


def test_both_parents_are_named_and_the_link_has_an_address(ground: Ground, parent) -> None:
    file = child_of(ground, "both")
    browser = parent(file.patient_id)
    named = {"first_name": "Jeanne Martin", "second_first_name": "Marc", "second_name": "Aubrac", "signing": "online"}
    refused = post(browser, file, "holders", **named)
    assert refused.status_code == 422
    assert "the link goes there" in refused.text
    assert post(browser, file, "holders", **named, second_email="pas une adresse").status_code == 422
    assert post(browser, file, "holders", **named, second_email="marc@exemple.test").status_code == 303
    assert saved(file, "holders").second == "Marc Aubrac"


def test_one_parent_alone_says_why_and_names_nobody_else(ground: Ground, parent) -> None:
    file = child_of(ground, "sole")
    assert post(parent(file.patient_id), file, "holders", first_name="Jeanne Martin", why_sole="death",
                second_name="Nobody").status_code == 303  # fmt: skip
    assert saved(file, "holders") == Holders(first_name="Jeanne Martin", why_sole="death")


def test_a_child_in_care_is_signed_for_where_the_service_is(ground: Ground, parent) -> None:
    file = child_of(ground, "third")
    assert post(parent(file.patient_id), file, "holders", third_kind="welfare", third_party="ASE de l’Arceau",
                third_phone="01 99 00 20 00").status_code == 303  # fmt: skip
    with db.transaction(db.system("tests")) as current:
        assert [each.state for each in current.scalars(select(Companion))] == ["on_paper"]


# -- trust ---------------------------------------------------------------------------------------------------------

NOA = {"wanted": "yes", "first_name": "Noa", "name": "Morel", "link": "sibling", "phone": "06 39 98 00 99",
       "signing": "online", "email": "noa@exemple.test", "is_adult": "y"}  # fmt: skip


@pytest.mark.parametrize("wanted", ["no", "already"])
def test_naming_nobody_is_one_answer_and_nothing_else_is_asked(ground: Ground, sign_in, wanted: str) -> None:
    file = drafted(ground, "inpatient")
    assert post(sign_in(ground.account), file, "trust", wanted=wanted, name="half typed").status_code == 303
    assert saved(file, "trust") == Trust(wanted=wanted)


@pytest.mark.parametrize("missing", ["first_name", "name", "link", "phone", "signing", "email", "is_adult"])
def test_a_person_of_trust_is_named_whole(ground: Ground, sign_in, missing: str) -> None:
    file = drafted(ground, "inpatient")
    typed = {key: value for key, value in NOA.items() if key != missing}
    assert post(sign_in(ground.account), file, "trust", **typed).status_code == 422
    assert saved(file, "trust") is None


def test_under_guardianship_the_judge_authorises_it_first(ground: Ground, sign_in) -> None:
    file = drafted(ground, "inpatient", answers=(Situation(protection="guardianship"),))
    browser = sign_in(ground.account)
    page = browser.get(f"/pre-admission/{file.id}/etapes/personne-de-confiance?lang=en").text
    assert "the judge or the family council must authorise you" in page
    assert post(browser, file, "trust", **NOA).status_code == 422
    assert post(browser, file, "trust", **NOA, authorised="y").status_code == 303


# -- the room ------------------------------------------------------------------------------------------------------

ROOM = {"room": "shared", "diet": "none", "companion": "no", "transport": "own"}


def price(ground: Ground, cents: int, starts_on: date, *, unit: bool = False) -> None:
    hospital = ground.hospital
    with db.transaction(db.system("tests")):
        prices.set_price(hospital.establishment.id, hospital.unit.id if unit else None, cents, starts_on)


def test_the_units_own_price_comes_before_the_hospitals_and_the_day_of_the_stay_decides(ground: Ground) -> None:
    this_day, hospital = today(), ground.hospital
    price(ground, 5000, this_day - timedelta(days=30))
    price(ground, 6000, this_day + timedelta(days=10))
    price(ground, 9000, this_day + timedelta(days=20), unit=True)

    def on(days: int) -> int | None:
        with db.transaction(db.system("tests")):
            return price_queries.price_on(hospital.establishment.id, hospital.unit.id, this_day + timedelta(days=days))

    assert [on(-40), on(0), on(10), on(20)] == [None, 5000, 6000, 9000]


def test_the_price_that_was_shown_is_kept_with_the_choice(ground: Ground, sign_in) -> None:
    price(ground, 6250, today())
    file = drafted(ground, "inpatient")
    browser = sign_in(ground.account)
    page = browser.get(f"/pre-admission/{file.id}/etapes/sejour-pratique?lang=en").text
    assert "€62.50" in page.replace("\u00a0", "") or "62,50" in page
    single = ROOM | {"room": "single", "payer": "insurer", "price_shown": "6250"}
    assert post(browser, file, "room", **single).status_code == 303
    kept = saved(file, "room")
    assert (kept.price_cents, kept.payer, kept.priced_on) == (6250, "insurer", today())


@pytest.mark.parametrize("shown", ["", "1", "6249", "hostile"])
def test_a_price_that_was_not_the_one_shown_is_told_again(ground: Ground, sign_in, shown: str) -> None:
    price(ground, 6250, today())
    file = drafted(ground, "inpatient")
    single = ROOM | {"room": "single", "payer": "self", "price_shown": shown}
    answer = post(sign_in(ground.account), file, "room", **single)
    assert answer.status_code == 422
    assert "The price has changed meanwhile" in answer.text


def test_who_chooses_a_single_room_says_who_pays(ground: Ground, sign_in) -> None:
    price(ground, 6250, today())
    file = drafted(ground, "inpatient")
    single = ROOM | {"room": "single", "price_shown": "6250"}
    assert post(sign_in(ground.account), file, "room", **single).status_code == 422


@pytest.mark.parametrize("words", ["repas halal", "Casher", "HALAL !", "pendant le Carême", "je suis musulmane"])
def test_no_belief_is_written_in_a_meal(ground: Ground, sign_in, words: str) -> None:
    assert tells_belief(words)
    file = drafted(ground, "inpatient")
    answer = post(sign_in(ground.account), file, "room", **ROOM | {"diet": "taste", "diet_words": words})
    assert answer.status_code == 422
    assert "Write only the foods" in answer.text


@pytest.mark.parametrize("words", ["pas de porc", "sans arachide", "sans sel", "ni œufs ni lait", "chocolat"])
def test_foods_are_written_as_they_are(words: str) -> None:
    assert not tells_belief(words)


@given(st.text())
def test_any_text_is_judged(words: str) -> None:
    assert tells_belief(words) in (True, False)


@pytest.mark.parametrize("kind", ["inpatient", "day_case", "maternity"])
def test_no_page_of_a_stay_uses_a_word_of_religion(ground: Ground, sign_in, kind: str) -> None:
    file = drafted(ground, kind)
    page = sign_in(ground.account).get(f"/pre-admission/{file.id}/etapes/sejour-pratique?lang=en").text
    main = page.partition("<main")[2].partition("</main")[0]
    assert not tells_belief(main), [word for word in BELIEFS if word in main.lower()]


def test_a_day_case_needs_somebody_to_go_home_with_and_no_room(ground: Ground, sign_in) -> None:
    file = drafted(ground, "day_case")
    browser = sign_in(ground.account)
    page = browser.get(f"/pre-admission/{file.id}/etapes/sejour-pratique?lang=en").text
    assert "Will an adult take you home" in page
    assert 'name="room"' not in page
    typed = {"diet": "none", "transport": "own", "companion": "yes", "companion_name": "Noa Morel"}
    assert post(browser, file, "room", **typed).status_code == 303
    assert saved(file, "room") == Room(companion=True, companion_name="Noa Morel", transport="own")


# -- directives ----------------------------------------------------------------------------------------------------


def test_directives_are_never_required(ground: Ground, sign_in) -> None:
    file = drafted(ground, "inpatient")
    assert post(sign_in(ground.account), file, "directives").status_code == 303
    assert saved(file, "directives") == Directives(exist="unsaid")


def test_where_they_are_kept_is_asked_of_who_wrote_some(ground: Ground, sign_in) -> None:
    file = drafted(ground, "inpatient")
    browser = sign_in(ground.account)
    assert post(browser, file, "directives", exist="yes", kept="doctor").status_code == 422
    assert post(browser, file, "directives", exist="yes", kept="doctor", holder="Dr Roumillac").status_code == 303
    assert saved(file, "directives") == Directives(exist="yes", kept="doctor", holder="Dr Roumillac")
