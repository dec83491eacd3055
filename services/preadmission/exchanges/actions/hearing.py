"""What a message of the hospital system changes to a file. That system is the master of stays and of patients' numbers.

Nobody is guessed: a person is recognised by our own pre-admit number, by the stay's number, or by their number at that
hospital, and always by the birth date beside it. What does not agree changes nothing, and waits for an agent.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from auth.models import Patient, PatientRecord
from portal import audit, db
from portal.db import session
from portal.establishments import Establishment
from portal.gateways.his.hl7v2 import Message
from services.exchanges.dialect import Dialect
from services.exchanges.models import HisMessage
from services.exchanges.subjects import Heard
from services.preadmission import actions as files
from services.preadmission.exchanges import adt
from services.preadmission.exchanges.actions import planning
from services.preadmission.exchanges.adt import Told
from services.preadmission.models import Preadmission
from services.preadmission.states import TransitionRefused

_TOMORROW = timedelta(days=1)
_OVER = ("closed", "refused", "cancelled_by_patient", "cancelled_by_hospital", "lapsed", "purged")


def hear(place: Establishment, message: Message, codes: Dialect) -> Heard:
    """Do what the message says, or nothing of it. Raises NotHl7."""
    told = adt.read(message, place.tz, codes)
    if told.said_at > db.now() + _TOMORROW:
        return Heard("AR", "102", "wrong_clock")
    heard = _merge(place.id, told) if told.trigger == adt.MERGED else _about_a_stay(place, told)
    return replace(heard, external_id=told.visit_number or told.ipp, said_at=told.said_at)


def _refused(reason: str, error: str = "204") -> Heard:
    return Heard("AE", error, reason)


def _about_a_stay(place: Establishment, told: Told) -> Heard:
    file = _file(place.id, told)
    if file is None:
        return _unknown(place, told)
    heard = _wrong_person(file, told) or _follow(file, told)
    # A message about somebody else is not shown among those of this patient.
    return heard if heard.reason == "another_person" else replace(heard, subject_id=file.id, patient_id=file.patient_id)


def _file(establishment_id: UUID, told: Told) -> Preadmission | None:
    """The file that is meant: by our pre-admit number, else by the number of the stay."""
    here = Preadmission.establishment_id == establishment_id
    if told.reference:
        return session.scalar(select(Preadmission).where(here, Preadmission.reference == told.reference))
    if not told.visit_number:
        return None
    return planning.file_of_visit(establishment_id, told.visit_number)


def _wrong_person(file: Preadmission, told: Told) -> Heard | None:
    if told.birth_on is None:
        return _refused("no_birth_date", "101")
    if told.birth_on != file.patient.birth_on:
        return _refused("another_person")
    if told.ipp and file.ipp and told.ipp != file.ipp:
        return _refused("another_person")
    return _number_of_another(file, told)


def _number_of_another(file: Preadmission, told: Told) -> Heard | None:
    """One number at a hospital is one person's, and one person there has one number."""
    if not told.ipp:
        return None
    here = PatientRecord.establishment_id == file.establishment_id
    whose = session.scalar(select(PatientRecord.patient_id).where(here, PatientRecord.ipp == told.ipp))
    if whose is not None and whose != file.patient_id:
        return _refused("number_of_another", "205")
    theirs = session.scalar(select(PatientRecord.ipp).where(here, PatientRecord.patient_id == file.patient_id))
    return _refused("another_person") if theirs and theirs != told.ipp else None


def _unknown(place: Establishment, told: Told) -> Heard:
    """No file has this number. A reference of ours that we do not have is a mistake; another stay is none of ours,
    unless the hospital plans it."""
    if told.reference:
        return _refused("unknown_file")
    if told.cancels:
        return planning.cancel(place, told)
    return planning.plan(place, told) if told.trigger == adt.PREADMITTED else Heard(reason="not_ours")


# -- a stay of the portal ------------------------------------------------------------------------------------------


