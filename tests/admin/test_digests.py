"""What waits, by unit, for each agent; and the shared addresses that administrators enter."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.agents.models import StaffUnit
from auth.digests.models import DigestAddress
from portal import db
from portal.db import RIGHTS
from services.documents.exchanges.models import Exchange
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows

SignIn = Callable[[object], FlaskClient]
PAGE, ADDRESSES = "/admin/en-attente", "/admin/recapitulatif"


@pytest.fixture
def here(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital()


def thread(place: Hospital, unit: object = None) -> None:
    with prepared():
        doctor = people.professional(f"1{uuid4().int % 10**10:010}")
        db.session.add(
            Exchange(
                id=uuid4(), reference=uuid4().hex[:10], establishment_id=place.establishment.id,
                unit_id=unit or place.unit.id, professional_id=doctor.id, subject="Avis", state="received",
            )
        )  # fmt: skip


def agent(place: Hospital, sign_in: SignIn, *rights: str) -> FlaskClient:
    with prepared():
        made = people.agent(place.establishment.id, *rights)
    return sign_in(made)


def test_an_agent_sees_how_much_waits_and_where_it_is(here: Hospital, sign_in: SignIn) -> None:
    thread(here)
    thread(here)
    page = agent(here, sign_in, "documents").get(PAGE).text
    assert "Cardiologie" in page
    assert "Messages to answer" in page
    assert "/admin/documents/echanges" in page


@pytest.mark.parametrize("right", [right for right in RIGHTS if right not in ("documents", "audit")])
def test_an_agent_sees_nothing_of_what_their_rights_do_not_open(here: Hospital, sign_in: SignIn, right: str) -> None:
    thread(here)
    assert "Messages to answer" not in agent(here, sign_in, right).get(PAGE).text


def test_an_agent_sees_nothing_of_another_hospital(here: Hospital, sign_in: SignIn) -> None:
    thread(here)
    with prepared():
        far = hospitals.hospital("990000025", "Ailleurs")
    assert "Nothing waits" in agent(far, sign_in, "documents").get(PAGE).text


def test_an_agent_of_a_unit_sees_it_first_and_may_see_the_others(here: Hospital, sign_in: SignIn) -> None:
    with prepared():
        second = hospitals.unit(here.establishment, here.site, "1002", "Oncologie")
        own = people.agent(here.establishment.id, "documents")
        db.session.add(StaffUnit(account_id=own.id, unit_id=second.id, establishment_id=here.establishment.id))
    thread(here)
    thread(here, second.id)
    browser = sign_in(own)
    page = browser.get(PAGE).text
    assert "Oncologie" in page
    assert "Cardiologie" not in page
    assert "See 1 other unit too" in page
    assert "Cardiologie" in browser.get(f"{PAGE}?tout=1").text


def test_the_page_costs_few_statements(here: Hospital, sign_in: SignIn, statements: Callable[[], Any]) -> None:
    for _each in range(3):
        thread(here)
    browser = agent(here, sign_in, *RIGHTS)
    with statements() as seen:
        browser.get(PAGE)
    assert len(seen) <= 8


def test_patients_and_practitioners_are_sent_away(here: Hospital, sign_in: SignIn) -> None:
    with prepared():
        doctor, (patient, _person) = people.professional(), people.patient_with_account()
    assert sign_in(doctor.account_id).get(PAGE).status_code == 403
    assert sign_in(patient).get(PAGE).status_code == 403


# -- shared addresses ----------------------------------------------------------------------------------------------


def _asked(place: Hospital, unit: bool = True, address: str = "unite@exemple.test") -> dict[str, str]:
    chosen = f"{place.establishment.id} {place.unit.id}" if unit else str(place.establishment.id)
    return {"place": chosen, "address": address, "once": str(uuid4())}


def test_an_administrator_enters_and_stops_a_shared_address(here: Hospital, sign_in: SignIn) -> None:
    browser = agent(here, sign_in, "administration")
    assert "No shared address" in browser.get(ADDRESSES).text
    assert browser.post(ADDRESSES, data=_asked(here)).status_code == 303
    assert browser.post(ADDRESSES, data=_asked(here, unit=False)).status_code == 303
    page = browser.get(ADDRESSES).text
    assert "unite@exemple.test" in page
    assert "The whole hospital" in page
    made = next(each for each in rows(DigestAddress) if each.unit_id)
    assert browser.post(f"{ADDRESSES}/{made.id}/arreter").status_code == 303
    assert len([each for each in rows(DigestAddress) if each.stopped_at]) == 1
    assert {"digest_address.added", "digest_address.stopped"} <= set(audited())


def test_the_same_address_is_entered_once_and_may_come_back(here: Hospital, sign_in: SignIn) -> None:
    browser = agent(here, sign_in, "administration")
    browser.post(ADDRESSES, data=_asked(here))
    again = browser.post(ADDRESSES, data=_asked(here, address="UNITE@exemple.test"))
    assert again.status_code == 422
    assert "told of this already" in again.text
    browser.post(f"{ADDRESSES}/{rows(DigestAddress)[0].id}/arreter")
    assert browser.post(ADDRESSES, data=_asked(here)).status_code == 303


def test_a_double_click_enters_it_once(here: Hospital, sign_in: SignIn) -> None:
    browser, asked = agent(here, sign_in, "administration"), _asked(here)
    assert [browser.post(ADDRESSES, data=asked).status_code for _each in range(2)] == [303, 303]
    assert count(DigestAddress) == 1


@pytest.mark.parametrize(
    "wrong", [{"address": "no address"}, {"address": ""}, {"place": ""}, {"place": "x y"},
              {"address": "a@exemple.test, b@exemple.test"}]
)  # fmt: skip
def test_what_makes_no_sense_is_refused(here: Hospital, sign_in: SignIn, wrong: dict[str, str]) -> None:
    browser = agent(here, sign_in, "administration")
    assert browser.post(ADDRESSES, data=_asked(here) | wrong).status_code == 422
    assert count(DigestAddress) == 0


def test_another_hospital_s_places_and_addresses_are_out_of_reach(here: Hospital, sign_in: SignIn) -> None:
    with prepared():
        far = hospitals.hospital("990000025", "Ailleurs")
    stranger = agent(far, sign_in, "administration")
    assert stranger.post(ADDRESSES, data=_asked(here)).status_code == 422
    mixed = f"{far.establishment.id} {here.unit.id}"
    assert stranger.post(ADDRESSES, data=_asked(far) | {"place": mixed}).status_code == 422
    agent(here, sign_in, "administration").post(ADDRESSES, data=_asked(here))
    made = rows(DigestAddress)[0]
    assert stranger.post(f"{ADDRESSES}/{made.id}/arreter").status_code == 404
    assert "unite@exemple.test" not in stranger.get(ADDRESSES).text


@pytest.mark.parametrize("right", [right for right in RIGHTS if right != "administration"])
def test_other_rights_do_not_enter_addresses(here: Hospital, sign_in: SignIn, right: str) -> None:
    browser = agent(here, sign_in, right)
    assert browser.get(ADDRESSES).status_code == 403
    assert browser.post(ADDRESSES, data=_asked(here)).status_code == 403
