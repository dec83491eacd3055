"""Each step: what it asks of whom, what it refuses in plain words, what it keeps, and what two devices do to it."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient

from portal import db
from services.preadmission import actions, queries
from services.preadmission.answers import AccidentFacts, Answers, Coverage, Identity, Situation, Trust
from services.preadmission.models import Preadmission
from services.preadmission.steps.step import spelled_phone
from tests.factories import people
from tests.factories import preadmission as factory
from tests.ground import today
from tests.services.preadmission.conftest import Ground
from tests.services.preadmission.filling import COVERAGE, IDENTITY, SITUATION, once


def drafted(ground: Ground, *answers: Answers, stay_kind: str = "inpatient") -> Preadmission:
    with db.transaction(db.system("tests")):
        return factory.preadmission(ground.patient, ground.hospital.unit, stay_kind=stay_kind, answers=answers)


def page(file: Preadmission, slug: str) -> str:
    return f"/pre-admission/{file.id}/etapes/{slug}"


def kept(file: Preadmission, step: str) -> Answers | None:
    with db.transaction(db.system("tests")):
        return queries.answers_of(file.id).get(step)


def day(name: str, when: date) -> dict[str, str]:
    """The three boxes of a date."""
    return {f"{name}-day": str(when.day), f"{name}-month": str(when.month), f"{name}-year": str(when.year)}


@pytest.fixture
def browser(ground: Ground, sign_in) -> FlaskClient:
    found: FlaskClient = sign_in(ground.account)
    return found


# -- who is asked what ---------------------------------------------------------------------------------------------


def test_a_child_is_asked_about_parents_and_an_adult_about_protection(ground: Ground, browser: FlaskClient) -> None:
    adult = drafted(ground)
    assert "Who decides for this child?" not in browser.get(f"{page(adult, 'situation')}?lang=en").text
    assert "protected by a judge" in browser.get(f"{page(adult, 'situation')}?lang=en").text
    with db.transaction(db.system("tests")) as current:
        current.get_one(type(ground.patient), ground.patient.id).birth_on = today() - timedelta(days=9 * 365)
    shown = browser.get(f"{page(adult, 'situation')}?lang=en").text
    assert "Who decides for this child?" in shown
    assert "protected by a judge" not in shown
    assert browser.post(page(adult, "situation"), data={"accident": "none"}).status_code == 422
    assert browser.post(page(adult, "situation"), data={"accident": "none", "authority": "both"}).status_code == 303


def test_a_step_that_does_not_concern_the_person_leads_back_to_the_file(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    assert browser.get(page(file, "accident")).location == f"/pre-admission/{file.id}"
    assert browser.get(page(file, "protection")).location == f"/pre-admission/{file.id}"
    assert browser.get(page(file, "nonsense")).status_code == 404


def test_an_answer_opens_its_step_at_once(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    browser.post(page(file, "situation"), data=SITUATION | {"accident": "work", "protection": "guardianship"})
    tasks = browser.get(f"/pre-admission/{file.id}").text
    assert page(file, "accident") in tasks
    assert page(file, "protection") in tasks


def test_answers_of_a_step_no_longer_asked_are_kept_but_not_told(ground: Ground, browser: FlaskClient) -> None:
    facts = AccidentFacts(happened_on=today() - timedelta(days=9), employer="Ateliers du Pont")
    file = drafted(ground, Situation(accident="work"), facts)
    browser.post(page(file, "situation"), data=SITUATION)
    assert "Ateliers du Pont" not in browser.get(f"/pre-admission/{file.id}/verification").text
    browser.post(page(file, "situation"), data=SITUATION | {"accident": "work"})
    assert "Ateliers du Pont" in browser.get(f"/pre-admission/{file.id}/verification").text


def test_a_stay_that_the_hospital_knows_is_shown_and_not_asked(ground: Ground, browser: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit)
        file.origin = "hospital"
    shown = browser.get(f"/pre-admission/{file.id}/sejour?lang=en").text
    assert "You have nothing to write here" in shown
    assert 'name="unit_id"' not in shown
    browser.post(f"/pre-admission/{file.id}/sejour", data=day("planned_on", today() + timedelta(days=90)))
    with db.transaction(db.system("tests")) as current:
        assert current.get_one(Preadmission, file.id).planned_on == file.planned_on


# -- you -----------------------------------------------------------------------------------------------------------


def test_the_only_town_of_a_postcode_is_written_without_javascript(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    found = browser.post(page(file, "identite"), data={"country": "FR", "postcode": "97400", "find": "town"})
    assert found.status_code == 200
    assert 'value="Saint-Denis"' in found.text
    assert kept(file, "identity") is None


def test_several_towns_are_proposed_and_what_was_typed_stays(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    typed = {"country": "FR", "postcode": "91290", "street": "4 rue des Lilas", "phone": "06 39", "find": "town"}
    found = browser.post(f"{page(file, 'identite')}?lang=en", data=typed).text
    assert "Towns with this postcode: Arpajon, La Norville." in found
    assert '<option value="La Norville">' in found
    assert 'value="4 rue des Lilas"' in found
    assert 'value="06 39"' in found


def test_an_unknown_postcode_never_blocks(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    typed = IDENTITY | {"postcode": "99999", "town": "Ailleurs"}
    assert "We know no town" in browser.post(f"{page(file, 'identite')}?lang=en", data=typed | {"find": "town"}).text
    assert browser.post(page(file, "identite"), data=typed).status_code == 303


def test_towns_are_told_to_the_page_as_one_types(ground: Ground, browser: FlaskClient) -> None:
    assert browser.get("/pre-admission/communes?code=75013").json == ["Paris"]
    assert browser.get("/pre-admission/communes?code=%3Cscript%3E").json == []
    assert browser.get("/pre-admission/communes").json == []


def test_what_is_to_correct_is_told_in_the_order_of_the_page(ground: Ground, browser: FlaskClient) -> None:
    empty = dict.fromkeys(IDENTITY, "") | {"country": "FR", "phone": "0639980001"}
    refused = browser.post(f"{page(drafted(ground), 'identite')}?lang=en", data=empty).text
    summary = refused.split("<h1")[0]
    told = [summary.index(f'href="#{field}') for field in ("postcode", "town", "street")]
    assert told == sorted(told)


def test_the_telephone_of_a_person_of_trust_is_told_as_people_say_it(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground, Trust(wanted="yes", first_name="Noa", name="Morel", phone="+33639980099"))
    shown = browser.get(f"/pre-admission/{file.id}/verification").text
    assert "06\u00a039\u00a098\u00a000\u00a099" in shown
    assert "+33639980099" not in shown


def test_somebody_who_lives_abroad_gives_the_postcode_of_their_country(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    abroad = IDENTITY | {"country": "GB", "postcode": "SW1A 1AA", "town": "London", "interpreter": "en"}
    assert browser.post(page(file, "identite"), data=abroad | {"country": "FR"}).status_code == 422
    assert browser.post(page(file, "identite"), data=abroad).status_code == 303
    told = browser.get(f"/pre-admission/{file.id}/verification?lang=en").text
    assert "United Kingdom" in told
    assert "English" in told


@pytest.mark.parametrize(("field", "value"), [("country", "ZZ"), ("country", ""), ("interpreter", "xx")])
def test_a_country_or_a_language_that_does_not_exist_is_refused(
    ground: Ground, browser: FlaskClient, field: str, value: str
) -> None:
    assert browser.post(page(drafted(ground), "identite"), data=IDENTITY | {field: value}).status_code == 422


def test_traits_of_civil_identity_cannot_be_typed(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    browser.post(page(file, "identite"), data=IDENTITY | {"birth_name": "AUTRE", "birth_on": "2000-01-01"})
    with db.transaction(db.system("tests")) as current:
        assert current.get_one(type(ground.patient), ground.patient.id).birth_name == ground.patient.birth_name


# -- cover ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amo_kind", ["none", "ame", "european", "convention"])
def test_nobody_is_blocked_for_want_of_cover(ground: Ground, browser: FlaskClient, amo_kind: str) -> None:
    file = drafted(ground)
    typed = {"amo_kind": amo_kind, "amc_kind": "none"}
    assert browser.post(page(file, "prise-en-charge"), data=typed).status_code == 303
    assert kept(file, "coverage") == Coverage(amo_kind=amo_kind, amc_kind="none")


def test_what_belongs_to_another_choice_is_dropped(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    typed = COVERAGE | {"amo_kind": "none", "amc_kind": "none", "amc_name": "Mutuelle", "scheme": "xx"}
    typed |= {"scheme": "01"}
    browser.post(page(file, "prise-en-charge"), data=typed)
    assert kept(file, "coverage") == Coverage(amo_kind="none", amc_kind="none")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scheme": "1"}, "only digits"),
        ({"fund": "abc"}, "only digits"),
        ({"centre": "12345"}, "only digits"),
        ({"insured": "parent"}, "whose number it is"),
        ({"insured": "nobody"}, ""),
        ({"nir": "1" * 300}, ""),
        ({"exemption": "always"}, ""),
    ],
)
def test_wrong_cover_is_told(ground: Ground, browser: FlaskClient, changed: Mapping[str, str], words: str) -> None:
    answer = browser.post(f"{page(drafted(ground), 'prise-en-charge')}?lang=en", data=COVERAGE | changed)
    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.parametrize(
    ("amo_kind", "amc_kind", "field"),
    [("french", "none", "french_until"), ("ame", "none", "ame_until"), ("european", "none", "european_until"),
     ("french", "private", "private_until"), ("french", "c2s", "c2s_until")],
)  # fmt: skip
def test_cover_that_ends_before_the_stay_is_told_and_cover_of_that_day_is_enough(
    ground: Ground, browser: FlaskClient, amo_kind: str, amc_kind: str, field: str
) -> None:
    file = drafted(ground)
    typed = COVERAGE | {"amo_kind": amo_kind, "amc_kind": amc_kind, "amc_name": "Mutuelle de l’Arche"}
    address = f"{page(file, 'prise-en-charge')}?lang=en"
    eve = browser.post(address, data=typed | day(field, file.planned_on - timedelta(days=1)))
    assert eve.status_code == 422
    assert "ends before your stay" in eve.text
    assert browser.post(address, data=typed | day(field, file.planned_on)).status_code == 303
    assert str(file.planned_on) in str(kept(file, "coverage").model_dump_json())


def test_a_date_of_a_choice_that_was_not_made_is_not_looked_at(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    typed = COVERAGE | {"amc_kind": "none"} | day("c2s_until", date(2001, 1, 1))
    assert browser.post(page(file, "prise-en-charge"), data=typed).status_code == 303


def test_a_child_is_covered_by_a_parent(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    with db.transaction(db.system("tests")) as current:
        current.get_one(type(ground.patient), ground.patient.id).birth_on = today() - timedelta(days=9 * 365)
    assert 'value="parent" checked' in browser.get(page(file, "prise-en-charge")).text
    refused = browser.post(f"{page(file, 'prise-en-charge')}?lang=en", data=COVERAGE)
    assert refused.status_code == 422
    assert "no number of their own before 16" in refused.text
    parents = COVERAGE | {"insured": "parent", "insured_name": "Alix Morel"} | day("insured_born_on", date(1985, 4, 1))
    assert browser.post(page(file, "prise-en-charge"), data=parents).status_code == 303
    assert kept(file, "coverage").insured_born_on == date(1985, 4, 1)


def test_without_the_number_at_hand_one_goes_on(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    assert browser.post(page(file, "prise-en-charge"), data=COVERAGE | {"nir": ""}).status_code == 303


# -- accident, protection ------------------------------------------------------------------------------------------


def test_an_accident_at_work_needs_its_day_and_the_employer(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground, Situation(accident="work"))
    address = f"{page(file, 'accident')}?lang=en"
    assert browser.post(address, data=day("happened_on", today())).status_code == 422
    for wrong, words in ((today() + timedelta(days=1), "in the future"), (date(1850, 1, 1), "too long ago")):
        refused = browser.post(address, data=day("happened_on", wrong) | {"employer": "Ateliers"})
        assert refused.status_code == 422
        assert words in refused.text
    assert browser.post(address, data=day("happened_on", today()) | {"employer": "Ateliers"}).status_code == 303


def test_an_accident_on_the_road_asks_for_the_other_party_and_no_employer(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground, Situation(accident="road"))
    shown = browser.get(page(file, "accident")).text
    assert 'name="other_party"' in shown
    assert 'name="employer"' not in shown
    assert browser.post(page(file, "accident"), data=day("happened_on", today())).status_code == 303


def test_a_measure_that_ends_before_the_stay_is_told(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground, Situation(protection="guardianship"))
    typed = {"name": "Association Les Tilleuls", "phone": "06 39 98 00 77"}
    address = f"{page(file, 'protection')}?lang=en"
    refused = browser.post(address, data=typed | day("ends_on", file.planned_on - timedelta(days=1)))
    assert refused.status_code == 422
    assert "ends before your stay" in refused.text
    assert browser.post(address, data=typed | day("ends_on", file.planned_on)).status_code == 303


# -- two devices, hostile hands ------------------------------------------------------------------------------------


def version_of(shown: str) -> str:
    return shown.split('name="version"')[1].split('value="')[1].split('"')[0]


def test_two_devices_editing_one_step_lose_nothing(ground: Ground, browser: FlaskClient, sign_in) -> None:
    file, telephone = drafted(ground), sign_in(ground.account)
    address = f"{page(file, 'identite')}?lang=en"
    here, there = version_of(browser.get(address).text), version_of(telephone.get(address).text)
    telephone.post(address, data=IDENTITY | {"street": "9 quai du Port", "version": there})
    met = browser.post(address, data=IDENTITY | {"street": "4 rue des Lilas", "version": here})
    assert met.status_code == 409
    assert "on another device meanwhile" in met.text
    assert "9 quai du Port" in met.text, "what was saved there"
    assert 'value="4 rue des Lilas"' in met.text, "what was typed here"
    assert kept(file, "identity").street == "9 quai du Port"
    browser.post(address, data=IDENTITY | {"street": "4 rue des Lilas", "version": version_of(met.text)})
    assert kept(file, "identity").street == "4 rue des Lilas"


def test_going_back_and_saving_again_from_the_same_device_is_fine(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    for street in ("1 rue A", "2 rue B"):
        seen = version_of(browser.get(page(file, "identite")).text)
        assert (
            browser.post(page(file, "identite"), data=IDENTITY | {"street": street, "version": seen}).status_code == 303
        )


def test_a_step_saved_while_the_file_was_being_sent_elsewhere_says_so(ground: Ground, browser: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        file = factory.whole_draft(ground.patient, ground.hospital.unit)
    browser.get(page(file, "identite"))
    with db.transaction(ground.as_patient):
        actions.submit(queries.one_of_patient(ground.patient.id, file.id))
    told = browser.post(f"{page(file, 'identite')}?lang=en", data=IDENTITY, follow_redirects=True)
    assert "has been sent already" in told.text


@pytest.mark.parametrize("value", ["-1", "1e9", "x", "9" * 40, ""])
def test_a_forged_version_never_overwrites(ground: Ground, browser: FlaskClient, value: str) -> None:
    file = drafted(ground, Identity(street="9 quai du Port", phone="0639980001"))
    answer = browser.post(page(file, "identite"), data=IDENTITY | {"version": value})
    assert answer.status_code == 409
    assert kept(file, "identity").street == "9 quai du Port"


@pytest.mark.parametrize(
    "value", ["\0", "a" * 5_000, "\u202e" * 50, "<script>", "'; drop table patient; --", "🙂" * 60]
)
def test_hostile_words_are_refused_or_kept_as_words(ground: Ground, browser: FlaskClient, value: str) -> None:
    file = drafted(ground)
    answer = browser.post(page(file, "identite"), data=IDENTITY | {"street": value, "used_name": value})
    assert answer.status_code in (303, 422)
    if answer.status_code == 303:
        assert kept(file, "identity").street == value.strip()


def test_save_and_come_back_later_leads_to_the_list(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    assert browser.post(page(file, "identite"), data=IDENTITY | {"later": "1"}).location == f"/pre-admission/{file.id}"
    assert kept(file, "identity") is not None


def test_the_task_list_says_what_is_left_how_long_and_that_nobody_sees_it(ground: Ground, browser: FlaskClient) -> None:
    file = drafted(ground)
    shown = browser.get(f"/pre-admission/{file.id}?lang=en").text
    for words in ("minutes left", "The hospital sees nothing until you send", "Not yet possible", "On paper",
                  "tel:0199001000", "Bring these documents"):  # fmt: skip
        assert words in shown
    with db.transaction(db.system("tests")):
        whole = factory.whole_draft(ground.patient, ground.hospital.unit)
    ready = browser.get(f"/pre-admission/{whole.id}?lang=en").text
    assert "Not yet possible" not in ready
    assert "Everything is filled in" in ready


def test_a_file_with_something_missing_is_not_sent_and_says_what(ground: Ground, browser: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        file = factory.whole_draft(ground.patient, ground.hospital.unit)
    address = f"/pre-admission/{file.id}/verification"
    key = once(browser.get(address).text)
    browser.post(page(file, "situation"), data=SITUATION | {"accident": "other"})
    refused = browser.post(f"{address}?lang=en", data={"once": key})
    assert refused.status_code == 422
    assert "Fill in: Your accident" in refused.text


def test_a_very_long_name_and_another_script_are_shown(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        account, person = people.patient_with_account(birth_name="محمد" + " ROUMILLAC-DE-LA-TOUR" * 8)
        file = factory.preadmission(person, ground.hospital.unit)
    shown = sign_in(account).get(page(file, "identite")).text
    assert "محمد" in shown


# -- documents accepted before -------------------------------------------------------------------------------------


def test_a_document_accepted_before_is_proposed_and_one_that_ends_too_early_is_asked_again(
    ground: Ground, browser: FlaskClient
) -> None:
    with db.transaction(db.system("tests")):
        former = factory.preadmission(ground.patient, ground.hospital.unit, "closed", days_ago=60)
        pieces = factory.pieces_of(former)
        factory.put(pieces["identity"], "accepted").expires_on = today() + timedelta(days=900)
        factory.put(pieces["top_up_card"], "accepted").expires_on = today() + timedelta(days=1)
        file = factory.preadmission(ground.patient, ground.hospital.unit)
    shown = browser.get(f"/pre-admission/{file.id}/pieces?lang=en").text
    assert shown.count("you can use it again") == 1
    assert shown.count("Asked again: the one you sent before") == 1


@pytest.mark.parametrize(
    ("kept_as", "shown"),
    [("+33639980001", "06 39 98 00 01"), ("0639980001", "06 39 98 00 01"), ("+442079460000", "+442079460000"),
     ("", ""), ("06", "06")],
)  # fmt: skip
def test_a_telephone_number_is_shown_as_people_say_it(kept_as: str, shown: str) -> None:
    assert spelled_phone(kept_as).replace("\u00a0", " ") == shown


def test_the_hospital_is_told_only_what_is_asked_now(ground: Ground) -> None:
    facts = AccidentFacts(happened_on=today() - timedelta(days=9), employer="Ateliers du Pont")
    file = drafted(ground, Situation(accident="none"), facts)
    with db.transaction(ground.as_patient):
        mine = queries.one_of_patient(ground.patient.id, file.id)
        assert "accident" in queries.answers_of(mine.id)
        assert "accident" not in queries.sent_of(mine)
