"""A hospital's own provider lets in the agents it was set up for, and opens nothing that other hospitals gave."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text

from auth import hospital_providers
from auth.agents import actions as agents
from auth.agents.actions import Draft as Invitation
from auth.demo_idp.server import RunningIdp
from auth.hospital_providers import actions, doors
from auth.hospital_providers.actions import ProviderUnsafe, UnknownProvider
from auth.hospital_providers.models import HospitalProvider
from auth.models import Account, Identity, StaffRight, WebSession
from portal import db
from portal.config import Settings
from portal.db import ANONYMOUS, RIGHTS
from tests.auth.trip import Trip
from tests.conftest import Database
from tests.factories import people
from tests.factories.hospital_providers import draft, hospital_provider
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows

Trips = Callable[..., Trip]
NORTH, SOUTH = "hospital/990000017", "hospital/990000025"


def invited(hospital: Hospital, *rights: str, email: str = "hugo.delsarte@hopital.exemple.test") -> str:
    with prepared():
        return agents.invite(Invitation(email, rights or ("billing",), hospital.establishment.id, "hospital"))


class TestItsDoor:
    def test_has_its_button_on_the_staff_s_page_alone(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital
    ) -> None:
        browser = trip().browser
        page = browser.get("/admin/connexion").text
        assert 'href="/auth/hospital/990000017/start"' in page
        assert "Mon compte hospitalier" in page
        for other in ("/connexion", "/pro/connexion"):
            assert "/auth/hospital/" not in browser.get(other).text

    def test_is_shown_once_for_the_hospitals_that_share_a_provider_and_apart_to_the_invited(
        self, trip: Trips, own_provider: HospitalProvider, south: Hospital, provider: RunningIdp
    ) -> None:
        with prepared():
            hospital_provider(south.establishment.id, provider)
        browser = trip().browser
        page = browser.get("/admin/connexion").text
        assert (page.count("/auth/hospital/"), "Hôpital du sud" in page) == (1, True)
        assert browser.get("/admin/connexion?invitation=abc").text.count("/start?invitation=abc") >= 2

    def test_opens_to_whoever_was_invited_with_it(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital
    ) -> None:
        agent = trip(NORTH)
        answer = agent.sign_in(invitation=invited(north))
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
        (session,), (identity,) = rows(WebSession), rows(Identity)
        assert (session.provider, session.acr, session.amr) == (NORTH, "2", "pwd otp")
        assert identity.issuer == own_provider.issuer
        assert {right.right for right in rows(StaffRight)} == {"billing"}

    def test_opens_the_same_account_the_next_time(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital
    ) -> None:
        trip(NORTH).sign_in(invitation=invited(north))
        assert trip(NORTH).sign_in().status_code == 302
        assert (count(Account), count(WebSession)) == (1, 2)

    def test_is_shut_to_whoever_was_not(self, trip: Trips, own_provider: HospitalProvider, north: Hospital) -> None:
        assert trip(NORTH).sign_in().status_code == 403
        assert (count(Account), count(WebSession)) == (0, 0)

    def test_is_shut_to_an_invitation_of_another_way_in(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital
    ) -> None:
        with prepared():
            email = "hugo.delsarte@hopital.exemple.test"
            token = agents.invite(Invitation(email, ("billing",), north.establishment.id, "proconnect"))
        assert trip(NORTH).sign_in(invitation=token).status_code == 403
        assert count(StaffRight) == 0

    def test_is_shut_to_an_invitation_of_another_hospital(
        self, trip: Trips, own_provider: HospitalProvider, south: Hospital
    ) -> None:
        assert trip(NORTH).sign_in(invitation=invited(south)).status_code == 403
        assert count(StaffRight) == 0

    def test_asks_for_the_second_factor_that_the_hospital_named(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital
    ) -> None:
        token = invited(north, email="joel.vercassin@hopital.exemple.test")
        assert trip(NORTH).sign_in("account-without-mfa", invitation=token).status_code == 400
        assert count(WebSession) == 0

    @pytest.mark.parametrize(("values", "status"), [(("otp",), 302), (("hwk", "otp"), 302), (("mfa", "fido"), 400)])
    def test_reads_it_among_the_methods_too(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital, provider: RunningIdp,
        values: tuple[str, ...], status: int,
    ) -> None:  # fmt: skip
        with prepared():
            hospital_provider(north.establishment.id, provider, proof_claim="amr", proof_values=values)
        assert trip(NORTH).sign_in(invitation=invited(north)).status_code == status

    def test_knows_an_agent_by_the_id_token_when_the_userinfo_says_nothing(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital
    ) -> None:
        """As ADFS does."""
        agent = trip(NORTH)
        agent.idp.faults.switch_on("hospital", "userinfo_missing_claims")
        assert agent.sign_in(invitation=invited(north)).status_code == 302

    def test_leads_back_out_of_the_provider(self, trip: Trips, own_provider: HospitalProvider, north: Hospital) -> None:
        agent = trip(NORTH)
        agent.sign_in(invitation=invited(north))
        page = agent.browser.post("/deconnexion").text
        assert "/hospital/session/end?id_token_hint=" in page
        back = agent.browser.get("/auth/hospital/990000017/logout-callback?state=x")
        assert back.headers["Location"] == "/"

    def test_of_a_hospital_that_has_none_is_a_404(self, trip: Trips, own_provider: HospitalProvider) -> None:
        for page in ("start", "callback?code=x&state=y", "logout-callback"):
            assert trip().browser.get(f"/auth/{SOUTH}/{page}").status_code == 404


class TestItsReach:
    """Whoever runs one hospital's directory can sign in as anybody in it."""

    def agent_of_both(self, trip: Trips, north: Hospital, south: Hospital) -> None:
        trip(NORTH).sign_in(invitation=invited(north))
        with prepared():
            people.grant(db.session.scalars(select(Account)).one(), south.establishment.id, "billing")

    def test_ends_where_another_hospital_has_given_something(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital, south: Hospital
    ) -> None:
        self.agent_of_both(trip, north, south)
        again = trip(NORTH)
        answer = again.browser.get(again.callback(), headers={"Accept-Language": "en"})
        assert answer.status_code == 403
        assert "Sign in another way" in answer.text
        assert count(WebSession) == 1
        assert audited()[-1] == "sign_in.refused"

    def test_goes_as_far_as_the_hospitals_that_chose_the_same_one(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital, south: Hospital, provider: RunningIdp
    ) -> None:
        with prepared():
            hospital_provider(south.establishment.id, provider)
        self.agent_of_both(trip, north, south)
        assert trip(NORTH).sign_in().status_code == 302
        assert trip(SOUTH).sign_in().status_code == 302

    def test_stops_where_the_same_one_must_prove_more(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital, south: Hospital, provider: RunningIdp
    ) -> None:
        """The south takes a password alone of the directory that both share: that opens nothing of the north."""
        with prepared():
            hospital_provider(south.establishment.id, provider, proof_values=("0", "1", "2"))
        token = invited(south, email="joel.vercassin@hopital.exemple.test")
        assert trip(SOUTH).sign_in("account-without-mfa", invitation=token).status_code == 302
        with prepared():
            people.grant(db.session.scalars(select(Account)).one(), north.establishment.id, "documents")
        assert trip(SOUTH).sign_in("account-without-mfa").status_code == 403
        page = trip().browser.get("/admin/connexion").text
        assert page.count("/auth/hospital/") == 2  # the doors that do not ask for the same are not one

    def test_is_refused_before_an_invitation_is_used_up(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital, south: Hospital
    ) -> None:
        self.agent_of_both(trip, north, south)
        token = invited(north, "documents")
        assert trip(NORTH).sign_in(invitation=token).status_code == 403
        assert "documents" not in {right.right for right in rows(StaffRight)}


