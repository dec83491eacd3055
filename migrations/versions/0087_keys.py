"""Which of the portal's secrets made what, how far old files were sealed anew, and who may seal anew what nobody
changes: the job that does it, alone."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0087"
down_revision = "0085"
branch_labels = None
depends_on = None

_NEVER_CHANGED = ("companion_signature", "preadmission_choice", "preadmission_line", "record_request_message")
_RESEALING = "(select current_setting('parvis.system', true)) = 'keys.reseal'"
_FUNCTION = "reseal_record_request_message(uuid, text, text)"


def upgrade() -> None:
    op.add_column("kpi_month_key", sa.Column("mixed_with", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "secret_key_mark",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("signs_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret_key_mark")),
    )
    op.create_table(
        "file_resealing",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("after_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_file_resealing")),
    )
    for table in ("secret_key_mark", "file_resealing"):
        may.protect(table, read=may.SYSTEM, write=may.SYSTEM)
    for table in _NEVER_CHANGED:
        op.execute(
            f'create policy {table}_reseal on "{table}" for update using ({_RESEALING}) with check ({_RESEALING})'
        )
    # The application may not update this one at all: what is sealed is replaced by what is sealed, and nothing else.
    op.execute("""
create function reseal_record_request_message(message uuid, former text, anew text) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if anew not like 'sealed:%' or former not like 'sealed:%' then
        raise exception 'only what is sealed is sealed anew';
    end if;
    update record_request_message m set text = anew where m.id = message and m.text = former;
    return found;
end $$""")


def downgrade() -> None:
    op.execute(f"drop function {_FUNCTION}")
    for table in _NEVER_CHANGED:
        op.execute(f'drop policy {table}_reseal on "{table}"')
    op.drop_table("file_resealing")
    op.drop_table("secret_key_mark")
    op.drop_column("kpi_month_key", "mixed_with")
