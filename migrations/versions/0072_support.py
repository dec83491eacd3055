"""Support mode: who saw whose screens, why and for how long; and the right to."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_FUNCTIONS = ("open_web_session(bytea)", "open_machine_token(bytea)")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _know_the_right("'parvis.at_referrals'", "'parvis.at_referrals', 'parvis.at_support'")
    _create_support_session()
    may.protect(
        "support_session",
        read=may.either(may.oneself(), may.both(may.staff("support"), may.account()), may.staff("audit"), may.SYSTEM),
        # Whoever asks writes nothing by themselves: they would choose the code, and whose screens.
        insert=may.SYSTEM,
        update=may.SYSTEM,
        delete=may.SYSTEM,
    )


def downgrade() -> None:
    op.drop_table("support_session")
    op.execute("select set_config('parvis.system', 'migration', true)")
    op.execute("delete from staff_right where \"right\" = 'support'")
    _know_the_right("'parvis.at_referrals', 'parvis.at_support'", "'parvis.at_referrals'")


def _know_the_right(former: str, new: str) -> None:
    """Who opens a session begins with no right at all: the list of rights to empty is the only change."""
    for function in _FUNCTIONS:
        written = op.get_bind().scalar(sa.text("select pg_get_functiondef(cast(:f as regprocedure))"), {"f": function})
        assert former in written, function
        op.get_bind().exec_driver_sql(written.replace(former, new).replace("%", "%%"))


def _create_support_session() -> None:
    op.create_table(
        "support_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("person_account_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("agent_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("alone_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("alone_words", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("code_until", _MOMENT, nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=True),
        sa.Column("ends_at", _MOMENT, nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("ended_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("ended_by in ('', 'agent', 'person')", name=op.f("ck_support_session_ended_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_session")),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_support_session_{column}"))
            for column, table in (
                ("establishment_id", "establishment"),
                ("patient_id", "patient"),
                ("person_account_id", "account"),
                ("account_id", "account"),
            )
        ),
    )
    for columns in (["patient_id"], ["account_id"], ["establishment_id", "asked_at"]):
        op.create_index(op.f(f"ix_support_session_{'_'.join(columns)}"), "support_session", columns)
