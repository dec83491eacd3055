"""Other systems of a hospital: a pass against a proof, and nothing beyond what they were let to do."""

import base64
import hmac
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jwt
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from auth import sessions
from auth.machines import actions, keys, scopes
from auth.machines.actions import Draft
from auth.machines.models import Machine, MachineAssertion, MachineToken, MachineUse
from portal import db
from portal.audit import AuditEvent
from portal.db import ANONYMOUS, RIGHTS, Actor, Base
from portal.establishments import Establishment
from tests.factories import hospitals, people
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

SCOPES = ["system/Appointment.read", "system/Slot.read"]
BASE = "http://127.0.0.1"
KEY = jwk.ECKey.generate_key("P-256", {"kid": "his-1"})
OTHER_KEY = jwk.ECKey.generate_key("P-256", {"kid": "his-1"})
RSA = jwk.RSAKey.generate_key(2048, {"kid": "his-2"})


@dataclass(frozen=True)
class Known:
    """A machine with a secret, one with a key, and their hospitals."""

    north: Establishment
    south: Establishment
    machine: Machine
    secret: str
    signer: Machine


@pytest.fixture
def known(app: Flask) -> Known:
    with prepared():
        north = hospitals.hospital(name="Hôpital du nord").establishment
        south = hospitals.hospital("990000025", "Hôpital du sud").establishment
        machine, secret = actions.add(Draft(north.id, "Agenda du nord", SCOPES))
        public = {"keys": [KEY.as_dict(private=False), RSA.as_dict(private=False)]}
        signer, none = actions.add(Draft(north.id, "DPI du nord", SCOPES, public))
        assert none == ""
        return Known(north, south, machine, secret, signer)


@pytest.fixture
def outside(app: Flask) -> FlaskClient:
    """A machine's connection: no page, no cookie."""
    return FlaskClient(app, use_cookies=False)


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def ask(outside: FlaskClient, known: Known, **changed: Any) -> TestResponse:
    """Ask for a pass with the secret in the body."""
    form = {"grant_type": "client_credentials", "client_id": known.machine.client_id, "client_secret": known.secret}
    return outside.post(
        "/oauth/token", data={name: value for name, value in (form | changed).items() if value is not None}
    )


def passed(outside: FlaskClient, known: Known) -> str:
    answer = ask(outside, known)
    assert answer.status_code == 200, answer.json
    return str(answer.json["access_token"])


def call(outside: FlaskClient, token: str) -> TestResponse:
    return outside.get("/oauth/whoami", headers={"Authorization": f"Bearer {token}"})


def assertion(
    known: Known, key: Any = KEY, alg: str = "ES256", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """What the signer says of itself; None takes a claim away."""
    now = int(db.now().timestamp())
    client_id = known.signer.client_id
    usual = {"iss": client_id, "sub": client_id, "aud": f"{BASE}/oauth/token", "exp": now + 120, "iat": now,
             "jti": str(uuid4())}  # fmt: skip
    told = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid} | (header or {}), told, key, algorithms=[alg])


def sign_in_with(outside: FlaskClient, signed: str, **changed: Any) -> TestResponse:
    form = {"grant_type": "client_credentials", "client_assertion_type": keys.ASSERTION_TYPE,
            "client_assertion": signed}  # fmt: skip
    return outside.post("/oauth/token", data=form | changed)


class TestAPass:
    def test_says_what_rfc_6749_asks(self, outside: FlaskClient, known: Known) -> None:
        answer = ask(outside, known)
        assert answer.status_code == 200
        assert answer.json == {
            "access_token": answer.json["access_token"], "token_type": "Bearer", "expires_in": 600,
            "scope": "system/Slot.read system/Appointment.read",
        }  # fmt: skip
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers

    def test_is_given_by_each_way_of_proving(self, outside: FlaskClient, known: Known) -> None:
        credentials = basic(known.machine.client_id, known.secret)
        by_header = outside.post("/oauth/token", data={"grant_type": "client_credentials"}, headers=credentials)
        assert by_header.status_code == 200
        assert ask(outside, known).status_code == 200
        assert sign_in_with(outside, assertion(known)).status_code == 200
        assert sign_in_with(outside, assertion(known, RSA, "RS256")).status_code == 200

    def test_covers_what_is_asked_within_what_was_let(self, outside: FlaskClient, known: Known) -> None:
        assert ask(outside, known, scope="system/Slot.read").json["scope"] == "system/Slot.read"
        for beyond in ("system/Invoice.read", "system/Slot.read system/Invoice.read", "openid", "*"):
            answer = ask(outside, known, scope=beyond)
            assert (answer.status_code, answer.json) == (400, {"error": "invalid_scope"})

    def test_is_kept_as_a_digest(self, outside: FlaskClient, known: Known) -> None:
        token = passed(outside, known)
        (kept,) = rows(MachineToken)
        assert kept.digest == sessions.digest(token)
        assert kept.rights == ["appointments"]

    def test_is_written_in_the_journal_under_the_machines_name(self, outside: FlaskClient, known: Known) -> None:
        passed(outside, known)
        with prepared():
            event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "token.issued")).one()
        assert (event.actor, event.actor_name) == (f"machine:{known.machine.id}", "Agenda du nord")


