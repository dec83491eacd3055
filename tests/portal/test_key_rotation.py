"""Keys and secrets are changed while people work: what must go on does, what must end ends, and each is in the page."""

import base64
import re
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import flask
import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf, validate_csrf
from itsdangerous import URLSafeTimedSerializer
from pydantic import SecretStr
from sqlalchemy import func, select, update
from wtforms import ValidationError

from auth import sessions
from auth.factors import actions as factor_actions
from auth.factors import sealing as factors
from auth.factors.actions import WrongCode
from auth.factors.models import RecoveryCode
from auth.guests import secrets as guests
from auth.identity import sealing as identities
from auth.keys import standing
from auth.keys.models import SecretKeyMark
from auth.models import Account
from auth.news import stopping
from auth.news.kinds import KINDS
from auth.oidc import EncryptionKeys
from portal import config, db
from portal.config import Settings
from portal.db import session
from portal.file_crypto import FileKeyMissing
from portal.kpi import keys
from services.appointments import tokens
from services.appointments.kiosk import codes as kiosk_codes
from tests.factories import people
from tests.factories.factors import former_sheet
from tests.ground import prepared
from tests.portal.conftest import MakeApp

PAGE = (Path(__file__).parents[2] / "docs/key-rotation.md").read_text(encoding="utf-8")
ANOTHER = SecretStr("another key of the portal, since the operator changed it")


def test_every_secret_of_the_configuration_has_its_line_and_no_other_has() -> None:
    told = re.findall(r"(?m)^\| `(PORTAL_\w+)` \|", PAGE)
    assert sorted(told) == sorted(name for name, _kind, _default, _meaning, secret in config.variables() if secret)


class TestAnotherSecretKey:
    def test_signs_nobody_out(self, app: Flask, make_app: MakeApp, sign_in: Callable[[Account], FlaskClient]) -> None:
        with prepared():
            account, _patient = people.patient_with_account()
        browser = sign_in(account)
        name = sessions.cookie_name(secure=False)
        cookie = browser.get_cookie(name)
        assert cookie is not None
        later = make_app(secret_key=ANOTHER).test_client()
        assert later.get("/mon-compte").status_code == 303
        later.set_cookie(name, cookie.value)
        assert later.get("/mon-compte").status_code == 200

    def test_takes_a_form_opened_before_as_long_as_the_former_one_is_known(
        self, app: Flask, settings: Settings, make_app: MakeApp
    ) -> None:
        with app.test_request_context():
            token, kept = generate_csrf(), dict(flask.session)
        for other, is_taken in (
            (app, True),
            (make_app(secret_key=ANOTHER, secret_key_fallbacks=settings.secret_key), True),
            (make_app(secret_key=ANOTHER), False),
        ):
            with other.test_request_context():
                flask.session.update(kept)
                if is_taken:
                    validate_csrf(token)
                else:
                    with pytest.raises(ValidationError):
                        validate_csrf(token)

    def test_a_process_that_knows_the_next_one_takes_what_it_signs(
        self, app: Flask, settings: Settings, make_app: MakeApp
    ) -> None:
        """Rolling: some processes sign with the new key already, others know it only."""
        ahead = make_app(secret_key=ANOTHER, secret_key_fallbacks=settings.secret_key)
        behind = make_app(secret_key_fallbacks=ANOTHER)
        for signs, reads in ((ahead, behind), (behind, ahead)):
            with signs.test_request_context():
                token = generate_csrf()
                signed = cookies(signs).dumps(dict(flask.session))
            with reads.test_request_context():
                flask.session.update(cookies(reads).loads(signed))
                validate_csrf(token)

    def test_goes_on_with_the_pseudonyms_of_a_month_that_has_begun(self, settings: Settings, make_app: MakeApp) -> None:
        somebody, now = uuid4(), db.now()
        make_app()  # this process may remember a key whose row went with another test
        before = keys.pseudonym(somebody, now)
        make_app(secret_key=ANOTHER, secret_key_fallbacks=settings.secret_key)
        assert keys.pseudonym(somebody, now) == before
        make_app(secret_key=ANOTHER)
        assert keys.pseudonym(somebody, now) != before


def cookies(app: Flask) -> URLSafeTimedSerializer:
    """What signs and reads the cookie of forms."""
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return serializer


