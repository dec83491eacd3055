"""The tray of the admissions office: what waits first, who is on what, and nothing of others' business."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from portal import db, establishments
from portal.audit import AuditEvent
from services.preadmission.models import Preadmission
from services.preadmission.queries import CONFIDENTIAL
from tests.admin.admissions import TRAY, Office, address, hidden, office
from tests.factories import hospitals, people
from tests.factories import preadmission as factory
from tests.ground import audited, count, prepared, rows, today
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]


@pytest.fixture
def desk(app: Flask) -> Office:
    return office()


def files() -> dict[str, Preadmission]:
    """State → the file in it; each test has few."""
    return {each.state: each for each in rows(Preadmission)}


def secret(desk: Office, **facts: object) -> Preadmission:
    with prepared():
        person = people.patient("SECRETARD", ("SACHA",))
    made = desk.file(patient=person, **facts)  # type: ignore[arg-type]  # facts of a file
    with prepared() as _:
        _set(made, confidential=True)
    return made


def _set(file: Preadmission, **values: object) -> None:
    from sqlalchemy import update

    from portal.db import session

    session.execute(update(Preadmission).where(Preadmission.id == file.id).values(**values))


# -- trays and filters ---------------------------------------------------------------------------------------------


def test_each_group_holds_its_files_and_counts_them(desk: Office, sign_in: SignIn) -> None:
    names = {"submitted": "NOUVELLE", "to_complete": "ATTEND", "validated": "PRETE", "refused": "FINIE"}
    for state, name in names.items():
        with prepared():
            person = people.patient(name)
        desk.file(state, patient=person)
    browser = sign_in(desk.clerk)
    for group, name in (("to_process", "NOUVELLE"), ("waiting", "ATTEND"), ("ready", "PRETE"), ("closed", "FINIE")):
        page = browser.get(f"{TRAY}?groupe={group}").text
        assert name in page
        assert not [other for other in names.values() if other != name and other in page]


def test_mine_unassigned_late_and_near_are_told_apart(desk: Office, sign_in: SignIn) -> None:
    made = {}
    for name in ("AMOI", "APERSONNE", "ENRETARD", "BIENTOT"):
        with prepared():
            person = people.patient(name)
        made[name] = desk.file("submitted", patient=person, in_days=1 if name == "BIENTOT" else 20)
    with prepared():
        _set(made["AMOI"], agent_id=desk.clerk.id, agent_name="Clara Clerc")
        for other in ("ENRETARD", "BIENTOT"):
            _set(made[other], agent_id=desk.colleague.id, agent_name="Colin Collègue")
        _set(made["ENRETARD"], late=True)
    browser = sign_in(desk.clerk)
    for group, name in (("mine", "AMOI"), ("unassigned", "APERSONNE"), ("late", "ENRETARD"), ("at_risk", "BIENTOT")):
        page = browser.get(f"{TRAY}?groupe={group}").text
        assert [each for each in made if each in page] == [name], group


def test_filters_narrow_by_unit_kind_state_agent_and_days(desk: Office, sign_in: SignIn) -> None:
    with prepared():
        ward = hospitals.unit(desk.hospital.establishment, desk.hospital.site, "2002", "Chirurgie")
        other = people.patient("AILLEURS")
        factory.preadmission(other, ward, "in_review", planned_on=today() + timedelta(days=30), stay_kind="maternity")
    desk.file()
    browser = sign_in(desk.clerk)
    day = today() + timedelta(days=30)
    for query in (f"unite={ward.id}", "nature=maternity", "etat=in_review", f"du={day}", f"du={day}&au={day}"):
        page = browser.get(f"{TRAY}?{query}").text
        assert "AILLEURS" in page, query
        assert desk.patient.birth_name not in page, query
    assert "AILLEURS" not in browser.get(f"{TRAY}?au={today() + timedelta(days=29)}").text


@pytest.mark.parametrize(
    "query", ["du=hier", "au=9999-99-99", "unite=x", "agent=%00", "etat=nope", "nature='", "page=0"]
)
def test_a_strange_filter_is_left_aside(desk: Office, sign_in: SignIn, query: str) -> None:
    assert sign_in(desk.clerk).get(f"{TRAY}?{query}").status_code == 200


def test_the_tray_costs_few_statements_however_full(desk: Office, sign_in: SignIn, app: Flask) -> None:
    for number in range(12):
        with prepared():
            person = people.patient(f"PATIENT{number}")
        desk.file(patient=person)
    browser = sign_in(desk.clerk)
    browser.get(TRAY)
    with executed(app) as seen:
        browser.get(TRAY)
    assert len(seen) <= 12, seen


def test_neither_next_door_nor_another_right_opens_anything(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    assert file.reference not in sign_in(desk.stranger).get(TRAY).text
    for path in ("", "/demander", "/refuser", "/rouvrir", "/confier", "/couverture", "/saisie"):
        assert sign_in(desk.stranger).get(address(file, path)).status_code == 404, path
        assert sign_in(desk.billing).get(address(file, path)).status_code == 403, path
    for path in ("/prendre", "/valider", "/reprendre", "/rendre", "/prevenir", "/notes", "/presence", "/numero"):
        assert sign_in(desk.stranger).post(address(file, path)).status_code == 404, path
    assert files()["submitted"].agent_id is None


# -- search --------------------------------------------------------------------------------------------------------


def test_a_reference_opens_the_file_with_or_without_its_hyphen(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    browser = sign_in(desk.clerk)
    for typed in (file.reference, file.reference.replace("-", "").lower(), f" {file.reference} "):
        assert browser.post(f"{TRAY}/recherche", data={"q": typed}).location == address(file)
    assert sign_in(desk.stranger).post(f"{TRAY}/recherche", data={"q": file.reference}).status_code == 200


@pytest.mark.parametrize("typed", ["lefè", "LE FEVRE", "lefevre zo", "Lefèvre Zoé"])
def test_a_name_is_found_by_its_beginning_however_it_is_written(desk: Office, sign_in: SignIn, typed: str) -> None:
    with prepared():
        person = people.patient("LE FÈVRE", ("ZOÉ",))
    desk.file(patient=person)
    desk.file()
    page = sign_in(desk.clerk).post(f"{TRAY}/recherche", data={"q": typed}).text
    assert "LE FÈVRE" in page
    assert desk.patient.first_name not in page


@pytest.mark.parametrize("typed", ["", "L", "%", "_", "\x00", "é'", "☃", "x" * 300, "M%N"])
def test_a_strange_search_finds_nobody(desk: Office, sign_in: SignIn, typed: str) -> None:
    desk.file()
    page = sign_in(desk.clerk).post(f"{TRAY}/recherche", data={"q": typed})
    assert page.status_code == 200
    assert desk.patient.first_name not in page.text


def test_a_search_is_written_down_without_what_was_typed(desk: Office, sign_in: SignIn) -> None:
    sign_in(desk.clerk).post(f"{TRAY}/recherche", data={"q": "martin"})
    found = [each for each in rows(AuditEvent) if each.action == "preadmission.searched"]
    assert len(found) == 1
    assert "martin" not in str(found[0].details).lower()


# -- secret stays --------------------------------------------------------------------------------------------------


def test_a_secret_stay_is_nowhere_under_its_name(desk: Office, sign_in: SignIn) -> None:
    file = secret(desk, in_days=1)
    browser, day = sign_in(desk.clerk), file.planned_on
    pages = {
        "tray": browser.get(TRAY),
        "search": browser.post(f"{TRAY}/recherche", data={"q": "secretard"}),
        "list": browser.get(f"{TRAY}/attendus?du={day}&au={day}"),
        "export": browser.get(f"{TRAY}/attendus/fichier?du={day}&au={day}"),
        "batch": browser.post(f"{TRAY}/lot", data={"gesture": "validate", "files": str(file.id)}),
    }
    for where, page in pages.items():
        assert page.status_code == 200
        assert "SECRETARD" not in page.text, where
        assert "SACHA" not in page.text, where
    assert file.reference in pages["tray"].text


def test_whoever_has_a_secret_file_in_charge_reads_its_name_on_screen_but_not_on_paper(
    desk: Office, sign_in: SignIn
) -> None:
    file = secret(desk, in_days=1)
    with prepared():
        _set(file, agent_id=desk.clerk.id, agent_name="Clara Clerc")
    assert "SECRETARD" in sign_in(desk.clerk).get(TRAY).text
    assert "SECRETARD" not in sign_in(desk.colleague).get(TRAY).text
    assert "SECRETARD" not in sign_in(desk.clerk).get(f"{TRAY}/attendus").text


@pytest.mark.parametrize(
    ("way", "listed", "named"), [("reference", True, False), ("left_out", False, False), ("named", True, True)]
)
def test_the_hospital_decides_how_secret_stays_are_on_paper(
    desk: Office, sign_in: SignIn, way: str, listed: bool, named: bool
) -> None:
    file = secret(desk, in_days=1)
    with prepared():
        establishments.change_setting(desk.hospital.establishment.id, CONFIDENTIAL, way)
    for path in ("/attendus", "/attendus/fichier"):
        page = sign_in(desk.clerk).get(f"{TRAY}{path}").text
        assert (file.reference in page) is listed
        assert ("SECRETARD" in page) is named


def test_a_file_that_looks_like_a_secret_one_does_not_name_it(desk: Office, sign_in: SignIn) -> None:
    file = secret(desk)
    with prepared():
        twin = people.patient("SECRETARDE", ("SACHA",))
    other = desk.file(patient=twin)
    page = sign_in(desk.clerk).get(address(other)).text
    assert file.reference in page
    assert "SACHA SECRETARD<" not in page


# -- several at once -----------------------------------------------------------------------------------------------


def test_a_batch_takes_gives_and_says_what_became_of_each(desk: Office, sign_in: SignIn) -> None:
    mine, theirs = desk.file(), desk.file("in_review")
    with prepared():
        _set(theirs, agent_id=desk.colleague.id, agent_name="Colin Collègue")
    browser = sign_in(desk.clerk)
    page = browser.post(f"{TRAY}/lot?lang=en", data={"gesture": "take", "files": [str(mine.id), str(theirs.id)]}).text
    assert "Yours now." in page
    assert "Colin Collègue has it" in page
    agents = {each.id: each.agent_id for each in rows(Preadmission)}
    assert agents == {mine.id: desk.clerk.id, theirs.id: desk.colleague.id}


def test_a_batch_accepts_only_files_whose_documents_are_all_judged(desk: Office, sign_in: SignIn) -> None:
    ready, raw = desk.file(), desk.file(there=("identity",))
    with prepared():
        from services.pieces import actions as piece_actions

        for piece in factory.pieces_of(ready).values():
            piece_actions.waive(piece)
    page = sign_in(desk.clerk).post(f"{TRAY}/lot", data={"gesture": "validate", "files": [str(ready.id), str(raw.id)]})
    states = {each.id: each.state for each in rows(Preadmission)}
    assert states == {ready.id: "validated", raw.id: "submitted"}
    assert page.status_code == 200


def test_a_batch_overwrites_nobody(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    old = {"gesture": "take", "files": str(file.id), f"version-{file.id}": "0"}
    with prepared():
        _set(file, version=4)
    sign_in(desk.clerk).post(f"{TRAY}/lot", data=old)
    assert rows(Preadmission)[0].agent_id is None


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"gesture": "erase"}, 400),
        ({"gesture": "take"}, 303),
        ({"gesture": "take", "files": ["x"] * 3}, 303),
        ({"gesture": "assign", "agent": "nobody", "files": ["00000000-0000-4000-8000-000000000001"]}, 200),
    ],
)
def test_a_strange_batch_does_nothing(desk: Office, sign_in: SignIn, data: dict[str, object], status: int) -> None:
    assert sign_in(desk.clerk).post(f"{TRAY}/lot", data=data).status_code == status
    assert count(Preadmission) == 0


def test_another_hospitals_files_slip_into_no_batch(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    sign_in(desk.stranger).post(f"{TRAY}/lot", data={"gesture": "take", "files": str(file.id)})
    assert rows(Preadmission)[0].agent_id is None


def test_no_file_is_given_to_an_agent_of_another_hospital(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    with prepared():
        people.grant(desk.clerk, desk.elsewhere.establishment.id, "preadmission")
        theirs = factory.preadmission(desk.patient, desk.elsewhere.unit, "in_review")
        theirs.agent_id, theirs.agent_name = desk.stranger.id, "Sven Voisin"
    data = {"gesture": "assign", "agent": str(desk.stranger.id), "files": str(file.id)}
    assert sign_in(desk.clerk).post(f"{TRAY}/lot", data=data).status_code == 200
    with prepared():
        assert db.session.get_one(Preadmission, file.id).agent_id is None


# -- the next one --------------------------------------------------------------------------------------------------


def test_next_goes_through_the_tray_and_leaves_colleagues_alone(desk: Office, sign_in: SignIn) -> None:
    first, second, third = (desk.file(in_days=days) for days in (5, 6, 7))
    sign_in(desk.colleague).get(address(second))
    browser = sign_in(desk.clerk)
    assert browser.post(f"{TRAY}/suivant").location == address(first)
    assert browser.post(f"{TRAY}/suivant", data={"depuis": str(first.id)}).location == address(third)
    assert browser.post(f"{TRAY}/suivant", data={"depuis": str(third.id)}).location == address(first)


def test_next_says_when_nothing_is_left(desk: Office, sign_in: SignIn) -> None:
    assert sign_in(desk.clerk).post(f"{TRAY}/suivant").location == TRAY


def test_opening_a_file_shows_it_to_colleagues_and_is_written_down(desk: Office, sign_in: SignIn) -> None:
    file = desk.file()
    sign_in(desk.colleague).get(address(file))
    assert "preadmission.opened" in audited()
    assert "Colin Collègue" in sign_in(desk.clerk).get(TRAY).text
    page = sign_in(desk.clerk).get(f"{address(file)}?lang=en").text
    assert "Colin Collègue is on this file since" in page
    assert hidden(page, "version") == "0"


def test_names_are_in_no_address_of_the_tray(desk: Office, sign_in: SignIn) -> None:
    desk.file()
    page = sign_in(desk.clerk).get(TRAY).text
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert not [link for link in links if desk.patient.birth_name.lower() in link.lower()]