class TestARefusedPass:
    @pytest.mark.parametrize(
        ("changed", "status", "error"),
        [
            ({"client_secret": "wrong"}, 401, "invalid_client"),
            ({"client_secret": ""}, 401, "invalid_client"),
            ({"client_secret": None}, 401, "invalid_client"),
            ({"client_id": "parvis-unknown"}, 401, "invalid_client"),
            ({"client_id": "\x00"}, 401, "invalid_client"),
            ({"client_id": None}, 401, "invalid_client"),
            ({"grant_type": "password"}, 400, "unsupported_grant_type"),
            ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
            ({"grant_type": None}, 400, "invalid_request"),
            ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request"),
            ({"client_assertion": "x"}, 400, "invalid_request"),
        ],
    )
    def test_says_the_code_of_the_rfc(
        self, outside: FlaskClient, known: Known, changed: dict[str, Any], status: int, error: str
    ) -> None:
        answer = ask(outside, known, **changed)
        assert (answer.status_code, answer.json) == (status, {"error": error})
        assert count(MachineToken) == 0

    def test_never_from_an_address(self, outside: FlaskClient, known: Known) -> None:
        query = f"?grant_type=client_credentials&client_id={known.machine.client_id}&client_secret={known.secret}"
        assert outside.post("/oauth/token" + query).status_code == 400
        assert outside.get("/oauth/token" + query).status_code == 405

    def test_with_two_proofs_at_once(self, outside: FlaskClient, known: Known) -> None:
        form = {"grant_type": "client_credentials", "client_secret": known.secret}
        answer = outside.post("/oauth/token", data=form, headers=basic(known.machine.client_id, known.secret))
        assert answer.json == {"error": "invalid_request"}

    @pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic YQ==", "Bearer x", "Digest x", "Basic /w=="])
    def test_with_a_header_that_says_nothing(self, outside: FlaskClient, known: Known, header: str) -> None:
        answer = outside.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
        )
        assert (answer.status_code, answer.json) == (401, {"error": "invalid_client"})
        assert answer.headers["WWW-Authenticate"].startswith("Basic")

    def test_to_a_machine_shut_out_or_expired(self, outside: FlaskClient, known: Known) -> None:
        for ended in ({"revoked_at": db.now()}, {"revoked_at": None, "expires_at": db.now() - timedelta(seconds=1)}):
            with prepared():
                db.session.execute(update(Machine).values(**ended))
            assert ask(outside, known).json == {"error": "invalid_client"}
            assert sign_in_with(outside, assertion(known)).json == {"error": "invalid_client"}

    def test_is_written_in_the_journal(self, outside: FlaskClient, known: Known) -> None:
        ask(outside, known, client_secret="wrong")
        assert audited()[-1] == "token.refused"

    def test_after_too_many_wrong_secrets_from_one_place_and_not_from_another(
        self, outside: FlaskClient, known: Known
    ) -> None:
        for _try in range(20):
            assert ask(outside, known, client_secret="wrong").status_code == 401
        answer = ask(outside, known)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 600
        form = {"grant_type": "client_credentials", "client_id": known.machine.client_id, "client_secret": known.secret}
        elsewhere = outside.post("/oauth/token", data=form, environ_base={"REMOTE_ADDR": "192.0.2.7"})
        assert elsewhere.status_code == 200


