"""What is of the whole group is changed by those who administer all of it; totals are only ever replaced; a long part
of the journal is sent outside piece by piece.

The index of the journal by object is made without holding writers back: where 0070 made it, nothing happens.
"""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

_SOME_ADMINISTRATOR = "(select current_setting('parvis.at_administration', true)) <> ''"
_OF_THE_PORTAL = "establishment_id = '00000000-0000-0000-0000-000000000000'"
_OF_THE_GROUP = "establishment_id is null"
_INDEX = "ix_audit_event_object_id"


def _writers(whose: str) -> dict[str, str]:
    """Who changes what: table and commands → condition. whose: of what is of the group."""
    everywhere = may.either(whose, may.SYSTEM)
    target = may.either(may.both(_OF_THE_PORTAL, whose), may.staff("administration"), may.SYSTEM)
    door = may.either(may.both(_OF_THE_GROUP, whose), may.staff("administration"), may.SYSTEM)
    return {
        "kpi_target insert": target,
        "door_pause insert update": door,
        "door_test insert": door,
        "job_settled insert update delete": everywhere,
        "maintenance_window insert update": everywhere,
        "accessibility_report update": everywhere,
    }


def upgrade() -> None:
    _index_the_journal()
    op.create_index("ix_unusual_access_reviewed_by", "unusual_access", ["reviewed_by"])
    _write_policies(may.WHOLE_GROUP)
    for table in ("door_pause", "door_test"):
        op.execute(f"create policy {table}_delete on {table} for delete using ({may.SYSTEM})")
    _keep_totals()
    for column in ("part_xid", "part_id"):
        op.add_column("audit_sending", sa.Column(column, sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    for column in ("part_xid", "part_id"):
        op.drop_column("audit_sending", column)
    op.execute("drop trigger kpi_hospital_total_kept on kpi_hospital_total")
    op.execute("drop function refuse_total_change()")
    for table in ("door_pause", "door_test"):
        op.execute(f"drop policy {table}_delete on {table}")
    _write_policies(_SOME_ADMINISTRATOR)
    op.drop_index("ix_unusual_access_reviewed_by", "unusual_access")


def _index_the_journal() -> None:
    """Outside the transaction, and first: what stops in the middle is done again, the half-made index thrown away."""
    with op.get_context().autocommit_block():
        op.execute("set statement_timeout = 0")  # the journal may be tens of millions of rows
        op.execute("set lock_timeout = 0")  # it waits for every transaction that began before, and holds none back
        broken = f"select 1 from pg_index where indexrelid = to_regclass('{_INDEX}') and not indisvalid"
        if op.get_bind().exec_driver_sql(broken).scalar():
            op.execute(f"drop index concurrently {_INDEX}")
        op.execute(
            f"create index concurrently if not exists {_INDEX} on audit_event (object_id, id)"
            " where object_id is not null"
        )
        op.execute("set statement_timeout = '120s'")
        op.execute("set lock_timeout = '5s'")


def _write_policies(whose: str) -> None:
    for key, condition in _writers(whose).items():
        table, *commands = key.split()
        for command in commands:
            using = "" if command == "insert" else f" using ({condition})"
            check = "" if command == "delete" else f" with check ({condition})"
            op.execute(f"alter policy {table}_{command} on {table}{using}{check}")


def _keep_totals() -> None:
    """Once said, a total says the same for ever: another one may take its place, once."""
    op.execute("""
create function refuse_total_change() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    if old.replaced_at is not null or new.replaced_at is null
       or to_jsonb(new) - 'replaced_at' <> to_jsonb(old) - 'replaced_at' then
        raise exception 'a total that was said is only replaced' using errcode = 'check_violation';
    end if;
    return new;
end $$""")
    op.execute(
        "create trigger kpi_hospital_total_kept before update on kpi_hospital_total for each row execute function"
        " refuse_total_change()"
    )
