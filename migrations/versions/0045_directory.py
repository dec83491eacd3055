"""The national directory of practitioners, structures and their MSSanté boxes.

Public data, so its rows belong to nobody of ours. They are shown all the same only to those who have a use for them:
agents of a hospital, practitioners, and jobs; only jobs write. `directory_word` names nobody (names without people,
towns, labels) and everybody may read it, so that an index may answer what resembles a word: the database refuses to
compare rows that a policy hides with an operator that is not leakproof.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_PLAIN = sa.Text(collation="C")
_PERSON = (("id", _PLAIN), ("digest", sa.Uuid()), ("title", sa.Text()), ("family", sa.Text()), ("given", sa.Text()),
           ("family_key", _PLAIN), ("given_key", _PLAIN))  # fmt: skip
_ACTIVITY = (
    ("person_id", _PLAIN), ("digest", sa.Uuid()),
    *((name, _PLAIN) for name in ("profession", "category", "speciality", "mode", "sector", "role", "structure_id",
                                  "finess", "siret", "postcode", "commune")),
    *((name, sa.Text()) for name in ("name", "sign", "address", "town", "phone", "fax", "email")),
)  # fmt: skip
_BOX = (
    ("address", _PLAIN), ("person_id", _PLAIN), ("structure", _PLAIN), ("digest", sa.Uuid()), ("kind", _PLAIN),
    *((name, _PLAIN) for name in ("postcode", "profession_code", "speciality_code")),
    *((name, sa.Text()) for name in ("structure_name", "service", "holder", "profession", "speciality",
                                     "address_line", "town")),
    ("paperless", sa.Boolean()), ("red_list", sa.Boolean()), ("rank", sa.SmallInteger()),
)  # fmt: skip
_WORD = tuple((name, _PLAIN) for name in ("kind", "text", "code"))
_TABLES = {"directory_person": _PERSON, "directory_activity": _ACTIVITY, "directory_box": _BOX, "directory_word": _WORD}
_KEYS = {
    "directory_person": ("id",),
    "directory_activity": ("person_id", "digest"),
    "directory_box": ("address", "person_id", "structure"),
    "directory_word": ("kind", "text", "code"),
}
_WORD_KINDS = ("family", "given", "structure", "place", "profession", "speciality", "mode", "sector", "role")
_STAFF_OR_PRACTITIONER = may.either(
    "(select current_setting('parvis.establishments', true)) <> ''",
    "(select current_setting('parvis.professional', true)) <> ''",
    may.SYSTEM,
)


def upgrade() -> None:
    op.execute("create extension if not exists pg_trgm")
    for name, columns in _TABLES.items():
        op.create_table(name, *_made(columns), sa.PrimaryKeyConstraint(*_KEYS[name], name=f"pk_{name}"))
        op.create_table(f"{name}_staging", *_made(columns), prefixes=["unlogged"])
    _index()
    op.create_check_constraint(op.f("ck_directory_word_kind"), "directory_word", f"kind in {_WORD_KINDS!r}")
    _report()
    for name in ("directory_person", "directory_activity", "directory_box"):
        may.protect(name, read=_STAFF_OR_PRACTITIONER, write=may.SYSTEM)
    may.protect("directory_word", read=may.ANYBODY, write=may.SYSTEM)
    may.protect("directory_import", read=_STAFF_OR_PRACTITIONER, write=may.SYSTEM)
    _functions()


def _made(columns: tuple[tuple[str, object], ...]) -> list[sa.Column]:
    return [sa.Column(name, kind, nullable=False) for name, kind in columns]


def _index() -> None:
    op.create_index("ix_directory_person_name", "directory_person", ["family_key", "given_key"])
    op.create_index("ix_directory_activity_commune", "directory_activity", ["commune", "profession", "speciality"])
    op.create_index("ix_directory_activity_structure_id", "directory_activity", ["structure_id"])
    for column in ("person_id", "structure"):
        present = sa.text(f"{column} <> ''")
        op.create_index(f"ix_directory_box_{column}", "directory_box", [column], postgresql_where=present)
    for kind in ("family", "given", "structure", "place"):
        op.create_index(
            f"ix_directory_word_{kind}", "directory_word", ["text"], postgresql_using="gin",
            postgresql_ops={"text": "gin_trgm_ops"}, postgresql_where=sa.text(f"kind = '{kind}'"),
        )  # fmt: skip
    op.create_index("ix_directory_word_code", "directory_word", ["kind", "code"])


def _report() -> None:
    op.create_table(
        "directory_import",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "file_name", "origin", "generated_on")),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("state", "why")),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("lines", "staged", "refused")),
        *(sa.Column(name, postgresql.JSONB(), nullable=False) for name in ("samples", "counts")),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('people', 'boxes')", name=op.f("ck_directory_import_kind")),
        sa.CheckConstraint(
            "state in ('reading', 'merging', 'done', 'refused')", name=op.f("ck_directory_import_state")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_directory_import"),
    )
    op.create_index("ix_directory_import_began_at", "directory_import", ["began_at"])


def _functions() -> None:
    """What only the owner of tables may do to them, and an import needs: emptying two million staged lines at once,
    and telling the planner what has just been loaded. Neither takes an argument, nor touches anything else."""
    staging = ", ".join(f"{name}_staging" for name in _TABLES)
    for function, verb in (
        ("directory_empty_staging", f"truncate {staging}"),
        ("directory_look_at_staging", f"analyze {staging}"),
        ("directory_look_at_tables", f"analyze {', '.join(_TABLES)}"),
    ):
        op.execute(
            f"create function {function}() returns void language plpgsql security definer"
            f" set search_path = public, pg_temp as $$ begin {verb}; end $$"
        )
        op.execute(f"revoke execute on function {function}() from public")


def downgrade() -> None:
    for function in ("directory_empty_staging", "directory_look_at_staging", "directory_look_at_tables"):
        op.execute(f"drop function {function}()")
    op.drop_table("directory_import")
    for name in _TABLES:
        op.drop_table(f"{name}_staging")
        op.drop_table(name)
    op.execute("drop extension if exists pg_trgm")
