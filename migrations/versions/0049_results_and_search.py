"""What is read in documents: results, words to search."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from migrations import policies as may

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_OF_DOCUMENT = "exists (select 1 from document o where o.id = document_id)"


def upgrade() -> None:
    # Both are trusted extensions of PostgreSQL's contrib: the database's owner may create them. Others use them too.
    op.execute("create extension if not exists pg_trgm")
    op.execute("create extension if not exists fuzzystrmatch")
    _note_what_was_read()
    _create_results()
    _create_words()
    _search_in_words()


def _note_what_was_read() -> None:
    op.add_column("document", sa.Column("content_read_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_document_content_unread", "document", ["received_at"], postgresql_where=sa.text("content_read_at is null")
    )


def _create_results() -> None:
    texts = ("group", "label", "code", "value", "unit", "range", "flag")
    op.create_table(
        "document_result",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Numeric(), nullable=True) for name in ("number", "low", "high")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_result_document_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_document_result_establishment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_result")),
    )
    op.create_index(op.f("ix_document_result_document_id"), "document_result", ["document_id"])
    # Whoever sees the document sees its results: the document's own policies hold inside, masks and mandates included.
    writers = may.both(may.either(may.staff("documents"), may.SYSTEM), _OF_DOCUMENT)
    may.protect("document_result", read=_OF_DOCUMENT, insert=writers, delete=writers)


def _create_words() -> None:
    op.create_table(
        "document_words",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("words", TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_words_document_id"), ondelete="cascade"
        ),
        sa.ForeignKeyConstraint(
            ["establishment_id"], ["establishment.id"], name=op.f("fk_document_words_establishment_id")
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_document_words")),
    )
    # Written by jobs, which may take their time: a list of what is not in the index yet would be read by each search.
    at_once = {"fastupdate": "off"}
    op.create_index(
        "ix_document_words_words", "document_words", ["words"], postgresql_using="gin", postgresql_with=at_once
    )
    op.create_table(
        "document_vocabulary",
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_document_vocabulary")),
    )
    op.create_index(
        "ix_document_vocabulary_word",
        "document_vocabulary",
        ["word"],
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )
    for table in ("document_words", "document_vocabulary"):
        may.protect(table, read=may.SYSTEM, write=may.SYSTEM)
        # The functions below run as the schema's owner, for whom no policy may stand between the words and their
        # index: `@@` and `%` are not leakproof, and would be looked at row by row. The application is another role.
        op.execute(f"create policy {table}_searching on {table} for select to current_user using (true)")


_MEANT = """
create function document_words_meant(asked text[], slips boolean) returns tsquery
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    typed text;
    stem text;
    near text;
    one tsquery;
    wanted tsquery := ''::tsquery;
begin
    foreach typed in array asked loop
        -- A longer word also stands for those that begin with it.
        one := to_tsquery('french', quote_literal(typed) || case when length(typed) > 2 then ':*' else '' end);
        continue when numnode(one) = 0;
        if slips and typed ~ '^[a-z]{4,30}$' then
            stem := (tsvector_to_array(to_tsvector('french', typed)))[1];
            for near in
                select v.word from document_vocabulary v
                where v.word % stem and levenshtein(v.word, stem) <= case when length(stem) < 6 then 1 else 2 end
                order by similarity(v.word, stem) desc, v.word limit 8
            loop
                one := one || quote_literal(near)::tsquery;
            end loop;
        end if;
        wanted := wanted && one;
    end loop;
    return wanted;
end $$
"""

# Which documents the caller may see is decided inside by the policies of `document`: what the transaction declared
# holds in there too.
_SEARCH = """
create function {name}(asked text[], {argument}, most integer) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    slips boolean;
    wanted tsquery;
begin
    foreach slips in array array[false, true] loop
        wanted := document_words_meant(asked, slips);
        continue when numnode(wanted) = 0;
        return query
            select d.id from document d join document_words w on w.document_id = d.id
            where w.words @@ wanted and {scope}
            order by d.authored_at desc, d.id limit most;
        exit when found;
    end loop;
end $$
"""


def _search_in_words() -> None:
    op.execute(_MEANT)
    shelf = "d.patient_id = whose and d.state in ('filed', 'superseded')"
    op.execute(_SEARCH.format(name="documents_of_patient", argument="whose uuid", scope=shelf))
    hospitals = "d.establishment_id = any (hospitals)"
    op.execute(_SEARCH.format(name="documents_at", argument="hospitals uuid[]", scope=hospitals))
    # A word that no document holds any more says nothing to anybody, and might be a name.
    op.execute(
        "create function forget_document_vocabulary() returns void language sql security definer"
        " set search_path = public, pg_temp as $$ delete from document_vocabulary v where not exists"
        " (select 1 from document_words w where w.words @@ quote_literal(v.word)::tsquery) $$"
    )
    for name in ("document_words_meant", "documents_of_patient", "documents_at", "forget_document_vocabulary"):
        op.execute(f"revoke execute on function {name} from public")


def downgrade() -> None:
    for signature in (
        "forget_document_vocabulary()",
        "documents_at(text[], uuid[], integer)",
        "documents_of_patient(text[], uuid, integer)",
        "document_words_meant(text[], boolean)",
    ):
        op.execute(f"drop function {signature}")
    for table in ("document_vocabulary", "document_words", "document_result"):
        op.execute(f"drop table {table} cascade")
    op.drop_index("ix_document_content_unread", table_name="document")
    op.drop_column("document", "content_read_at")
