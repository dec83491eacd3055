"""Files that agents enter for somebody, lists on paper, figures, messages, and who sees the office's own rows."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from auth.models import Account
from portal import calendar, db
from portal.db import ANONYMOUS, Actor
from services.pieces import actions as piece_actions
from services.preadmission.models import Preadmission
from services.preadmission.office import actions as office_actions
from services.preadmission.office import figures
from services.preadmission.office.comparison import Description
from services.preadmission.office.models import CardReading, MessageTemplate, OfficeLine, Presence
from tests.admin.admissions import TRAY, Office, address, hidden, office, piece_id
from tests.factories import people
from tests.factories import preadmission as factory
from tests.ground import audited, count, prepared, rows, today

SignIn = Callable[[Account], FlaskClient]
OWN = (OfficeLine, Presence, CardReading)


@pytest.fixture
def desk(app: Flask) -> Office:
    made = office()
    with prepared():
        people.known_at(made.patient, made.hospital.establishment.id, "IPP42")
    return made


def in_days(days: int) -> dict[str, str]:
    when = today() + timedelta(days=days)
    return {f"planned_on-{part}": str(getattr(when, part)) for part in ("day", "month", "year")}


def begin(desk: Office, browser: FlaskClient, **more: str) -> str:
    """A file begun for the patient; the address of its page of questions."""
    where = f"{TRAY}/nouvelle/{desk.patient.id}"
    once = hidden(browser.get(where), "once")
    data = {"once": once, "unit_id": str(desk.hospital.unit.id), "stay_kind": "outpatient", "speaker": "child"}
    answer = browser.post(where, data=data | {"speaker_name": "Paul Martin"} | in_days(12) | more)
    assert answer.status_code == 303, re.findall(r'app-error">.*?</span>(.*?)</span>', answer.text)
    return str(answer.location)


def dictated(file: Preadmission) -> None:
    """Everything the person is asked, as if an agent had typed it page after page."""
    with prepared():
        from services.preadmission import queries

        again = db.session.get_one(Preadmission, file.id)
        factory._answer(again, (), complete=True)
        piece_actions.require(
            again.id, again.establishment_id, again.patient_id, {each.kind: each.needed for each in _pieces(again)}
        )
        assert queries.steps_of(again.id)


def _pieces(file: Preadmission) -> list[object]:
    return list(factory.pieces_of(file).values())


# -- entry for somebody --------------------------------------------------------------------------------------------


def test_the_patient_is_found_by_number_or_by_name_and_day_in_a_post(desk: Office, sign_in: SignIn) -> None:
    browser, born = sign_in(desk.clerk), desk.patient.birth_on
    at = {"establishment": str(desk.hospital.establishment.id)}
    day = {f"birth_on-{part}": str(getattr(born, part)) for part in ("day", "month", "year")}
    for typed in ({"ipp": "IPP42"}, {"birth_name": desk.patient.birth_name.title()} | day):
        assert str(desk.patient.id) in browser.post(f"{TRAY}/nouvelle", data=at | typed).text
    assert browser.post(f"{TRAY}/nouvelle", data=at | {"birth_name": "MARTIN"}).status_code == 422
    assert str(desk.patient.id) not in sign_in(desk.stranger).post(f"{TRAY}/nouvelle", data=at | {"ipp": "IPP42"}).text


def test_who_spoke_is_in_the_history_and_the_file_is_the_agents(desk: Office, sign_in: SignIn) -> None:
    begin(desk, sign_in(desk.clerk))
    made = rows(Preadmission)[0]
    assert (made.origin, made.state, made.agent_id, made.account_id) == ("desk", "draft", desk.clerk.id, None)
    assert [(each.kind, each.body) for each in rows(OfficeLine)] == [("spoken_with", "child|Paul Martin")]


def test_whoever_speaks_for_the_patient_is_named(desk: Office, sign_in: SignIn) -> None:
    browser, where = sign_in(desk.clerk), f"{TRAY}/nouvelle/{desk.patient.id}"
    data = {"once": hidden(browser.get(where), "once"), "unit_id": str(desk.hospital.unit.id), "speaker": "child"}
    assert browser.post(where, data=data | {"stay_kind": "outpatient"} | in_days(12)).status_code == 422
    assert count(Preadmission) == 0


def test_a_day_that_has_passed_begins_nothing(desk: Office, sign_in: SignIn) -> None:
    browser, where = sign_in(desk.clerk), f"{TRAY}/nouvelle/{desk.patient.id}"
    data = {"once": hidden(browser.get(where), "once"), "unit_id": str(desk.hospital.unit.id), "speaker": "self"}
    assert browser.post(where, data=data | {"stay_kind": "outpatient"} | in_days(-1)).status_code == 422


def test_steps_are_kept_one_by_one_and_empty_ones_wait(desk: Office, sign_in: SignIn) -> None:
    browser = sign_in(desk.clerk)
    where = begin(desk, browser)
    data = {"relative-name": "Alix Morel", "relative-link": "sibling", "relative-phone": "06 39 98 00 99"}
    answer = browser.post(where, data=data)
    assert answer.status_code == 303, re.findall(r"app-error.*", answer.text)
    from services.preadmission.models import StepAnswers

    assert [each.step for each in rows(StepAnswers)] == ["relative"]
    assert "Alix Morel" in browser.get(where).text


def test_a_wrong_answer_is_told_and_the_others_are_kept(desk: Office, sign_in: SignIn) -> None:
    browser = sign_in(desk.clerk)
    where = begin(desk, browser)
    data = {"relative-name": "Alix Morel", "relative-link": "sibling", "relative-phone": "x"}
    answer = browser.post(where, data=data)
    assert answer.status_code == 422
    assert "Alix Morel" in answer.text


def test_a_whole_file_goes_to_the_tray_and_the_patient_finds_it(desk: Office, sign_in: SignIn) -> None:
    browser = sign_in(desk.clerk)
    where = begin(desk, browser)
    file = rows(Preadmission)[0]
    browser.post(address(file, "/envoyer"))
    assert rows(Preadmission)[0].state == "draft"
    dictated(file)
    for piece in _pieces_of(file):
        browser.post(address(file, f"/pieces/{piece}/vue"))
    assert "Put it in the tray" in browser.get(f"{where}?lang=en").text
    assert browser.post(address(file, "/envoyer")).status_code == 303
    assert rows(Preadmission)[0].state == "submitted"
    theirs = sign_in(desk.account).get(f"/pre-admission/{file.id}?lang=en").text
    assert file.reference in theirs
    assert "The hospital started this file for you" in theirs
    assert "You started this file" not in theirs
    assert desk.patient.birth_name in browser.get(TRAY).text


def _pieces_of(file: Preadmission) -> list[object]:
    with prepared():
        return [each.id for each in factory.pieces_of(file).values() if each.staff_right == "preadmission"]


def test_a_document_is_scanned_at_the_desk(desk: Office, sign_in: SignIn) -> None:
    browser = sign_in(desk.clerk)
    begin(desk, browser)
    file = rows(Preadmission)[0]
    where = address(file, f"/pieces/{piece_id(file, 'identity')}/numeriser")
    once = hidden(browser.get(where), "once")
    assert browser.post(where, data={"once": once}).status_code == 422
    sent = {"once": once, "file": (BytesIO(factory.photo()), "scan.png")}
    assert browser.post(where, data=sent, content_type="multipart/form-data").status_code == 303
    with prepared():
        assert factory.pieces_of(file)["identity"].state in ("scanning", "deposited")


def test_the_patients_own_draft_is_nobody_elses(desk: Office, sign_in: SignIn) -> None:
    with prepared():
        draft = factory.preadmission(desk.patient, desk.hospital.unit)
    for path in ("", "/saisie"):
        assert sign_in(desk.clerk).get(address(draft, path)).status_code == 404


def test_somebody_new_is_registered_once(desk: Office, sign_in: SignIn) -> None:
    browser, where = sign_in(desk.clerk), f"{TRAY}/nouvelle/personne"
    page = browser.get(where)
    born = {"birth_on-day": "2", "birth_on-month": "3", "birth_on-year": "1990"}
    data = {"once": hidden(page, "once"), "establishment": str(desk.hospital.establishment.id), "sex": "F"} | born
    assert browser.post(where, data=data).status_code == 422
    first = browser.post(where, data=data | {"birth_name": "neuve", "first_name": "Nadia"})
    assert first.status_code == 303
    assert browser.post(where, data=data | {"birth_name": "neuve", "first_name": "Nadia"}).location == first.location


# -- on paper and in spreadsheets ----------------------------------------------------------------------------------


def test_the_list_of_a_day_is_by_unit_and_says_what_is_missing(desk: Office, sign_in: SignIn) -> None:
    file = desk.file(in_days=1)
    page = sign_in(desk.clerk).get(f"{TRAY}/attendus").text
    assert file.reference in page
    assert desk.patient.birth_name in page
    assert "preadmission.listed" in audited()
    assert file.reference not in sign_in(desk.stranger).get(f"{TRAY}/attendus").text
    assert file.reference not in sign_in(desk.clerk).get(f"{TRAY}/attendus?du={today() + timedelta(days=5)}").text


def test_a_list_without_anybody_says_so(desk: Office, sign_in: SignIn) -> None:
    assert "Nobody is expected" in sign_in(desk.clerk).get(f"{TRAY}/attendus?lang=en").text


def test_a_name_is_no_formula_in_a_spreadsheet(desk: Office, sign_in: SignIn) -> None:
    with prepared():
        person = people.patient("=CMD|' /C calc'!A0", ("@SUM",))
    desk.file(patient=person, in_days=1)
    text = sign_in(desk.clerk).get(f"{TRAY}/attendus/fichier").get_data(as_text=True)
    assert "'=CMD" in text
    assert "'@SUM" in text
    assert ";=CMD" not in text


def test_the_cover_holds_one_file_without_its_whole_number(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    page = sign_in(desk.clerk).get(address(file, "/couverture")).text
    assert file.reference in page
    assert "215 189" not in page
    assert "preadmission.printed" in audited()


def test_figures_are_of_the_team_and_of_ones_hospital(desk: Office, sign_in: SignIn) -> None:
    file = desk.file(there=("identity",))
    desk.file("validated")
    with prepared():
        piece_actions.refuse(factory.pieces_of(file)["identity"], "unreadable")
    page = sign_in(desk.clerk).get(f"{TRAY}/chiffres?lang=en").text
    assert "Unreadable" in page
    assert desk.clerk.name not in page.split("<main")[1]
    with prepared():
        # The day on which they were sent, whatever the hour at which this is read.
        day = calendar.civil_day(file.submitted_at or file.created_at, desk.hospital.establishment.tz)
        here = figures.of_day(frozenset([desk.hospital.establishment.id]), day)
        there = figures.of_day(frozenset([desk.elsewhere.establishment.id]), day)
    assert here.received == 2
    assert (there.received, there.treated, there.median_h, there.first_time) == (0, 0, None, None)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([3], 0.9, 3), ([1, 2, 3, 4], 0.5, 2), (list(range(1, 11)), 0.9, 9)],
)
def test_a_quantile_is_a_value_that_was_seen(values: list[float], share: float, expected: float | None) -> None:
    assert figures.quantile(values, share) == expected


# -- what a hospital decides ---------------------------------------------------------------------------------------


def test_an_administrator_keeps_messages_that_agents_start_from(desk: Office, sign_in: SignIn) -> None:
    browser, at = sign_in(desk.administrator), desk.hospital.establishment.id
    where = f"/admin/bureau-des-admissions/{at}/messages/nouveau"
    data = {"occasion": "ask", "title": "Relance", "body": "Bonjour {patient}"}
    assert browser.post(where, data={"once": hidden(browser.get(where), "once"), "title": ""}).status_code == 422
    browser.post(where, data=data | {"once": hidden(browser.get(where), "once")})
    kept = rows(MessageTemplate)[0]
    assert (kept.title, kept.changed_by_name) == ("Relance", "Ada Administre")
    assert "Relance" in sign_in(desk.clerk).get(address(desk.file(), "/demander")).text
    page = f"/admin/bureau-des-admissions/messages/{kept.id}"
    browser.post(page, data=data | {"title": "Autre", "once": hidden(browser.get(page), "once")})
    assert rows(MessageTemplate)[0].title == "Autre"
    browser.post(f"{page}/supprimer")
    assert count(MessageTemplate) == 0
    assert sign_in(desk.clerk).get("/admin/bureau-des-admissions").status_code == 403


def test_an_administrator_next_door_changes_nothing(desk: Office, sign_in: SignIn) -> None:
    with prepared():
        kept = office_actions.keep_message(desk.hospital.establishment.id, "ask", "Relance", "Bonjour")
        other = people.agent(desk.elsewhere.establishment.id, "administration")
    browser, at = sign_in(other), desk.hospital.establishment.id
    for path in (f"/{at}/messages/nouveau", f"/messages/{kept.id}"):
        assert browser.get(f"/admin/bureau-des-admissions{path}").status_code == 404
    for path in (f"/{at}/sejours-confidentiels", f"/messages/{kept.id}/supprimer"):
        assert browser.post(f"/admin/bureau-des-admissions{path}").status_code == 404
    assert count(MessageTemplate) == 1


# -- who sees the office's rows ------------------------------------------------------------------------------------


def strangers(desk: Office) -> dict[str, Actor]:
    with prepared():
        doctor = people.professional()
    here, there = desk.hospital.establishment.id, desk.elsewhere.establishment.id
    return {
        "the patient": people.as_patient(desk.account, desk.patient),
        "another hospital's clerk": people.as_agent(desk.stranger, there, "preadmission"),
        "an agent without the right": people.as_agent(desk.billing, here, "billing", "care", "documents"),
        "a practitioner": people.as_professional(doctor),
        "a visitor": ANONYMOUS,
    }


def noted(desk: Office) -> Preadmission:
    file = desk.file()
    with db.transaction(people.as_agent(desk.clerk, desk.hospital.establishment.id, "preadmission")) as current:
        found = current.get_one(Preadmission, file.id)
        office_actions.note(found, "Rappeler")
        office_actions.stay_on(found)
        office_actions.read_card(found, Description("MARTIN", first_names=("JEANNE",)))
    return file


@pytest.mark.parametrize("table", OWN)
def test_nobody_but_the_office_sees_or_writes_its_rows(desk: Office, table: type[db.Base]) -> None:
    file = noted(desk)
    for who, actor in strangers(desk).items():
        with db.transaction(actor) as current:
            assert current.scalar(select(func.count()).select_from(table)) == 0, who
            assert current.execute(delete(table)).rowcount == 0, who
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(actor) as current:
            current.execute(insert(table).inline().values(forged(table, file, desk, actor)))


def forged(table: type[db.Base], file: Preadmission, desk: Office, actor: Actor) -> dict[str, object]:
    """A row about somebody else's file, as a stranger would write it."""
    own = {"preadmission_id": file.id, "establishment_id": desk.hospital.establishment.id}
    if table is OfficeLine:
        return own | {"id": uuid4(), "kind": "note", "actor": actor.label, "body": "x"}
    if table is Presence:
        return own | {"account_id": desk.stranger.id, "name": "x"}
    return own | {"birth_name": "x", "used_name": "", "first_names": "", "sex": "", "read_by_name": ""}


