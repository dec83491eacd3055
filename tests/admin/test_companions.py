"""The admissions office and signatures; the administrators and the price of a room."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal import db
from portal.audit import AuditEvent
from services.preadmission.companions import actions, queries
from services.preadmission.companions.models import Companion
from services.preadmission.models import Preadmission
from services.preadmission.prices.models import RoomPrice
from tests.factories import companions as factory
from tests.factories import people
from tests.ground import today
from tests.services.preadmission.conftest import Ground, _ground, ground  # noqa: F401 - fixtures
from tests.services.preadmission.filling import once


@pytest.fixture
def near(ground: Ground):  # noqa: F811 - a fixture
    with db.transaction(db.system("tests")):
        family = factory.family(ground.hospital.establishment.id)
        return family, factory.childs_file(family, ground.hospital.unit, planned_on=today() + timedelta(days=5))


def second_of(file) -> Companion:
    with db.transaction(db.system("tests")):
        return queries.standing_one(file.id, "holder", 2)


def test_a_child_who_is_not_ready_a_week_before_is_on_the_list_until_both_have_signed(ground, near, sign_in) -> None:  # noqa: F811 - a fixture
    family, file = near
    browser = sign_in(ground.clerk)
    assert "LÉO AUBRAC" in browser.get("/admin/signatures?lang=en").text
    with db.transaction(db.system("tests")):
        for rank, account in ((1, family.mother), (2, family.father)):
            factory.signed(queries.standing_one(file.id, "holder", rank), account)
    assert "LÉO AUBRAC" not in browser.get("/admin/signatures?lang=en").text


def test_the_list_does_not_name_whoever_asked_that_nobody_be_told(ground, near, sign_in) -> None:  # noqa: F811 - a fixture
    _family, file = near
    with db.transaction(db.system("tests")) as current:
        current.get_one(Preadmission, file.id).confidential = True
    page = sign_in(ground.clerk).get("/admin/signatures?lang=en").text
    assert file.reference in page
    assert "AUBRAC" not in page


def test_the_file_says_that_a_signature_is_missing_and_leads_to_it(ground, near, sign_in) -> None:  # noqa: F811 - a fixture
    _family, file = near
    page = sign_in(ground.clerk).get(f"/admin/pre-admissions/{file.id}?lang=en").text
    assert "A signature is missing" in page
    assert f"/admin/signatures/{file.id}" in page


def test_looking_at_signatures_is_written_down(ground, near, sign_in) -> None:  # noqa: F811 - a fixture
    family, file = near
    assert sign_in(ground.clerk).get(f"/admin/signatures/{file.id}").status_code == 200
    with db.transaction(db.system("tests")) as current:
        wanted = select(AuditEvent.action).where(AuditEvent.patient_id == family.child.id)
        assert "companion.looked" in current.scalars(wanted).all()


def test_an_agent_receives_a_sheet_and_does_without_a_signature_for_a_reason(ground, near, sign_in) -> None:  # noqa: F811 - a fixture
    _family, file = near
    browser, second = sign_in(ground.clerk), second_of(file)
    base = f"/admin/signatures/{file.id}/{second.id}"
    assert browser.post(f"{base}/dispenser").status_code == 422, "a reason is needed"
    assert browser.post(f"{base}/dispenser", data={"reason": "Jugement du 3 mars vu"}).status_code == 303
    assert second_of(file).state == "waived"
    with db.transaction(db.system("tests")):
        first = queries.standing_one(file.id, "holder", 1)
    browser.post(f"/admin/signatures/{file.id}/{first.id}/feuille-recue")
    with db.transaction(db.system("tests")):
        assert queries.standing_one(file.id, "holder", 1).state == "signed"
    sheet = browser.get(f"/admin/signatures/{file.id}/{first.id}/signature.pdf")
    assert sheet.data.startswith(b"%PDF-")
    assert browser.get(f"{base}/signature.pdf").status_code == 404


def test_an_identity_is_checked_once(ground, near, sign_in) -> None:  # noqa: F811 - a fixture
    _family, file = near
    with db.transaction(db.system("tests")) as current:
        second = queries.standing_one(file.id, "holder", 2)
        actions.invite(second)
        second.account_id = ground.other_account.id
        actions.traces.move(second, "to_check")
        current.flush()
    browser, base = sign_in(ground.clerk), f"/admin/signatures/{file.id}/{second.id}"
    assert "Identity to check" in browser.get(f"/admin/signatures/{file.id}?lang=en").text
    browser.post(f"{base}/identite")
    assert second_of(file).state == "opened"
    browser.post(f"{base}/autre-personne")
    assert second_of(file).state == "opened", "what was decided is not decided again"


def test_pages_take_few_statements(ground, near, sign_in, statements) -> None:  # noqa: F811 - a fixture
    _family, file = near
    browser = sign_in(ground.clerk)
    browser.get("/admin/signatures")
    for url in ("/admin/signatures", f"/admin/signatures/{file.id}"):
        with statements() as seen:
            assert browser.get(url).status_code == 200
        assert len(seen) <= 12, (url, seen)


# -- prices --------------------------------------------------------------------------------------------------------


def price_form(ground: Ground, browser, **typed: str) -> dict[str, str]:  # noqa: F811 - a fixture
    page = browser.get("/admin/prix-des-chambres")
    day = today() + timedelta(days=30)
    return {"once": once(page.text), "where": str(ground.hospital.establishment.id), "price_cents": "62,50",
            "starts_on-day": str(day.day), "starts_on-month": str(day.month), "starts_on-year": str(day.year),
            **typed}  # fmt: skip


def test_an_administrator_sets_a_price_and_takes_it_back_before_it_begins(ground, sign_in) -> None:  # noqa: F811 - a fixture
    with db.transaction(db.system("tests")):
        boss = people.agent(ground.hospital.establishment.id, "administration")
    browser = sign_in(boss)
    assert browser.post("/admin/prix-des-chambres", data=price_form(ground, browser)).status_code == 303
    with db.transaction(db.system("tests")) as current:
        made = current.scalars(select(RoomPrice)).one()
    assert (made.price_cents, made.unit_id, made.created_by_name) == (6250, None, boss.name)
    assert "62,50" in browser.get("/admin/prix-des-chambres?lang=fr").text
    browser.post(f"/admin/prix-des-chambres/{made.id}/retirer")
    with db.transaction(db.system("tests")) as current:
        assert current.scalars(select(RoomPrice)).all() == []


@pytest.mark.parametrize(
    "typed", [{"price_cents": "cher"}, {"price_cents": "-3"}, {"where": "x"}, {"starts_on-day": "40"}]
)
def test_a_price_that_is_none_is_refused_in_words(ground, sign_in, typed) -> None:  # noqa: F811 - a fixture
    with db.transaction(db.system("tests")):
        boss = people.agent(ground.hospital.establishment.id, "administration")
    browser = sign_in(boss)
    assert browser.post("/admin/prix-des-chambres", data=price_form(ground, browser, **typed)).status_code == 422


def test_a_price_that_applies_stays_and_another_hospitals_is_not_found(ground, sign_in) -> None:  # noqa: F811 - a fixture
    with db.transaction(db.system("tests")) as current:
        here = ground.hospital.establishment.id
        boss = people.agent(here, "administration")
        stranger = people.agent(ground.other_hospital.establishment.id, "administration")
        current.add(RoomPrice(establishment_id=here, price_cents=5000, starts_on=today() - timedelta(days=1)))
        current.flush()
        price_id = current.scalar(select(RoomPrice.id))
    assert sign_in(boss).post(f"/admin/prix-des-chambres/{price_id}/retirer").status_code == 303
    assert sign_in(stranger).post(f"/admin/prix-des-chambres/{price_id}/retirer").status_code == 404
    assert sign_in(ground.clerk).get("/admin/prix-des-chambres").status_code == 403
    with db.transaction(db.system("tests")) as current:
        assert current.get(RoomPrice, price_id) is not None
