"""Nobody gives themselves an identity, and nobody opens a record for somebody they do not know.

A letter goes to whoever bears its qualified INS, a bill to whoever bears its IPP: neither is a patient's to write. A
record shows a patient to a hospital's staff: an agent opens one for a patient they see already, somewhere else.
"""

from alembic import op

from migrations import policies as may

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SOME_STAFF = "(select current_setting('parvis.establishments', true)) <> ''"
_KNOWN_TO_STAFF = (
    "exists (select 1 from patient_record r where r.patient_id = patient.id and "
    + may.any_staff("r.establishment_id")
    + ")"
)

# Planned apart from the policy that calls it: patient and patient_record would otherwise read each other without end.
_IS_SEEN = """
create function patient_is_seen(wanted uuid) returns boolean language plpgsql stable as $$
begin
  return exists (select 1 from patient p where p.id = wanted);
end $$
"""


def upgrade() -> None:
    op.execute(_IS_SEEN)
    _let("patient", "insert", may.SYSTEM)
    _let("patient", "update", may.either(may.SYSTEM, _KNOWN_TO_STAFF))
    theirs = may.both(may.own(), "ipp is null")
    seen = may.both(may.any_staff(), "patient_is_seen(patient_id)")
    _let("patient_record", "insert", may.either(theirs, seen, may.SYSTEM))


def downgrade() -> None:
    _let("patient", "insert", may.either(may.SYSTEM, _SOME_STAFF))
    _let("patient", "update", may.either(may.own("id"), may.SYSTEM, _KNOWN_TO_STAFF))
    _let("patient_record", "insert", may.either(may.own(), may.any_staff(), may.SYSTEM))
    op.execute("drop function patient_is_seen(uuid)")


def _let(table: str, command: str, condition: str) -> None:
    using = f" using ({condition})" if command == "update" else ""
    op.execute(f"drop policy {table}_{command} on {table}")
    op.execute(f"create policy {table}_{command} on {table} for {command}{using} with check ({condition})")
