"""What is done of hospitals whose system does not poll."""

from sqlalchemy import delete, select

from portal import db, jobs
from services.preadmission.fhir import records
from services.preadmission.fhir.models import EncounterIdentifier, EncounterStir
from services.preadmission.models import Preadmission


@jobs.periodic("37 3 * * *", "preadmission.versions")
def give_versions() -> None:
    """Give their versions to what changed, so that the list of changes stays short; forget how other systems called
    the files that were erased. A second run finds nothing to do."""
    actor = db.system("preadmission.versions")
    with db.transaction(actor) as current:
        hospitals = current.scalars(select(EncounterStir.establishment_id).distinct()).all()
    for establishment_id in hospitals:
        with db.transaction(actor):
            records.give_versions(establishment_id)
    with db.transaction(actor) as current:
        erased = select(Preadmission.id).where(Preadmission.state == "purged")
        current.execute(delete(EncounterIdentifier).where(EncounterIdentifier.preadmission_id.in_(erased)))
