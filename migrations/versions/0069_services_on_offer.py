"""Services on offer: their texts, links to national services, notices, legal pages, reports about accessibility."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import policies as may

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

_MINE = "(select string_to_array(current_setting('parvis.at_administration', true), ',')::uuid[])::uuid[]"
_SOME_ADMINISTRATOR = "(select nullif(current_setting('parvis.at_administration', true), '')) is not null"
# What belongs to the whole group is for those who administer every hospital of it.
_WHOLE_GROUP = (
    f"{_SOME_ADMINISTRATOR} and not exists"
    f" (select 1 from establishment e where not coalesce(e.id = any ({_MINE}), false))"
)
_THEIRS = may.either(
    may.SYSTEM,
    may.both("establishment_id is not null", may.staff("administration")),
    may.both("establishment_id is null", _WHOLE_GROUP),
)
_TABLES = (
    "service_link", "link_host", "catalog_change", "site_notice", "legal_page", "accessibility_action",
    "accessibility_report",
)  # fmt: skip


def upgrade() -> None:
    for name in ("texts", "position"):
        kind, empty = (JSONB(), "{}") if name == "texts" else (sa.Integer(), "0")
        op.add_column("published_service", sa.Column(name, kind, nullable=False, server_default=empty))
    _links()
    _changes()
    _notices()
    _legal()
    _accessibility()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    for name in ("texts", "position"):
        op.drop_column("published_service", name)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False, server_default="") for name in names]


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create(table: str, *columns: sa.schema.SchemaItem, of_hospital: bool = True) -> None:
    own: list[sa.schema.SchemaItem] = []
    if of_hospital:
        own = [
            sa.Column("establishment_id", sa.Uuid(), nullable=True),
            sa.ForeignKeyConstraint(
                ["establishment_id"], ["establishment.id"], name=op.f(f"fk_{table}_establishment_id")
            ),
        ]
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        *own,
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    if of_hospital:
        op.create_index(op.f(f"ix_{table}_establishment_id"), table, ["establishment_id"])


def _links() -> None:
    _create(
        "service_link",
        *_texts("code", "url", "audience", "reach", "icon"),
        sa.Column("texts", JSONB(), nullable=False, server_default="{}"),
        sa.Column("position", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        _moment("changed_at"),
        sa.UniqueConstraint("code", name=op.f("uq_service_link_code")),
    )
    may.protect("service_link", read=may.ANYBODY, write=_THEIRS)
    _create("link_host", *_texts("host", "reason", "actor_name"), _moment("added_at"))
    may.protect("link_host", read=may.ANYBODY, insert=_THEIRS, delete=_THEIRS)


def _changes() -> None:
    _create(
        "catalog_change",
        *_texts("kind", "subject", "actor", "actor_name"),
        sa.Column("former", JSONB(), nullable=False, server_default="{}"),
        sa.Column("latter", JSONB(), nullable=False, server_default="{}"),
        _moment("at"),
    )
    op.create_index(op.f("ix_catalog_change_kind_subject"), "catalog_change", ["kind", "subject"])
    readers = may.either(may.SYSTEM, may.staff("administration"), f"establishment_id is null and {_SOME_ADMINISTRATOR}")
    may.protect("catalog_change", read=readers, insert=_THEIRS)
    op.execute("comment on table catalog_change is 'append-only'")


def _notices() -> None:
    _create(
        "site_notice",
        *_texts("level"),
        sa.Column("texts", JSONB(), nullable=False, server_default="{}"),
        *(_moment(name, nullable=name not in ("shown_from", "created_at"))
          for name in ("shown_from", "shown_until", "window_from", "window_until", "created_at", "withdrawn_at")),
    )  # fmt: skip
    may.protect("site_notice", read=may.ANYBODY, insert=_THEIRS, update=_THEIRS)


def _legal() -> None:
    _create(
        "legal_page",
        *_texts("page", "actor_name"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", JSONB(), nullable=False, server_default="{}"),
        _moment("published_at"),
        sa.UniqueConstraint(
            "page", "establishment_id", "version", name=op.f("uq_legal_page_page_establishment_id_version"),
            postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    may.protect("legal_page", read=may.ANYBODY, insert=_THEIRS)
    op.execute("comment on table legal_page is 'append-only'")


def _accessibility() -> None:
    _create(
        "accessibility_action",
        *_texts("title", "state"),
        sa.Column("year", sa.Integer(), nullable=False),
        _moment("changed_at"),
        of_hospital=False,
    )
    whole = may.either(may.SYSTEM, _WHOLE_GROUP)
    may.protect("accessibility_action", read=may.ANYBODY, write=whole)
    _create(
        "accessibility_report",
        *_texts("page", "words", "email", "locale", "state", "answer", "actor_name"),
        *(_moment(name, nullable=name == "ended_at") for name in ("created_at", "ended_at")),
        of_hospital=False,
    )
    theirs = may.either(may.SYSTEM, _SOME_ADMINISTRATOR)
    may.protect("accessibility_report", read=theirs, insert=may.ANYBODY, update=theirs, delete=may.SYSTEM)
