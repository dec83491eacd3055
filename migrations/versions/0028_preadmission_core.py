"""Answers by step, the whole life of a pre-admission, and a right to read what patients say of their health."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_STATES = (
    "draft", "submitted", "in_review", "to_complete", "completed", "validated", "transmitted", "integrated", "closed",
    "refused", "cancelled_by_patient", "cancelled_by_hospital", "lapsed", "purged",
)  # fmt: skip
_FORMER_STATES = (
    "draft", "submitted", "in_review", "to_complete", "completed", "validated", "refused", "cancelled_by_patient",
    "lapsed",
)  # fmt: skip
_TEXTS = (
    "used_name", "phone", "email", "address", "amo_kind", "nir", "amc_kind", "amc_name", "amc_number",
    "relative_name", "relative_link", "relative_phone",
)  # fmt: skip
_FUNCTIONS = ("open_web_session(bytea)", "open_machine_token(bytea)")


def upgrade() -> None:
    _know_care("'parvis.at_audit'", "'parvis.at_audit', 'parvis.at_care'")
    _add_columns()
    _create_answers()
    _move_answers()
    for name in _TEXTS:
        op.drop_column("preadmission", name)
    _let_the_desk_write(begun_at_the_desk="origin = 'desk'")


def _let_the_desk_write(begun_at_the_desk: str) -> None:
    """An agent fills in a file for somebody on the phone: that draft is the hospital's too."""
    for table, shown, desk in (
        ("preadmission", "submitted_at", begun_at_the_desk),
        ("piece", "shared_at", "shared_at is not null" if begun_at_the_desk else ""),
    ):
        seen = (
            may.either(f"{shown} is not null", begun_at_the_desk)
            if desk == "origin = 'desk'"
            else f"{shown} is not null"
        )
        theirs = may.either(may.own(), may.both(may.staff("preadmission"), seen), may.SYSTEM)
        begun = [may.both(may.staff("preadmission"), desk)] if desk else []
        op.execute(f"alter policy {table}_read on {table} using ({theirs})")
        op.execute(f"alter policy {table}_update on {table} using ({theirs}) with check ({theirs})")
        op.execute(f"alter policy {table}_insert on {table} with check ({may.either(may.own(), may.SYSTEM, *begun)})")


def _know_care(former: str, new: str) -> None:
    """Who opens a session begins with no right at all: the list of rights to empty is the only change."""
    for function in _FUNCTIONS:
        written = op.get_bind().scalar(sa.text("select pg_get_functiondef(cast(:f as regprocedure))"), {"f": function})
        assert former in written, function
        op.get_bind().exec_driver_sql(written.replace(former, new).replace("%", "%%"))


def _add_columns() -> None:
    texts = ("message_id", "ipp", "visit_number")
    for column in (
        sa.Column("origin", sa.Text(), nullable=False, server_default="patient"),
        sa.Column("version", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("confidential", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("nir_digest", sa.LargeBinary()),
        sa.Column("late", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("agent_id", sa.Uuid(), sa.ForeignKey("account.id", name=op.f("fk_preadmission_agent_id"))),
        *(sa.Column(name, sa.Text(), nullable=False, server_default="") for name in texts),
    ):
        op.add_column("preadmission", column)
    op.create_index("ix_preadmission_visit", "preadmission", ["establishment_id", "visit_number"])
    op.create_index(op.f("ix_preadmission_nir_digest"), "preadmission", ["nir_digest"])
    op.create_check_constraint(
        op.f("ck_preadmission_origin"), "preadmission", "origin in ('patient', 'invitation', 'desk', 'hospital')"
    )
    _restrict_states(_STATES)


def _restrict_states(states: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_preadmission_state"), "preadmission")
    listed = ", ".join(repr(state) for state in states)
    op.create_check_constraint(op.f("ck_preadmission_state"), "preadmission", f"state in ({listed})")


def _create_answers() -> None:
    op.create_table(
        "preadmission_answers",
        sa.Column("preadmission_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filled_by", sa.Text(), nullable=False),
        sa.Column("filled_by_name", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["preadmission_id"],
            ["preadmission.id"],
            name=op.f("fk_preadmission_answers_preadmission_id"),
            ondelete="cascade",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preadmission_answers")),
        sa.UniqueConstraint("preadmission_id", "step", name=op.f("uq_preadmission_answers_preadmission_id_step")),
    )
    seen = "exists (select 1 from preadmission parent where parent.id = preadmission_id)"
    may.protect("preadmission_answers", read=seen, insert=seen, update=seen, delete=may.SYSTEM)


def _move_answers() -> None:
    """What had been typed, but the sealed number: its key is the portal's, so it is asked again."""
    op.execute("select set_config('parvis.system', 'migration', true)")
    for step, told in (
        (
            "identity",
            "json_build_object('used_name', used_name, 'phone', phone, 'email', email, 'street', address)"
            ":: text from preadmission where phone <> ''",
        ),
        (
            "coverage",
            "json_build_object('amo_kind', case amo_kind when 'other' then 'none' else amo_kind end, 'amc_kind',"
            " amc_kind, 'amc_name', amc_name, 'member_number', amc_number)::text from preadmission where amo_kind <> ''",
        ),
        (
            "relative",
            "json_build_object('name', relative_name, 'link', relative_link, 'phone', relative_phone)"
            "::text from preadmission where relative_name <> ''",
        ),
    ):
        op.execute(
            "insert into preadmission_answers (id, preadmission_id, step, answers, version, filled_at, filled_by,"
            f" filled_by_name) select gen_random_uuid(), id, '{step}', t, 1, changed_at, '', '' from"
            f" (select id, changed_at, {told.replace(' from preadmission', ' as t from preadmission')}) moved"
        )


def downgrade() -> None:
    _let_the_desk_write(begun_at_the_desk="")
    for name in _TEXTS:
        op.add_column("preadmission", sa.Column(name, sa.Text(), nullable=False, server_default=""))
        op.alter_column("preadmission", name, server_default=None)
    op.drop_table("preadmission_answers")
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("update preadmission set state = 'validated' where state in ('transmitted', 'integrated', 'closed')")
    op.execute("update preadmission set state = 'lapsed' where state in ('cancelled_by_hospital', 'purged')")
    _restrict_states(_FORMER_STATES)
    op.drop_constraint(op.f("ck_preadmission_origin"), "preadmission")
    op.drop_index("ix_preadmission_visit", "preadmission")
    for name in (
        "origin", "version", "confidential", "nir_digest", "late", "agent_id", "message_id", "ipp", "visit_number",
    ):  # fmt: skip
        op.drop_column("preadmission", name)
    _know_care("'parvis.at_audit', 'parvis.at_care'", "'parvis.at_audit'")
