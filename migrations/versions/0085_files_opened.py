"""Have what opens a file asked by functions, whose plans a connection keeps: planned anew with each statement on
stored_file, their own policies and all, they were most of what the database did in a busy hour."""

from alembic import op

from migrations import policies as may

revision = "0085"
down_revision = "0083"
branch_labels = None
depends_on = None

# As whoever asks: the policies of these tables decide, as they did where they stood in those of stored_file.
_OPENERS = {
    "file_of_document": (
        "exists (select 1 from document o where o.file_id = {0}) or exists (select 1 from document o where"
        " o.content_id = {0})"
    ),
    "file_of_piece": "exists (select 1 from piece_page o where o.file_id = {0})",
    "file_of_exchange": "exists (select 1 from exchange_file o where o.file_id = {0})",
    "file_of_library": "exists (select 1 from library_version v where v.file_id = {0})",
    "file_of_request": "exists (select 1 from record_request_file o where o.file_id = {0})",
    "file_of_referral": "exists (select 1 from referral_file f where f.file_id = {0})",
}
_IDENTITY = (
    "(select case when p.rpps <> '' then '8' || p.rpps else p.subject_name_id end from professional p where"
    f" {may.account('p.account_id')})"
)
_IN_CIRCLE = (
    "coalesce(patient_id = any ((select (select array_agg(m.patient_id) from circle_member m where"
    f" m.identity = {_IDENTITY} and m.state = 'active' and m.identity <> '' and not m.closed_by_death and"
    " cardinality(m.scopes) > 0 and (m.until_at is null or m.until_at > now()) and 'documents' = any (m.scopes)))"
    "::uuid[]), false)"
)
_SOME_STAFF = "(select current_setting('parvis.establishments', true)) <> ''"
_A_READER = may.either(
    "(select nullif(current_setting('parvis.professional', true), '')) is not null",
    "(select current_setting('parvis.at_referrals', true)) <> ''",
)
_A_MACHINE = "(select current_setting('parvis.actor', true)) like 'machine:%'"
_POLICIES = {
    "circle": (_IN_CIRCLE, "file_of_document"),
    "library": ("", "file_of_library"),
    "of_request": ("", "file_of_request"),
    "pieces": (_SOME_STAFF, "file_of_piece"),
    "read_referral": (_A_READER, "file_of_referral"),
    "read_sender": (_A_MACHINE, "file_of_referral"),
}
_OF_PROXIES = ("file_of_document", "file_of_piece", "file_of_exchange")


def upgrade() -> None:
    for name, condition in _OPENERS.items():
        op.execute(
            f"create function {name}(uuid) returns boolean language plpgsql stable set search_path = public, pg_temp"
            f" set plan_cache_mode = force_generic_plan as $$ begin return {condition.format('$1')}; end $$"
        )
    _decide({name: f"{name}(id)" for name in _OPENERS})


def downgrade() -> None:
    _decide({name: condition.format("stored_file.id") for name, condition in _OPENERS.items()})
    for name in _OPENERS:
        op.execute(f"drop function {name}(uuid)")


def _decide(opened: dict[str, str]) -> None:
    for policy, (who, opener) in _POLICIES.items():
        condition = may.both(who, opened[opener]) if who else opened[opener]
        op.execute(f"alter policy stored_file_{policy} on stored_file using ({condition})")
    theirs = may.either(*(opened[opener] for opener in _OF_PROXIES))
    kept = may.either("patient_id is null", f"not {may.proxied()}", may.account(), theirs)
    op.execute(f"alter policy stored_file_mandate on stored_file using ({may.either(may.SYSTEM, kept)})")
