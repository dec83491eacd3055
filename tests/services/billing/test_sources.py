"""Bill sources: described by the back-office, with the rules of their kind, tried, closed and never deleted."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from portal import db, establishments
from portal.config import Settings
from portal.db import ANONYMOUS
from portal.gateways.payments.payfip_twin import RunningTwin
from services.billing.sources import actions, queries
from services.billing.sources.actions import Draft, SourceUnfit
from services.billing.sources.models import BillSource
from tests.factories import hospitals, people
from tests.factories.billing import source
from tests.ground import audited, prepared, rows
from tests.services.billing.conftest import Ground, SignIn, leave_to_pay
from tests.statements import executed

PAGE = "/admin/factures/sources"
TYPED = {
    "code": "CONSULT", "kind": "regie", "name": "Régie des consultations", "means": "payfip", "numcli": "090909",
    "saisie": "T", "access": "key", "reminds": "y", "contact_name": "Bureau des factures",
}  # fmt: skip


@pytest.fixture
def desk(sign_in: SignIn, ground: Ground) -> FlaskClient:
    with prepared():
        agent = people.agent(ground.hospital.establishment.id, "billing")
        agent.locale = "en"  # the pages in the language of their sources
    return sign_in(agent)


@pytest.fixture
def neighbour(app: Flask) -> Account:
    with prepared():
        elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
        return people.agent(elsewhere.establishment.id, "billing")


def one(ground: Ground, **facts: Any) -> UUID:
    with prepared():
        return source(ground.hospital.establishment, **{"name": "Régie regie", **facts}).id


def draft(**facts: Any) -> Draft:
    return Draft(**{"code": "A", "kind": "regie", "name": "A", "numcli": "090909", "saisie": "T", **facts})


# -- described ---------------------------------------------------------------------------------------------------


def test_a_source_is_described_and_bills_follow_it(desk: FlaskClient, ground: Ground) -> None:
    assert desk.post(f"{PAGE}/nouvelle", data=TYPED).status_code == 303
    with prepared():
        found = queries.source_of(ground.hospital.establishment.id, "regie", "CONSULT")
        assert (found.name, found.numcli, found.saisie, found.means, found.reminds) == (
            "Régie des consultations", "090909", "T", ["payfip"], True,
        )  # fmt: skip
    assert "Régie des consultations" in desk.get(PAGE).text
    assert "bill_source.changed" in audited()


def test_a_hospital_without_any_source_shows_what_its_settings_say(desk: FlaskClient, ground: Ground) -> None:
    page = desk.get(PAGE).text
    assert "090909" in page
    assert f"{PAGE}/nouvelle?kind=regie" in page


@pytest.mark.parametrize(
    "changed",
    [
        {"code": ""}, {"code": "a b"}, {"code": "x" * 41}, {"code": "../x"}, {"name": ""}, {"kind": "other"},
        {"numcli": "12345"}, {"numcli": "１２３４５６"}, {"saisie": ""}, {"saisie": "A"}, {"means": "cash"},
        {"access": "anything"}, {"contact_email": "no address"}, {"difficulties": "x" * 2001},
    ],
    ids=lambda changed: next(iter(changed)) + str(len(next(iter(changed.values())))),
)  # fmt: skip
def test_nonsense_is_refused_beside_its_field(desk: FlaskClient, changed: dict[str, str]) -> None:
    answer = desk.post(f"{PAGE}/nouvelle", data=TYPED | changed)
    assert answer.status_code == 422
    assert rows(BillSource) == []


@pytest.mark.parametrize("changed", [{"means": "stripe"}, {"several": "y"}, {"reminds": "y"}], ids=str)
def test_a_titre_knows_neither_stripe_nor_several_bills_nor_reminders(
    desk: FlaskClient, changed: dict[str, str]
) -> None:  # fmt: skip
    typed = TYPED | {"code": "titre", "kind": "titre"}
    typed.pop("reminds")
    assert desk.post(f"{PAGE}/nouvelle", data=typed | changed).status_code == 422
    assert desk.post(f"{PAGE}/nouvelle", data=typed).status_code == 303


def test_two_sources_of_a_hospital_have_two_codes(desk: FlaskClient, ground: Ground) -> None:
    one(ground, code="CONSULT")
    assert desk.post(f"{PAGE}/nouvelle", data=TYPED).status_code == 422
    assert len(rows(BillSource)) == 1


def test_a_source_in_test_mode_is_refused_in_production(app: Flask, ground: Ground, production: None) -> None:
    with prepared(), pytest.raises(SourceUnfit) as refused:
        actions.describe(ground.hospital.establishment.id, draft(saisie="T"))
    assert refused.value.reason == "test_mode"
    with prepared():
        actions.describe(ground.hospital.establishment.id, draft(saisie="W"))


@pytest.fixture
def production(settings: Settings) -> Any:
    queries.configure(settings.model_copy(update={"env": "production"}))
    yield
    queries.configure(settings)


def test_a_test_source_says_so_where_it_is_shown(desk: FlaskClient, ground: Ground) -> None:
    source_id = one(ground)
    assert "test mode" in desk.get(PAGE).text
    assert "test mode" in desk.get(f"{PAGE}/{source_id}").text


# -- changed, closed, reopened -----------------------------------------------------------------------------------


def test_its_code_and_kind_never_change(desk: FlaskClient, ground: Ground) -> None:
    source_id = one(ground)
    assert desk.post(f"{PAGE}/{source_id}", data=TYPED | {"kind": "titre", "name": "Autre"}).status_code == 303
    [found] = rows(BillSource)
    assert (found.code, found.kind, found.name) == ("regie", "regie", "Autre")


def test_a_closed_source_takes_no_payment_and_is_never_deleted(
    desk: FlaskClient, sign_in: SignIn, ground: Ground
) -> None:
    source_id, payer = one(ground), sign_in(ground.account)
    assert desk.post(f"{PAGE}/{source_id}/fermer").status_code == 303
    assert leave_to_pay(payer, ground).location == ground.page
    assert [found.is_active for found in rows(BillSource)] == [False]
    assert desk.post(f"{PAGE}/{source_id}/rouvrir").status_code == 303
    assert "idop=" in leave_to_pay(payer, ground).location


def test_what_is_saved_unchanged_leaves_no_line(desk: FlaskClient, ground: Ground) -> None:
    source_id = one(ground, name="Régie", contact_name="")
    before = audited().count("bill_source.changed")
    same = {"name": "Régie", "means": "payfip", "numcli": "090909", "saisie": "T", "access": "key"}
    assert desk.post(f"{PAGE}/{source_id}", data=same).status_code == 303
    assert audited().count("bill_source.changed") == before


# -- tried -------------------------------------------------------------------------------------------------------


def test_trying_a_counter_shows_the_name_that_payfip_knows(
    desk: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    page = desk.post(f"{PAGE}/{one(ground)}/essai/payfip")
    assert page.status_code == 200
    assert "The connection works" in page.text
    assert "bill_source.tried" in audited()


def test_a_counter_that_payfip_does_not_know_is_told_plainly(
    desk: FlaskClient, ground: Ground, door: RunningTwin
) -> None:
    page = desk.post(f"{PAGE}/{one(ground, numcli='999999')}/essai/payfip")
    assert "The provider refused" in page.text


def test_a_provider_that_does_not_answer_accuses_nobody(
    desk: FlaskClient, ground: Ground, away: Callable[[], None]
) -> None:
    away()
    page = desk.post(f"{PAGE}/{one(ground)}/essai/payfip")
    assert page.status_code == 200
    assert "Nobody answered" in page.text


@pytest.fixture
def away(door: RunningTwin) -> Callable[[], None]:
    return door.stop


def test_stripe_without_a_key_says_who_types_it(desk: FlaskClient, ground: Ground) -> None:
    page = desk.post(f"{PAGE}/{one(ground, means=['payfip', 'stripe'])}/essai/stripe")
    assert "No key opens this account" in page.text


# -- whose -------------------------------------------------------------------------------------------------------


def test_another_hospital_s_source_does_not_exist(sign_in: SignIn, ground: Ground, neighbour: Account) -> None:
    source_id, browser = one(ground), sign_in(neighbour)
    assert "Régie regie" not in browser.get(PAGE).text
    assert browser.get(f"{PAGE}/{source_id}").status_code == 404
    assert browser.post(f"{PAGE}/{source_id}", data=TYPED).status_code == 404
    for way in ("fermer", "rouvrir", "essai/payfip"):
        assert browser.post(f"{PAGE}/{source_id}/{way}").status_code == 404


def test_only_the_hospital_s_own_billing_agents_write_its_sources(ground: Ground, neighbour: Account) -> None:
    place = ground.hospital.establishment
    source_id = one(ground)
    with prepared():
        elsewhere = establishments.by_finess("990000025").id
        clerk = people.agent(place.id, "preadmission")
    for actor in (
        ANONYMOUS, people.as_agent(neighbour, elsewhere, "billing"), people.as_agent(clerk, place.id, "preadmission"),
        people.as_patient(ground.account, ground.patient),
    ):  # fmt: skip
        with db.transaction(actor) as current:
            found = current.get_one(BillSource, source_id)  # what payers read is no secret
            found.name = "Détourné"
            with pytest.raises(Exception, match=r"row-level|expected to update|0 were matched"):
                current.flush()
            current.rollback()
    assert rows(BillSource)[0].name == "Régie regie"


def test_pages_keep_to_twelve_statements(app: Flask, desk: FlaskClient, ground: Ground) -> None:
    for number in range(6):
        source_id = one(ground, code=f"S{number}")
    for path in (PAGE, f"{PAGE}/nouvelle", f"{PAGE}/{source_id}"):
        with executed(app) as seen:
            assert desk.get(path).status_code == 200
        assert len(seen) <= 12, f"{path}: {len(seen)}"