def _follow(file: Preadmission, told: Told) -> Heard:
    session.refresh(file, ["state"], with_for_update={"key_share": True})
    if told.cancels:
        return _done(lambda: files.cancel_there(file)) if file.state not in _OVER else Heard(reason="over")
    if file.state in _OVER:
        return Heard(reason="over")
    if told.said_at < _last_word(file.id):
        return Heard(reason="newer_known")
    if told.trigger == adt.DISCHARGED:
        return _discharge(file, told)
    return _number(file, told)


def _number(file: Preadmission, told: Told) -> Heard:
    """A01 and A05: the hospital's numbers of the patient and of the stay."""
    if not told.visit_number:
        return _refused("no_number", "101")
    whose = planning.file_of_visit(file.establishment_id, told.visit_number)
    if whose is not None and whose.patient_id != file.patient_id:
        return _refused("number_of_another", "205")
    if told.trigger == adt.PREADMITTED:
        planning.move(file, told)
    if _is_known(file, told):
        return Heard()
    heard = _done(lambda: files.integrate(file, told.ipp, told.visit_number))
    if heard.answer == "AA" and told.ipp:
        _remember_number(file, told.ipp)
    return heard


def _is_known(file: Preadmission, told: Told) -> bool:
    same = (file.visit_number, file.ipp) == (told.visit_number, told.ipp or file.ipp)
    return same and file.state not in ("validated", "transmitted")


def _remember_number(file: Preadmission, ipp: str) -> None:
    """What the office will look for, and what other messages of this hospital will bear."""
    record = session.get(PatientRecord, (file.patient_id, file.establishment_id))
    if record is not None and not record.ipp:
        record.ipp = ipp
        session.flush()


def _discharge(file: Preadmission, told: Told) -> Heard:
    if told.visit_number and file.state in ("validated", "transmitted"):
        numbered = _number(file, told)
        if numbered.answer != "AA":
            return numbered
    return _done(lambda: files.close(file))


def _last_word(preadmission_id: UUID) -> datetime:
    """When the hospital last said something of this file that was done."""
    query = select(func.max(HisMessage.said_at)).where(
        HisMessage.subject_id == preadmission_id, HisMessage.answer == "AA", HisMessage.error == ""
    )
    return session.scalar(query) or datetime.min.replace(tzinfo=db.now().tzinfo)


def _done(change: Callable[[], None]) -> Heard:
    """Wholly, or not at all: a file in a state that does not allow it keeps its state, and nobody has to act."""
    try:
        with session.begin_nested():
            change()
    except TransitionRefused:
        return Heard(reason="over")
    return Heard()


# -- two numbers of one patient ------------------------------------------------------------------------------------


def _merge(establishment_id: UUID, told: Told) -> Heard:
    """The number of a patient is replaced by another one: files and pieces follow, since they hang on the person."""
    if not told.former_ipp or not told.ipp:
        return _refused("no_former_number", "101")
    if told.former_ipp == told.ipp:
        return Heard()
    former, kept = (_record(establishment_id, number) for number in (told.former_ipp, told.ipp))
    if former is None:
        return Heard(reason="not_ours")
    if kept is not None:
        return _refused("two_people", "205")
    if told.birth_on is None:
        return _refused("no_birth_date", "101")
    if told.birth_on != session.get_one(Patient, former.patient_id).birth_on:
        return _refused("another_person")
    former.ipp = told.ipp
    _renumber(establishment_id, told)
    audit.record("ipp.replaced", patient_id=former.patient_id, establishment_id=establishment_id)
    return Heard(patient_id=former.patient_id)


def _record(establishment_id: UUID, ipp: str) -> PatientRecord | None:
    query = select(PatientRecord).where(PatientRecord.establishment_id == establishment_id, PatientRecord.ipp == ipp)
    return session.scalar(query.with_for_update(key_share=True))


def _renumber(establishment_id: UUID, told: Told) -> None:
    query = select(Preadmission).where(
        Preadmission.establishment_id == establishment_id, Preadmission.ipp == told.former_ipp
    )
    for file in session.scalars(query.with_for_update(key_share=True)):
        file.ipp = told.ipp
    session.flush()