def test_a_line_is_never_altered_and_an_agent_signs_only_for_themselves(desk: Office) -> None:
    file = noted(desk)
    clerk = people.as_agent(desk.clerk, desk.hospital.establishment.id, "preadmission")
    with db.transaction(clerk) as current:
        assert current.execute(update(OfficeLine).values(actor_name="x")).rowcount == 0
        assert current.execute(delete(OfficeLine)).rowcount == 0
    for table, values in (
        (OfficeLine, forged(OfficeLine, file, desk, clerk) | {"actor": "staff:other"}),
        (Presence, forged(Presence, file, desk, clerk) | {"account_id": desk.colleague.id}),
    ):
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(clerk) as current:
            current.execute(insert(table).inline().values(values))


def test_agents_read_messages_and_administrators_write_them(desk: Office) -> None:
    with prepared():
        office_actions.keep_message(desk.hospital.establishment.id, "ask", "Relance", "Bonjour")
    clerk = people.as_agent(desk.clerk, desk.hospital.establishment.id, "preadmission")
    with db.transaction(clerk) as current:
        assert current.scalar(select(func.count()).select_from(MessageTemplate)) == 1
        assert current.execute(update(MessageTemplate).values(title="x")).rowcount == 0
    for who, actor in strangers(desk).items():
        with db.transaction(actor) as current:
            assert current.scalar(select(func.count()).select_from(MessageTemplate)) == 0, who


def test_what_is_erased_leaves_nothing_of_the_office(desk: Office) -> None:
    file = noted(desk)
    with prepared():
        office_actions.forget(db.session.get_one(Preadmission, file.id))
    assert [count(table) for table in OWN] == [0, 0, 0]
