"""The screens of a hospital's own sign-in: for whoever administers that hospital, and for nobody else's eyes."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.demo_idp.server import RunningIdp, start_in_thread
from auth.hospital_providers.models import HospitalProvider
from auth.models import Account
from tests.admin.conftest import Group
from tests.factories.hospital_providers import draft, hospital_provider
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
PAGES = "/admin/connexion-etablissement"
NORTH, SOUTH = f"{PAGES}/990000017", f"{PAGES}/990000025"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningIdp]:
    idp = start_in_thread()
    yield idp
    idp.stop()


@pytest.fixture
def idp(running: RunningIdp) -> Iterator[RunningIdp]:
    yield running
    running.faults.clear()


@pytest.fixture
def connected(group: Group, idp: RunningIdp) -> None:
    with prepared():
        hospital_provider(group.north.id, idp)


def typed(idp: RunningIdp, **changes: str) -> dict[str, str]:
    """What an administrator types."""
    wanted = draft(idp)
    names = ("label", "issuer", "discovery_url", "client_id", "client_secret", "proof_claim", "signing_alg", "scopes")
    return {name: getattr(wanted, name) for name in names} | {"proof_values": "2"} | changes


class TestSettingItUp:
    def test_is_offered_for_each_of_my_hospitals(self, group: Group, sign_in: SignIn) -> None:
        page = sign_in(group.administrator).get(PAGES).text
        assert "Hôpital du Nord" in page
        assert "Hôpital du Sud" not in page
        assert sign_in(group.director).get(PAGES).text.count("<section") == 2

    def test_says_what_to_declare_at_the_provider(self, group: Group, sign_in: SignIn) -> None:
        page = sign_in(group.administrator).get(NORTH).text
        assert "http://127.0.0.1/auth/hospital/990000017/callback" in page
        assert "http://127.0.0.1/auth/hospital/990000017/logout-callback" in page

    def test_is_saved_and_shown_without_its_secret(self, group: Group, sign_in: SignIn, idp: RunningIdp) -> None:
        browser = sign_in(group.administrator)
        answer = browser.post(NORTH, data=typed(idp))
        assert (answer.status_code, answer.headers["Location"]) == (303, PAGES)
        for page in (PAGES, NORTH):
            text = browser.get(page).text
            assert "Mon compte hospitalier" in text
            assert idp.config.client_secret not in text
        assert 'value="2"' in browser.get(NORTH).text
        assert audited()[-1] == "hospital_provider.changed"

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"issuer": "nowhere"}, "https://"),
            ({"issuer": ""}, "issuer"),
            ({"client_secret": ""}, "secret"),
            ({"proof_values": ""}, "two factors"),
            ({"label": "x" * 61}, "Sixty"),
            ({"proof_claim": "sub"}, "proof_claim"),
            ({"signing_alg": "HS256"}, "signing_alg"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(
        self, group: Group, sign_in: SignIn, idp: RunningIdp, changes: dict[str, str], words: str
    ) -> None:
        answer = sign_in(group.administrator).post(f"{NORTH}?lang=en", data=typed(idp, **changes))
        assert answer.status_code == 422
        assert words in answer.text
        assert count(HospitalProvider) == 0

    def test_keeps_the_secret_that_is_known(
        self, group: Group, sign_in: SignIn, idp: RunningIdp, connected: None
    ) -> None:
        (before,) = rows(HospitalProvider)
        answer = sign_in(group.administrator).post(NORTH, data=typed(idp, client_secret="", label="Autre"))
        (after,) = rows(HospitalProvider)
        assert answer.status_code == 303
        assert (after.label, after.sealed_secret) == ("Autre", before.sealed_secret)


class TestTryingIt:
    def test_says_that_all_is_well(self, group: Group, sign_in: SignIn, connected: None) -> None:
        page = sign_in(group.administrator).post(f"{NORTH}/essai?lang=en").text
        assert "answers as it is set up here" in page
        assert page.count("Good") == 3

    def test_says_what_is_not(self, group: Group, sign_in: SignIn, idp: RunningIdp, connected: None) -> None:
        idp.faults.switch_on("hospital", "jwks_no_keys")
        page = sign_in(group.administrator).post(f"{NORTH}/essai?lang=en").text
        assert "Something must be corrected" in page
        assert "no usable RS256 key" in page

    def test_survives_a_provider_that_is_away(
        self, group: Group, sign_in: SignIn, idp: RunningIdp, connected: None
    ) -> None:
        idp.faults.switch_on("hospital", "discovery_down")
        answer = sign_in(group.administrator).post(f"{NORTH}/essai?lang=en")
        assert (answer.status_code, "provider unavailable" in answer.text) == (200, True)

    def test_waits_for_a_post(self, group: Group, sign_in: SignIn, connected: None) -> None:
        assert sign_in(group.administrator).get(f"{NORTH}/essai").status_code == 405


class TestTakingItAway:
    def test_asks_first_then_does(self, group: Group, sign_in: SignIn, connected: None) -> None:
        browser = sign_in(group.administrator)
        assert browser.get(f"{NORTH}/retirer").status_code == 200
        assert count(HospitalProvider) == 1
        assert browser.post(f"{NORTH}/retirer").headers["Location"] == PAGES
        assert count(HospitalProvider) == 0
        assert browser.post(f"{NORTH}/retirer").status_code == 404


class TestNobodyElse:
    @pytest.mark.parametrize("who", ["auditor", "clerk"])
    def test_comes_in(self, group: Group, sign_in: SignIn, connected: None, who: str) -> None:
        browser = sign_in(getattr(group, who))
        for path in (PAGES, NORTH, f"{NORTH}/retirer"):
            assert browser.get(path).status_code == 403
        assert browser.post(f"{NORTH}/essai").status_code == 403

    def test_reaches_another_hospital_s(self, group: Group, sign_in: SignIn, idp: RunningIdp) -> None:
        with prepared():
            hospital_provider(group.south.id, idp)
        browser = sign_in(group.administrator)
        assert browser.get(SOUTH).status_code == 404
        assert browser.post(SOUTH, data=typed(idp, label="mine")).status_code == 404
        assert browser.post(f"{SOUTH}/essai").status_code == 404
        assert browser.post(f"{SOUTH}/retirer").status_code == 404
        assert rows(HospitalProvider)[0].label == "Mon compte hospitalier"


def test_the_pages_take_few_statements(app: Flask, group: Group, sign_in: SignIn, connected: None) -> None:
    browser = sign_in(group.director)
    for page in (PAGES, NORTH, f"{NORTH}/retirer"):
        with executed(app) as statements:
            browser.get(page)
        assert len(statements) <= 12, page
