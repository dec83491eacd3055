"""Which documents the hospital's system is told of: what patients and practitioners sent and its agents took.

There is no cursor: a change that is committed late, or that a restore brought back, is found all the same.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.orm import joinedload

from auth.models import PatientRecord
from portal import audit, db, files
from portal.db import session
from portal.files import StoredFile
from services.documents.his import mdm, states
from services.documents.his.mdm import Person, Telling
from services.documents.models import Document
from services.exchanges import actions as exchanges
from services.exchanges import states as delivered
from services.exchanges.dialect import Dialect
from services.exchanges.models import Delivery
from services.exchanges.subjects import CannotBeTold, Written

AT_ONCE = 2000
_PLAN = text("""
insert into delivery (id, follower_id, establishment_id, subject_kind, subject_id, change_id, event, changed_at, state,
                      control_id)
select gen_random_uuid(), f.id, f.establishment_id, :subject, d.id, c.id,
       case when c.to_state <> 'filed' then 'T04'
            when exists (select 1 from document former where former.superseded_by_id = d.id) then 'T10'
            else 'T02' end, c.at,
       case when c.actor = :by_his then 'not_needed' else 'waiting' end,
       left(replace(c.id::text, '-', ''), 16)
from document_change c
join document d on d.id = c.document_id
join document_arrival a on a.id = d.arrival_id and a.channel = any(:channels)
join stored_file s on s.id = d.file_id and s.state = 'clean'
join follower f on f.establishment_id = c.establishment_id and f.kind = 'his' and f.follows_since <= c.at
join establishment_setting e on e.establishment_id = c.establishment_id and e.key = :format and e.value = 'hl7'
where c.at >= :since
  and (c.to_state in ('filed', 'withdrawn') or (c.to_state = 'tray' and c.from_state in ('filed', 'superseded')))
  and not exists (select 1 from delivery known where known.follower_id = f.id and known.change_id = c.id)
order by c.at
limit :at_once
on conflict (follower_id, change_id) do nothing
""")


def plan(since: datetime) -> int:
    """Write down what the hospital systems are to be told of the changes since then; how many are new. A document that
    still waits for the antivirus is told when it is accepted."""
    asked = {
        "since": since, "by_his": f"system:{states.HIS_ACTOR}", "at_once": AT_ONCE, "subject": states.SUBJECT,
        "format": states.FORMAT, "channels": list(states.TELLS),
    }  # fmt: skip
    return int(session.connection().execute(_PLAN, asked).rowcount)


def plan_nothing(_since: datetime) -> int:
    """Results only come."""
    return 0


def is_superseded(waiting: Delivery) -> bool:
    """What was taken back before it could have arrived is not told at all, nor that it was taken back."""
    document = _of(waiting)
    if document is None:
        return True
    if waiting.event == "T04":
        return document.state in ("filed", "superseded") or not _is_known_there(waiting)
    return document.state not in ("filed", "superseded")


def _is_known_there(waiting: Delivery) -> bool:
    """Whether the hospital's system took it, or may have."""
    told = exists().where(
        Delivery.follower_id == waiting.follower_id,
        Delivery.subject_id == waiting.subject_id,
        Delivery.event != "T04",
        (Delivery.state == delivered.ACCEPTED) | Delivery.in_doubt,
    )
    return bool(session.scalar(select(told)))


def write(waiting: Delivery, dialect: Dialect) -> Written | None:
    """The document as it is now; its bytes are read when it leaves. Raises CannotBeTold."""
    document = _of(waiting)
    if document is None or (document.patient is None and waiting.event != "T04"):
        return None
    if waiting.event != "T04" and document.file.state != "clean":
        raise CannotBeTold("not_readable")
    telling = _telling(waiting, document)
    audit.record(
        "document.told",
        patient_id=document.patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
        trigger=waiting.event,
    )
    light = mdm.write(telling, dialect)
    if waiting.event == "T04":
        return Written(light)
    return Written(light, content=partial(_whole, telling, dialect, document.file))


def _whole(telling: Telling, dialect: Dialect, stored: StoredFile) -> bytes:
    return mdm.write(telling, dialect, b"".join(files.open_(stored)))


def _telling(waiting: Delivery, document: Document) -> Telling:
    former = session.scalar(select(Document.unique_id).where(Document.superseded_by_id == document.id).limit(1))
    return Telling(
        event=waiting.event,
        control_id=waiting.control_id,
        sent_at=db.now(),
        tz=document.establishment.tz,
        person=_person(document),
        number=document.unique_id,
        parent=former if former and waiting.event == "T10" else "",
        type_code=document.type_code,
        title=document.title,
        author=document.author_name,
        authored_at=document.authored_at,
        media_type=document.file.media_type,
        visibility=sorted(document.visibility),
    )


def _person(document: Document) -> Person:
    """Whose it is; of what was taken back, nobody: a message about a wrong person would name them once more."""
    patient = document.patient
    if patient is None:
        return Person("", str(document.id), "", "", "", (), "", document.authored_on, "", "")
    record = session.get(PatientRecord, (patient.id, document.establishment_id))
    return Person(
        ipp=(record.ipp if record else "") or "",
        portal_id=str(patient.id),
        ins=patient.ins,
        ins_oid=patient.ins_oid,
        birth_name=patient.birth_name,
        first_names=tuple(patient.first_names),
        used_name=patient.used_name,
        birth_on=patient.birth_on,
        sex=patient.sex,
        status=patient.identity_status,
    )


def _of(told: Delivery) -> Document | None:
    if told.subject_id is None:
        return None
    query = select(Document).where(Document.id == told.subject_id)
    query = query.options(joinedload(Document.establishment), joinedload(Document.file), joinedload(Document.patient))
    return session.scalar(query.execution_options(populate_existing=True))


def tell_again(document: Document) -> bool:
    """Tell the hospital's system a document as it is now. False when it has no system."""
    event = "T02" if document.state in ("filed", "superseded") else "T04"
    return exchanges.tell_again(document.establishment_id, states.SUBJECT, document.id, event)


def find(hospitals: Collection[UUID], reference: str) -> Sequence[UUID]:
    """The document of these hospitals that bears this identifier."""
    query = select(Document.id).where(Document.establishment_id.in_(hospitals), Document.unique_id == reference)
    return session.scalars(query).all()


def find_nothing(_hospitals: Collection[UUID], _reference: str) -> Sequence[UUID]:
    """What is found as a document is found once."""
    return []


def references(ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The identifier of each of these documents."""
    return {row.id: row.unique_id for row in
            session.execute(select(Document.id, Document.unique_id).where(Document.id.in_(ids)))}  # fmt: skip