class TestSettingItUp:
    @pytest.mark.parametrize(
        ("changes", "setting", "reason"),
        [
            ({"issuer": "ftp://ch.test"}, "issuer", "address"),
            ({"issuer": "https://user@ch.test"}, "issuer", "address"),
            ({"issuer": "https://[", "discovery_url": ""}, "issuer", "address"),
            ({"discovery_url": "javascript:alert(1)"}, "discovery_url", "address"),
            ({"client_secret": ""}, "client_secret", "secret"),
            ({"proof_values": ()}, "proof_values", "proof"),
            ({"proof_claim": "sub"}, "proof_values", "proof"),
        ],
    )
    def test_refuses_what_would_let_anyone_in(
        self, provider: RunningIdp, north: Hospital, changes: dict[str, object], setting: str, reason: str
    ) -> None:
        with pytest.raises(ProviderUnsafe) as refused, prepared():
            hospital_provider(north.establishment.id, provider, **changes)
        assert (refused.value.setting, refused.value.reason) == (setting, reason)
        assert count(HospitalProvider) == 0

    @pytest.mark.parametrize(
        ("changes", "setting", "reason"),
        [
            ({"issuer": "http://accounts.ch.example", "discovery_url": ""}, "issuer", "address"),
            ({"issuer": "https://127.0.0.1/a", "discovery_url": ""}, "issuer", "inside"),
            ({"issuer": "https://10.1.2.3/a", "discovery_url": ""}, "issuer", "inside"),
            ({"discovery_url": "https://evil.example/.well-known/openid-configuration"}, "discovery_url", "elsewhere"),
            ({"discovery_url": "https://accounts.ch.example.evil.example/x"}, "discovery_url", "elsewhere"),
            ({"issuer": "https://auth.agentconnect.gouv.fr/api/v2", "discovery_url": ""}, "issuer", "national"),
            ({"issuer": "https://auth.agentconnect.gouv.fr/api/v2/", "discovery_url": ""}, "issuer", "national"),
        ],
    )
    def test_believes_an_issuer_only_where_it_publishes_itself(
        self, settings: Settings, provider: RunningIdp, north: Hospital, changes: dict[str, object], setting: str,
        reason: str,
    ) -> None:  # fmt: skip
        """Else an administrator of one hospital could claim to be ProConnect, with keys of their own."""
        production = settings.model_copy(update={"env": "production", "providers": {
            "proconnect": settings.providers["proconnect"].model_copy(
                update={"issuer": "https://auth.agentconnect.gouv.fr/api/v2"})}})  # fmt: skip
        asked = draft(provider, **{"issuer": "https://accounts.ch.example", "discovery_url": "", **changes})
        with pytest.raises(ProviderUnsafe) as refused, prepared():
            actions.configure(north.establishment.id, asked, production)
        assert (refused.value.setting, refused.value.reason) == (setting, reason)

    @pytest.mark.parametrize("issuer", ["https://login.microsoftonline.com/0d5c/v2.0", "https://adfs.ch.example/adfs"])
    def test_finds_the_usual_address_by_itself(
        self, settings: Settings, north: Hospital, provider: RunningIdp, issuer: str
    ) -> None:
        asked = draft(provider, issuer=issuer, discovery_url="")
        with prepared():
            actions.configure(north.establishment.id, asked, settings.model_copy(update={"env": "production"}))
        assert rows(HospitalProvider)[0].discovery_url == f"{issuer}/.well-known/openid-configuration"

    def test_keeps_the_secret_sealed(
        self, own_provider: HospitalProvider, provider: RunningIdp, database: Database
    ) -> None:
        with psycopg.connect(database.superuser_url) as connection:
            row = connection.execute("select row_to_json(p)::text from hospital_provider p").fetchone()
        assert row is not None
        assert provider.config.client_secret not in row[0]
        assert provider.config.client_secret.encode().hex() not in row[0]

    def test_keeps_the_known_secret_when_none_is_given(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital, provider: RunningIdp
    ) -> None:
        with prepared():
            hospital_provider(north.establishment.id, provider, client_secret="", label="Autre nom")
        assert count(HospitalProvider) == 1
        assert trip(NORTH).sign_in(invitation=invited(north)).status_code == 302

    def test_applies_to_the_next_sign_in(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital, provider: RunningIdp
    ) -> None:
        trip(NORTH).sign_in(invitation=invited(north))
        with prepared():
            hospital_provider(north.establishment.id, provider, proof_values=("3",))
        assert trip(NORTH).sign_in().status_code == 400

    def test_leaves_a_line_without_the_secret(self, own_provider: HospitalProvider) -> None:
        assert audited() == ["hospital_provider.changed"]

    def test_with_a_key_that_is_lost_the_door_is_shut_and_told(
        self, app: Flask, own_provider: HospitalProvider
    ) -> None:
        with prepared():
            db.session.execute(text("update hospital_provider set sealed_secret = '\\x00', changed_at = now()"))
        assert doors.door("990000017") is None
        assert doors.unreadable() == [NORTH]


