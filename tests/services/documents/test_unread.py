"""What nobody opened: one reminder, then paper; and Mon espace santé, which is asked, objected to and told of."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.models import Account, Patient
from portal import db, establishments, kpi
from portal.db import ANONYMOUS, session
from portal.kpi import KpiEvent
from portal.notifications import Notification
from services.documents import actions as room
from services.documents.models import Document, DocumentReading
from services.documents.shelf.mes import actions as mes
from services.documents.shelf.mes import jobs as mes_jobs
from services.documents.shelf.mes import queries as mes_queries
from services.documents.shelf.mes.actions import NotWaiting
from services.documents.shelf.models import MesOpposition, MesSending
from services.documents.states import NotPossibleNow
from services.documents.unread import actions, queries
from services.documents.unread.jobs import remind_unread
from tests.english import in_english as in_english
from tests.factories import people, shelf
from tests.ground import prepared, rows
from tests.services.documents.conftest import Ground


def publish(ground: Ground, days_ago: int, title: str = "Lettre de sortie", masked: bool = False) -> UUID:
    with prepared():
        document = shelf.published(ground.hospital.establishment, ground.patient, title)
        document.visible_at = document.told_at = db.now() - timedelta(days=days_ago)
        document.masked = masked
        return document.id


def read(ground: Ground, document_id: UUID) -> None:
    with prepared():
        session.add(
            DocumentReading(document_id=document_id, account_id=ground.account.id, patient_id=ground.patient.id)
        )


def mails() -> list[str]:
    return [each.subject + each.body for each in rows(Notification)]


# -- the reminder --------------------------------------------------------------------------------------------------


def test_one_reminder_for_all_that_was_not_opened(ground: Ground) -> None:
    publish(ground, 16, "Cancérologie")
    publish(ground, 20, "Cardiologie")
    publish(ground, 3, "Hier")
    for _again in range(2):
        remind_unread()
    assert len(mails()) == 1
    assert not any(word in mails()[0] for word in ("Cancérologie", "Cardiologie", ground.patient.birth_name))
    assert [each.reminded_at is not None for each in rows(Document)].count(True) == 2


def test_nobody_is_reminded_of_what_somebody_read(ground: Ground) -> None:
    read(ground, publish(ground, 20))
    remind_unread()
    assert mails() == []


@pytest.mark.parametrize(("remind_days", "told"), [(None, 0), (30, 0), (10, 1)])
def test_the_hospital_says_after_how_many_days(ground: Ground, remind_days: int | None, told: int) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "11490-0", remind_days=remind_days)
    publish(ground, 20)
    remind_unread()
    assert len(mails()) == told


def test_what_is_masked_is_recalled_to_the_person_alone(ground: Ground) -> None:
    with prepared():
        people.give_access(ground.other_account, ground.patient, "parent")
    publish(ground, 20, masked=True)
    remind_unread()
    assert {each.account_id for each in rows(Notification)} == {ground.account.id}


# -- paper ---------------------------------------------------------------------------------------------------------


def listed(ground: Ground) -> list[UUID]:
    with db.transaction(ground.as_agent):
        return [each.document.id for each in queries.to_post([ground.here], db.now())]


def test_nothing_goes_on_paper_unless_the_hospital_decides(ground: Ground) -> None:
    publish(ground, 200)
    assert listed(ground) == []


def test_an_unread_letter_is_listed_until_it_is_opened_or_posted(ground: Ground) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "11490-0", paper_days=30)
    first, second, third = publish(ground, 40), publish(ground, 35), publish(ground, 10)
    assert listed(ground) == [first, second]
    read(ground, first)
    assert listed(ground) == [second]
    with db.transaction(ground.as_agent):
        actions.mark_posted(session.get_one(Document, second))
    assert listed(ground) == []
    with db.transaction(ground.as_agent), pytest.raises(NotPossibleNow):
        actions.mark_posted(session.get_one(Document, second))
    with prepared():
        assert session.get_one(Document, second).posted_by
        assert session.get_one(Document, third).posted_at is None


def test_another_hospitals_agent_lists_nothing(ground: Ground) -> None:
    with prepared():
        shelf.document_type(ground.hospital.establishment, "", paper_days=30, kind="other")
    publish(ground, 40)
    assert len(listed(ground)) == 1
    with db.transaction(ground.as_other_agent):
        assert queries.to_post([ground.here], db.now()) == []
        assert session.scalars(select(DocumentReading)).all() == []


# -- Mon espace santé ----------------------------------------------------------------------------------------------


@pytest.fixture
def sends(ground: Ground) -> Ground:
    """The hospital sends its documents to Mon espace santé."""
    with prepared():
        establishments.change_setting(ground.here, mes_queries.SETTING, "on")
    return ground


def states() -> list[str]:
    return [each.state for each in rows(MesSending)]


def test_a_hospital_that_does_not_take_part_says_nothing(ground: Ground) -> None:
    publish(ground, 1)
    mes_jobs.look_at_documents()
    assert states() == []


def test_a_qualified_patients_document_waits_once_for_its_sender(sends: Ground) -> None:
    publish(sends, 1)
    for _again in range(2):
        mes_jobs.look_at_documents()
    assert states() == ["waiting"]
    assert [each.event for each in rows(KpiEvent)].count("mes_eligible") == 1


def test_an_identity_that_is_not_qualified_waits_for_the_desk(sends: Ground) -> None:
    with prepared():
        session.get_one(Patient, sends.patient.id).identity_status = "VALI"
    publish(sends, 1)
    mes_jobs.look_at_documents()
    assert states() == ["not_qualified"]
    with prepared():
        session.get_one(Patient, sends.patient.id).identity_status = "QUAL"
    mes_jobs.look_at_documents()
    assert states() == ["waiting"]


def test_a_patient_objects_and_undoes_it_in_one_gesture(
    sends: Ground, sign_in: Callable[[Account], FlaskClient]
) -> None:
    document_id, dominique = publish(sends, 1), sign_in(sends.account)
    mes_jobs.look_at_documents()
    dominique.post("/documents/mon-espace-sante", data={"sent": "no"})
    with prepared():
        assert not mes.may_leave(document_id)
    assert "You asked hospitals not to send your documents there." in dominique.get(f"/documents/{document_id}").text
    publish(sends, 0)
    mes_jobs.look_at_documents()
    assert sorted(states()) == ["opposed", "waiting"]
    dominique.post("/documents/mon-espace-sante", data={"sent": "yes"})
    mes_jobs.look_at_documents()
    assert states() == ["waiting", "waiting"]
    with prepared():
        assert mes.may_leave(document_id)


def test_what_was_sent_and_what_was_refused_is_said(sends: Ground, sign_in: Callable[[Account], FlaskClient]) -> None:
    sent, refused = publish(sends, 1, "Une"), publish(sends, 1, "Deux")
    mes_jobs.look_at_documents()
    with prepared():
        mes.mark_sent(sent)
        mes.mark_refused(refused, "mailbox_closed")
        with pytest.raises(NotWaiting):
            mes.mark_sent(refused)
    dominique = sign_in(sends.account)
    assert "Sent to Mon espace santé" in dominique.get(f"/documents/{sent}").text
    assert "The mailbox of your national health record is closed." in dominique.get(f"/documents/{refused}").text
    assert [each.event for each in rows(KpiEvent)].count("mes_sent") == 1


@pytest.mark.parametrize("code", ["MASQUE_PS", "INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX"])
def test_what_its_sender_hides_does_not_leave(sends: Ground, code: str) -> None:
    document_id = publish(sends, 1)
    with prepared():
        room.change_visibility(session.get_one(Document, document_id), [code])
    mes_jobs.look_at_documents()
    assert states() == []


def test_a_withdrawn_document_does_not_leave(sends: Ground) -> None:
    document_id = publish(sends, 1)
    mes_jobs.look_at_documents()
    with prepared():
        room.withdraw(session.get_one(Document, document_id), "sender_withdrew")
        assert not mes.may_leave(document_id)
        assert mes_queries.waiting() == []


def test_nobody_else_reads_or_writes_an_objection(sends: Ground) -> None:
    publish(sends, 1)
    mes_jobs.look_at_documents()
    with db.transaction(sends.as_patient):
        mes.object_to(sends.patient.id)
    for actor in (sends.as_other_patient, sends.as_other_agent, sends.as_professional, ANONYMOUS):
        with db.transaction(actor):
            assert [len(session.scalars(select(each)).all()) for each in (MesSending, MesOpposition)] == [0, 0]
            session.query(MesOpposition).update({"lifted_at": db.now()})
    assert [each.holds for each in rows(MesOpposition)] == [True]


def test_the_share_sent_is_a_figure() -> None:
    assert {"D1S", "D2S", "D4"} <= {each.code for each in kpi.definitions()}
