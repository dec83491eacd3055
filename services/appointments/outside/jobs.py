"""Files of the hospital's agenda, loaded line by line; and what is mended on schedule."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal import calendar, db, establishments, jobs
from portal.db import session
from portal.delimited import NotSuchAFile
from portal.establishments import Establishment, Practitioner
from services.appointments.outside import actions, agenda_file, calendar_file, sessions, spans
from services.appointments.outside.actions import Word
from services.appointments.outside.agenda_file import Line, Refusal, SessionLine, TimeLine, Wrong
from services.appointments.outside.models import OutsideTime
from services.appointments.outside.sessions import Refused, SessionWord

_BATCH = 500
_REFUSALS_KEPT = 1000


@dataclass
class ImportReport:
    """What became of a file's lines; the first thousand refusals are kept, all are counted.

    late: something newer was known. stranded: appointments to come left without open time by a session's change.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    late: int = 0
    refused: int = 0
    stranded: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, refusal: Refusal) -> None:
        self.refused += 1
        if len(self.refusals) < _REFUSALS_KEPT:
            self.refusals.append(refusal)

    def count(self, outcome: str, lines: int = 1) -> None:
        """outcome: one of the actions' words."""
        setattr(self, outcome, getattr(self, outcome) + lines)


@dataclass(frozen=True)
class _Hospital:
    """What a line is read against."""

    id: UUID
    tz: ZoneInfo
    practitioners: dict[str, UUID]


def import_schedules(path: Path) -> ImportReport:
    """Load a file of sessions or of busy times; run again, it takes up where it was cut, and changes nothing twice.

    Raises NotSuchAFile before anything is written.
    """
    report = ImportReport()
    hospitals = _hospitals()
    for batch in _batches(agenda_file.read(path)):
        lines = [each for each in batch if not isinstance(each, Refusal)]
        for refusal in (each for each in batch if isinstance(each, Refusal)):
            report.refuse(refusal)
        known = [line for line in lines if line.finess in hospitals]
        for line in (each for each in lines if each.finess not in hospitals):
            report.refuse(_refusal(line, f"finess: no hospital has the number {line.finess[:20]}"))
        for finess, of_one in groupby(sorted(known, key=lambda each: each.finess), key=lambda each: each.finess):
            _load(hospitals[finess], list(of_one), report)
    return report


def _batches(lines: Iterator[Line | Refusal]) -> Iterator[Sequence[Line | Refusal]]:
    batch = list[Line | Refusal]()
    for line in lines:
        batch.append(line)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    yield batch


def _hospitals() -> dict[str, _Hospital]:
    with db.transaction(db.system("agenda.import")):
        return {
            place.finess: _Hospital(place.id, place.tz, _practitioners(place))
            for place in establishments.establishments()
        }


def _practitioners(place: Establishment) -> dict[str, UUID]:
    rows = session.execute(select(Practitioner.rpps, Practitioner.id).where(Practitioner.establishment_id == place.id))
    return {row.rpps: row.id for row in rows}


def _load(hospital: _Hospital, lines: Sequence[Line], report: ImportReport) -> None:
    _load_times(hospital, [line for line in lines if isinstance(line, TimeLine)], report)
    _load_sessions(hospital, [line for line in lines if isinstance(line, SessionLine)], report)


def _refusal(line: Line, why: str) -> Refusal:
    return Refusal(line.line, line.external_id, why)


# -- busy times --------------------------------------------------------------------------------------------------


def _load_times(hospital: _Hospital, lines: Sequence[TimeLine], report: ImportReport) -> None:
    """Practitioner by practitioner, so that a long file never holds many agendas still at once."""
    words = dict[UUID, list[Word]]()
    for line in lines:
        try:
            word = _word(hospital, line)
        except Wrong as wrong:
            report.refuse(_refusal(line, str(wrong)))
        else:
            words.setdefault(word.practitioner_id, []).append(word)
    for practitioner_id in sorted(words):
        with db.transaction(db.system("agenda.import")):
            outcomes = actions.hear(hospital.id, words[practitioner_id])
        for outcome in outcomes.values():
            report.count(outcome)
        report.count(actions.UNCHANGED, len(words[practitioner_id]) - len(outcomes))


def _word(hospital: _Hospital, line: TimeLine) -> Word:
    practitioner_id = hospital.practitioners.get(line.rpps)
    if practitioner_id is None:
        raise Wrong("rpps: no such practitioner at this hospital")
    start_at, end_at = (_moment(hospital.tz, line, name) for name in ("start_at", "end_at"))
    if not start_at < end_at <= start_at + spans.LONGEST:
        raise Wrong("end_at: after start_at, a day later at most")
    return Word(line.external_id, practitioner_id, start_at, end_at, line.is_busy, line.said_at.astimezone(UTC))


