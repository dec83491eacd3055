"""Signed-in browsers: how long, with what rights, and how it ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text, update

from auth import actions, sessions
from auth.models import Account, PatientAccess, StaffRight, WebSession
from portal import db, jobs
from portal.db import RIGHTS, Actor
from tests.auth.trip import Trip
from tests.factories import people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows
from tests.statements import executed

Trips = Callable[..., Trip]
SignIn = Callable[[Account], FlaskClient]


@pytest.fixture
def patient(app: Flask) -> Account:
    with prepared():
        return people.patient_with_account()[0]


def opens(browser: FlaskClient) -> bool:
    return browser.get("/mon-compte").status_code == 200


class TestASessionThatIsOver:
    @pytest.mark.parametrize(("days", "left"), [(29, 3), (31, 0)])
    def test_is_kept_a_month_and_then_forgotten(
        self,
        sign_in: SignIn,
        patient: Account,
        work_jobs: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
        days: int,
        left: int,
    ) -> None:
        monkeypatch.setattr(actions, "_AT_ONCE", 2)
        for _ in range(3):
            sign_in(patient)
        with prepared():
            db.session.execute(update(WebSession).values(expires_at=db.now() - timedelta(days=days)))
            jobs.enqueue("auth.forget_sessions", timestamp=0)
        work_jobs()
        assert len(rows(WebSession)) == left

    def test_others_are_not(self, sign_in: SignIn, patient: Account, work_jobs: Callable[[], None]) -> None:
        browser = sign_in(patient)
        with prepared():
            jobs.enqueue("auth.forget_sessions", timestamp=0)
        work_jobs()
        assert opens(browser)


class TestAnOpenSession:
    @pytest.mark.parametrize(("away", "still_open"), [(timedelta(minutes=29), True), (timedelta(minutes=31), False)])
    def test_ends_after_half_an_hour_away(
        self, sign_in: SignIn, patient: Account, away: timedelta, still_open: bool
    ) -> None:
        browser = sign_in(patient)
        with prepared():
            db.session.execute(update(WebSession).values(last_seen_at=WebSession.last_seen_at - away))
        assert opens(browser) is still_open

    def test_lasts_while_it_is_used(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        for _ in range(3):
            with prepared():
                db.session.execute(
                    update(WebSession).values(last_seen_at=WebSession.last_seen_at - timedelta(minutes=20))
                )
            assert opens(browser)

    def test_ends_after_eight_hours_whatever_one_does(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        assert opens(browser)
        with prepared():
            db.session.execute(update(WebSession).values(expires_at=db.now()))
        assert not opens(browser)

    def test_writes_when_it_was_seen_once_a_minute_at_most(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        seen = [rows(WebSession)[0].last_seen_at]
        for _ in range(3):
            browser.get("/mon-compte")
            seen.append(rows(WebSession)[0].last_seen_at)
        assert len(set(seen)) == 1

    @pytest.mark.parametrize("token", ["", "x", "é", "a" * 3000, "'; drop table account; --", "%00"])
    def test_is_not_opened_by_a_made_up_cookie(self, client: FlaskClient, patient: Account, token: str) -> None:
        client.set_cookie("parvis_session", token)
        assert client.get("/mon-compte").status_code == 303

    def test_of_somebody_whose_account_was_closed_ends(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        with prepared():
            db.session.execute(update(Account).values(closed_at=db.now()))
        assert not opens(browser)

    def test_is_read_and_declared_in_one_statement(self, app: Flask, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        with executed(app) as statements:
            browser.get("/status/ready")
        assert ["open_web_session" in each for each in statements] == [True, False]


class TestRights:
    @contextmanager
    def agent(self, sign_in: SignIn, hospital: Hospital, *rights: str) -> Iterator[FlaskClient]:
        with prepared():
            account = people.agent(hospital.establishment.id, *rights)
        yield sign_in(account)

    def test_withdrawn_in_mid_session_end_at_the_next_request(
        self, app: Flask, sign_in: SignIn, north: Hospital
    ) -> None:
        with self.agent(sign_in, north, "billing") as browser, app.test_request_context():
            assert self._held(app, browser) == {"billing"}
            with prepared():
                db.session.execute(delete(StaffRight))
            assert self._held(app, browser) == set()
            assert browser.get("/admin/").status_code == 403

    def test_given_in_mid_session_are_there_at_the_next_request(
        self, app: Flask, sign_in: SignIn, north: Hospital, south: Hospital
    ) -> None:
        with self.agent(sign_in, north, "billing") as browser:
            with prepared():
                people.grant(db.session.scalars(select(Account)).one(), south.establishment.id, "documents")
            assert self._held(app, browser) == {"billing", "documents"}

    def test_to_act_for_somebody_end_with_their_mandate(self, app: Flask, sign_in: SignIn) -> None:
        with prepared():
            account, me = people.patient_with_account()
            child = people.patient("MARTIN", ("LOU",))
            people.give_access(account, child, "parent")
        browser = sign_in(account)
        browser.post("/mon-compte/agir-pour", data={"patient_id": child.id})
        assert "Lou".casefold() in browser.get("/mon-compte").text.casefold()
        with prepared():
            db.session.execute(
                update(PatientAccess).where(PatientAccess.patient_id == child.id).values(revoked_at=db.now())
            )
        assert self._actor(app, browser).patients == {me.id}

    def test_to_act_for_somebody_end_on_their_last_day(self, app: Flask, sign_in: SignIn) -> None:
        with prepared():
            account, me = people.patient_with_account()
            other = people.patient()
            people.give_access(account, other, "carer")
            today = db.session.scalar(text("select (now() at time zone 'Europe/Paris')::date"))
            db.session.execute(update(PatientAccess).where(PatientAccess.patient_id == other.id).values(ends_on=today))
        browser = sign_in(account)
        assert self._actor(app, browser).patients == {me.id, other.id}
        with prepared():
            db.session.execute(update(PatientAccess).values(ends_on=PatientAccess.ends_on - 1))
        assert self._actor(app, browser).patients == {me.id}

    @pytest.mark.parametrize("target", ["00000000-0000-0000-0000-000000000000", "nonsense", ""])
    def test_to_act_for_a_stranger_are_not_taken(self, sign_in: SignIn, patient: Account, target: str) -> None:
        assert sign_in(patient).post("/mon-compte/agir-pour", data={"patient_id": target}).status_code == 404

    def test_to_act_for_another_real_person_are_not_taken(self, sign_in: SignIn, patient: Account) -> None:
        with prepared():
            stranger = people.patient("DUPONT")
        assert sign_in(patient).post("/mon-compte/agir-pour", data={"patient_id": stranger.id}).status_code == 404

    def _held(self, app: Flask, browser: FlaskClient) -> set[str]:
        return {right for right, hospitals in self._actor(app, browser).rights.items() if hospitals}

    def _actor(self, app: Flask, browser: FlaskClient) -> Actor:
        """Who the portal takes this browser for, from its cookie alone."""
        cookie = browser.get_cookie("parvis_session")
        assert cookie is not None
        headers = {"Cookie": f"parvis_session={cookie.value}"}
        with app.test_request_context("/", headers=headers) as context, db.transaction(db.ANONYMOUS) as current:
            return sessions.declare(context.request, current.connection())


class TestOpeningASession:
    def test_sets_every_key_of_row_level_security(self, app: Flask) -> None:
        """A key that the SQL function forgets would keep what another actor had put there."""
        everything = dict.fromkeys(Actor("anonymous").keys(), "11111111-1111-1111-1111-111111111111")
        with db.transaction(db.ANONYMOUS) as current:
            for key, value in everything.items():
                current.execute(text("select set_config(:key, :value, true)"), {"key": key, "value": value})
            current.execute(sessions._OPEN, {"digest": b"nobody"})
            kept = {key: current.scalar(text(f"select current_setting('{key}')")) for key in everything}
        assert kept == dict.fromkeys(everything, "") | {"parvis.actor": "anonymous"}

    @pytest.mark.parametrize("audience", ["patient", "professional", "staff"])
    def test_declares_the_same_keys_as_the_actor_it_names(
        self, app: Flask, sign_in: SignIn, north: Hospital, south: Hospital, audience: str
    ) -> None:
        with prepared():
            if audience == "patient":
                account, _ = people.patient_with_account()
                people.give_access(account, people.patient(), "parent")
            elif audience == "professional":
                account = db.session.get_one(Account, people.professional().account_id)
            else:
                account = people.agent(north.establishment.id, *RIGHTS)
                people.grant(account, south.establishment.id, "billing", "audit")
        cookie = sign_in(account).get_cookie("parvis_session")
        assert cookie is not None
        headers = {"Cookie": f"parvis_session={cookie.value}"}
        with app.test_request_context("/", headers=headers) as context, db.transaction(db.ANONYMOUS) as current:
            actor = sessions.declare(context.request, current.connection())
            expected = actor.keys()
            declared = {key: current.scalar(text(f"select current_setting('{key}')")) for key in expected}
        assert _sorted(declared) == _sorted(expected)


def _sorted(keys: dict[str, str]) -> dict[str, list[str]]:
    return {key: sorted(value.split(",")) for key, value in keys.items()}


class TestSigningOut:
    def test_ends_the_session_on_the_server(self, trip: Trips) -> None:
        visitor = trip()
        visitor.sign_in()
        token = visitor.token
        page = visitor.browser.post("/deconnexion")
        assert page.status_code == 200
        assert visitor.token == ""
        visitor.browser.set_cookie("parvis_session", token)
        assert not visitor.is_signed_in
        (kept,) = rows(WebSession)
        assert (kept.ended_at is None, kept.id_token) == (False, "")
        assert audited()[-1] == "session.closed"

    def test_greets_nobody_by_name_any_more(self, trip: Trips) -> None:
        visitor = trip()
        visitor.sign_in("dominique")
        page = visitor.browser.post("/deconnexion").text
        assert "PAT-TROIS" not in page
        assert 'action="/deconnexion"' not in page

    def test_leaves_the_provider_too_and_comes_back(self, trip: Trips) -> None:
        visitor = trip()
        visitor.sign_in()
        page = visitor.browser.post("/deconnexion")
        address = page.text.split("url=")[1].split('"')[0].replace("&amp;", "&")
        query = parse_qs(urlsplit(address).query)
        assert query["post_logout_redirect_uri"] == ["http://127.0.0.1/auth/franceconnect/logout-callback"]
        assert len(query["state"][0]) == 43
        back = visitor.browser.get(f"/auth/franceconnect/logout-callback?state={query['state'][0]}")
        assert back.headers["Location"] == "/"
        with visitor.browser.session_transaction() as cookie:
            assert len(cookie["_flashes"]) == 1
        assert visitor.browser.get_cookie("parvis_logout") is None

    @pytest.mark.parametrize("state", ["", "forged", "é", "%00"])
    def test_coming_back_with_another_state_says_nothing(self, trip: Trips, state: str) -> None:
        visitor = trip()
        visitor.sign_in()
        visitor.browser.post("/deconnexion")
        back = visitor.browser.get(f"/auth/franceconnect/logout-callback?state={state}")
        assert (back.status_code, back.headers["Location"]) == (302, "/")
        with visitor.browser.session_transaction() as cookie:
            assert "_flashes" not in cookie

    def test_works_while_the_provider_is_down(self, app: Flask, trip: Trips, sign_in: SignIn, patient: Account) -> None:
        trip().idp.faults.switch_on("franceconnect", "discovery_down")
        browser = sign_in(patient)
        page = browser.post("/deconnexion")
        assert page.status_code == 200
        assert "http-equiv" not in page.text
        assert not opens(browser)

    def test_of_nobody_is_harmless(self, client: FlaskClient) -> None:
        assert client.post("/deconnexion").status_code == 200
        assert audited() == []

    def test_by_a_link_of_another_site_is_refused(self, sign_in: SignIn, patient: Account) -> None:
        browser = sign_in(patient)
        assert browser.get("/deconnexion").status_code == 405
        assert browser.post("/deconnexion", data={"csrf_token": "forged"}).status_code == 400
        assert opens(browser)

    def test_of_one_device_leaves_the_others(self, sign_in: SignIn, patient: Account) -> None:
        phone, desk = sign_in(patient), sign_in(patient)
        phone.post("/deconnexion")
        assert (opens(phone), opens(desk)) == (False, True)

    def test_of_a_device_from_another_one(self, sign_in: SignIn, patient: Account) -> None:
        phone, desk = sign_in(patient), sign_in(patient)
        first = min(rows(WebSession), key=lambda each: each.created_at)
        assert desk.post(f"/mon-compte/sessions/{first.id}/fermer").status_code == 303
        assert (opens(phone), opens(desk)) == (False, True)
        assert audited() == ["session.closed"]

    def test_of_somebody_else_s_device_is_a_404(self, sign_in: SignIn, patient: Account) -> None:
        with prepared():
            other, _ = people.patient_with_account()
        victim, attacker = sign_in(other), sign_in(patient)
        (target,) = (each for each in rows(WebSession) if each.account_id == other.id)
        assert attacker.post(f"/mon-compte/sessions/{target.id}/fermer").status_code == 404
        assert opens(victim)