class TestTakingItAway:
    def test_signs_out_whoever_came_through_it_and_nobody_else(
        self, trip: Trips, own_provider: HospitalProvider, north: Hospital
    ) -> None:
        trip(NORTH).sign_in(invitation=invited(north))
        trip().sign_in("camille")
        with prepared():
            administrator = people.agent(north.establishment.id, "administration")
        with db.transaction(people.as_agent(administrator, north.establishment.id, "administration")):
            actions.remove(north.establishment.id)
        ended = {session.provider: session.ended_at is not None for session in rows(WebSession)}
        assert ended == {NORTH: True, "franceconnect": False}
        assert trip(NORTH).browser.get(f"/auth/{NORTH}/start").status_code == 404

    def test_twice_is_a_fact(self, app: Flask, north: Hospital) -> None:
        with pytest.raises(UnknownProvider), prepared():
            actions.remove(north.establishment.id)


class TestNobodyElse:
    def test_sees_or_changes_a_row(self, app: Flask, own_provider: HospitalProvider, south: Hospital) -> None:
        with prepared():
            account, patient = people.patient_with_account()
            elsewhere = people.agent(south.establishment.id, *RIGHTS)
            clerk = people.agent(own_provider.establishment_id, "billing", "audit", "documents")
        strangers = [
            ANONYMOUS,
            people.as_patient(account, patient),
            people.as_agent(elsewhere, south.establishment.id, *RIGHTS),
            people.as_agent(clerk, own_provider.establishment_id, "billing", "audit", "documents"),
        ]
        for stranger in strangers:
            with db.transaction(stranger):
                assert db.session.scalars(select(HospitalProvider)).all() == []
                assert db.session.execute(text("update hospital_provider set label = 'x'")).rowcount == 0
                assert db.session.execute(text("delete from hospital_provider")).rowcount == 0

    def test_adds_one_to_a_hospital_they_do_not_administer(
        self, app: Flask, north: Hospital, south: Hospital, provider: RunningIdp
    ) -> None:
        with prepared():
            elsewhere = people.agent(south.establishment.id, *RIGHTS)
        with pytest.raises(Exception, match="row-level security"):  # noqa: SIM117
            with db.transaction(people.as_agent(elsewhere, south.establishment.id, *RIGHTS)):
                hospital_provider(north.establishment.id, provider)
        assert count(HospitalProvider) == 0


