"""Reports of the figures of a month: made once, told to those who ask for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _reports()
    _readers()
    _told()


def _reports() -> None:
    op.create_table(
        "figure_report",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("ck_figure_report_first_day")),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_figure_report_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_report")),
        sa.UniqueConstraint("establishment_id", "month", name=op.f("uq_figure_report_establishment_id_month")),
    )
    # Never written again: nobody may update or delete one.
    read = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("figure_report", read=read, insert=may.SYSTEM)


def _readers() -> None:
    op.create_table(
        "figure_report_reader",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_figure_report_reader_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_figure_report_reader_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_report_reader")),
    )
    op.create_index(op.f("ix_figure_report_reader_establishment_id"), "figure_report_reader", ["establishment_id"])
    op.create_index(
        "uq_figure_report_reader_open", "figure_report_reader", ["account_id", "establishment_id"],
        unique=True, postgresql_where=sa.text("stopped_at is null"),
    )  # fmt: skip
    own = may.account()
    may.protect(
        "figure_report_reader",
        read=may.either(own, may.SYSTEM),
        insert=may.either(may.both(own, may.staff("administration")), may.SYSTEM),
        update=may.either(own, may.SYSTEM),
        delete=may.SYSTEM,
    )


def _told() -> None:
    op.create_table(
        "figure_report_told",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_figure_report_told_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_figure_report_told_establishment_id")
        ),
        sa.ForeignKeyConstraint(["report_id"], ["figure_report.id"], name=op.f("fk_figure_report_told_report_id")),
        sa.PrimaryKeyConstraint("report_id", "account_id", name=op.f("pk_figure_report_told")),
    )
    op.create_index(op.f("ix_figure_report_told_account_id"), "figure_report_told", ["account_id"])
    op.create_index(op.f("ix_figure_report_told_establishment_id"), "figure_report_told", ["establishment_id"])
    read = may.either(may.staff("administration"), may.SYSTEM)
    may.protect("figure_report_told", read=read, insert=may.SYSTEM, delete=may.SYSTEM)


def downgrade() -> None:
    for table in ("figure_report_told", "figure_report_reader", "figure_report"):
        op.drop_table(table)