class TestAnAssertion:
    def refused(self, outside: FlaskClient, signed: str, **changed: Any) -> None:
        answer = sign_in_with(outside, signed, **changed)
        assert (answer.status_code, answer.json) == (401, {"error": "invalid_client"})
        assert count(MachineToken) == 0

    def test_serves_once(self, outside: FlaskClient, known: Known) -> None:
        signed = assertion(known)
        assert sign_in_with(outside, signed).status_code == 200
        assert sign_in_with(outside, signed).status_code == 401
        assert count(MachineToken) == 1

    def test_serves_once_even_at_the_same_moment(self, app: Flask, known: Known) -> None:
        signed = assertion(known)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _n: sign_in_with(FlaskClient(app), signed).status_code, range(4)))
        assert sorted(answers) == [200, 401, 401, 401]

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "https://elsewhere.test/oauth/token"}, {"aud": None},
            {"aud": [f"{BASE}/oauth/token", "https://elsewhere.test"]}, {"iss": "parvis-other"}, {"iss": None},
            {"sub": None}, {"sub": 3}, {"jti": None}, {"jti": ""}, {"jti": "x" * 201}, {"jti": 7}, {"exp": None},
            {"exp": 0}, {"exp": "soon"}, {"exp": True}, {"exp": 1e400}, {"iat": "x"},
        ],
    )  # fmt: skip
    def test_with_a_wrong_claim_is_refused(self, outside: FlaskClient, known: Known, claims: dict[str, Any]) -> None:
        if claims.get("exp") == 1e400:
            claims = {"exp": 10**30}
        self.refused(outside, assertion(known, **claims))

    @pytest.mark.parametrize("seconds", [-11, 311, 3600, 10**9])
    def test_that_expired_or_lives_too_long_is_refused(self, outside: FlaskClient, known: Known, seconds: int) -> None:
        self.refused(outside, assertion(known, exp=int(db.now().timestamp()) + seconds))

    @pytest.mark.parametrize("name", ["iat", "nbf"])
    def test_from_the_future_is_refused(self, outside: FlaskClient, known: Known, name: str) -> None:
        self.refused(outside, assertion(known, **{name: int(db.now().timestamp()) + 60}))

    def test_signed_by_somebody_else_is_refused(self, outside: FlaskClient, known: Known) -> None:
        self.refused(outside, assertion(known, OTHER_KEY))

    def test_without_a_signature_is_refused(self, outside: FlaskClient, known: Known) -> None:
        def part(value: dict[str, Any]) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

        claims = json.loads(base64.urlsafe_b64decode(assertion(known).split(".")[1] + "=="))
        for alg in ("none", "None", "", None):
            self.refused(outside, f"{part({'alg': alg, 'kid': 'his-1'})}.{part(claims)}.")

    def test_signed_with_the_public_key_as_a_secret_is_refused(self, outside: FlaskClient, known: Known) -> None:
        _head, body, _mark = assertion(known).split(".")
        head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "his-1"}).encode()).rstrip(b"=").decode()
        mark = hmac.digest(KEY.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
        self.refused(outside, f"{head}.{body}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}")

    @pytest.mark.parametrize("header", [{"kid": "unknown"}, {"crit": ["x"], "x": 1}])
    def test_with_a_header_that_is_not_ours_is_refused(
        self, outside: FlaskClient, known: Known, header: dict[str, Any]
    ) -> None:
        if "crit" in header:
            signed = assertion(known)
            _head, body, mark = signed.split(".")
            head = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "kid": "his-1", **header}).encode()).rstrip(
                b"="
            )
            self.refused(outside, f"{head.decode()}.{body}.{mark}")
        else:
            self.refused(outside, assertion(known, header=header))

    def test_of_a_machine_that_has_a_secret_is_refused(self, outside: FlaskClient, known: Known) -> None:
        me = known.machine.client_id
        self.refused(outside, assertion(known, iss=me, sub=me))

    def test_under_another_client_id_is_refused(self, outside: FlaskClient, known: Known) -> None:
        self.refused(outside, assertion(known), client_id=known.machine.client_id)

    @pytest.mark.parametrize("rubbish", ["", "x", "a.b.c", "a.b.c.d.e", "é.é.é", "." * 5000, "x" * 9000])
    def test_that_is_none_is_refused(self, outside: FlaskClient, known: Known, rubbish: str) -> None:
        self.refused(outside, rubbish)

    @given(st.text(max_size=300))
    def test_no_text_is_one_by_chance(self, text: str) -> None:
        with pytest.raises(keys.AssertionRefused):
            keys.check(text, {"keys": [KEY.as_dict(private=False)]}, frozenset({BASE}), db.now())


