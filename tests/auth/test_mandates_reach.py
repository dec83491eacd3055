"""How far a mandate reaches, and what is kept from proxies: each room's pages, and the tables under them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError

from auth.mandates.models import Mandate, MandateChange
from auth.models import Account, Patient, PatientAccess
from portal import audit, db, jobs, notifications
from portal.audit import AuditEvent
from portal.db import SCOPES, Actor, Base
from portal.files import StoredFile
from portal.notifications import Notification
from services.appointments import actions as appointments
from services.appointments.models import Appointment, AppointmentChange, Claim
from services.appointments.slots import Slot
from services.billing.models import Bill
from services.documents import mails
from services.documents.models import Document
from services.pieces.models import Piece, PieceChange
from services.preadmission import actions as preadmissions
from services.preadmission.models import Preadmission, PreadmissionChange
from tests.factories import appointments as times
from tests.factories import billing, documents, hospitals, people
from tests.factories import preadmission as stays
from tests.factories.mandates import mandate
from tests.ground import audited, prepared, rows

SignIn = Callable[[Account | UUID], FlaskClient]
BY_SCOPE: dict[str, tuple[type[Base], ...]] = {
    "administrative": (Appointment, AppointmentChange, Claim, Preadmission, PreadmissionChange, Piece, PieceChange),
    "medical": (Document,),
    "payment": (Bill,),
}
MASKABLE: dict[str, type[Any]] = {
    "appointment": Appointment, "preadmission": Preadmission, "document": Document, "bill": Bill,
}  # fmt: skip


@pytest.fixture
def sign_in(sign_in: SignIn) -> SignIn:
    """A browser that reads English, whatever the catalogues hold."""

    def in_english(account: Account | UUID) -> FlaskClient:
        browser = sign_in(account)
        browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return browser

    return in_english


@dataclass
class Ground:
    """Suzanne has one of each; Camille acts for her."""

    camille: Account
    herself: Patient
    granny: Account
    suzanne: Patient
    agent: Account
    stranger: Account
    hospital: hospitals.Hospital
    ids: dict[str, UUID]

    def proxy(self, *scopes: str) -> Actor:
        them = frozenset({self.suzanne.id})
        reached = {s: frozenset({self.herself.id}) | (them if s in scopes else frozenset()) for s in SCOPES}
        return Actor("patient", self.camille.name, self.camille.id, patients=them | {self.herself.id}, proxied=them,
                     scopes=reached)  # fmt: skip

    @property
    def in_person(self) -> Actor:
        return people.as_patient(self.granny, self.suzanne)

    def let_act(self, *scopes: str) -> Mandate:
        with prepared():
            return mandate(self.camille, self.suzanne, "carer", scopes=scopes or SCOPES)

    def mask(self, code: str) -> None:
        with prepared():
            db.session.execute(update(MASKABLE[code]).where(MASKABLE[code].id == self.ids[code]).values(masked=True))

    def page(self, code: str) -> str:
        return {
            "appointment": f"/rendez-vous/{self.ids['appointment']}",
            "preadmission": f"/pre-admission/{self.ids['preadmission']}",
            "document": f"/documents/{self.ids['document']}",
            "bill": f"/factures/{self.ids['bill']}",
        }[code]


LISTS = {
    "appointment": "/rendez-vous", "preadmission": "/pre-admission", "document": "/documents", "bill": "/factures",
}  # fmt: skip


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        where = hospitals.hospital(phone="01 99 00 10 00")
        camille, herself = people.patient_with_account(birth_name="LORMEVAL", first_names=("Camille",))
        granny, suzanne = people.patient_with_account(birth_name="VALMORIN", first_names=("Suzanne",))
        granny.email, camille.email = "suzanne@exemple.test", "camille@exemple.test"
        documents.qualified(suzanne)
        people.known_at(suzanne, where.establishment.id, "8001")
        here = where.establishment.id
        agent = people.agent(here, "appointments", "preadmission", "billing", "documents")
        stranger = people.agent(here, "identity")
        why = times.reason(where.unit)
        seen = times.booked(suzanne, why, times.consultation(where, [why]))
        stay = stays.preadmission(suzanne, where.unit, "submitted", account_id=camille.id)
        stays.put(stays.pieces_of(stay)["identity"])
        letter = documents.received(where.establishment, documents.letter(documents.traits(suzanne)))
        bill = billing.bill(where.establishment, suzanne)
        for kind, thing in (("appointment", seen), ("preadmission", stay), ("document", letter), ("bill", bill)):
            audit.record(f"{kind}.opened", patient_id=suzanne.id, establishment_id=here, object_kind=kind,
                         object_id=thing.id)  # fmt: skip
        ids = {"appointment": seen.id, "preadmission": stay.id, "document": letter.id, "bill": bill.id}
        return Ground(camille, herself, granny, suzanne, agent, stranger, where, ids)


def seen(actor: Actor, *tables: type[Base]) -> dict[str, int]:
    with db.transaction(actor) as current:
        return {t.__tablename__: current.scalar(select(func.count()).select_from(t)) or 0 for t in tables}


class TestScopesInTheDatabase:
    @pytest.mark.parametrize("scope", SCOPES)
    def test_each_matter_opens_its_own_tables_and_no_other(self, ground: Ground, scope: str) -> None:
        for matter, tables in BY_SCOPE.items():
            found = seen(ground.proxy(scope), *tables)
            assert all(found.values()) if matter == scope else not any(found.values()), (matter, found)

    def test_the_person_sees_everything_of_theirs_whatever_their_proxies_may(self, ground: Ground) -> None:
        ground.let_act("payment")
        assert all(seen(ground.in_person, *(each for tables in BY_SCOPE.values() for each in tables)).values())

    @pytest.mark.parametrize("scope", SCOPES)
    def test_nothing_is_written_beyond(self, ground: Ground, scope: str) -> None:
        """Reads and writes alike: an update finds no row, an insert is refused."""
        outside = {code: table for code, table in MASKABLE.items() if code not in _codes(scope)}
        with db.transaction(ground.proxy(scope)) as current:
            for table in outside.values():
                changed = current.execute(update(table).values(establishment_id=table.establishment_id))
                assert changed.rowcount == 0, table  # type: ignore[attr-defined]  # what an update gives has it

    def test_an_appointment_is_not_booked_beyond(self, ground: Ground) -> None:
        with prepared():
            why = times.reason(ground.hospital.unit)
            opened = times.consultation(ground.hospital, [why], closes=times.time(20), opens=times.time(14))
        with pytest.raises(DBAPIError), db.transaction(ground.proxy("medical", "payment")):
            appointments.book(ground.suzanne.id, why.id, Slot(opened.id, 0))

    def test_a_proxy_reads_in_the_journal_what_concerns_their_matters_and_what_they_did(self, ground: Ground) -> None:
        with db.transaction(ground.proxy("payment")):
            audit.record("person.chosen", patient_id=ground.suzanne.id, object_kind="account")
        with db.transaction(ground.proxy("payment")) as current:
            kinds = set(current.scalars(select(AuditEvent.object_kind)))
        assert kinds == {"bill", "account"}

    def test_files_are_opened_from_what_one_sees(self, ground: Ground) -> None:
        with prepared():
            mine = db.session.scalar(select(func.count()).where(StoredFile.patient_id == ground.suzanne.id))
        assert mine
        assert seen(ground.proxy("payment"), StoredFile) == {"stored_file": 0}
        assert seen(ground.proxy("medical"), StoredFile)["stored_file"] > 0
        ground.mask("document")
        assert seen(ground.proxy("medical"), StoredFile) == {"stored_file": 0}

    def test_other_proxies_of_the_person_are_not_a_proxy_s_business(self, ground: Ground) -> None:
        ground.let_act("payment")
        with prepared():
            other, _ = people.patient_with_account(birth_name="TIERS")
            mandate(other, ground.suzanne, "carer")
        with db.transaction(ground.proxy("payment")) as current:
            accesses = current.scalars(select(PatientAccess.account_id)).all()
            assert current.scalars(select(Mandate.account_id)).all() == [ground.camille.id]
        assert set(accesses) == {ground.camille.id}


def _codes(scope: str) -> set[str]:
    kinds = {"administrative": {"appointment", "preadmission"}, "medical": {"document"}, "payment": {"bill"}}
    return kinds[scope]


class TestScopesOnPages:
    @pytest.mark.parametrize("scope", SCOPES)
    def test_open_the_rooms_of_the_mandate_alone(self, ground: Ground, sign_in: SignIn, scope: str) -> None:
        ground.let_act(scope)
        browser = sign_in(ground.camille)
        browser.post("/mon-compte/mandats/agir", data={"patient_id": str(ground.suzanne.id)})
        for code, path in LISTS.items():
            expected = 200 if code in _codes(scope) else 403
            assert browser.get(path).status_code == expected, path
            assert browser.get(ground.page(code)).status_code == expected, code

    def test_of_oneself_do_not_show_the_others_appointments_beyond(self, ground: Ground, sign_in: SignIn) -> None:
        ground.let_act("payment")
        browser = sign_in(ground.camille)
        assert "VALMORIN" not in browser.get("/rendez-vous").text
        assert browser.get(ground.page("appointment")).status_code == 404
        assert browser.get(f"{ground.page('appointment')}/rendez-vous.ics").status_code == 404


class TestMasked:
    @pytest.mark.parametrize("code", MASKABLE)
    def test_is_nowhere_for_a_proxy_and_still_there_for_the_person(
        self, ground: Ground, sign_in: SignIn, code: str
    ) -> None:
        ground.let_act()
        carer, granny = sign_in(ground.camille), sign_in(ground.granny)
        carer.post("/mon-compte/mandats/agir", data={"patient_id": str(ground.suzanne.id)})
        link = str(ground.ids[code])
        assert link in carer.get(LISTS[code]).text
        assert carer.get(ground.page(code)).status_code == 200
        ground.mask(code)
        assert link not in carer.get(LISTS[code]).text
        assert carer.get(ground.page(code)).status_code == 404
        assert link in granny.get(LISTS[code]).text
        assert granny.get(ground.page(code)).status_code == 200

    @pytest.mark.parametrize("code", MASKABLE)
    def test_is_in_no_table_count_nor_journal(self, ground: Ground, code: str) -> None:
        ground.mask(code)
        everything = ground.proxy(*SCOPES)
        assert seen(everything, MASKABLE[code]) == {MASKABLE[code].__tablename__: 0}
        with db.transaction(everything) as current:
            assert ground.ids[code] not in set(current.scalars(select(AuditEvent.object_id)))

    def test_stay_takes_its_pieces_its_changes_and_its_files_along(self, ground: Ground) -> None:
        ground.mask("preadmission")
        hidden = (Preadmission, PreadmissionChange, Piece, PieceChange)
        assert not any(seen(ground.proxy("administrative"), *hidden).values())
        assert seen(ground.proxy("administrative"), StoredFile) == {"stored_file": 0}

    @pytest.mark.parametrize("path", ["fichier", "original"])
    def test_letter_is_not_downloaded(self, ground: Ground, sign_in: SignIn, path: str) -> None:
        ground.let_act()
        ground.mask("document")
        carer = sign_in(ground.camille)
        carer.post("/mon-compte/mandats/agir", data={"patient_id": str(ground.suzanne.id)})
        assert carer.get(f"{ground.page('document')}/{path}").status_code == 404

    def test_appointment_is_not_in_a_calendar_and_cannot_be_cancelled(self, ground: Ground, sign_in: SignIn) -> None:
        ground.let_act()
        ground.mask("appointment")
        carer = sign_in(ground.camille)
        assert carer.get(f"{ground.page('appointment')}/rendez-vous.ics").status_code == 404
        assert carer.post(f"{ground.page('appointment')}/annuler", data={"why": "other"}).status_code == 404

    def test_hour_is_taken_and_nothing_says_by_what(self, ground: Ground, sign_in: SignIn) -> None:
        """Two appointments at one time stay impossible; the proxy is told that the slot is gone."""
        ground.let_act()
        ground.mask("appointment")
        with prepared():
            before = db.session.get_one(Appointment, ground.ids["appointment"])
            away = hospitals.practitioner(
                ground.hospital.unit, "10000000058", "AUBERTIN", "Salomé", "Cardiologie", "Dre"
            )
            why = times.reason(ground.hospital.unit)
            opened = times.consultation(ground.hospital, [why], before.start_at.astimezone(before.tz).date(),
                                        practitioner=away)  # fmt: skip
        carer = sign_in(ground.camille)
        data = {"once": str(uuid4()), "reason": str(why.id), "slot": str(Slot(opened.id, 0)),
                "patient_id": str(ground.suzanne.id)}  # fmt: skip
        carer.post("/rendez-vous/garder", data=data)
        answer = carer.post("/rendez-vous/confirmer", data=data)
        assert answer.status_code == 409
        assert str(ground.ids["appointment"]) not in answer.text


class TestMails:
    def recipients(self, work_jobs: Callable[[], None]) -> list[str]:
        work_jobs()
        return sorted(each.recipient for each in rows(Notification) if each.body.endswith("/documents"))

    def test_of_a_letter_go_to_those_who_may_read_it(self, ground: Ground, work_jobs: Callable[[], None]) -> None:
        ground.let_act("medical")
        assert self.recipients(work_jobs) == ["camille@exemple.test", "suzanne@exemple.test"]

    @pytest.mark.parametrize("masked", [True, False])
    def test_of_a_letter_out_of_scope_or_masked_go_to_the_person_alone(
        self, ground: Ground, work_jobs: Callable[[], None], masked: bool
    ) -> None:
        ground.let_act(*(SCOPES if masked else ("payment",)))
        if masked:
            ground.mask("document")
        assert self.recipients(work_jobs) == ["suzanne@exemple.test"]

    @pytest.mark.parametrize(("masked", "told"), [(False, "patiente@exemple.test"), (True, "suzanne@exemple.test")])
    def test_of_a_stay_go_to_who_sent_the_file_unless_it_is_masked(
        self, ground: Ground, masked: bool, told: str
    ) -> None:
        ground.let_act()
        if masked:
            ground.mask("preadmission")
        with db.transaction(people.as_agent(ground.agent, ground.hospital.establishment.id, "preadmission")) as current:
            file = current.get_one(Preadmission, ground.ids["preadmission"])
            preadmissions.take(file)
            preadmissions.refuse(file, "Autre service")
        assert [each.recipient for each in rows(Notification)] == [told]

    def test_of_an_appointment_booked_by_a_proxy_go_to_the_person_once_it_is_masked(
        self, ground: Ground, work_jobs: Callable[[], None]
    ) -> None:
        given = ground.let_act()
        for masked, told in ((False, "camille@exemple.test"), (True, "suzanne@exemple.test")):
            with prepared():
                before = {each.id for each in db.session.scalars(select(Notification))}
                db.session.execute(update(Appointment).values(masked=masked))
                jobs.enqueue("appointments.confirm_by_mail", appointment_id=str(ground.ids["appointment"]),
                             account_id=str(ground.camille.id))  # fmt: skip
            work_jobs()
            about = {each.recipient for each in rows(Notification) if each.id not in before}
            assert about == ({told} if masked else {told, "suzanne@exemple.test"}), masked
        assert given.state == "active"

    def test_written_before_a_mandate_ended_are_not_sent_after(
        self, ground: Ground, work_jobs: Callable[[], None]
    ) -> None:
        ground.let_act("medical")
        with prepared():
            notifications.tell(mails.new_document(), recipient="camille@exemple.test", account_id=ground.camille.id,
                               patient_id=ground.suzanne.id)  # fmt: skip
            db.session.execute(
                update(PatientAccess).where(PatientAccess.relation == "carer").values(revoked_at=db.now())
            )
        work_jobs()
        assert [each.sent_at for each in rows(Notification) if each.account_id == ground.camille.id] == [None]


class TestTheBox:
    @pytest.mark.parametrize("code", MASKABLE)
    def test_lets_the_person_keep_one_thing_and_show_it_again(self, ground: Ground, sign_in: SignIn, code: str) -> None:
        ground.let_act()
        granny = sign_in(ground.granny)
        assert "Keep this to myself" in granny.get(ground.page(code)).text
        for masked in ("1", "0"):
            answer = granny.post(f"/mon-compte/masquage/{code}/{ground.ids[code]}", data={"masked": masked})
            assert answer.status_code == 303
            assert [each.masked for each in rows(MASKABLE[code])] == [masked == "1"]
        kept = [action for action in audited() if action.startswith("object.")]
        assert kept == ["object.masked", "object.unmasked"]

    def test_is_not_shown_to_whoever_has_no_proxy(self, ground: Ground, sign_in: SignIn) -> None:
        assert "Keep this to myself" not in sign_in(ground.granny).get(ground.page("bill")).text

    @pytest.mark.parametrize("code", MASKABLE)
    def test_is_not_for_a_proxy(self, ground: Ground, sign_in: SignIn, code: str) -> None:
        ground.let_act()
        carer = sign_in(ground.camille)
        carer.post("/mon-compte/mandats/agir", data={"patient_id": str(ground.suzanne.id)})
        assert "Keep this to myself" not in carer.get(ground.page(code)).text
        answer = carer.post(f"/mon-compte/masquage/{code}/{ground.ids[code]}", data={"masked": "1"})
        assert answer.status_code == 404
        assert not any(each.masked for each in rows(MASKABLE[code]))

    @pytest.mark.parametrize(("years", "status"), [(16, 303), (14, 404)])
    def test_is_for_minors_from_fifteen_with_an_account(
        self, ground: Ground, sign_in: SignIn, years: int, status: int
    ) -> None:
        with prepared():
            born = db.now().date().replace(year=db.now().year - years, day=1)
            db.session.get_one(Patient, ground.suzanne.id).birth_on = born
        answer = sign_in(ground.granny).post(f"/mon-compte/masquage/bill/{ground.ids['bill']}", data={"masked": "1"})
        assert answer.status_code == status

    @pytest.mark.parametrize("code", MASKABLE)
    def test_lets_an_agent_of_the_room_keep_one_thing(self, ground: Ground, sign_in: SignIn, code: str) -> None:
        path = f"/admin/masquage/{code}/{ground.ids[code]}"
        assert sign_in(ground.stranger).post(path, data={"masked": "1"}).status_code == 404
        answer = sign_in(ground.agent).post(path, data={"masked": "1"}, follow_redirects=True)
        assert answer.status_code == 200
        assert "Show it again" in answer.text
        assert [each.masked for each in rows(MASKABLE[code])] == [True]

    def test_refuses_what_it_does_not_know(self, ground: Ground, sign_in: SignIn) -> None:
        granny = sign_in(ground.granny)
        assert granny.post(f"/mon-compte/masquage/nothing/{uuid4()}", data={"masked": "1"}).status_code == 404
        assert granny.post(f"/mon-compte/masquage/bill/{uuid4()}", data={"masked": "1"}).status_code == 404


class TestMandatesThemselves:
    """Another actor sees nothing, and nobody makes a mandate active by themselves."""

    def test_are_seen_by_the_two_people_and_the_identity_unit_that_checked(self, ground: Ground) -> None:
        with prepared():
            mandate(ground.camille, ground.suzanne, "guardian", establishment_id=ground.hospital.establishment.id)
            other, themselves = people.patient_with_account(birth_name="TIERS")
            far = hospitals.hospital("990000025", "Hôpital du sud").establishment.id
        here = ground.hospital.establishment.id
        who = {
            "proxy": (ground.proxy(*SCOPES), True),
            "person": (ground.in_person, True),
            "identity unit": (people.as_agent(ground.stranger, here, "identity"), True),
            "other unit": (people.as_agent(ground.stranger, far, "identity"), False),
            "other right": (people.as_agent(ground.agent, here, "billing", "documents", "administration"), False),
            "other patient": (people.as_patient(other, themselves), False),
            "anonymous": (db.ANONYMOUS, False),
        }
        for name, (actor, allowed) in who.items():
            found = seen(actor, Mandate, MandateChange)
            assert all(found.values()) if allowed else not any(found.values()), (name, found)

    def test_are_not_made_active_by_whoever_would_act(self, ground: Ground) -> None:
        whole = {"id": uuid4(), "kind": "carer", "account_id": ground.camille.id, "patient_id": ground.suzanne.id,
                 "asked_at": db.now(), "changed_at": db.now()}  # fmt: skip
        for state in ("active", "requested", "offered"):
            with (
                pytest.raises(DBAPIError),
                db.transaction(people.as_patient(ground.camille, ground.herself)) as current,
            ):
                current.execute(insert(Mandate.__table__).inline().values(**whole, state=state))  # type: ignore[arg-type]  # facts of any field

    def test_are_not_brought_back_to_life_by_whoever_acted(self, ground: Ground) -> None:
        with prepared():
            mandate(ground.camille, ground.suzanne, "carer", state="revoked")
        with pytest.raises(DBAPIError), db.transaction(people.as_patient(ground.camille, ground.herself)) as current:
            current.execute(update(Mandate).values(state="active"))

    def test_changes_are_never_altered(self, ground: Ground) -> None:
        ground.let_act()
        with pytest.raises(DBAPIError), db.transaction(ground.in_person) as current:
            current.execute(update(MandateChange).values(reason="x"))
