"""Stripe at a hospital: closed until its administrator opens it, with the accountant’s agreement; keys are sealed."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from portal import db, establishments
from portal.db import session
from services.billing.sources import queries, settings
from services.billing.sources.settings import NonsenseSetting
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.ground import audited, prepared
from tests.services.billing.conftest import Ground, SignIn

PAGE = "/admin/stripe"
MINE = f"{PAGE}/990000017"
KEY, SECRET = "rk_test_0123456789abcdef", "whsec_0123456789abcdef"
TYPED = {
    "enabled": "y", "agreed": "y", "accountant": "Mme Martine Comptable", "agreed_on-day": "3", "agreed_on-month": "11",
    "agreed_on-year": "2026", "api_key": KEY, "webhook_secrets": SECRET,
}  # fmt: skip


@pytest.fixture
def desk(sign_in: SignIn, ground: Ground) -> FlaskClient:
    with prepared():
        administrator = people.agent(ground.hospital.establishment.id, "administration")
    return sign_in(administrator)


def is_open(ground: Ground) -> bool:
    with prepared():
        return queries.stripe_open_at(ground.hospital.establishment.id)


def test_is_closed_unless_somebody_opened_it(desk: FlaskClient, ground: Ground) -> None:
    assert not is_open(ground)
    assert "Closed" in desk.get(PAGE).text


def test_is_opened_with_the_accountant_s_name_and_date_which_are_kept(desk: FlaskClient, ground: Ground) -> None:
    assert desk.post(MINE, data=TYPED).status_code == 303
    assert is_open(ground)
    page = desk.get(MINE).text
    assert "Mme Martine Comptable" in page
    assert 'value="2026"' in page
    assert "stripe.changed" in audited()


@pytest.mark.parametrize("missing", ["agreed", "accountant", "agreed_on-day", "api_key", "webhook_secrets"])
def test_is_not_opened_without(desk: FlaskClient, ground: Ground, missing: str) -> None:
    typed = {name: value for name, value in TYPED.items() if name != missing}
    assert desk.post(MINE, data=typed).status_code == 422
    assert not is_open(ground)


@pytest.mark.parametrize(
    "changed",
    [{"api_key": "pk_test_0123456789"}, {"api_key": "secret"}, {"webhook_secrets": "secret"},
     {"webhook_secrets": ",".join([SECRET] * 6)}, {"agreed_on-month": "13"}],
    ids=["publishable", "no key", "no secret", "six secrets", "no day"],
)  # fmt: skip
def test_is_not_opened_with_nonsense(desk: FlaskClient, ground: Ground, changed: dict[str, str]) -> None:
    assert desk.post(MINE, data=TYPED | changed).status_code == 422
    assert not is_open(ground)


def test_its_keys_are_sealed_and_never_shown_again(desk: FlaskClient, ground: Ground) -> None:
    assert KEY not in desk.post(MINE, data=TYPED | {"accountant": ""}).text
    desk.post(MINE, data=TYPED)
    for page in (desk.get(MINE).text, desk.get(PAGE).text):
        assert KEY not in page
        assert SECRET not in page
    with prepared():
        written = session.scalars(text("select value from establishment_setting where secret")).all()
        assert len(written) == 2
        assert all(KEY not in value and SECRET not in value for value in written)
        assert establishments.setting(ground.hospital.establishment.id, settings.KEY) == KEY


def test_what_is_left_empty_keeps_the_keys_that_are_known(desk: FlaskClient, ground: Ground) -> None:
    desk.post(MINE, data=TYPED)
    assert desk.post(MINE, data=TYPED | {"api_key": "", "webhook_secrets": ""}).status_code == 303
    with prepared():
        assert establishments.setting(ground.hospital.establishment.id, settings.KEY) == KEY


def test_is_closed_again_without_losing_its_keys(desk: FlaskClient, ground: Ground) -> None:
    desk.post(MINE, data=TYPED)
    assert desk.post(MINE, data={}).status_code == 303
    assert not is_open(ground)


def test_the_address_to_declare_at_stripe_is_there_to_copy(desk: FlaskClient) -> None:
    assert "/callbacks/stripe" in desk.get(MINE).text


def test_belongs_to_the_administrators_of_that_hospital(sign_in: SignIn, ground: Ground) -> None:
    with prepared():
        elsewhere = hospitals.hospital("990000025", "Hôpital d’à côté")
        neighbour = people.agent(elsewhere.establishment.id, "administration")
        biller = people.agent(ground.hospital.establishment.id, "billing")
    assert sign_in(neighbour).get(MINE).status_code == 404
    assert sign_in(neighbour).post(MINE, data=TYPED).status_code == 404
    assert sign_in(neighbour).post(f"{MINE}/essai").status_code == 404
    assert sign_in(biller).get(MINE).status_code == 403


@pytest.mark.parametrize(
    ("key", "value"),
    [("stripe_enabled", "oui"), ("stripe_api_key", "pk_live_0123456789"), ("stripe_webhook_secrets", "x"),
     ("stripe_agreed_on", "hier"), ("payfip_numcli", "9090"), ("payfip_saisie", "M")],
)  # fmt: skip
def test_a_nonsense_setting_is_refused_whoever_writes_it(app: Flask, key: str, value: str) -> None:
    with prepared():
        place = hospitals.hospital().establishment
        with pytest.raises(NonsenseSetting) as refused:
            establishments.change_setting(place.id, key, value)
    assert value not in str(refused.value)


def test_a_secret_setting_is_kept_from_billing_agents(ground: Ground, desk: FlaskClient) -> None:
    desk.post(MINE, data=TYPED)
    place = ground.hospital.establishment.id
    with prepared():
        biller = people.agent(place, "billing")
    with db.transaction(people.as_agent(biller, place, "billing")):
        assert establishments.setting(place, settings.KEY) == ""
        assert establishments.setting(place, settings.ENABLED) == "yes"
