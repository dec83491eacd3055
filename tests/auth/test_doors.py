"""The doors themselves: who finds which, what a provider is told and when, and what becomes of its access token."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask, current_app
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis.strategies import dates, integers
from joserfc import jwt
from pydantic import SecretStr

from auth import after_sign_in, franceconnect, providers
from auth.after_sign_in import JustSignedIn
from auth.agents import actions as agents
from auth.agents.actions import Draft as Invitation
from auth.demo_idp.audiences import FRANCECONNECT
from auth.demo_idp.server import RunningIdp
from auth.hospital_providers.models import HospitalProvider
from auth.models import Account, Identity, Patient, Professional, SignInAttempt, StaffRight, WebSession
from portal import check, db
from portal.config import ConfigurationError, Settings
from tests.auth.trip import Trip, provider_settings
from tests.factories.hospitals import Hospital
from tests.ground import count, prepared, rows

Trips = Callable[..., Trip]


class TestEachAudience:
    def ways(self, client: FlaskClient, page: str) -> list[str]:
        return re.findall(r'href="(/auth/[^"]*)/start', client.get(page).text)

    def test_has_its_own_door_with_its_own_ways_in(
        self, trip: Trips, client: FlaskClient, own_provider: HospitalProvider
    ) -> None:
        # The stronger one first: it is the one recommended to patients.
        assert self.ways(client, "/connexion") == ["/auth/franceconnect-plus", "/auth/franceconnect"]
        assert self.ways(client, "/pro/connexion") == ["/auth/prosanteconnect"]
        assert self.ways(client, "/admin/connexion") == [
            "/auth/proconnect",
            "/auth/hospital/990000017",
            "/auth/prosanteconnect",
        ]

    @pytest.mark.parametrize("page", ["/connexion", "/pro/connexion", "/admin/connexion"])
    def test_finds_the_way_to_the_others(self, trip: Trips, client: FlaskClient, page: str) -> None:
        text = client.get(page).text
        for other in ("/connexion", "/pro/connexion", "/admin/connexion"):
            assert f'href="{other}"' in text

    def test_reads_the_sentences_that_the_charters_ask_for(self, trip: Trips, client: FlaskClient) -> None:
        page = client.get("/connexion", headers={"Accept-Language": "en"}).text
        plus, plain = page.index("FranceConnect+ is the State"), page.index("FranceConnect is the State")
        assert plus < page.index("/auth/franceconnect-plus/start") < page.index("What is FranceConnect+?") < plain
        assert plain < page.index("/auth/franceconnect/start") < page.index("What is FranceConnect?")

    def test_is_told_where_nothing_is_set_up(self, app: Flask, client: FlaskClient) -> None:
        for page in ("/connexion", "/pro/connexion", "/admin/connexion"):
            assert client.get(page).status_code == 200


class TestFranceConnectPlus:
    def test_signs_in_with_its_level_and_its_own_subject(self, trip: Trips) -> None:
        assert trip("franceconnect-plus").sign_in("blanche").status_code == 302
        (session,), (patient,) = rows(WebSession), rows(Patient)
        assert (session.provider, session.acr) == ("franceconnect-plus", "eidas2")
        assert (patient.birth_name, patient.first_names) == ("ROUVEDEL", ["Anne Sophie", "Blanche"])
        assert patient.identity_status == "PROV"

    def test_is_another_platform_than_franceconnect(self, trip: Trips) -> None:
        """The same civil identity, two subjects: two accounts until somebody proves otherwise."""
        trip("franceconnect").sign_in("dominique")
        trip("franceconnect-plus").sign_in("dominique")
        assert (count(Account), count(Identity)) == (2, 2)

    def test_knows_a_european_without_sex_country_or_commune(self, trip: Trips) -> None:
        assert trip("franceconnect-plus").sign_in("liisa").status_code == 302
        (patient,) = rows(Patient)
        assert (patient.sex, patient.birthplace_insee, patient.birthcountry_insee) == ("", "", "")

    def test_keeps_the_signed_token_and_shows_it_when_leaving(self, trip: Trips) -> None:
        patient = trip("franceconnect-plus")
        patient.sign_in()
        (session,) = rows(WebSession)
        assert session.id_token.count(".") == 2
        hint = re.search(r"/session/end\?([^\"]*)\"", patient.browser.post("/deconnexion").text.replace("&amp;", "&"))
        assert hint
        assert parse_qs(hint.group(1))["id_token_hint"] == [session.id_token]
        assert rows(WebSession)[0].id_token == ""

    def test_finds_our_public_keys_and_nothing_more(self, trip: Trips, client: FlaskClient, settings: Settings) -> None:
        answer = client.get("/oidc/jwks")
        assert answer.json == providers.encryption_keys(settings).published()
        assert "max-age" in answer.headers["Cache-Control"]
        assert not {"d", "p", "q"} & {name for key in answer.json["keys"] for name in key}

    def test_refuses_to_start_with_keys_that_cannot_be_read(self, settings: Settings, provider: RunningIdp) -> None:
        declared = provider_settings(provider)
        wrong = declared["franceconnect-plus"].model_copy(update={"encryption_keys": SecretStr("not a key")})
        with pytest.raises(ConfigurationError, match="PORTAL_FRANCECONNECT_PLUS_ENCRYPTION_KEYS"):
            providers.connect(settings.model_copy(update={"providers": {**declared, "franceconnect-plus": wrong}}))


class TestAHealthProfessionalOnTheStaff:
    def invited(self, hospital: Hospital, subject_name_id: str = "899700000021") -> str:
        with prepared():
            return agents.invite(
                Invitation("idriss.nevelet@hopital.exemple.test", ("documents",), hospital.establishment.id,
                           "prosanteconnect", subject_name_id=subject_name_id)
            )  # fmt: skip

    def test_comes_in_by_the_invitation_through_the_same_callback(self, trip: Trips, north: Hospital) -> None:
        doctor = trip("prosanteconnect")
        answer = doctor.sign_in("nevelet", invitation=self.invited(north))
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
        (account,) = rows(Account)
        assert account.audience == "staff"
        assert {right.right for right in rows(StaffRight)} == {"documents"}

    def test_comes_back_by_the_staff_s_door(self, trip: Trips, north: Hospital) -> None:
        trip("prosanteconnect").sign_in("nevelet", invitation=self.invited(north))
        again = trip("prosanteconnect").sign_in("nevelet", audience="staff")
        assert again.headers["Location"] == "/admin/"
        assert (count(Account), count(Professional)) == (1, 0)

    def test_remains_a_practitioner_of_the_city_at_the_other_door(self, trip: Trips, north: Hospital) -> None:
        trip("prosanteconnect").sign_in("nevelet", invitation=self.invited(north))
        assert trip("prosanteconnect").sign_in("nevelet").headers["Location"].startswith("/pro")
        assert {account.audience for account in rows(Account)} == {"staff", "professional"}

    def test_without_an_invitation_is_no_agent(self, trip: Trips, north: Hospital) -> None:
        assert trip("prosanteconnect").sign_in("nevelet", audience="staff").status_code == 403
        assert (count(Account), count(Professional)) == (0, 0)

    def test_with_somebody_else_s_invitation_is_no_agent(self, trip: Trips, north: Hospital) -> None:
        token = self.invited(north, "899700000013")
        assert trip("prosanteconnect").sign_in("nevelet", invitation=token).status_code == 403
        assert count(StaffRight) == 0

    @pytest.mark.parametrize("name", ["franceconnect", "franceconnect-plus", "proconnect"])
    def test_no_other_provider_changes_its_public(self, trip: Trips, north: Hospital, name: str) -> None:
        visitor = trip(name)
        status = visitor.sign_in(audience="staff").status_code
        assert status == (403 if name == "proconnect" else 302)
        assert count(StaffRight) == 0


class TestTheAccessToken:
    @pytest.fixture
    def seen(self) -> Iterator[list[JustSignedIn]]:
        kept: list[JustSignedIn] = []
        yield kept
        after_sign_in._steps.clear()

    def test_reaches_a_step_while_it_lives(self, trip: Trips, provider: RunningIdp, seen: list[JustSignedIn]) -> None:
        """What the health insurance would do: ask the provider about the token it was given."""
        answers = []

        def ask(who: JustSignedIn) -> None:
            seen.append(who)
            door = providers.door(who.provider)
            assert door is not None
            answers.append(_userinfo(provider, who.access_token))

        after_sign_in.after_sign_in(ask, "franceconnect")
        trip("franceconnect").sign_in("camille")
        assert answers[0]["family_name"] == "LORMEVAL"
        assert seen[0].account_id == rows(Account)[0].id

    def test_may_serve_to_write_what_was_learnt(self, trip: Trips, seen: list[JustSignedIn]) -> None:
        def note(who: JustSignedIn) -> None:
            with db.transaction(db.system("tests.step")) as current:
                current.get_one(Account, who.account_id).locale = "fr"

        after_sign_in.after_sign_in(note, "franceconnect")
        assert trip("franceconnect").sign_in().status_code == 302
        assert rows(Account)[0].locale == "fr"

    def test_is_kept_nowhere(self, trip: Trips, seen: list[JustSignedIn]) -> None:
        after_sign_in.after_sign_in(seen.append, "franceconnect")
        trip("franceconnect").sign_in()
        token = seen[0].access_token
        for table in db.Base.metadata.sorted_tables:
            with db.transaction(db.system("tests")) as current:
                assert not [row for row in current.execute(table.select()) if token in str(row)], table.name
        assert token not in repr(seen[0])

    def test_of_another_provider_is_not_given(self, trip: Trips, north: Hospital, seen: list[JustSignedIn]) -> None:
        after_sign_in.after_sign_in(seen.append, "franceconnect", "franceconnect-plus")
        trip("prosanteconnect").sign_in()
        assert seen == []

    def test_of_a_refused_sign_in_is_not_given(self, trip: Trips, seen: list[JustSignedIn]) -> None:
        after_sign_in.after_sign_in(seen.append, "franceconnect")
        visitor = trip("franceconnect")
        visitor.idp.faults.switch_on("franceconnect", "userinfo_bad_sig")
        visitor.sign_in()
        assert seen == []

    def test_a_step_that_breaks_breaks_nothing_else(self, trip: Trips, seen: list[JustSignedIn]) -> None:
        def broken(_who: JustSignedIn) -> None:
            raise LookupError(current_app.name)

        after_sign_in.after_sign_in(broken, "franceconnect")
        after_sign_in.after_sign_in(seen.append, "franceconnect")
        visitor = trip("franceconnect")
        assert visitor.sign_in().status_code == 302
        assert visitor.is_signed_in
        assert len(seen) == 1

    def test_a_step_that_is_slow_is_not_waited_for(
        self, trip: Trips, seen: list[JustSignedIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(after_sign_in, "LIMIT_S", 0.05)
        released = threading.Event()
        after_sign_in.after_sign_in(lambda _who: released.wait(30) and None, "franceconnect")
        visitor = trip("franceconnect")
        answer = visitor.sign_in()
        released.set()
        assert answer.status_code == 302
        assert visitor.is_signed_in


class TestAskingAgain:
    def test_somebody_who_is_signed_in_may_be_asked_to_prove_it_again(self, trip: Trips) -> None:
        asked = parse_qs(urlsplit(trip("franceconnect").leave(prompt="login")).query)
        assert asked["prompt"] == ["login"]

    def test_with_no_other_word_of_the_visitor_s(self, trip: Trips) -> None:
        left = trip("franceconnect").leave(prompt="none", login_hint="x", scope="openid", acr_values="eidas3")
        asked = parse_qs(urlsplit(left).query)
        assert not {"prompt", "login_hint"} & set(asked)
        assert asked["acr_values"] == ["eidas1"]


class TestALinkOfAnotherSite:
    """Whoever is signed in at their provider would be signed in here without having asked."""

    @pytest.mark.parametrize("door", ["franceconnect", "prosanteconnect", "proconnect"])
    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_leads_to_the_page_with_the_button(self, trip: Trips, door: str, site: str) -> None:
        visitor = trip(door)
        answer = visitor.browser.get(
            f"/auth/{door}/start?next=/mon-compte", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
        )
        assert answer.status_code == 303
        path, _question, query = answer.headers["Location"].partition("?")
        assert path in ("/connexion", "/pro/connexion", "/admin/connexion")
        assert parse_qs(query) == {"next": ["/mon-compte"]}
        assert rows(SignInAttempt) == []

    @pytest.mark.parametrize("site", ["same-origin", "none", ""])
    def test_is_not_our_own_button_nor_an_address_that_was_typed(self, trip: Trips, site: str) -> None:
        answer = trip("franceconnect").browser.get("/auth/franceconnect/start", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 302
        assert len(rows(SignInAttempt)) == 1

    def test_is_not_an_invitation_followed_from_a_mail(self, trip: Trips) -> None:
        invitation = "a" * 43
        answer = trip("proconnect").browser.get(
            f"/auth/proconnect/start?invitation={invitation}", headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 302
        answer = trip("franceconnect").browser.get(
            f"/auth/franceconnect/start?invitation={invitation}", headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 303, "agents alone are invited"


class TestCheck:
    def findings(self, app: Flask, settings: Settings, idp: RunningIdp) -> dict[str, str]:
        configured = settings.model_copy(update={"providers": provider_settings(idp)})
        return {finding.what: finding.trouble or finding.warning for finding in check._providers(app, configured)}

    def test_says_one_thing_a_line_of_each_provider(
        self, app: Flask, settings: Settings, provider: RunningIdp, own_provider: HospitalProvider
    ) -> None:
        found = self.findings(app, settings, provider)
        for name in (*provider_settings(provider), "hospital/990000017"):
            for what in ("discovery", "keys", "clock"):
                assert found[f"identity provider {name}: {what}"] == ""
        assert "identity provider franceconnect-plus: encryption keys (1)" in found

    def test_names_what_is_wrong(self, app: Flask, settings: Settings, provider: RunningIdp) -> None:
        provider.faults.switch_on("franceconnect", "jwks_no_keys")
        provider.faults.switch_on("proconnect", "discovery_down")
        found = self.findings(app, settings, provider)
        assert "no usable ES256 key" in found["identity provider franceconnect: keys"]
        assert found["identity provider proconnect: discovery"] == "provider unavailable: answer_not_ok"
        assert found["identity provider franceconnect-plus: keys"] == ""

    @pytest.mark.parametrize(
        ("ends_on", "left"),
        [
            (date(2028, 12, 31), None),
            (date(2027, 1, 2), None),
            (date(2027, 1, 1), 366),
            (date(2026, 1, 1), 1),
            (date(2025, 12, 31), 0),
            (date(2020, 1, 1), 0),
        ],
    )
    def test_the_end_of_plain_franceconnect_is_told_a_year_ahead(self, ends_on: date, left: int | None) -> None:
        assert franceconnect.days_left(ends_on, date(2026, 1, 1)) == left

    @given(dates(min_value=date(1900, 1, 1), max_value=date(2999, 1, 1)), integers(0, 365))
    def test_and_every_day_of_that_year(self, ends_on: date, days: int) -> None:
        assert franceconnect.days_left(ends_on, ends_on - timedelta(days=days)) == days + 1


def _userinfo(idp: RunningIdp, access_token: str) -> dict[str, object]:
    answer = requests.get(
        f"{idp.base_url}/franceconnect/userinfo", headers={"Authorization": f"Bearer {access_token}"}, timeout=5
    )
    claims: dict[str, object] = jwt.decode(answer.text, idp.desk.key(FRANCECONNECT), algorithms=["ES256"]).claims
    return claims
