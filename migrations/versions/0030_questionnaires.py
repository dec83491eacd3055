"""Questionnaires: definitions and their versions, plans, those sent to people, drafts, answers, alerts, changes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_TABLES = (
    "sent_questionnaire_change", "questionnaire_alert_note", "questionnaire_answers", "questionnaire_draft",
    "sent_questionnaire", "questionnaire_plan", "questionnaire",
)  # fmt: skip
_STATES = "state in ('waiting', 'begun', 'answered', 'expired', 'withdrawn', 'forgotten')"
_CARE = may.staff("care")
_SENT = "exists (select 1 from sent_questionnaire s where s.id = sent_id)"
"""The questionnaire itself is seen: its own policies apply inside."""


def upgrade() -> None:
    _create_questionnaire()
    _create_plan()
    _create_sent()
    _create_answers()
    _create_changes()
    _freeze_what_is_published()
    _protect()
    _restrain()


def _ids(*names: str, optional: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Uuid(), nullable=optional) for name in names]


def _texts(*names: str, default: str | None = None) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False, server_default=default) for name in names]


def _moments(*names: str, optional: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=optional) for name in names]


def _small(*names: str, default: str | None = None) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.SmallInteger(), nullable=False, server_default=default) for name in names]


def _days_list() -> sa.Column[Any]:
    return sa.Column("remind_after", postgresql.ARRAY(sa.SmallInteger()), server_default="{}", nullable=False)


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    """column → the table whose id it holds."""
    return [
        sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, parent in columns.items()
    ]


def _key(table: str, column: str = "id") -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}"))


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _create_questionnaire() -> None:
    table = "questionnaire"
    op.create_table(
        table,
        *_ids("id", "establishment_id"),
        *_texts("code", "state", "title", "changed_by_name"),
        *_small("version"),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        *_moments("changed_at"),
        *_moments("published_at", "retired_at", optional=True),
        _check(table, "state", "state in ('draft', 'published', 'retired')"),
        _check(table, "version", "version > 0"),
        *_references(table, establishment_id="establishment"),
        _key(table),
        sa.UniqueConstraint(
            "establishment_id", "code", "version", name=op.f("uq_questionnaire_establishment_id_code_version")
        ),
    )
    for state in ("published", "draft"):
        where = sa.text(f"state = '{state}'")
        op.create_index(
            f"uq_questionnaire_{state}", table, ["establishment_id", "code"], unique=True, postgresql_where=where
        )


def _create_plan() -> None:
    table = "questionnaire_plan"
    op.create_table(
        table,
        *_ids("id", "establishment_id"),
        *_texts("code", "occasion"),
        *_ids("unit_id", optional=True),
        *_texts("about", default=""),
        *_small("offset_days", "answer_days"),
        _days_list(),
        *_moments("created_at"),
        *_moments("stopped_at", optional=True),
        _check(table, "offset", "offset_days between -90 and 400"),
        _check(table, "answer_days", "answer_days between 1 and 90"),
        *_references(table, establishment_id="establishment", unit_id="unit"),
        _key(table),
    )
    _index(table, "establishment_id")


def _create_sent() -> None:
    table = "sent_questionnaire"
    op.create_table(
        table,
        *_ids("id", "establishment_id", "patient_id", "unit_id", "questionnaire_id"),
        *_ids("plan_id", "object_id", optional=True),
        *_texts("occasion", "alert", "sent_by_name", default=""),
        sa.Column("day", sa.Date(), nullable=True),
        *_texts("state"),
        *_small("answer_version", "reminders", default="0"),
        _days_list(),
        *_moments("sent_at", "until_at"),
        *_moments("answered_at", "closed_at", optional=True),
        sa.Column("masked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _check(table, "state", _STATES),
        _check(table, "alert", "alert in ('', 'open', 'seen')"),
        _check(table, "answered", "(state = 'answered') <= (answer_version > 0)"),
        *_references(
            table,
            establishment_id="establishment",
            patient_id="patient",
            unit_id="unit",
            questionnaire_id="questionnaire",
            plan_id="questionnaire_plan",
        ),
        _key(table),
    )
    _index(table, "patient_id", "questionnaire_id", "object_id")
    op.create_index(
        "uq_sent_questionnaire_plan_id_object_id",
        table,
        ["plan_id", "object_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_index("ix_sent_questionnaire_establishment_id_state", table, ["establishment_id", "state", "sent_at"])
    for name, columns, where in (
        ("alert", ["establishment_id", "answered_at"], "alert = 'open'"),
        ("open", ["until_at"], "state in ('waiting', 'begun')"),
    ):
        op.create_index(f"ix_sent_questionnaire_{name}", table, columns, postgresql_where=sa.text(where))


def _create_answers() -> None:
    parents = {"sent_id": "sent_questionnaire", "patient_id": "patient", "establishment_id": "establishment"}
    table = "questionnaire_draft"
    op.create_table(
        table,
        *_ids("sent_id", "patient_id", "establishment_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_texts("sealed"),
        *_moments("changed_at"),
        *_references(table, **parents),
        _key(table, "sent_id"),
    )
    _index(table, "patient_id")
    table = "questionnaire_answers"
    op.create_table(
        table,
        *_ids("id", "sent_id", "patient_id", "establishment_id"),
        *_small("version", "alerts"),
        *_texts("sealed", "by", "by_name"),
        *_moments("answered_at"),
        sa.Column("by_proxy", sa.Boolean(), nullable=False),
        *_references(table, **parents),
        _key(table),
        sa.UniqueConstraint("sent_id", "version", name=op.f("uq_questionnaire_answers_sent_id_version")),
    )
    _index(table, "patient_id")
    table = "questionnaire_alert_note"
    op.create_table(
        table,
        *_ids("id", "sent_id", "patient_id", "establishment_id"),
        *_small("version"),
        *_texts("note", "by", "by_name"),
        *_moments("at"),
        *_references(table, **parents),
        _key(table),
    )
    _index(table, "sent_id")


def _create_changes() -> None:
    table = "sent_questionnaire_change"
    op.create_table(
        table,
        *_ids("id", "sent_id", "establishment_id"),
        *_texts("what", "from_state", "to_state", "by", "by_name", "why"),
        *_moments("at"),
        *_references(table, sent_id="sent_questionnaire"),
        _key(table),
        comment="append-only",
    )
    _index(table, "sent_id")


def _freeze_what_is_published() -> None:
    """Answers are read with the questions that were asked: these never change afterwards."""
    op.execute("""
        create function keep_published_questionnaire() returns trigger language plpgsql as $$
        begin
          if old.state <> 'draft' and (new.content, new.code, new.version, new.establishment_id)
             is distinct from (old.content, old.code, old.version, old.establishment_id) then
            raise exception 'a published questionnaire cannot change' using errcode = 'check_violation';
          end if;
          return new;
        end $$""")
    op.execute(
        "create trigger keep_published before update on questionnaire"
        " for each row execute function keep_published_questionnaire()"
    )


def _protect() -> None:
    """Answers are health data: the person, agents with the right to care, jobs. Nobody else sees that they exist."""
    seen = "exists (select 1 from sent_questionnaire s where s.questionnaire_id = questionnaire.id)"
    of_the_group = may.both("shared", "(select current_setting('parvis.at_care', true)) <> ''")
    staff = may.either(_CARE, may.SYSTEM)
    concerned = may.either(may.own(), _CARE, may.SYSTEM)
    unanswered = may.both(staff, "state = 'draft'")
    may.protect("questionnaire", read=may.either(staff, of_the_group, seen), insert=staff, update=staff,
                delete=unanswered)  # fmt: skip
    may.protect("questionnaire_plan", read=staff, insert=staff, update=staff)
    may.protect("sent_questionnaire", read=concerned, insert=staff, update=concerned)
    may.protect("questionnaire_draft", read=may.either(may.own(), may.SYSTEM), write=may.either(may.own(), may.SYSTEM))
    may.protect(
        "questionnaire_answers",
        read=concerned,
        insert=may.either(may.both(may.actor("by"), may.own()), may.SYSTEM),
        update=may.SYSTEM,
        delete=may.SYSTEM,
    )
    noted = may.either(may.both(may.actor("by"), _CARE), may.SYSTEM)
    may.protect("questionnaire_alert_note", read=staff, insert=noted, update=may.SYSTEM, delete=may.SYSTEM)
    may.protect(
        "sent_questionnaire_change", read=_SENT, insert=may.both(may.either(may.actor("by"), may.SYSTEM), _SENT)
    )


def _restrain() -> None:
    """Whoever acts for somebody needs the medical matter of their mandate, and sees nothing that is kept from them."""
    may.restrain("sent_questionnaire", may.within("medical", unless_masked=True))
    through = may.either(f"not {may.proxied()}", _SENT)
    for table in ("questionnaire_draft", "questionnaire_answers"):
        may.restrain(table, through)


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
    op.execute("drop function keep_published_questionnaire()")
