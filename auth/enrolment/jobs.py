"""Loads of patients, and what is forgotten on schedule."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete

from auth.death import actions as death
from auth.enrolment import patient_file
from auth.enrolment.actions import Merged, merge_patients
from auth.enrolment.models import LinkTry
from auth.enrolment.patient_file import PatientLine, Refusal
from portal import db, establishments, jobs

_BATCH = 500
_KEPT_REFUSALS = 1000
_TRIES_KEPT = timedelta(days=2)


@dataclass
class ImportReport:
    """What became of a file's lines; the first thousand refusals, with the reason. deaths: newly told."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    deaths: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, refusal: Refusal) -> None:
        self.refused += 1
        if len(self.refusals) < _KEPT_REFUSALS:
            self.refusals.append(refusal)


def import_patients(path: Path, *, production: bool) -> ImportReport:
    """Load a file of patients in batches, each its own transaction; run again, it takes up where it was cut.

    Raises NotSuchAFile before anything is written.
    """
    report, batch = ImportReport(), dict[tuple[str, str], PatientLine]()
    with db.transaction(db.system("enrolment.import")):
        known = {place.finess: place.id for place in establishments.establishments()}
    for line in patient_file.read(path, production=production):
        if isinstance(line, Refusal):
            report.refuse(line)
        elif line.finess not in known:
            report.refuse(Refusal(line.line, line.ipp, f"finess: no hospital has the number {line.finess}"))
        else:
            # One statement cannot write the same patient twice: a repeated one waits for the next batch.
            if line.key in batch or len(batch) >= _BATCH:
                _merge(batch, known, report)
            batch[line.key] = line
    _merge(batch, known, report)
    return report


def _merge(batch: dict[tuple[str, str], PatientLine], known: dict[str, UUID], report: ImportReport) -> None:
    if not batch:
        return
    with db.transaction(db.system("enrolment.import")):
        merged = merge_patients(list(batch.values()), known)
        _tell_deaths(merged, report)
    report.added += merged.added
    report.changed += merged.changed
    report.unchanged += max(len(batch) - merged.added - merged.changed, 0)
    batch.clear()


def _tell_deaths(merged: Merged, report: ImportReport) -> None:
    for patient_id, establishment_id, deceased_on in merged.deaths:
        try:
            death.declare(patient_id, died_on=deceased_on, source="import", establishment_id=establishment_id)
        except death.DeathRefused:
            report.refuse(Refusal(0, "", "deceased_on: before the birth, or to come"))
        else:
            report.deaths += 1


@jobs.periodic("47 3 * * *", "enrolment.forget_tries")
def forget_tries() -> None:
    """Delete tries that no limit counts any more."""
    with jobs.reading() as current:
        current.execute(delete(LinkTry).where(LinkTry.at < db.now() - _TRIES_KEPT))