class TestWhatPeopleHold:
    """Codes, links and digests of a former key serve as long as it is a fallback, and no longer."""

    def test_a_recovery_code(self, settings: Settings, make_app: MakeApp) -> None:
        sheet = ("7KQM-2XHD", "8LRN-3YJE")
        with prepared():
            account = people.account()
            former_sheet(account, *sheet)
        make_app(secret_key=ANOTHER, secret_key_fallbacks=settings.secret_key)
        with prepared():
            factor_actions.prove_by_sheet(session.merge(account), sheet[0])
        make_app(secret_key=ANOTHER)
        with prepared(), pytest.raises(WrongCode):
            factor_actions.prove_by_sheet(session.merge(account), sheet[1])

    def test_a_recovery_code_that_is_hashed_needs_no_secret(self, make_app: MakeApp) -> None:
        with prepared():
            account = people.account()
            sheet = factor_actions.renew_sheet(account)
        make_app(secret_key=ANOTHER)
        with prepared():
            factor_actions.prove_by_sheet(session.merge(account), sheet[0])

    def test_the_address_that_stops_news(self, settings: Settings, make_app: MakeApp) -> None:
        somebody, kind = uuid4(), next(iter(KINDS))
        given = stopping.token(somebody, "mail", kind)
        make_app(secret_key=ANOTHER, secret_key_fallbacks=settings.secret_key)
        assert stopping.token(somebody, "mail", kind) != given
        assert stopping.read(somebody, "mail", kind, given) == [kind]
        make_app(secret_key=ANOTHER)
        assert stopping.read(somebody, "mail", kind, given) == []

    def test_addresses_that_a_message_says_again(self, settings: Settings, make_app: MakeApp) -> None:
        row, guest = uuid4(), uuid4()
        token, link = tokens.token_of("appointment link", row), guests.token_of(guest)
        make_app(secret_key=ANOTHER, secret_key_fallbacks=settings.secret_key)
        assert tokens.made("appointment link", row, tokens.digest(token)) == token
        assert guests.token_of(guest, guests.digest(link)) == link != guests.token_of(guest)
        make_app(secret_key=ANOTHER)
        assert tokens.made("appointment link", row, tokens.digest(token)) == ""

    def test_what_a_terminal_scans(self, settings: Settings, make_app: MakeApp) -> None:
        appointment = uuid4()
        shown = kiosk_codes.code_of(appointment)
        make_app(secret_key=ANOTHER, secret_key_fallbacks=settings.secret_key)
        assert appointment in kiosk_codes.read(shown)
        assert kiosk_codes.read(kiosk_codes.code_of(appointment))[0] == appointment

    def test_an_answer_sealed_for_the_key_made_from_the_former_one(self, settings: Settings) -> None:
        former = EncryptionKeys.derived("former " * 6).published()["keys"]
        both = EncryptionKeys.derived("new " * 10, "former " * 6).published()["keys"]
        assert former[0] in both[1:]


class TestTheMoment:
    def test_what_was_made_before_is_told_until_nobody_holds_it(self, settings: Settings, make_app: MakeApp) -> None:
        note(make_app())
        with prepared():
            assert (standing.depending(), standing.advice(db.now())) == ({}, "")
            account = people.account()
            factor_actions.renew_sheet(account)  # hashed: these need no secret, and are not counted
            former_sheet(account, "7KQM-2XHD", "8LRN-3YJE")
            session.execute(update(RecoveryCode).values(created_at=db.now() - timedelta(days=1)))
        made = make_app(secret_key=ANOTHER, secret_key_fallbacks=settings.secret_key)
        note(made)
        with made.app_context(), prepared():
            assert standing.depending() == {"recovery codes": 2}
            assert standing.advice(db.now()) == "", "they can wait: the former one is known"
        with make_app(secret_key=ANOTHER).app_context(), prepared():
            assert "2 recovery codes" in standing.advice(db.now())

    def test_a_former_one_that_nothing_needs_may_go(self, settings: Settings, make_app: MakeApp) -> None:
        note(make_app())
        made = make_app(secret_key=ANOTHER, secret_key_fallbacks=settings.secret_key)
        note(made)
        with made.app_context(), prepared():
            assert standing.advice(db.now() + timedelta(days=29)) == ""
            assert "take it out" in standing.advice(db.now() + timedelta(days=31))

    def test_the_next_one_is_not_taken_for_a_former_one(self, settings: Settings, make_app: MakeApp) -> None:
        made = make_app(secret_key_fallbacks=ANOTHER)
        note(made)
        with made.app_context(), prepared():
            assert not standing.is_former_known()
            assert standing.advice(db.now() + timedelta(days=400)) == ""


def note(app: Flask) -> None:
    """As a worker with these keys does."""
    with app.app_context():
        names = standing._names()
    with prepared():
        is_first = session.scalar(select(func.count()).select_from(SecretKeyMark)) == 0
        session.merge(SecretKeyMark(name=names[0], signs_since=None if is_first else db.now()))


class TestAnotherFileKey:
    @pytest.fixture
    def keys(self, settings: Settings) -> Iterator[list[str]]:
        """Two keys; what was configured comes back afterwards."""
        yield [f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in ("former", "new")]
        use(settings)

    def test_opens_what_the_former_one_sealed_until_that_is_taken_out(
        self, settings: Settings, keys: list[str]
    ) -> None:
        former, new = keys
        use(settings, former)
        column, factor = identities.seal("tests", "1 85 05 78 006 084 36"), factors.seal("tests", {"secret": "x"})
        use(settings, new, former)
        assert identities.open_("tests", column) == "1 85 05 78 006 084 36"
        assert factors.unseal("tests", factor) == {"secret": "x"}
        sealed_since = identities.seal("tests", "since")
        use(settings, new)
        assert identities.open_("tests", sealed_since) == "since"
        with pytest.raises(FileKeyMissing):
            identities.open_("tests", column)
        with pytest.raises(factors.Unsealable):
            factors.unseal("tests", factor)


def use(settings: Settings, *ring: str) -> None:
    """These keys from now on, the current one first; none: those of the tests."""
    changed = settings.model_copy(update={"file_keys": SecretStr(",".join(ring))}) if ring else settings
    for each in (identities, factors):
        each.configure(changed)
