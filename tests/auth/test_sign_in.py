"""Signing in through the real application: who comes out, with what, and where they land."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from auth.demo_idp.audiences import AUDIENCES
from auth.models import Account, Identity, Patient, PatientAccess, Professional, SignInAttempt, WebSession
from auth.returning import YEAR_BEGUN
from portal import db
from portal.calendar import civil_day
from portal.kpi import GROUP_ZONE, KpiEvent
from tests.auth.trip import HOMES, Trip
from tests.factories import people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows

Trips = Callable[..., Trip]
FRANCECONNECT = AUDIENCES["franceconnect"]
PROCONNECT = AUDIENCES["proconnect"]


def subject_of(audience: str, person: str) -> str:
    found = AUDIENCES[audience].person(person)
    assert found is not None
    return found.subject


def invited_agent(hospital: Hospital, *rights: str, person: str = "administrator") -> Account:
    """An agent who already holds these rights, under the identity that the provider will give."""
    with prepared():
        return people.agent(
            hospital.establishment.id, *rights, issuer=PROCONNECT.issuer, subject=subject_of("proconnect", person)
        )


class TestAPatient:
    def test_comes_back_signed_in_where_they_wanted_to_go(self, trip: Trips) -> None:
        visitor = trip()
        answer = visitor.sign_in("dominique", next="/mon-compte")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/mon-compte")
        assert "DOMINIQUE PAT-TROIS" in visitor.browser.get("/mon-compte").text

    def test_lands_on_the_home_page_without_a_wish(self, trip: Trips) -> None:
        assert trip().sign_in().headers["Location"] == "/"

    def test_gets_at_first_an_account_and_a_provisional_record(self, trip: Trips) -> None:
        trip().sign_in("dominique")
        (account,), (identity,), (patient,) = rows(Account), rows(Identity), rows(Patient)
        (access,) = rows(PatientAccess)
        assert (identity.issuer, identity.subject) == (FRANCECONNECT.issuer, subject_of("franceconnect", "dominique"))
        assert (patient.birth_name, patient.first_names) == ("PAT-TROIS", ["DOMINIQUE", "MARIE-LOUISE"])
        assert (patient.identity_status, patient.ins) == ("PROV", "")
        assert (access.account_id, access.patient_id, access.relation) == (account.id, patient.id, "self")
        assert identity.account_id == account.id
        assert account.audience == "patient"

    def test_finds_the_same_account_the_next_time(self, trip: Trips) -> None:
        for _ in range(3):
            trip().sign_in("dominique")
        assert (count(Account), count(Patient), count(Identity), count(WebSession)) == (1, 1, 1, 3)

    def test_is_never_merged_with_a_person_of_the_same_e_mail_or_traits(self, trip: Trips) -> None:
        with prepared():
            people.patient("PAT-TROIS", ("DOMINIQUE", "MARIE-LOUISE"), email="dominique.pat-trois@exemple.test")
            people.account(email="dominique.pat-trois@exemple.test")
        trip().sign_in("dominique")
        assert (count(Account), count(Patient), count(PatientAccess)) == (2, 2, 1)

    def test_is_two_people_at_two_issuers_that_give_the_same_subject(self, trip: Trips) -> None:
        with prepared():
            people.account(issuer="https://other.exemple.test", subject=subject_of("franceconnect", "dominique"))
        trip().sign_in("dominique")
        assert count(Account) == 2

    def test_who_signs_in_twice_at_once_for_the_first_time_is_one_person(self, app: Flask, trip: Trips) -> None:
        browsers = [trip() for _ in range(6)]
        callbacks = [browser.callback("camille") for browser in browsers]
        with ThreadPoolExecutor(len(browsers)) as pool:
            answers = list(pool.map(lambda pair: pair[0].browser.get(pair[1]).status_code,
                                    zip(browsers, callbacks, strict=True)))  # fmt: skip
        assert answers == [302] * len(browsers)
        assert (count(Account), count(Patient), count(WebSession)) == (1, 1, len(browsers))

    def test_is_remembered_by_the_days_of_their_first_and_last_visit(self, trip: Trips) -> None:
        for _ in range(2):
            trip().sign_in("dominique")
        (account,) = rows(Account)
        assert account.first_visit_on == account.last_visit_on == civil_day(db.now(), ZoneInfo(GROUP_ZONE))
        assert [row.event for row in rows(KpiEvent)].count(YEAR_BEGUN) == 1

    def test_leaves_a_trace_in_the_audit_and_in_the_figures_without_a_name(self, trip: Trips) -> None:
        trip().sign_in("dominique")
        assert audited()[:2] == ["account.created", "session.opened"]
        events = {event.event: event for event in rows(KpiEvent)}
        assert {"account_created", "session_opened"} <= set(events)
        (account,) = rows(Account)
        assert len(events["session_opened"].pseudonym) == 32
        assert events["session_opened"].pseudonym not in str(account.id)

    def test_whose_account_is_closed_is_told_so_and_stays_out(self, trip: Trips) -> None:
        trip().sign_in("dominique")
        with prepared():
            db.session.scalars(select(Account)).one().closed_at = db.now()
        again = trip()
        answer = again.sign_in("dominique")
        assert answer.status_code == 403
        assert not again.is_signed_in
        assert audited()[-1] == "sign_in.refused"


class TestAProfessional:
    def test_gets_an_account_with_their_number_and_places_of_work(self, trip: Trips) -> None:
        answer = trip("prosanteconnect").sign_in("nevelet")
        assert answer.headers["Location"].rstrip("/") == HOMES["prosanteconnect"]
        (found,) = rows(Professional)
        assert (found.subject_name_id, found.rpps, found.family_name) == ("899700000021", "99700000021", "NEVELET")
        assert [activity["finess_site"] for activity in found.activities] == ["990000011", "990000102"]

    def test_is_the_same_person_under_a_new_subject(self, trip: Trips) -> None:
        """Pro Santé Connect moves to another base of accounts: the subject changes, the SubjectNameID stays."""
        trip("prosanteconnect").sign_in("nevelet")
        with prepared():
            db.session.scalars(select(Identity)).one().subject = "the-subject-they-had-before"
        trip("prosanteconnect").sign_in("nevelet")
        assert (count(Account), count(Professional), count(Identity)) == (1, 1, 2)

    def test_is_the_same_person_under_a_new_number(self, trip: Trips) -> None:
        """A student becomes a doctor: the SubjectNameID changes, the subject stays."""
        trip("prosanteconnect").sign_in("nevelet")
        with prepared():
            db.session.scalars(select(Professional)).one().subject_name_id = "3990000011/INTERNE"
        assert trip("prosanteconnect").sign_in("nevelet").status_code == 302
        (found,) = rows(Professional)
        assert found.subject_name_id == "899700000021"

    def test_whose_number_is_another_account_s_is_refused(self, trip: Trips) -> None:
        trip("prosanteconnect").sign_in("nevelet")
        with prepared():
            people.professional(issuer="x", subject="y").subject_name_id = "3990000011/INTERNE"
        with prepared():
            mine, other = sorted(db.session.scalars(select(Professional)), key=lambda one: one.family_name != "NEVELET")
            mine.subject_name_id = "moved"
            db.session.flush()
            other.subject_name_id = "899700000021"
        answer = trip("prosanteconnect").sign_in("nevelet")
        assert answer.status_code == 400
        assert audited()[-1] == "sign_in.refused"

    def test_without_a_national_number_comes_in_too(self, trip: Trips) -> None:
        assert trip("prosanteconnect").sign_in("quesnoy").status_code == 302
        assert rows(Professional)[0].rpps == ""


class TestAnAgent:
    def test_with_a_right_reaches_the_back_office(self, trip: Trips, north: Hospital) -> None:
        invited_agent(north, "administration")
        agent = trip("proconnect")
        assert agent.sign_in("administrator").headers["Location"].rstrip("/") == "/admin"
        assert agent.browser.get("/admin/").status_code in (200, 303)  # 303: the charter to agree to comes first

    def test_whom_nobody_invited_is_told_how_to_be(self, trip: Trips, north: Hospital) -> None:
        stranger = trip("proconnect")
        answer = stranger.sign_in("unknown-agent")
        assert answer.status_code == 403
        assert "invitation" in answer.text
        assert (count(Account), count(WebSession), stranger.token) == (0, 0, "")
        assert audited() == ["sign_in.refused"]

    def test_who_lost_every_right_is_not_let_in(self, trip: Trips, north: Hospital) -> None:
        invited_agent(north)
        assert trip("proconnect").sign_in("administrator").status_code == 403
        assert count(WebSession) == 0

    def test_without_a_second_factor_is_refused(self, trip: Trips, north: Hospital) -> None:
        invited_agent(north, "billing", person="agent-without-mfa")
        assert trip("proconnect").sign_in("agent-without-mfa").status_code == 400
        assert count(WebSession) == 0


class TestTheSession:
    def test_changes_at_each_sign_in_and_the_former_one_ends(self, trip: Trips) -> None:
        browser = trip()
        browser.sign_in()
        first = browser.token
        browser.sign_in()
        assert browser.token != first
        browser.browser.set_cookie("parvis_session", first)
        assert not browser.is_signed_in

    def test_changes_even_when_the_former_one_has_just_been_seen_again(self, trip: Trips) -> None:
        """Reading a session older than a minute writes when it was seen: ending it must not wait for that write."""
        browser = trip()
        browser.sign_in()
        _age_sessions(minutes=5)
        assert browser.sign_in().status_code == 302
        assert sum(session.ended_at is None for session in rows(WebSession)) == 1

    def test_is_never_one_that_the_browser_brought(self, trip: Trips) -> None:
        browser = trip()
        browser.browser.set_cookie("parvis_session", "a token that an attacker knows")
        browser.sign_in()
        assert browser.token != "a token that an attacker knows"

    def test_is_kept_as_a_digest_only(self, trip: Trips) -> None:
        browser = trip()
        browser.sign_in()
        (kept,) = rows(WebSession)
        assert browser.token.encode() not in kept.digest

    def test_cookie_is_out_of_reach_of_scripts_and_of_other_sites(self, trip: Trips) -> None:
        (cookie,) = [each for each in trip().sign_in().headers.getlist("Set-Cookie") if "parvis_session=" in each]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie

    def test_cookie_is_bound_to_the_host_when_the_portal_is_on_https(
        self, app: Flask, trip: Trips, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Even when a proxy forgets to say that the visitor came by https."""
        monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", True)
        browser = trip()
        left = browser.browser.get("/auth/franceconnect/start", base_url="https://localhost")
        back = browser.choose(left.headers["Location"])
        cookies = browser.browser.get(back, base_url="https://localhost").headers.getlist("Set-Cookie")
        (cookie,) = [each for each in cookies if "parvis_session=" in each]
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie


class TestSeveralTabs:
    def test_each_reach_their_own_page(self, trip: Trips) -> None:
        first = trip()
        second = trip(browser=first.browser)
        one, other = first.callback(next="/mon-compte"), second.callback(next="/accessibilite")
        assert first.browser.get(one).headers["Location"] == "/mon-compte"
        assert first.browser.get(other).headers["Location"] == "/accessibilite"
        assert first.is_signed_in

    def test_a_double_click_on_the_callback_goes_on(self, trip: Trips) -> None:
        browser = trip()
        callback = browser.callback()
        browser.browser.get(callback)
        again = browser.browser.get(callback)
        assert (again.status_code, again.headers["Location"]) == (302, "/")
        assert browser.is_signed_in

    def test_the_door_of_somebody_already_in_leads_on(self, trip: Trips) -> None:
        browser = trip()
        browser.sign_in()
        assert browser.browser.get("/connexion?next=/mon-compte").headers["Location"] == "/mon-compte"


class TestAnAttempt:
    def test_is_used_once(self, trip: Trips) -> None:
        trip().sign_in()
        assert count(SignInAttempt) == 0

    def test_keeps_neither_state_nor_browser_in_clear(self, trip: Trips) -> None:
        browser = trip()
        address = browser.leave()
        (kept,) = rows(SignInAttempt)
        state = address.split("state=")[1].split("&")[0]
        assert state.encode() not in kept.state_digest

    @pytest.mark.parametrize("name", ["nobody", "hospital", "hospital/990000099", "hospital/x"])
    def test_at_an_unknown_provider_is_a_404(self, trip: Trips, name: str) -> None:
        browser = trip().browser
        assert browser.get(f"/auth/{name}/start").status_code == 404
        assert browser.get(f"/auth/{name}/callback?code=x&state=y").status_code == 404


def _age_sessions(minutes: int) -> None:
    from datetime import timedelta

    with prepared():
        for session in db.session.scalars(select(WebSession)):
            session.last_seen_at -= timedelta(minutes=minutes)
