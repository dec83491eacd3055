"""A person answers page by page, on several devices, checks, sends, corrects; nothing is lost and nothing doubled."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account, Patient
from portal import db
from portal.notifications import Notification
from services.questionnaires import actions, queries
from services.questionnaires.actions import ChangedMeanwhile, Saved, WindowClosed
from services.questionnaires.definition.items import Coding, Value
from services.questionnaires.models import QuestionnaireAnswers, QuestionnaireDraft, SentQuestionnaire
from tests.factories import people
from tests.factories import questionnaires as factory
from tests.ground import audited, count, prepared, rows
from tests.pages import parsed
from tests.services.questionnaires.conftest import Ground
from tests.statements import executed

FINE: dict[int, dict[str, Any]] = {
    1: {"a0": "2"},
    2: {"a0": "0"},
    3: {"a0": "0", "a1": "no"},
    4: {"a0": ["4"], "a1": "yes", "a2": "yes"},
    5: {"a0": ""},
}


def at(ground: Ground, path: str = "") -> str:
    return f"/questionnaires/{ground.sent.id}{path}"


def version(browser: FlaskClient, address: str) -> str:
    return str(parsed(browser.get(address).text).xpath("//input[@name='version']/@value")[0])


def answer(browser: FlaskClient, ground: Ground, number: int, data: dict[str, Any]) -> Any:
    address = at(ground, f"/page/{number}")
    return browser.post(address, data={"version": version(browser, address), **data})


def answer_all(browser: FlaskClient, ground: Ground, **changed: dict[str, Any]) -> None:
    for number, data in FINE.items():
        assert answer(browser, ground, number, {**data, **changed.get(f"p{number}", {})}).status_code == 303


def send(browser: FlaskClient, ground: Ground) -> Any:
    page = parsed(browser.get(at(ground, "/verification")).text)
    hidden = {each.get("name"): each.get("value") for each in page.xpath("//main//input[@type='hidden']")}
    return browser.post(at(ground, "/verification"), data=hidden)


def now_is(ground: Ground) -> SentQuestionnaire:
    return next(each for each in rows(SentQuestionnaire) if each.id == ground.sent.id)


def test_the_whole_way(browser: FlaskClient, ground: Ground) -> None:
    home = browser.get("/questionnaires").text
    assert "Le lendemain de votre opération" in home
    assert browser.get(at(ground)).status_code == 200
    first = answer(browser, ground, 1, FINE[1])
    assert first.location.endswith("/page/2"), "pain above 0: the question about medicines is asked"
    answer_all(browser, ground)
    assert send(browser, ground).location.endswith("/envoye")
    assert now_is(ground).state == "answered"
    assert now_is(ground).alert == ""
    assert count(QuestionnaireDraft) == 0
    assert browser.get(at(ground, "/envoye")).status_code == 200
    page = browser.get(at(ground)).text
    assert "Propre et sec" in page
    assert [each for each in audited() if each.startswith("questionnaire.")][-1] == "questionnaire.answered"


def test_no_pain_leads_past_the_question_about_medicines(browser: FlaskClient, ground: Ground) -> None:
    assert answer(browser, ground, 1, {"a0": "0"}).location.endswith("/page/3")
    assert browser.get(at(ground, "/page/2")).status_code == 404


def test_answers_are_stored_sealed(browser: FlaskClient, ground: Ground, database: Any) -> None:
    import psycopg

    answer_all(browser, ground, p5={"a0": "Le pansement serre"})
    with psycopg.connect(database.superuser_url) as connection:
        raw = connection.execute("select sealed from questionnaire_draft").fetchone()
    assert raw is not None
    assert raw[0].startswith("sealed:")
    assert "pansement" not in raw[0]


def test_the_unit_is_called_with_a_tap(browser: FlaskClient, ground: Ground) -> None:
    with prepared():
        db.session.get_one(SentQuestionnaire, ground.sent.id).unit.phone = "01 99 00 13 10"
    assert 'href="tel:0199001310"' in browser.get(at(ground)).text


def test_an_answer_that_is_needed_is_asked_for_where_it_is(browser: FlaskClient, ground: Ground) -> None:
    page = answer(browser, ground, 1, {"a0": ""})
    assert page.status_code == 422
    assert parsed(page.text).xpath("//*[@id='a0-error']")


@pytest.mark.parametrize("typed", ["onze", "11", "-1", "1,5", "9" * 400, "\u0663", "1e3", "NaN"])
def test_what_is_not_an_answer_is_refused_in_words(browser: FlaskClient, ground: Ground, typed: str) -> None:
    assert answer(browser, ground, 1, {"a0": typed}).status_code == 422
    assert count(QuestionnaireDraft) == 0


def test_a_choice_that_is_not_offered_is_not_taken(browser: FlaskClient, ground: Ground) -> None:
    answer(browser, ground, 1, {"a0": "3"})
    for forged in ("99", "-1", "other:", "²", "1" * 500):
        assert answer(browser, ground, 2, {"a0": forged}).status_code == 422


def test_one_stops_and_goes_on_elsewhere(
    browser: FlaskClient, ground: Ground, sign_in: Callable[[Account], FlaskClient]
) -> None:
    stopped = answer(browser, ground, 1, {"a0": "4", "later": "1"})
    assert stopped.location.endswith("/questionnaires")
    other = sign_in(ground.account)
    assert "/page/2" in other.get(at(ground)).text, "the next page is where the other device goes on"
    assert 'value="4"' in other.get(at(ground, "/page/1")).text


def test_two_devices_do_not_overwrite_one_another(
    browser: FlaskClient, ground: Ground, sign_in: Callable[[Account], FlaskClient]
) -> None:
    other = sign_in(ground.account)
    seen = version(browser, at(ground, "/page/1"))
    assert answer(other, ground, 1, {"a0": "7"}).status_code == 303
    late = browser.post(at(ground, "/page/1"), data={"version": seen, "a0": "3"})
    assert late.status_code == 409
    fields = parsed(late.text)
    assert fields.xpath("//input[@name='a0']/@value") == ["3"], "what was typed is still there"
    again = browser.post(
        at(ground, "/page/1"), data={"version": fields.xpath("//input[@name='version']/@value")[0], "a0": "3"}
    )
    assert again.status_code == 303


def test_what_was_checked_is_what_is_sent(
    browser: FlaskClient, ground: Ground, sign_in: Callable[[Account], FlaskClient]
) -> None:
    answer_all(browser, ground)
    page = parsed(browser.get(at(ground, "/verification")).text)
    hidden = {each.get("name"): each.get("value") for each in page.xpath("//main//input[@type='hidden']")}
    answer(sign_in(ground.account), ground, 1, {"a0": "9"})
    assert browser.post(at(ground, "/verification"), data=hidden).status_code == 409
    assert now_is(ground).state == "begun"


def test_sent_twice_is_sent_once(browser: FlaskClient, ground: Ground) -> None:
    answer_all(browser, ground)
    page = parsed(browser.get(at(ground, "/verification")).text)
    hidden = {each.get("name"): each.get("value") for each in page.xpath("//main//input[@type='hidden']")}
    places = {browser.post(at(ground, "/verification"), data=hidden).location for _n in range(2)}
    assert len(places) == 1
    assert count(QuestionnaireAnswers) == 1


def test_an_incomplete_one_is_not_sent(browser: FlaskClient, ground: Ground) -> None:
    answer(browser, ground, 1, {"a0": "0"})
    refused = send(browser, ground)
    assert refused.status_code == 422
    assert count(QuestionnaireAnswers) == 0


def test_an_answer_to_what_is_not_asked_any_more_is_not_sent(browser: FlaskClient, ground: Ground) -> None:
    answer_all(browser, ground)
    answer(browser, ground, 1, {"a0": "0"})
    send(browser, ground)
    assert "relieved" not in rows(QuestionnaireAnswers)[0].answers


def test_an_answer_is_kept_as_it_was_written(browser: FlaskClient, ground: Ground) -> None:
    words = "Ça va\u00a0: «\u00a0mieux\u00a0», 37,5\u202f°C 🙂\r\n\u202eet\u0000 après"
    answer_all(browser, ground, p5={"a0": words})
    (draft,) = rows(QuestionnaireDraft)
    assert draft.answers["more"] == ("Ça va\u00a0: «\u00a0mieux\u00a0», 37,5\u202f°C 🙂\net après",)


# -- correcting ----------------------------------------------------------------------------------------------------


def correct(browser: FlaskClient, ground: Ground) -> Any:
    page = parsed(browser.get(at(ground)).text)
    once = page.xpath("//input[@name='once']/@value")[0]
    return browser.post(at(ground, "/corriger"), data={"once": once})


def test_a_correction_is_a_new_version_and_the_former_stays(browser: FlaskClient, ground: Ground) -> None:
    answer_all(browser, ground, p1={"a0": "9"})
    send(browser, ground)
    assert now_is(ground).alert == "open"
    assert correct(browser, ground).status_code == 303
    assert rows(QuestionnaireAnswers)[0].answers["pain"] == (9,), "nothing changes before it is sent"
    answer(browser, ground, 1, {"a0": "1"})
    send(browser, ground)
    assert sorted((each.version, each.answers["pain"]) for each in rows(QuestionnaireAnswers)) == [(1, (9,)), (2, (1,))]
    assert now_is(ground).alert == "open", "an alert that nobody has seen is not taken away by its author"


def test_a_correction_may_be_given_up(browser: FlaskClient, ground: Ground) -> None:
    answer_all(browser, ground)
    send(browser, ground)
    correct(browser, ground)
    assert browser.post(at(ground, "/garder")).status_code == 303
    assert count(QuestionnaireDraft) == 0
    assert browser.get(at(ground, "/page/1")).status_code == 303, "nothing to fill in any more"


def test_answers_do_not_change_once_the_time_is_over(browser: FlaskClient, ground: Ground) -> None:
    answer_all(browser, ground)
    send(browser, ground)
    close(ground)
    assert "corriger" not in browser.get(at(ground)).text
    assert browser.get(at(ground, "/page/1")).status_code == 200
    assert "version" not in parsed(browser.get(at(ground, "/page/1")).text).xpath("//input/@name")


def close(ground: Ground, minutes_ago: int = 60) -> None:
    with prepared():
        db.session.get_one(SentQuestionnaire, ground.sent.id).until_at = db.now() - timedelta(minutes=minutes_ago)


def test_the_deadline_s_second_loses_nothing(browser: FlaskClient, ground: Ground) -> None:
    answer_all(browser, ground)
    close(ground, minutes_ago=1)
    assert send(browser, ground).status_code == 303, "whoever had begun may end"


def test_what_is_over_takes_no_more_answers(browser: FlaskClient, ground: Ground) -> None:
    answer(browser, ground, 1, FINE[1])
    seen = version(browser, at(ground, "/page/3"))
    close(ground)
    refused = browser.post(at(ground, "/page/3"), data={"version": seen, **FINE[3]})
    assert refused.status_code == 409
    assert 'href="tel:0199001000"' in refused.text, "whom to call instead"


def test_what_the_hospital_took_back_is_gone(browser: FlaskClient, ground: Ground) -> None:
    with prepared():
        actions.take_back(db.session.get_one(SentQuestionnaire, ground.sent.id))
    assert browser.get(at(ground)).status_code == 404
    assert "Le lendemain" not in browser.get("/questionnaires").text


# -- actions -------------------------------------------------------------------------------------------------------


def test_a_page_cannot_be_saved_over_another_one(app: Flask, ground: Ground) -> None:
    with db.transaction(people.as_patient(ground.account, ground.patient)):
        sent = queries.one_of_patient(ground.patient.id, ground.sent.id)
        assert sent is not None
        actions.save(sent, Saved({"pain": (3,)}, 0))
        with pytest.raises(ChangedMeanwhile):
            actions.save(sent, Saved({"pain": (4,)}, 0))
        with pytest.raises(actions.NotAnAnswer):
            actions.save(sent, Saved({"dressing": (Coding("forged"),)}, 1))
        with pytest.raises(ChangedMeanwhile):
            actions.submit(sent, 7)


def test_nothing_is_answered_after_the_time(app: Flask, ground: Ground) -> None:
    close(ground)
    with db.transaction(people.as_patient(ground.account, ground.patient)):
        sent = queries.one_of_patient(ground.patient.id, ground.sent.id)
        assert sent is not None
        with pytest.raises(WindowClosed):
            actions.save(sent, Saved({"pain": (3,)}, 0))


# -- by a proxy ----------------------------------------------------------------------------------------------------


def act_for(ground: Ground, *scopes: str) -> Account:
    from auth.models import PatientAccess

    with prepared():
        own, _person = people.patient_with_account(birth_name="PROCHE")
        db.session.add(
            PatientAccess(account_id=own.id, patient_id=ground.patient.id, relation="carer", scopes=list(scopes))
        )
    return own


def choose(browser: FlaskClient, patient: Patient) -> None:
    answer = browser.post("/mon-compte/agir-pour", data={"patient_id": str(patient.id)})
    assert answer.status_code in (302, 303), answer.status_code


def as_proxy(own: Account, patient: Patient, *scopes: str) -> db.Actor:
    reached = {scope: frozenset({patient.id}) for scope in scopes}
    return db.Actor("patient", own.name, own.id, patients=frozenset({patient.id}), proxied=frozenset({patient.id}),
                    scopes=reached)  # fmt: skip


def test_a_proxy_with_the_medical_matter_answers_in_the_person_s_name(app: Flask, ground: Ground) -> None:
    own = act_for(ground, "medical")
    with db.transaction(as_proxy(own, ground.patient, "medical")):
        sent = queries.one_of_patient(ground.patient.id, ground.sent.id)
        assert sent is not None
        page: dict[str, tuple[Value, ...]] = {
            "pain": (0,),
            "dressing": (Coding("dry"),),
            "redness": (False,),
            "signs": (Coding("nothing"),),
        }
        draft = actions.save(sent, Saved({**page, "eaten": (True,)}, 0))
        made = actions.submit(sent, draft.version)
        assert made.by_proxy
        assert made.by == f"patient:{own.id}"


@pytest.mark.parametrize("scopes", [(), ("administrative",), ("payment", "administrative")], ids=str)
def test_a_proxy_without_it_sees_nothing(app: Flask, ground: Ground, scopes: tuple[str, ...]) -> None:
    own = act_for(ground, *scopes)
    with db.transaction(as_proxy(own, ground.patient, *scopes)) as current:
        assert queries.of_patient(ground.patient.id) == []
        assert queries.one_of_patient(ground.patient.id, ground.sent.id) is None
        assert current.query(QuestionnaireDraft).count() == 0


def test_a_masked_one_is_never_a_proxy_s(app: Flask, ground: Ground, work_jobs: Callable[[], None]) -> None:
    own = act_for(ground, "medical")
    with prepared():
        db.session.get_one(SentQuestionnaire, ground.sent.id).masked = True
    with db.transaction(as_proxy(own, ground.patient, "medical")):
        assert queries.of_patient(ground.patient.id) == []


# -- what is written to people -------------------------------------------------------------------------------------


def test_the_mail_says_that_something_waits_and_nothing_more(
    app: Flask, ground: Ground, work_jobs: Callable[[], None]
) -> None:
    with db.transaction(people.as_agent(ground.nurse, ground.hospital.establishment.id, "care")):
        asked = factory_again(ground)
        unit = queries.units_at([ground.hospital.establishment.id])[0]
        other = queries.definition_at(asked, [ground.hospital.establishment.id])
        assert other is not None
        actions.send(ground.patient.id, unit, other, actions.Window())
    work_jobs()
    (mail,) = rows(Notification)
    told = f"{mail.subject} {mail.body}".lower()
    for secret in ("questionnaire", "allerg", "cardiologie", "hôpital du nord", str(ground.sent.id)):
        assert secret not in told


def factory_again(ground: Ground) -> Any:
    db.act_as(db.system("tests"))
    made = factory.questionnaire(ground.hospital.establishment.id, factory.ALLERGIES).id
    db.act_as(people.as_agent(ground.nurse, ground.hospital.establishment.id, "care"))
    return made


def test_pages_ask_the_database_little(app: Flask, browser: FlaskClient, ground: Ground) -> None:
    answer(browser, ground, 1, FINE[1])
    for path in ("", "/page/1", "/verification"):
        with executed(app) as seen:
            browser.get(at(ground, path))
        assert len(seen) <= 12, (path, seen)
    with prepared():
        for _n in range(20):
            factory.sent(ground.patient, ground.hospital.unit, ground.asked)
    with executed(app) as seen:
        browser.get("/questionnaires")
    assert len(seen) <= 12, seen