class TestAKeySet:
    def test_is_kept_when_it_is_public_and_strong(self) -> None:
        document = {"keys": [KEY.as_dict(private=False), RSA.as_dict(private=False)]}
        assert keys.read_key_set(json.dumps(document)) == document

    @pytest.mark.parametrize(
        "document",
        [
            "", "[]", "{}", '{"keys": []}', '{"keys": 3}', '{"keys": [3]}',
            json.dumps({"keys": [KEY.as_dict(private=True)]}),
            json.dumps({"keys": [jwk.OctKey.generate_key(256).as_dict(private=True)]}),
            json.dumps({"keys": [{k: v for k, v in KEY.as_dict(private=False).items() if k != "kid"}]}),
            json.dumps({"keys": [jwk.ECKey.generate_key("P-384", {"kid": "x"}).as_dict(private=False)]}),
            json.dumps({"keys": [KEY.as_dict(private=False)] * 6}),
        ],
        # Keys are drawn at each run: their text would name the tests differently in each of the suite's processes.
        ids=["empty", "a list", "no set", "no key", "not a list", "not a key", "private", "shared", "without name",
             "another curve", "too many"],
    )  # fmt: skip
    def test_is_refused_otherwise(self, document: str) -> None:
        with pytest.raises(keys.NotAKeySet):
            keys.read_key_set(document)


class TestACall:
    def test_says_who_the_pass_says_one_is(self, outside: FlaskClient, known: Known) -> None:
        answer = call(outside, passed(outside, known))
        assert answer.status_code == 200
        assert answer.json["name"] == "Agenda du nord"
        assert answer.json["establishment"] == {"finess": "990000017", "name": "Hôpital du nord"}
        assert datetime.fromisoformat(answer.json["expires_at"]) > db.now()

    def test_costs_one_round_trip_to_know_who(self, app: Flask, outside: FlaskClient, known: Known) -> None:
        token = passed(outside, known)
        with executed(app) as statements:
            call(outside, token)
        assert len(statements) == 2, statements  # who, and the hospital's name

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer ", "Basic x", "bearer \x01"])
    def test_without_a_good_pass_is_refused(self, outside: FlaskClient, known: Known, header: str) -> None:
        answer = outside.get("/oauth/whoami", headers={"Authorization": header} if header else {})
        assert (answer.status_code, answer.json) == (401, {"error": "invalid_token"})
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="parvis"')

    def test_ends_with_its_pass(self, outside: FlaskClient, known: Known) -> None:
        token = passed(outside, known)
        with prepared():
            db.session.execute(update(MachineToken).values(expires_at=db.now()))
        assert call(outside, token).status_code == 401

    def test_ends_when_the_machine_is_shut_out(self, outside: FlaskClient, known: Known) -> None:
        token = passed(outside, known)
        assert call(outside, token).status_code == 200
        with prepared():
            db.session.execute(update(Machine).values(revoked_at=db.now()))
        assert call(outside, token).status_code == 401

    def test_no_browser_session_counts(self, app: Flask, known: Known, sign_in: Callable[..., FlaskClient]) -> None:
        with prepared():
            agent = people.agent(known.north.id, *RIGHTS)
        assert sign_in(agent).get("/oauth/whoami").status_code == 401

    def test_no_pass_counts_on_a_page(self, outside: FlaskClient, known: Known) -> None:
        answer = outside.get("/admin/rendez-vous", headers={"Authorization": f"Bearer {passed(outside, known)}"})
        assert answer.status_code == 303

    def test_over_the_quota_waits_for_the_next_hour(self, outside: FlaskClient, known: Known) -> None:
        with prepared():
            db.session.execute(update(Machine).values(quota_per_hour=2))
        token = passed(outside, known)
        assert [call(outside, token).status_code for _time in range(3)] == [200, 200, 429]
        answer = call(outside, token)
        assert answer.json == {"error": "quota_exceeded"}
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
        with prepared():
            db.session.execute(update(MachineUse).values(hour=MachineUse.hour - timedelta(hours=1)))
        assert call(outside, token).status_code == 200

    def test_says_when_the_machine_was_last_there(self, outside: FlaskClient, known: Known) -> None:
        call(outside, passed(outside, known))
        with prepared():
            assert db.session.get_one(Machine, known.machine.id).last_used_at is not None