class TestTheCommand:
    def run(
        self, app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = ""
    ) -> tuple[int, str]:
        monkeypatch.setattr("portal.config.load", lambda: settings)
        (group,) = hospital_providers.for_operators()
        answer = CliRunner().invoke(group, ["provider", *words], obj=lambda _settings: app, input=typed)
        return answer.exit_code, answer.output

    def test_sets_shows_and_removes(
        self, app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, north: Hospital, provider: RunningIdp
    ) -> None:
        wanted = draft(provider)
        given = [
            "set", "990000017", "--label", wanted.label, "--issuer", wanted.issuer, "--discovery-url",
            wanted.discovery_url, "--client-id", wanted.client_id, "--secret-from", "-", "--proof-claim", "acr",
            "--proof-values", "2,3",
        ]  # fmt: skip
        status, told = self.run(app, settings, monkeypatch, *given, typed=f"{wanted.client_secret}\n")
        assert (status, "/auth/hospital/990000017/callback" in told) == (0, True)
        status, told = self.run(app, settings, monkeypatch, "show", "990000017")
        assert status == 0
        assert "proof: acr among 2, 3" in told
        assert wanted.client_secret not in told
        assert self.run(app, settings, monkeypatch, "remove", "990000017")[0] == 0
        assert self.run(app, settings, monkeypatch, "show", "990000017")[0] == 1

    def test_says_in_a_sentence_what_is_wrong(
        self, app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, north: Hospital
    ) -> None:
        status, told = self.run(
            app, settings, monkeypatch, "set", "990000017", "--label", "x", "--issuer", "nowhere", "--client-id", "x"
        )
        assert (status, "--issuer: address" in told) == (1, True)
        assert "Traceback" not in told


def test_the_second_factor_asked_for_reaches_the_provider(
    trip: Trips, own_provider: HospitalProvider, north: Hospital, provider: RunningIdp
) -> None:
    with prepared():
        hospital_provider(north.establishment.id, provider, acr_values="2")
    asked = parse_qs(urlsplit(trip(NORTH).leave()).query)
    assert (asked["acr_values"], asked["code_challenge_method"]) == (["2"], ["S256"])
