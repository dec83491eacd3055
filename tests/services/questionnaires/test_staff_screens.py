"""The care team's screens: alerts first, answers in words, sending by hand and by plan, a library a nurse can write."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.agents.models import StaffUnit
from auth.models import Account
from portal import db
from services.questionnaires import states
from services.questionnaires.actions import definitions
from services.questionnaires.definition.writing import write
from services.questionnaires.models import (
    AlertNote,
    Questionnaire,
    QuestionnairePlan,
    SentQuestionnaire,
    SentQuestionnaireChange,
)
from tests.factories import hospitals, people
from tests.factories import questionnaires as factory
from tests.ground import audited, count, prepared, rows
from tests.pages import parsed
from tests.services.questionnaires.conftest import Ground
from tests.services.questionnaires.test_fhir import PAIN, tagged
from tests.statements import executed

HERE = "/admin/questionnaires"


@pytest.fixture
def alert(ground: Ground) -> SentQuestionnaire:
    with prepared():
        sent = db.session.get_one(SentQuestionnaire, ground.sent.id)
        factory.answered(sent, PAIN, by_name="Jeanne MARTIN")
        return sent


def hidden(page: Any, action: str = "") -> dict[str, str]:
    """The hidden fields of the form that posts there (or of the only one of the main part)."""
    forms = [each for each in parsed(page.text).xpath("//main//form") if (each.get("action") or "").endswith(action)]
    return {each.get("name"): each.get("value") or "" for each in forms[0].xpath(".//input[@type='hidden']")}


# -- the tray ------------------------------------------------------------------------------------------------------


def test_alerts_come_first_and_go_when_they_are_seen_to(
    desk: FlaskClient,
    ground: Ground,
    alert: SentQuestionnaire,
) -> None:
    assert "MARTIN" in desk.get(HERE).text
    page = desk.get(f"{HERE}/{alert.id}")
    assert "Du mal" not in page.text
    assert page.text.count("app-tag--danger") == 3, "pain, medicines that do not help, and fever"
    empty = desk.post(f"{HERE}/{alert.id}/alerte", data={**hidden(page, "/alerte"), "note": "  "})
    assert empty.status_code == 422
    done = desk.post(f"{HERE}/{alert.id}/alerte", data={**hidden(page, "/alerte"), "note": "Rappelée à 14 h"})
    assert done.status_code == 303
    (note,) = rows(AlertNote)
    assert (note.note, note.by_name, note.version) == ("Rappelée à 14 h", "Ida Infirmière", 1)
    assert "MARTIN" not in desk.get(HERE).text
    assert "Rappelée à 14 h" in desk.get(f"{HERE}/{alert.id}").text
    assert [each.what for each in rows(SentQuestionnaireChange)][-1] == "alert_seen"


def test_a_note_is_stored_sealed(desk: FlaskClient, alert: SentQuestionnaire, database: Any) -> None:
    import psycopg

    page = desk.get(f"{HERE}/{alert.id}")
    desk.post(f"{HERE}/{alert.id}/alerte", data={**hidden(page, "/alerte"), "note": "Rappelée"})
    with psycopg.connect(database.superuser_url) as connection:
        raw = connection.execute("select note from questionnaire_alert_note").fetchone()
    assert raw is not None
    assert raw[0].startswith("sealed:")


def test_two_colleagues_see_to_it_once(
    desk: FlaskClient,
    ground: Ground,
    alert: SentQuestionnaire,
    sign_in: Callable[[Account], FlaskClient],
) -> None:
    other = sign_in(ground.nurse)
    pages = [each.get(f"{HERE}/{alert.id}") for each in (desk, other)]
    codes = [
        each.post(f"{HERE}/{alert.id}/alerte", data={**hidden(page, "/alerte"), "note": "Appelée"}).status_code
        for each, page in zip((desk, other), pages, strict=True)
    ]
    assert codes == [303, 409]
    assert count(AlertNote) == 1


def test_a_correction_meanwhile_is_read_before_it_is_seen_to(
    desk: FlaskClient,
    ground: Ground,
    alert: SentQuestionnaire,
) -> None:
    page = desk.get(f"{HERE}/{alert.id}")
    with prepared():
        factory.answered(db.session.get_one(SentQuestionnaire, alert.id), {**PAIN, "pain": (9,)})
    late = desk.post(f"{HERE}/{alert.id}/alerte", data={**hidden(page, "/alerte"), "note": "Vue"})
    assert late.status_code == 409
    assert count(AlertNote) == 0


def test_every_opening_is_written_down(desk: FlaskClient, alert: SentQuestionnaire) -> None:
    desk.get(HERE)
    desk.get(f"{HERE}/{alert.id}")
    tagged(desk.get(f"{HERE}/{alert.id}/reponses.pdf").data)
    assert [each for each in audited() if each.startswith("questionnaire")][-3:] == [
        "questionnaire_list.opened", "questionnaire.opened", "questionnaire.printed",
    ]  # fmt: skip


def test_an_agent_s_own_units_come_first(desk: FlaskClient, ground: Ground, alert: SentQuestionnaire) -> None:
    with prepared():
        other = hospitals.unit(ground.hospital.establishment, ground.hospital.site, "2002", "Urologie")
        db.session.add(StaffUnit(account_id=ground.nurse.id, unit_id=other.id, establishment_id=other.establishment_id))
    assert "MARTIN" not in desk.get(HERE).text
    assert "MARTIN" in desk.get(f"{HERE}?unit=all").text, "nothing is kept from them: it is a choice of lists"
    assert "MARTIN" in desk.get(f"{HERE}?unit={ground.hospital.unit.id}").text


@pytest.mark.parametrize(
    "query", ["?tray=x", "?page=-1", "?page=999999999999", "?unit=%00", "?code=%00'", "?tray=closed"]
)
def test_a_strange_address_shows_a_tray(desk: FlaskClient, ground: Ground, query: str) -> None:
    assert desk.get(f"{HERE}{query}").status_code == 200


@pytest.mark.parametrize("tray", ["alerts", "answered", "waiting", "overdue", "closed"])
def test_trays_ask_little(app: Flask, desk: FlaskClient, ground: Ground, alert: SentQuestionnaire, tray: str) -> None:
    with prepared():
        for _n in range(30):
            factory.answered(factory.sent(ground.patient, ground.hospital.unit, ground.asked), PAIN)
    with executed(app) as seen:
        assert desk.get(f"{HERE}?tray={tray}").status_code == 200
    assert len(seen) <= 12, seen


# -- sending by hand -----------------------------------------------------------------------------------------------


def test_a_patient_is_found_and_asked(desk: FlaskClient, ground: Ground, work_jobs: Callable[[], None]) -> None:
    with prepared():
        asked = factory.questionnaire(ground.hospital.establishment.id, factory.ALLERGIES)
    page = desk.get(f"{HERE}/envoyer")
    found = desk.post(f"{HERE}/envoyer", data={**hidden(page), "ipp": "8000001"})
    link = parsed(found.text).xpath("//main//a[contains(@href, '/envoyer/')]/@href")[0]
    form = desk.get(link)
    sent = desk.post(
        link,
        data={**hidden(form), "questionnaire": str(asked.id), "unit": str(ground.hospital.unit.id), "answer_days": "5",
              "remind_after": "1, 3"},
    )  # fmt: skip
    assert sent.status_code == 303
    made = next(each for each in rows(SentQuestionnaire) if each.questionnaire_id == asked.id)
    assert (made.remind_after, made.sent_by_name) == ([1, 3], "Ida Infirmière")
    again = desk.get(link)
    data = {
        "questionnaire": str(asked.id),
        "unit": str(ground.hospital.unit.id),
        "answer_days": "5",
        "remind_after": "",
    }
    refused = desk.post(link, data={**hidden(again), **data})
    assert refused.status_code == 422, "the patient has it to answer already"


@pytest.mark.parametrize(
    "field", [{"answer_days": "0"}, {"answer_days": "x"}, {"remind_after": "1,2,3,4"}, {"unit": "x"}]
)
def test_what_cannot_be_is_said(desk: FlaskClient, ground: Ground, field: dict[str, str]) -> None:
    link = f"{HERE}/envoyer/{ground.hospital.establishment.id}/{ground.patient.id}"
    data = {"questionnaire": str(ground.asked.id), "unit": str(ground.hospital.unit.id), "answer_days": "5"}
    assert desk.post(link, data={**hidden(desk.get(link)), **data, **field}).status_code == 422


def test_nobody_of_another_hospital_is_asked(desk: FlaskClient, ground: Ground) -> None:
    with prepared():
        stranger = people.patient("AILLEURS")
        people.known_at(stranger, ground.elsewhere.establishment.id)
    for hospital in (ground.hospital, ground.elsewhere):
        assert desk.get(f"{HERE}/envoyer/{hospital.establishment.id}/{stranger.id}").status_code == 404


def test_it_is_taken_back_while_it_waits(desk: FlaskClient, ground: Ground) -> None:
    assert desk.post(f"{HERE}/{ground.sent.id}/reprendre").status_code == 303
    assert rows(SentQuestionnaire)[0].state == states.WITHDRAWN
    assert desk.post(f"{HERE}/{ground.sent.id}/reprendre").status_code == 409


# -- plans ---------------------------------------------------------------------------------------------------------


def test_a_plan_is_added_stopped_and_resumed(desk: FlaskClient, ground: Ground) -> None:
    page = desk.get(f"{HERE}/envois/nouveau")
    target = next(
        each for each in parsed(page.text).xpath("//select[@name='target']/option/@value") if "|preadmission|" in each
    )
    data = {"code": f"{ground.hospital.establishment.id}|{factory.NEXT_DAY}", "target": target, "side": "before",
            "days": "2", "answer_days": "2", "remind_after": "1"}  # fmt: skip
    wrong = desk.post(f"{HERE}/envois/nouveau", data={**hidden(page), **data, "days": "0"})
    assert wrong.status_code == 422
    page = desk.get(f"{HERE}/envois/nouveau")
    assert desk.post(f"{HERE}/envois/nouveau", data={**hidden(page), **data}).status_code == 303
    (made,) = rows(QuestionnairePlan)
    assert (made.occasion, made.offset_days, made.answer_days, made.remind_after) == ("preadmission", -2, 2, [1])
    for way, stopped in (("arreter", True), ("reprendre", False)):
        assert desk.post(f"{HERE}/envois/{made.id}/{way}").status_code == 303
        assert (rows(QuestionnairePlan)[0].stopped_at is not None) is stopped
    assert "2 jours avant" in desk.get(f"{HERE}/envois").text or "2 days before" in desk.get(f"{HERE}/envois").text


# -- the library and the editor ------------------------------------------------------------------------------------


def write_new(desk: FlaskClient, title: str = "Accueil") -> str:
    """The address of a new draft."""
    page = desk.get(f"{HERE}/modeles/nouveau")
    made = desk.post(f"{HERE}/modeles/nouveau", data={**hidden(page), "title": title})
    assert made.status_code == 303
    return str(made.location.removesuffix("/modifier"))


def add(desk: FlaskClient, draft: str, kind: str, within: str = "") -> str:
    """The address of a new item."""
    page = desk.get(f"{draft}/modifier")
    made = desk.post(f"{draft}/ajouter", data={**hidden(page, "/ajouter"), "kind": kind, "within": within})
    assert made.status_code == 303
    return str(made.location)


def fill(desk: FlaskClient, item: str, **data: Any) -> Any:
    return desk.post(item, data={**hidden(desk.get(item)), **data})


def latest(code: str) -> Questionnaire:
    found = [each for each in rows(Questionnaire) if each.code == code]
    return max(found, key=lambda each: each.version)


def test_a_nurse_writes_a_questionnaire_and_publishes_it(desk: FlaskClient, ground: Ground) -> None:
    draft = write_new(desk)
    unfinished = desk.post(f"{draft}/publier")
    assert unfinished.status_code == 422, "there is no question yet"
    section = add(desk, draft, "group")
    fill(desk, section, text="Votre santé", other="Your health")
    asked = add(desk, draft, "boolean", "s1")
    fill(desk, asked, text="Toussez-vous ?", other="Do you cough?", required="y", alert_answer="yes")
    listed = add(desk, draft, "choice", "s1")
    fill(
        desk, listed, text="Comment ?",
        **{"options-0-code": "o1", "options-0-text": "Un peu", "options-1-code": "o2", "options-1-text": "Beaucoup",
           "options-1-is_alert": "y", "options-2-text": "Du sang", "options-2-other": "Blood",
           "options-2-is_alert": "y", "conditions-0-when": "q1|=|True", "conditions-0-number": "", "every": "all"},
    )  # fmt: skip
    made = latest("accueil").definition
    assert [each.link_id for each in made.walk()] == ["s1", "q1", "q2"]
    question, choice = made.questions
    assert question.alert is not None
    assert question.alert.answer is True
    assert question.words.translations == {"en": "Do you cough?"}
    assert [(each.coding.code, each.is_alert) for each in choice.options] == [("o1", False), ("o2", True), ("o3", True)]
    assert choice.conditions[0].question == "q1"
    assert "Comment ?" in desk.get(draft).text
    assert desk.post(f"{draft}/publier").status_code == 303
    assert latest("accueil").state == "published"
    assert desk.get(f"{draft}/modifier").status_code == 303, "what was published is not edited"


def test_an_option_keeps_its_code_when_another_is_emptied(desk: FlaskClient, ground: Ground) -> None:
    draft = write_new(desk)
    listed = add(desk, draft, "choice")
    fill(desk, listed, text="Quoi ?", **{"options-0-code": "o1", "options-0-text": "", "options-1-code": "o2",
                                         "options-1-text": "Deux", "options-2-text": "Trois"})  # fmt: skip
    (asked,) = latest("accueil").definition.questions
    assert [each.coding.code for each in asked.options] == ["o2", "o3"]


def test_a_question_does_not_move_before_what_it_depends_on(desk: FlaskClient, ground: Ground) -> None:
    draft = write_new(desk)
    add(desk, draft, "boolean")
    second = add(desk, draft, "text")
    fill(desk, second, text="Pourquoi ?", **{"conditions-0-when": "q1|=|True", "conditions-0-number": ""})
    page = desk.get(f"{draft}/modifier")
    seen = hidden(page, "/deplacer")
    refused = desk.post(f"{draft}/questions/q2/deplacer", data={**seen, "way": "up"})
    assert refused.status_code == 422
    assert desk.post(f"{draft}/questions/q1/enlever", data=seen).status_code == 422
    assert desk.post(f"{draft}/questions/q2/enlever", data=seen).status_code == 303
    assert desk.post(f"{draft}/questions/q9/enlever", data=seen).status_code == 404


def test_a_colleague_s_change_is_not_overwritten(
    desk: FlaskClient,
    ground: Ground,
    sign_in: Callable[[Account], FlaskClient],
) -> None:
    draft = write_new(desk)
    asked = add(desk, draft, "boolean")
    seen = hidden(desk.get(asked))
    fill(sign_in(ground.nurse), asked, text="Première version")
    late = desk.post(asked, data={**seen, "text": "Seconde version"})
    assert late.status_code == 409
    assert "Seconde version" in late.text, "what was typed stays on the page"
    assert latest("accueil").definition.questions[0].words.text == "Première version"


def test_a_new_version_leaves_the_former_one_as_it_was(desk: FlaskClient, ground: Ground) -> None:
    made = desk.post(f"{HERE}/modeles/{ground.asked.id}/nouvelle-version")
    draft = made.location.removesuffix("/modifier")
    again = desk.post(f"{HERE}/modeles/{ground.asked.id}/nouvelle-version")
    assert again.location == made.location, "one draft at a time"
    fill(desk, f"{draft}/questions/pain", text="Et la douleur ?")
    desk.post(f"{draft}/publier")
    with prepared():
        former = db.session.get_one(Questionnaire, ground.asked.id)
        assert (former.state, former.definition.questions[0].words.text[:6]) == ("retired", "Quelle")
    assert latest(factory.NEXT_DAY).state == "published"


def test_a_file_is_imported_and_read_back(desk: FlaskClient, ground: Ground) -> None:
    file = json.dumps(write(ground.asked.definition) | {"title": "Un autre"}).encode()
    page = desk.get(f"{HERE}/modeles/importer")
    made = desk.post(f"{HERE}/modeles/importer", data={**hidden(page), "file": (BytesIO(file), "q.json")})
    assert made.status_code == 303
    told = desk.get(f"{made.location}/fhir.json")
    assert json.loads(told.data)["item"] == json.loads(file)["item"]
    again = desk.get(f"{HERE}/modeles/importer")
    twice = desk.post(f"{HERE}/modeles/importer", data={**hidden(again), "file": (BytesIO(file), "q.json")})
    assert twice.status_code == 422, "one questionnaire of a name"


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b'{"resourceType": "Patient"}', b"\x89PNG\r\n\x1a\n" + b"0" * 300_000, b"[" * 200_000],
    ids=range(5),
)
def test_a_bad_file_is_explained(desk: FlaskClient, ground: Ground, data: bytes) -> None:
    page = desk.get(f"{HERE}/modeles/importer")
    answer = desk.post(f"{HERE}/modeles/importer", data={**hidden(page), "file": (BytesIO(data), "q.json")})
    assert answer.status_code == 422
    assert "app-notice" in answer.text
    assert count(Questionnaire) == 1


def test_every_fault_has_words() -> None:
    import re
    from pathlib import Path

    from admin.fault_words import FAULTS
    from services.questionnaires.definition import parsing, reading

    code = "".join(Path(str(each.__file__)).read_text(encoding="utf-8") for each in (parsing, reading))
    used = set(re.findall(r'fault\([^"\n]*?(?:f?"[^"]*"), "([a-z_]+)"', code)) | set(
        re.findall(r'Fault\("", "([a-z_]+)"', code)
    )
    assert used - set(FAULTS) == set()
    assert len(used) > 20


def test_what_a_hospital_shares_is_copied_by_another(
    ground: Ground,
    desk: FlaskClient,
    sign_in: Callable[[Account], FlaskClient],
) -> None:
    with prepared():
        there = people.agent(ground.elsewhere.establishment.id, "care", name="Sacha Sud")
    other = sign_in(there)
    assert other.post(f"{HERE}/modeles/{ground.asked.id}/copier").status_code == 404
    desk.post(f"{HERE}/modeles/{ground.asked.id}/partager")
    assert "Le lendemain" in other.get(f"{HERE}/modeles").text
    made = other.post(f"{HERE}/modeles/{ground.asked.id}/copier")
    assert other.get(made.location).status_code == 200
    assert {each.establishment_id for each in rows(Questionnaire)} == {
        ground.hospital.establishment.id, ground.elsewhere.establishment.id,
    }  # fmt: skip
    assert other.get(f"{HERE}/modeles/{ground.asked.id}").status_code == 404, "a copy is one's own; the original is not"


def test_a_draft_is_given_up_and_a_published_one_is_retired(desk: FlaskClient, ground: Ground) -> None:
    draft = write_new(desk)
    assert desk.post(f"{draft}/abandonner").status_code == 303
    assert desk.get(draft).status_code == 404
    assert desk.post(f"{HERE}/modeles/{ground.asked.id}/abandonner").status_code == 303
    assert count(Questionnaire) == 1
    assert desk.post(f"{HERE}/modeles/{ground.asked.id}/retirer").status_code == 303
    assert latest(factory.NEXT_DAY).state == "retired"
    assert "Le lendemain" in desk.get(f"{HERE}/modeles?retired=1").text


def test_it_is_previewed_in_each_language(desk: FlaskClient, ground: Ground) -> None:
    address = f"{HERE}/modeles/{ground.asked.id}"
    assert "Comment est votre pansement" in desk.get(f"{address}?in=fr").text
    assert "How is your dressing" in desk.get(f"{address}?in=en").text
    assert desk.get(f"{address}?in=xx").status_code == 200


@pytest.mark.parametrize(
    "code", [factory.ANAESTHESIA, factory.NEXT_DAY, factory.ONE_MONTH, factory.ALLERGIES, factory.PREGNANCY]
)
def test_every_item_of_the_library_goes_through_the_editor_unchanged(
    desk: FlaskClient, ground: Ground, code: str
) -> None:
    with prepared():
        former = {each.code: each for each in db.session.query(Questionnaire)}.get(code)
        made = definitions.renew(former) if former else factory.questionnaire(
            ground.hospital.establishment.id, code, published=False
        )  # fmt: skip
        before = made.definition
    for item in before.walk():
        address = f"{HERE}/modeles/{made.id}/questions/{item.link_id}"
        page = desk.get(address)
        assert page.status_code == 200
        assert desk.post(address, data=filled(page)).status_code == 303
    with prepared():
        assert db.session.get_one(Questionnaire, made.id).definition == before


def filled(page: Any) -> dict[str, Any]:
    """What the browser would send of a form that nobody touched."""
    form = parsed(page.text).xpath("//main//form")[0]
    data: dict[str, Any] = {}
    for field in form.xpath(".//input | .//textarea | .//select"):
        name, kind = field.get("name"), field.get("type", "")
        if kind in ("checkbox", "radio") and field.get("checked") is None:
            continue
        if field.tag == "select":
            chosen = field.xpath("./option[@selected]/@value")
            data[name] = chosen[0] if chosen else ""
        elif field.tag == "textarea":
            data[name] = (field.text or "").removeprefix("\r\n")
        else:
            data[name] = field.get("value") or ""
    return data