class TestAnActorLikeAnother:
    def machine(self, known: Known, *rights: str) -> Actor:
        here = frozenset({known.north.id})
        return Actor("machine", "Agenda", machine_id=known.machine.id, rights=dict.fromkeys(rights, here))

    def test_sees_the_patients_of_its_hospital_and_no_other(self, known: Known) -> None:
        with prepared():
            here, there = people.patient("DICI", ("A",)), people.patient("DAILLEURS", ("B",))
            people.known_at(here, known.north.id, "1")
            people.known_at(there, known.south.id, "1")
        from auth.models import Patient

        with db.transaction(self.machine(known, "appointments")) as current:
            assert [each.birth_name for each in current.scalars(select(Patient))] == ["DICI"]
        with db.transaction(self.machine(known)) as current:
            assert current.scalars(select(Patient)).all() == []

    def test_signs_what_it_does(self, known: Known) -> None:
        from portal import audit

        with db.transaction(self.machine(known, "appointments")):
            audit.record("appointment.opened", establishment_id=known.north.id)
        with prepared():
            event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "appointment.opened")).one()
        assert event.actor == f"machine:{known.machine.id}"

    def test_no_scope_gives_rights_to_others(self) -> None:
        assert "administration" not in scopes.rights(scope.code for scope in scopes.SCOPES)
        assert set(scopes.rights(scope.code for scope in scopes.SCOPES)) <= set(RIGHTS)


TABLES: tuple[type[Base], ...] = (Machine, MachineToken, MachineAssertion, MachineUse)


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__tablename__)
@pytest.mark.parametrize("who", ["anonymous", "patient", "professional", "agent", "agent elsewhere", "machine"])
def test_a_stranger_sees_and_writes_nothing_of_it(
    outside: FlaskClient, known: Known, model: type[Base], who: str
) -> None:
    call(outside, passed(outside, known))
    sign_in_with(outside, assertion(known))
    with prepared():
        account, patient = people.patient_with_account()
        agent, elsewhere = people.agent(known.north.id, "audit"), people.agent(known.south.id, *RIGHTS)
        strangers = {
            "anonymous": ANONYMOUS,
            "patient": people.as_patient(account, patient),
            "professional": people.as_professional(people.professional()),
            "agent": people.as_agent(agent, known.north.id, *set(RIGHTS) - {"administration"}),
            "agent elsewhere": people.as_agent(elsewhere, known.south.id, *RIGHTS),
            "machine": Actor("machine", "x", machine_id=known.machine.id,
                             rights={"appointments": frozenset({known.north.id})}),
        }  # fmt: skip
    assert count(model) > 0
    with db.transaction(strangers[who]) as current:
        assert current.scalar(select(func.count()).select_from(model)) == 0
    with db.transaction(strangers[who]) as current:
        column = next(each for each in model.__table__.columns if not each.primary_key)
        assert current.execute(update(model).values({column.name: column})).rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it
    forged = insert(Machine).values(
        id=uuid4(), establishment_id=known.north.id, name="x", client_id="x", secret_digest=b"x", scopes=[],
        quota_per_hour=1, created_at=db.now(),
    )  # fmt: skip
    with pytest.raises(DBAPIError, match="row-level security"), db.transaction(strangers[who]) as current:
        current.execute(forged)


def test_what_machines_leave_behind_is_forgotten(
    outside: FlaskClient, known: Known, work_jobs: Callable[[], None]
) -> None:
    call(outside, passed(outside, known))
    sign_in_with(outside, assertion(known))
    with prepared():
        long_ago = db.now() - timedelta(days=8)
        db.session.execute(update(MachineToken).values(expires_at=long_ago))
        db.session.execute(update(MachineAssertion).values(expires_at=long_ago))
        db.session.execute(update(MachineUse).values(hour=long_ago))
        from sqlalchemy import text

        db.session.execute(
            text("select procrastinate_defer_jobs_v1(array[row('clock', 'machines.forget', 0, null, null,"
                 " '{\"timestamp\": 0}'::jsonb, null)::procrastinate_job_to_defer_v1])")
        )  # fmt: skip
    work_jobs()
    assert [count(model) for model in (MachineToken, MachineAssertion, MachineUse)] == [0, 0, 0]
