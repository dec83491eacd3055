"""The one reminder of what nobody opened."""

from itertools import groupby

from portal import db, jobs
from services.documents.unread import actions, queries


@jobs.periodic("40 8 * * *", "documents.remind")
def remind_unread() -> None:
    """Write once about what has stayed unread. One transaction a person: a second run finds it reminded."""
    actor = db.system("documents.remind")
    with db.transaction(actor):
        found = [(each.patient_id, each.id) for each in queries.to_remind(db.now())]
    for patient_id, rows in groupby(found, key=lambda row: row[0]):
        with db.transaction(actor):
            still = queries.not_reminded_yet([document_id for _patient, document_id in rows])
            if patient_id is not None and still:
                actions.remind(patient_id, still)
