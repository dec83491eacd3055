"""Who opened my file: every line, in words, for the person whose file it is, and nothing beyond a mandate."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text, update

from auth.account import access_log
from auth.account.access_log import Search
from auth.models import Account, Patient, PatientAccess
from portal import audit, db, establishments
from portal.audit import AuditEvent
from portal.db import Actor
from portal.establishments import EstablishmentSetting
from tests.factories import people
from tests.factories.hospitals import Hospital
from tests.ground import prepared
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
PAGE = "/mon-compte/acces"
MOST_STATEMENTS = 6


@pytest.fixture
def sign_in(sign_in: SignIn) -> SignIn:
    """Signed in, reading English."""

    def signed_in(account: Account) -> FlaskClient:
        browser = sign_in(account)
        browser.set_cookie("parvis_lang", "en")
        return browser

    return signed_in


@pytest.fixture
def me(app: Flask) -> tuple[Account, Patient]:
    with prepared():
        return people.patient_with_account()


def done(
    actor: Actor, action: str, patient: Patient, place: UUID | None = None, kind: str = "", **details: str
) -> None:
    with db.transaction(actor):
        audit.record(
            action, patient_id=patient.id, establishment_id=place, object_kind=kind, object_id=uuid4(), **details
        )


def agent_of(place: UUID, name: str = "Odile Régie") -> Actor:
    with prepared():
        account = people.agent(place, "billing", name=name)
    return people.as_agent(account, place, "billing")


class TestALine:
    def test_gives_the_office_of_an_agent_and_not_the_name(
        self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital
    ) -> None:
        here = north.establishment
        done(agent_of(here.id), "bill.opened", me[1], here.id, "bill")
        page = sign_in(me[0]).get(PAGE).text
        assert "Billing office" in page
        assert "Opened a bill" in page
        assert "Odile" not in page

    def test_gives_the_name_where_the_hospital_says_so(
        self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital
    ) -> None:
        here = north.establishment
        with prepared():
            establishments.change_setting(here.id, "show_agent_names", "yes")
        done(agent_of(here.id), "bill.opened", me[1], here.id, "bill")
        assert "Odile Régie" in sign_in(me[0]).get(PAGE).text

    def test_names_whoever_acted_for_me(self, sign_in: SignIn, me: tuple[Account, Patient]) -> None:
        with prepared():
            carer = people.patient_with_account(birth_name="VALMORIN", first_names=("IRÈNE",))[0]
            people.give_access(carer, me[1], "carer")
        done(people.as_patient(carer, me[1]), "document.opened", me[1], kind="document")
        assert "IRÈNE VALMORIN, acting for you" in sign_in(me[0]).get(PAGE).text

    def test_says_you_for_what_i_did(self, sign_in: SignIn, me: tuple[Account, Patient]) -> None:
        done(people.as_patient(*me), "document.opened", me[1], kind="document")
        assert ">You<" in sign_in(me[0]).get(PAGE).text.replace("\n", "")

    def test_says_the_portal_for_a_job(self, sign_in: SignIn, me: tuple[Account, Patient]) -> None:
        done(db.system("documents.receive"), "document.received", me[1], kind="document")
        assert "The portal, automatically" in sign_in(me[0]).get(PAGE).text

    def test_of_an_emergency_is_marked(self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital) -> None:
        here = north.establishment
        done(agent_of(here.id), "emergency.opened", me[1], here.id, "patient")
        assert "app-tag--danger" in sign_in(me[0]).get(PAGE).text

    def test_of_somebody_else_is_not_there(self, sign_in: SignIn, me: tuple[Account, Patient]) -> None:
        with prepared():
            other = people.patient(birth_name="DURAND")
        done(db.system("tests"), "document.opened", other, kind="document")
        assert "Nobody has opened this file yet" in sign_in(me[0]).get(PAGE).text


class TestAProxy:
    @pytest.fixture
    def carer(self, me: tuple[Account, Patient]) -> Account:
        with prepared():
            own = people.patient_with_account(birth_name="VALMORIN")[0]
            people.give_access(own, me[1], "carer")
            db.session.execute(
                update(PatientAccess)
                .where(PatientAccess.account_id == own.id, PatientAccess.relation == "carer")
                .values(scopes=["administrative"])
            )
        return own

    def test_reads_what_the_mandate_covers_and_nothing_more(
        self, sign_in: SignIn, me: tuple[Account, Patient], carer: Account
    ) -> None:
        done(db.system("tests"), "patient.registered", me[1], kind="patient")
        done(db.system("tests"), "document.received", me[1], kind="document")
        done(db.system("tests"), "unknown.done", me[1], kind="something new")
        browser = sign_in(carer)
        browser.post("/mon-compte/agir-pour", data={"patient_id": me[1].id})
        page = browser.get(PAGE).text
        assert "Registered you" in page
        assert "letter" not in page
        assert "unknown.done" not in page

    def test_whose_mandate_ended_reads_nothing(
        self, sign_in: SignIn, me: tuple[Account, Patient], carer: Account
    ) -> None:
        done(db.system("tests"), "patient.registered", me[1], kind="patient")
        browser = sign_in(carer)
        browser.post("/mon-compte/agir-pour", data={"patient_id": me[1].id})
        with prepared():
            db.session.execute(
                update(PatientAccess).where(PatientAccess.relation == "carer").values(revoked_at=db.now())
            )
        assert "Registered you" not in browser.get(PAGE).text


class TestTheList:
    def fill(self, patient: Patient, lines: int, place: UUID | None = None, year: int = 2025) -> None:
        at = datetime(year, 3, 1, 12, tzinfo=UTC)
        rows = [
            {"actor": "system:tests", "action": "document.received", "patient_id": patient.id, "at": at,
             "establishment_id": place, "object_kind": "document"}
            for _line in range(lines)
        ]  # fmt: skip
        with db.transaction(db.system("tests")) as current:
            current.execute(insert(AuditEvent), rows)

    def test_goes_on_from_page_to_page_without_losing_or_repeating(
        self, app: Flask, me: tuple[Account, Patient]
    ) -> None:
        """All at one moment: the worst case of a list ordered by time."""
        self.fill(me[1], 120)
        seen: list[int] = []
        with db.transaction(people.as_patient(*me)):
            before = None
            while True:
                page = access_log.lines(Search(me[1].id, before=before))
                seen += [event.id for event in page.lines]
                if page.older is None:
                    break
                before = page.older
        assert len(seen) == len(set(seen)) == 120
        assert seen == sorted(seen, reverse=True)

    def test_is_narrowed_by_year_hospital_and_who(
        self, app: Flask, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital, south: Hospital
    ) -> None:
        self.fill(me[1], 1, north.establishment.id, 2024)
        self.fill(me[1], 1, south.establishment.id, 2025)
        done(people.as_patient(*me), "document.opened", me[1], kind="document")
        browser = sign_in(me[0])
        assert browser.get(f"{PAGE}?annee=2024").text.count("<tr") == 2
        assert browser.get(f"{PAGE}?etablissement={south.establishment.finess}").text.count("<tr") == 2
        assert browser.get(f"{PAGE}?autres=1").text.count("<tr") == 3
        assert "Nothing for this choice" in browser.get(f"{PAGE}?annee=2019").text

    @pytest.mark.parametrize("query", ["annee=abc", "annee=99999", "avant=-1", "avant=9e99", "autres=<script>"])
    def test_does_not_stumble_over_a_strange_address(
        self, sign_in: SignIn, me: tuple[Account, Patient], query: str
    ) -> None:
        assert sign_in(me[0]).get(f"{PAGE}?{query}").status_code == 200

    def test_of_a_hospital_that_does_not_exist_is_not_found(self, sign_in: SignIn, me: tuple[Account, Patient]) -> None:
        assert sign_in(me[0]).get(f"{PAGE}?etablissement=000000000").status_code == 404

    def test_asks_six_statements_at_most(
        self, app: Flask, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital
    ) -> None:
        self.fill(me[1], 60, north.establishment.id)
        browser = sign_in(me[0])
        browser.get(PAGE)
        with executed(app) as statements:
            browser.get(PAGE)
        assert len(statements) <= MOST_STATEMENTS, statements

    def test_is_read_through_its_index_among_many_lines(self, app: Flask, me: tuple[Account, Patient]) -> None:
        with prepared():
            others = [people.patient(birth_name=f"AUTRE{number}").id for number in range(20)]
            db.session.execute(
                text(
                    "insert into audit_event (actor, actor_name, action, patient_id, object_kind, details)"
                    " select 'system:tests', '', 'document.received', (cast(:ids as uuid[]))[1 + n % 20],"
                    " 'document', '{}'"
                    " from generate_series(1, 20000) n"
                ),
                {"ids": [str(each) for each in others]},
            )
            self.fill(me[1], 3)
            db.session.execute(text("analyze audit_event"))
        with db.transaction(people.as_patient(*me)) as current:
            query = access_log._query(Search(me[1].id)).limit(51)
            compiled = query.compile(current.connection(), compile_kwargs={"literal_binds": True})
            plan = "\n".join(current.scalars(text(f"explain {compiled}")))
        assert "ix_audit_event_patient_id_at_id" in plan, plan
        assert "Seq Scan on audit_event" not in plan, plan

    def test_is_downloaded_whole_and_the_download_is_written_down(
        self, sign_in: SignIn, me: tuple[Account, Patient], north: Hospital
    ) -> None:
        self.fill(me[1], 70, north.establishment.id)
        answer = sign_in(me[0]).get(f"{PAGE}/telecharger.csv")
        lines = list(csv.reader(StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
        assert lines[0] == ["When", "Hospital", "Who", "What", "Emergency access"]
        assert len(lines) == 71
        with db.transaction(db.system("tests")) as current:
            assert current.scalar(select(AuditEvent.id).where(AuditEvent.action == "access_log.downloaded"))

    def test_explains_why_people_open_a_file(self, sign_in: SignIn, me: tuple[Account, Patient]) -> None:
        assert "Emergency access" in sign_in(me[0]).get(f"{PAGE}/pourquoi").text

    def test_wants_more_than_a_password(self, app: Flask, me: tuple[Account, Patient]) -> None:
        """A session of plain FranceConnect, without a second factor."""
        from auth import sessions
        from auth.models import WebSession

        with prepared():
            db.session.add(
                WebSession(
                    digest=sessions.digest("weak"), account_id=me[0].id, provider="franceconnect", acr="eidas1",
                    expires_at=db.now() + sessions.LIMITS["patient"].absolute,
                )
            )  # fmt: skip
        browser = app.test_client()
        browser.set_cookie(sessions.cookie_name(secure=False), "weak")
        assert browser.get(PAGE).status_code == 303
        assert browser.get("/mon-compte").status_code == 200


def test_the_setting_is_off_by_default(north: Hospital) -> None:
    with db.transaction(db.system("tests")) as current:
        assert (
            current.scalars(select(EstablishmentSetting).where(EstablishmentSetting.key == "show_agent_names")).all()
            == []
        )
        assert access_log.places().naming == frozenset()
