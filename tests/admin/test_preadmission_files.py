"""One file: documents beside what was typed, decisions that overwrite nobody, one request, and who had it when."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from portal.notifications import Notification
from services.pieces.models import Piece, PiecePage
from services.preadmission.answers import Coverage
from services.preadmission.models import Preadmission, PreadmissionChange
from services.preadmission.office import actions as office_actions
from services.preadmission.office.models import CardReading, OfficeLine
from tests.admin.admissions import Office, address, hidden, office, piece_id, prefixed, read
from tests.factories import people
from tests.factories import preadmission as factory
from tests.ground import audited, prepared, rows, today
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
Work = Callable[[], None]


@pytest.fixture
def desk(app: Flask) -> Office:
    return office()


def state_of(file: Preadmission) -> str:
    return next(each.state for each in rows(Preadmission) if each.id == file.id)


def pieces() -> dict[str, Piece]:
    return {each.kind: each for each in rows(Piece)}


def day(field: str, when: object) -> dict[str, str]:
    return {f"{field}-{part}": str(getattr(when, part)) for part in ("day", "month", "year")}


def waived(file: Preadmission) -> None:
    from services.pieces import actions as piece_actions

    with prepared():
        for piece in factory.pieces_of(file).values():
            piece_actions.waive(piece)


# -- the screen ----------------------------------------------------------------------------------------------------


def test_the_screen_costs_few_statements(desk: Office, sign_in: SignIn, app: Flask, work_jobs: Work) -> None:
    file = desk.file(there=("identity", "health_card"))
    work_jobs()
    browser = sign_in(desk.clerk)
    browser.get(address(file))
    with executed(app) as seen:
        assert browser.get(address(file)).status_code == 200
    assert len(seen) <= 15, seen  # one of them says that what led here is no longer new


def test_an_identity_document_is_marked_and_never_downloaded(desk: Office, sign_in: SignIn, work_jobs: Work) -> None:
    file = desk.file(there=("identity",))
    work_jobs()
    browser, piece, page = sign_in(desk.clerk), piece_id(file, "identity"), rows(PiecePage)[0]
    shown = browser.get(address(file, f"/pieces/{piece}/pages/{page.id}"))
    assert shown.status_code == 200
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["Cache-Control"] == "no-store"
    assert "piece.opened" in audited()
    screen = browser.get(f"{address(file)}?lang=en").text
    assert "never downloaded" in screen
    assert "Open alone" not in screen
    assert sign_in(desk.stranger).get(address(file, f"/pieces/{piece}/pages/{page.id}")).status_code == 404


def test_a_document_is_accepted_only_once_it_can_be_looked_at(desk: Office, sign_in: SignIn, work_jobs: Work) -> None:
    file = desk.file(there=("identity",))
    browser, accept = sign_in(desk.clerk), f"/pieces/{piece_id(file, 'identity')}/accepter"
    assert accept not in browser.get(address(file)).text
    work_jobs()
    assert accept in browser.get(address(file)).text


def test_a_page_is_turned_for_everybody(desk: Office, sign_in: SignIn, work_jobs: Work) -> None:
    file = desk.file(there=("identity",))
    work_jobs()
    piece, page = piece_id(file, "identity"), rows(PiecePage)[0]
    where = address(file, f"/pieces/{piece}/pages/{page.id}/tourner")
    browser = sign_in(desk.clerk)
    browser.post(where, data={"way": "right"})
    browser.post(where, data={"way": "right"})
    browser.post(where, data={"way": "left"})
    assert rows(PiecePage)[0].rotation == 90
    assert sign_in(desk.stranger).post(where, data={"way": "right"}).status_code == 404


@pytest.mark.parametrize("query", ["vue=x", "piece=x", "feuille=-1", "feuille=99", "zoom=1000", "zoom=x"])
def test_a_strange_view_shows_the_file(desk: Office, sign_in: SignIn, query: str) -> None:
    file = desk.file(there=("identity",))
    assert sign_in(desk.clerk).get(f"{address(file)}?{query}").status_code == 200


def test_the_number_is_whole_only_when_asked_for(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    browser = sign_in(desk.clerk)
    assert "2 79 03 51 215 189 89" not in browser.get(address(file)).text
    assert "2 79 03 51 215 189 89" in browser.post(address(file, "/numero")).text
    assert "nir.revealed" in audited()


def test_the_card_is_compared_and_names_what_differs(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    browser = sign_in(desk.clerk)
    on_it = {"birth_name": "MARTÍN", "first_names": "JEANNE", "sex": "M", "used_name": ""}
    on_it |= day("birth_on", desk.patient.birth_on)
    assert browser.post(address(file, "/piece-d-identite"), data=prefixed("card", on_it)).status_code == 303
    page = browser.get(f"{address(file)}?lang=en").text
    assert "Accent, hyphen or space" in page
    assert "Different" in page
    assert rows(CardReading)[0].birth_name == "MARTÍN"
    assert rows(CardReading)[0].read_by_name == "Clara Clerc"


def test_a_card_half_typed_says_what_is_missing(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    page = sign_in(desk.clerk).post(address(file, "/piece-d-identite"), data={"card-birth_name": "MARTIN"})
    assert page.status_code == 422
    assert rows(CardReading) == []


def test_somebody_with_the_same_number_is_told(desk: Office, sign_in: SignIn) -> None:
    with prepared():
        other = people.patient("DURAND", ("ALIX",))
    twin = desk.file(patient=other)
    file = desk.file()
    page = sign_in(desk.clerk).get(f"{address(file)}?lang=en").text
    assert "Same social security number" in page
    assert str(twin.id) in page


def test_somebody_next_door_with_the_same_number_is_not(desk: Office, sign_in: SignIn) -> None:
    with prepared():
        other = people.patient("DURAND", ("ALIX",))
        factory.preadmission(other, desk.elsewhere.unit, "submitted")
    page = sign_in(desk.clerk).get(f"{address(desk.file())}?lang=en").text
    assert "Same social security number" not in page


# -- documents -----------------------------------------------------------------------------------------------------


def test_a_document_is_accepted_with_the_day_read_on_it(desk: Office, sign_in: SignIn, work_jobs: Work) -> None:
    file = desk.file(there=("identity",))
    work_jobs()
    browser, until = sign_in(desk.clerk), today() + timedelta(days=800)
    screen = browser.get(address(file))
    data = prefixed("accept", read(screen)) | day("accept-expires_on", until)
    browser.post(address(file, f"/pieces/{piece_id(file, 'identity')}/accepter"), data=data)
    assert (pieces()["identity"].state, pieces()["identity"].expires_on) == ("accepted", until)
    found = rows(Preadmission)[0]
    assert (found.state, found.agent_id, found.agent_name) == ("in_review", desk.clerk.id, "Clara Clerc")


def test_a_document_is_refused_with_a_reason_and_words(desk: Office, sign_in: SignIn) -> None:
    file = desk.file(there=("identity",))
    browser, where = sign_in(desk.clerk), address(file, f"/pieces/{piece_id(file, 'identity')}/refuser")
    assert browser.post(where, data={"refuse-reason": ""}).status_code == 422
    assert browser.post(where, data={"refuse-reason": "because"}).status_code == 422
    browser.post(where, data={"refuse-reason": "unreadable", "refuse-note": "Le bas est coupé."})
    refused = pieces()["identity"]
    assert (refused.state, refused.refusal_reason, refused.note) == ("refused", "unreadable", "Le bas est coupé.")


def test_a_colleagues_gesture_is_never_overwritten(desk: Office, sign_in: SignIn, work_jobs: Work) -> None:
    file = desk.file(there=("identity",))
    work_jobs()
    piece = piece_id(file, "identity")
    mine, theirs = sign_in(desk.clerk), sign_in(desk.colleague)
    old = read(mine.get(address(file)))
    theirs.post(address(file, f"/pieces/{piece}/accepter"), data=prefixed("accept", read(theirs.get(address(file)))))
    typed = {"refuse-reason": "unreadable", "refuse-note": "Photo floue"} | prefixed("refuse", old)
    answer = mine.post(address(file, f"/pieces/{piece}/refuser?lang=en"), data=typed)
    assert answer.status_code == 409
    assert "Somebody acted on this file meanwhile" in answer.text
    assert "Colin Collègue" in answer.text
    assert pieces()["identity"].state == "accepted"


def test_a_file_in_a_colleagues_hands_is_decided_only_when_taken_over(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    sign_in(desk.colleague).post(address(file, "/prendre"))
    browser = sign_in(desk.clerk)
    waived(file)
    browser.post(address(file, "/valider"))
    assert state_of(file) == "in_review"
    browser.post(address(file, "/reprendre"), data={"reason": "Colin est en congé"})
    line = next(each for each in rows(OfficeLine) if each.kind == "taken_over")
    assert line.body == "Colin Collègue – Colin est en congé"
    browser.post(address(file, "/valider"))
    assert state_of(file) == "validated"
    assert "preadmission.taken_over" in audited()


def test_a_file_is_given_and_given_back(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    sign_in(desk.colleague).post(address(file, "/prendre"))
    theirs = sign_in(desk.colleague)
    theirs.post(address(file, "/rendre"))
    assert rows(Preadmission)[0].agent_id is None
    theirs.post(address(file, "/prendre"))
    with prepared():
        other = people.patient("DURAND")
    desk.file("in_review", patient=other)
    page = theirs.get(address(file, "/confier"))
    assert str(desk.colleague.id) in page.text
    assert theirs.post(address(file, "/confier"), data={"agent": str(desk.stranger.id)}).status_code == 422


# -- one request ---------------------------------------------------------------------------------------------------


def test_all_that_is_missing_is_asked_for_in_one_message(desk: Office, sign_in: SignIn) -> None:
    file = desk.file(there=("identity",))
    browser, until = sign_in(desk.clerk), today() + timedelta(days=4)
    browser.post(address(file, f"/pieces/{piece_id(file, 'identity')}/refuser"), data={"refuse-reason": "unreadable"})
    page = browser.get(address(file, "/demander"))
    data = read(page) | day("complete_by", until) | {"message": "Merci d’envoyer ceci.", "more": ["address_proof"]}
    preview = browser.post(address(file, "/demander?lang=en"), data=data | {"preview": "1"})
    assert "What the patient will read" in preview.text
    assert state_of(file) == "in_review"
    assert browser.post(address(file, "/demander"), data=data).status_code == 303
    asked = rows(Preadmission)[0]
    assert (asked.state, asked.complete_by, asked.decision_reason) == ("to_complete", until, data["message"])
    assert pieces()["address_proof"].needed
    assert len(rows(Notification)) == 1
    mine = sign_in(desk.account).get(f"/pre-admission/{file.id}").text
    assert "Merci d’envoyer ceci" in mine


def test_a_health_document_is_never_the_offices_to_ask(desk: Office, sign_in: SignIn) -> None:
    file = desk.file(there=("identity",))
    page = sign_in(desk.clerk).get(address(file, "/demander")).text
    assert 'value="referral_letter"' not in page
    data = day("complete_by", today() + timedelta(days=3)) | {"more": ["referral_letter"]}
    assert sign_in(desk.clerk).post(address(file, "/demander"), data=data).status_code == 422


def test_nothing_missing_asks_nothing(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    waived(file)
    answer = sign_in(desk.clerk).post(
        address(file, "/demander"), data=day("complete_by", today() + timedelta(days=3)) | {"message": ""}
    )
    assert answer.status_code == 422
    assert state_of(file) == "submitted"


def test_a_message_is_started_from_a_template(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    with prepared():
        kept = office_actions.keep_message(
            desk.hospital.establishment.id, "ask", "Relance", "Bonjour {patient}, au {phone}. {inconnu}"
        )
        there = office_actions.keep_message(desk.elsewhere.establishment.id, "ask", "Voisin", "D’à côté")
    browser = sign_in(desk.clerk)
    text = browser.get(address(file, f"/demander?modele={kept.id}")).text
    assert "au 01 99 00 10 00. {inconnu}" in text
    assert "D’à côté" not in browser.get(address(file, f"/demander?modele={there.id}")).text


# -- the file ------------------------------------------------------------------------------------------------------


def test_a_file_is_accepted_only_when_all_is_judged(desk: Office, sign_in: SignIn) -> None:
    file = desk.file(there=("identity",))
    browser = sign_in(desk.clerk)
    browser.post(address(file, "/valider"))
    assert state_of(file) == "submitted"
    waived(file)
    browser.post(address(file, "/valider"))
    assert state_of(file) == "validated"


def test_an_accepted_file_is_opened_again_for_a_reason(desk: Office, sign_in: SignIn) -> None:
    file = desk.file("validated")
    browser = sign_in(desk.clerk)
    assert browser.post(address(file, "/rouvrir"), data={"reason": ""}).status_code == 422
    browser.post(address(file, "/rouvrir"), data={"reason": "Mauvaise unité"})
    assert state_of(file) == "in_review"
    assert any(each.reason == "Mauvaise unité" for each in rows(PreadmissionChange))


def test_a_refusal_keeps_what_was_typed_when_a_colleague_was_quicker(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    mine = sign_in(desk.clerk)
    old = read(mine.get(address(file, "/refuser")))
    waived(file)
    sign_in(desk.colleague).post(address(file, "/valider"))
    answer = mine.post(address(file, "/refuser"), data=old | {"reason": "Ce séjour est ailleurs."})
    assert answer.status_code == 409
    assert "Ce séjour est ailleurs." in answer.text
    assert hidden(answer, "version") != old["version"]
    assert state_of(file) == "validated"


def test_a_note_stays_between_agents(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    browser = sign_in(desk.clerk)
    assert browser.post(address(file, "/notes"), data={"note-body": " "}).status_code == 422
    browser.post(address(file, "/notes"), data={"note-body": "Rappeler <b>après</b> 14 h"})
    assert "Rappeler &lt;b&gt;après&lt;/b&gt; 14 h" in sign_in(desk.colleague).get(address(file)).text
    assert "Rappeler" not in sign_in(desk.account).get(f"/pre-admission/{file.id}").text


def test_the_patient_is_told_again_without_a_word_of_what(desk: Office, sign_in: SignIn) -> None:
    file = desk.file("to_complete")
    sign_in(desk.clerk).post(address(file, "/prevenir"))
    assert len(rows(Notification)) == 1
    assert "preadmission.link_resent" in audited()


def test_questionnaires_are_not_on_the_screen(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    assert "questionnaire" not in sign_in(desk.clerk).get(f"{address(file)}?lang=en").text.lower()


@pytest.mark.parametrize("path", ["/valider", "/refuser", "/prendre", "/rouvrir"])
def test_a_closed_file_stays_closed(desk: Office, sign_in: SignIn, path: str) -> None:
    file = desk.file("closed")
    sign_in(desk.clerk).post(address(file, path), data={"reason": "Non"})
    assert state_of(file) == "closed"


@pytest.mark.parametrize("version", ["x", "-1", "99999999999999", "\u0661"])
def test_a_forged_version_decides_nothing_by_surprise(desk: Office, sign_in: SignIn, version: str) -> None:
    file = desk.file()
    answer = sign_in(desk.clerk).post(address(file, "/prendre"), data={"version": version, "at": "nan"})
    assert answer.status_code in (303, 409)


def test_what_is_checked_is_told_on_the_screen(desk: Office, sign_in: SignIn) -> None:
    cover = Coverage(amo_kind="french", nir=factory.NIR, rights_until=today(), amc_kind="none")
    file = desk.file(answers=[cover])
    page = sign_in(desk.clerk).get(f"{address(file)}?lang=en").text
    assert "before the end of the stay" in page