def _moment(tz: ZoneInfo, line: TimeLine, name: str) -> datetime:
    """A wall clock tells nothing when clocks change: the hour that is skipped does not exist, the other comes twice."""
    told: datetime = getattr(line, name)
    if told.tzinfo is not None:
        return told.astimezone(UTC)
    moment = calendar.to_utc(told.date(), told.time(), tz)
    if moment is None:
        raise Wrong(f"{name}: the clocks skip this time on that day")
    if told.replace(tzinfo=tz, fold=1).astimezone(UTC) != moment:
        raise Wrong(f"{name}: this time comes twice on that day: write its offset")
    return moment


# -- a practitioner's own calendar -------------------------------------------------------------------------------


def import_calendar(path: Path, finess: str, rpps: str) -> ImportReport:
    """Take the events of one practitioner's calendar as busy; what was there before and is not any more is freed.

    Raises NotSuchAFile before anything is written, also when the hospital or the practitioner is not known.
    """
    report, now = ImportReport(), db.now()
    hospital = _hospitals().get(finess)
    practitioner_id = hospital.practitioners.get(rpps) if hospital else None
    if hospital is None or practitioner_id is None:
        raise NotSuchAFile("no hospital has this number, or it has no such practitioner")
    words = list[Word]()
    for each in calendar_file.read(path, hospital.tz):
        if isinstance(each, Refusal):
            report.refuse(each)
        else:
            name = _calendar_id(rpps, each.uid)
            words.append(Word(name, practitioner_id, each.start_at, each.end_at, True, now))
    with db.transaction(db.system("agenda.import")):
        # A file that cannot be read whole proves of nothing that it has gone.
        gone = [] if report.refused else _gone(hospital.id, practitioner_id, rpps, {word.external_id for word in words})
        outcomes = actions.hear(hospital.id, [*words, *(_freed(row, now) for row in gone)])
    for outcome in outcomes.values():
        report.count(outcome)
    return report


def _calendar_id(rpps: str, uid: str) -> str:
    """Of a fixed length, whatever the calendar calls its events, and telling nothing of them."""
    return f"{_of_calendar(rpps)}{hashlib.sha256(uid.encode()).hexdigest()[:32]}"


def _of_calendar(rpps: str) -> str:
    return f"ics:{rpps}:"


def _gone(establishment_id: UUID, practitioner_id: UUID, rpps: str, told: set[str]) -> list[OutsideTime]:
    """What an earlier calendar said of times to come, and this one does not."""
    query = select(OutsideTime).where(
        OutsideTime.establishment_id == establishment_id,
        OutsideTime.practitioner_id == practitioner_id,
        OutsideTime.external_id.startswith(_of_calendar(rpps), autoescape=True),
        OutsideTime.is_busy,
        OutsideTime.end_at > db.now(),
    )
    return [row for row in session.scalars(query) if row.external_id not in told]


def _freed(row: OutsideTime, now: datetime) -> Word:
    return Word(row.external_id, row.practitioner_id, row.start_at, row.end_at, False, now)


# -- sessions ----------------------------------------------------------------------------------------------------


def _load_sessions(hospital: _Hospital, lines: Sequence[SessionLine], report: ImportReport) -> None:
    """Line by line: one that is refused takes no other with it."""
    if not lines:
        return
    with db.transaction(db.system("agenda.import")):
        known = dict(sessions.known(hospital.id, [line.external_id for line in lines]))
    for line in lines:
        word = _session_word(line)
        if known.get(line.external_id) == word.rank:
            report.count(actions.UNCHANGED)
            continue
        try:
            with db.transaction(db.system("agenda.import")):
                heard = sessions.hear_session(hospital.id, word)
        except Refused as refused:
            report.refuse(_refusal(line, str(refused)))
        else:
            report.count(heard.outcome)
            report.stranded += heard.stranded


def _session_word(line: SessionLine) -> SessionWord:
    return SessionWord(
        line.external_id, line.uf, line.rpps, line.day, line.opens, line.closes, line.step_min, line.reasons,
        line.capacity, line.is_open, line.said_at.astimezone(UTC),
    )  # fmt: skip


# -- on schedule -------------------------------------------------------------------------------------------------


@jobs.periodic("17 * * * *", "appointments.mend_outside")
def mend() -> None:
    """Take from the web what two transactions, each unaware of the other, left on it."""
    with jobs.reading():
        actions.mend()
