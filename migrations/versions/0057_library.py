"""Libraries of communities: documents, versions, categories, search.

Who reads what follows the document: members read what is published, its author and moderators the rest. The search
runs as the schema's owner, since `@@` and `%` are not leakproof and a policy would have every text read: it asks first
whether the actor is a member, and gives ids that are joined back under the actor's own policies.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from migrations import policies as may

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

_TABLES = (
    "library_vocabulary",
    "library_words",
    "library_text",
    "library_version",
    "library_document",
    "library_category",
)
_FUNCTIONS = (
    "library_search(uuid, jsonb, text[], date, date, date, boolean, integer, integer)",
    "library_wanted(uuid, jsonb, integer)",
    "library_meant(uuid, text[])",
    "library_forget_vocabulary()",
)
_VERDICTS = "verdict in ('', 'number', 'suspect', 'cleared', 'refused')"
_SHOWABLE = "verdict in ('', 'cleared') and state <> 'waiting'"


def _mine(least: str, column: str = "community_id") -> str:
    """Communities where the actor has this role, or one that has more (0056). Asked once a statement."""
    return f"{column} = any ((select communities_of_actor('{least}'))::uuid[])"


def upgrade() -> None:
    # Both are trusted extensions of PostgreSQL's contrib: the database's owner may create them. Others use them too.
    op.execute("create extension if not exists pg_trgm")
    op.execute("create extension if not exists fuzzystrmatch")
    _category()
    _document()
    _version()
    _text()
    _words()
    for body in (_WANTED, _MEANT, _SEARCH, _FORGET):
        op.execute(body)
    for signature in _FUNCTIONS:
        op.execute(f"revoke execute on function {signature} from public")
    op.execute(
        "create policy stored_file_library on stored_file for select using"
        " (exists (select 1 from library_version v where v.file_id = stored_file.id))"
    )


def downgrade() -> None:
    op.execute("drop policy stored_file_library on stored_file")
    for signature in _FUNCTIONS:
        op.execute(f"drop function {signature}")
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")


def _ids(*names: str, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Uuid(), nullable=nullable) for name in names]


def _texts(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _days(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Date(), nullable=True) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _to(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, target in columns.items()
    ]


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def _category() -> None:
    table = "library_category"
    op.create_table(
        table,
        *_ids("community_id"),
        *_ids("parent_id", nullable=True),
        *_texts("name"),
        *_numbers("rank"),
        *_ids("id"),
        *_to(table, community_id="community", parent_id="library_category"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_community_id", table, ["community_id", "rank"])
    may.protect(table, read=may.either(_mine("member"), may.SYSTEM), write=may.either(_mine("animator"), may.SYSTEM))


def _document() -> None:
    table = "library_document"
    op.create_table(
        table,
        *_ids("community_id", "author_id"),
        *_ids("category_id", "owner_id", nullable=True),
        *_texts("kind", "title", "summary", "language", "state", "author_name", "owner_name", "reviewed_by_name",
                "approved_by_name", "withdrawn_reason"),
        sa.Column("keywords", ARRAY(sa.Text()), nullable=False),
        *_numbers("current", "approved_version"),
        *_days("reviewed_on", "review_by", "reminded_for", "late_for"),
        *_moments("created_at", "updated_at"),
        *_moments("approved_at", "published_at", "withdrawn_at", nullable=True),
        *_ids("id"),
        _check(table, "kind", "kind in ('document', 'protocol', 'form', 'link')"),
        _check(table, "state", "state in ('draft', 'published', 'withdrawn')"),
        *_to(table, community_id="community", category_id="library_category", author_id="account", owner_id="account"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )  # fmt: skip
    op.create_index(f"ix_{table}_community_id", table, ["community_id", "state", "updated_at"])
    for column in ("category_id", "review_by", "author_id"):
        op.create_index(f"ix_{table}_{column}", table, [column])
    published = may.both(_mine("member"), "state = 'published'", "current > 0")
    own = may.both(_mine("member"), may.account("author_id"))
    written = may.both(_mine("contributor"), may.account("author_id"))
    owned = may.both(_mine("contributor"), may.account("owner_id"))
    may.protect(
        table,
        read=may.either(published, own, _mine("moderator"), may.SYSTEM),
        insert=may.either(written, may.SYSTEM),
        update=may.either(written, owned, _mine("moderator"), may.SYSTEM),
    )


def _version() -> None:
    table = "library_version"
    op.create_table(
        table,
        *_ids("document_id", "community_id", "by_id"),
        *_ids("file_id", nullable=True),
        *_numbers("number"),
        *_texts("url", "note", "by_name"),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("publish", sa.Boolean(), nullable=False),
        *_moments("at"),
        *_ids("id"),
        *_to(table, document_id="library_document", community_id="community", file_id="stored_file", by_id="account"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("document_id", "number", name=op.f(f"uq_{table}_document_id_number")),
    )
    op.create_index(f"ix_{table}_file_id", table, ["file_id"])
    op.execute(f"comment on table {table} is 'append-only'")


def _text() -> None:
    table = "library_text"
    op.create_table(
        table,
        *_ids("version_id", "document_id", "community_id", "by_id"),
        *_numbers("number", "pages"),
        *_texts("state", "verdict", "headings", "content", "decided_by_name"),
        sa.Column("why", ARRAY(sa.Text()), nullable=False),
        *_moments("asked_at"),
        *_moments("read_at", "decided_at", nullable=True),
        _check(table, "state", "state in ('waiting', 'read', 'without_text', 'unreadable')"),
        _check(table, "verdict", _VERDICTS),
        *_to(table, version_id="library_version", document_id="library_document", community_id="community",
             by_id="account"),
        sa.PrimaryKeyConstraint("version_id", name=op.f(f"pk_{table}")),
    )  # fmt: skip
    op.create_index(f"ix_{table}_state", table, ["state", "asked_at"])
    op.create_index(f"ix_{table}_community_id", table, ["community_id", "verdict"])
    # Of the same community: whoever contributes to one and reads another would else write in what they only read.
    there = "exists (select 1 from library_document d where d.id = document_id and d.community_id = {}.community_id)"
    # The version that members read; those before it for whoever contributes. The document's own policies hold inside.
    turn = may.either("d.current = number", may.both("number < d.current", _mine("contributor", "d.community_id")))
    shown = f"exists (select 1 from library_document d where d.id = document_id and ({turn}))"
    own = may.both(_mine("member"), may.account("by_id"))
    may.protect(
        table,
        read=may.either(may.both(_mine("member"), _SHOWABLE, shown), own, _mine("moderator"), may.SYSTEM),
        insert=may.either(
            may.both(
                _mine("contributor"), may.account("by_id"), "state = 'waiting'", "verdict = ''", there.format(table)
            ),
            may.SYSTEM,
        ),
        update=may.either(_mine("moderator"), may.SYSTEM),
    )
    read = f"exists (select 1 from library_text t where t.version_id = library_version.id and t.{_SHOWABLE})"
    may.protect(
        "library_version",
        read=may.either(may.both(_mine("member"), shown, read), own, _mine("moderator"), may.SYSTEM),
        insert=may.either(
            may.both(_mine("contributor"), may.account("by_id"), there.format("library_version")), may.SYSTEM
        ),
    )


def _words() -> None:
    table = "library_words"
    op.create_table(
        table,
        *_ids("document_id", "community_id", "author_id"),
        *_ids("category_id", nullable=True),
        *_texts("kind", "file_kind"),
        *_days("review_by"),
        *_moments("at"),
        sa.Column("head", TSVECTOR(), nullable=False),
        sa.Column("words", TSVECTOR(), nullable=False),
        *_to(table, document_id="library_document", community_id="community"),
        sa.PrimaryKeyConstraint("document_id", name=op.f(f"pk_{table}")),
    )
    # Ranking reads two hundred of them a search: as they are, they take more disk and no time to unpack.
    op.execute(f"alter table {table} alter column words set storage external")
    # Written by jobs, which may take their time: a list of what is not in the index yet would be read by each search.
    for column in ("words", "head"):
        op.create_index(
            f"ix_{table}_{column}", table, [column], postgresql_using="gin", postgresql_with={"fastupdate": "off"}
        )
    vocabulary = "library_vocabulary"
    op.create_table(
        vocabulary,
        *_ids("community_id"),
        *_texts("word", "spelt"),
        *_to(vocabulary, community_id="community"),
        sa.PrimaryKeyConstraint("community_id", "word", name=op.f(f"pk_{vocabulary}")),
    )
    op.create_index(
        f"ix_{vocabulary}_word", vocabulary, ["word"], postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}
    )
    for name in (table, vocabulary):
        may.protect(name, read=may.SYSTEM, write=may.SYSTEM)
        # The functions run as the schema's owner; the application is another role, which reads neither.
        op.execute(f"create policy {name}_searching on {name} for all to current_user using (true)")


_MOST_SHOWN = 500
"""Documents of one search, page after page (`services.communities.library.search.LAST_PAGE`)."""
_DEFINER = "security definer set search_path = public, pg_temp"

# groups: what was asked, word by word, each as the ways to say it. level 0: every word as it was typed; 1: or nearly,
# or beginning so; 2: any of them. It runs as whoever calls it: by itself, it would tell the words of any community.
_WANTED = """
create function library_wanted(scope uuid, groups jsonb, level integer) returns tsquery
language plpgsql stable set search_path = public, pg_temp as $$
declare
    alternatives jsonb;
    said text;
    near text;
    one tsquery;
    wanted tsquery := ''::tsquery;
begin
    for alternatives in select value from jsonb_array_elements(groups) loop
        one := ''::tsquery;
        for said in select value from jsonb_array_elements_text(alternatives) loop
            one := one || plainto_tsquery('french', said);
            continue when level = 0 or said !~ '^[a-z]{4,30}$';
            one := one || to_tsquery('french', said || ':*');
            for near in
                select v.word from library_vocabulary v
                where v.word % said and v.community_id = scope
                  and levenshtein(v.word, said) <= case when length(said) < 6 then 1 else 2 end
                order by similarity(v.word, said) desc, v.word limit 8
            loop
                one := one || plainto_tsquery('french', near);
            end loop;
        end loop;
        continue when numnode(one) = 0;
        wanted := case when level = 2 then wanted || one else wanted && one end;
    end loop;
    return wanted;
end $$
"""

# For each word that no document of the community holds, the nearest one that some does, as it is spelt there.
_MEANT = f"""
create function library_meant(scope uuid, asked text[]) returns table (word text, spelt text)
language plpgsql stable {_DEFINER} as $$
begin
    if community_role_of_actor(scope) is null and coalesce(current_setting('parvis.system', true), '') = '' then
        return;
    end if;
    return query
        select typed.word, near.spelt
        from unnest(asked) typed(word)
        cross join lateral (
            select v.word, v.spelt from library_vocabulary v
            where v.community_id = scope and v.word % typed.word
              and levenshtein(v.word, typed.word) <= case when length(typed.word) < 6 then 1 else 2 end
            order by similarity(v.word, typed.word) desc, v.word limit 1
        ) near
        where not exists (
            select 1 from library_vocabulary known where known.community_id = scope and known.word = typed.word
        ) and plainto_tsquery('french', near.spelt)::text <> plainto_tsquery('french', typed.word)::text
          and plainto_tsquery('french', near.word)::text <> plainto_tsquery('french', typed.word)::text;
end $$
"""

# exact: lexemes that the document must have (kind, category, author, type of file), a list of alternatives in each.
# enable_seqscan: a word of every document would make reading all of them look cheap, because the planner does not
# count what it costs to unpack a text.
_SEARCH = f"""
create function library_search(
    scope uuid, groups jsonb, exact text[], since date, until date, late date, by_date boolean, most integer,
    skipped integer
) returns jsonb
language plpgsql stable {_DEFINER} set enable_seqscan = off set work_mem = '32MB' as $$
declare
    wanted tsquery;
    narrowed tsquery;
    entitled tsquery;
    filter text;
    found jsonb;
begin
    if community_role_of_actor(scope) is null and coalesce(current_setting('parvis.system', true), '') = '' then
        return jsonb_build_object('total', 0, 'ids', jsonb_build_array());
    end if;
    for level in 0 .. 2 loop
        wanted := library_wanted(scope, groups, level);
        exit when numnode(wanted) = 0;
        narrowed := quote_literal('c:' || scope)::tsquery;
        foreach filter in array exact loop
            narrowed := narrowed && filter::tsquery;
        end loop;
        entitled := narrowed && replace(wanted::text, '&', '|')::tsquery;
        narrowed := narrowed && wanted;
        with matched as materialized (
            select w.document_id, w.kind, w.category_id, w.file_kind, w.at from library_words w
            where w.words @@ narrowed and (since is null or w.at >= since) and (until is null or w.at < until)
              and (late is null or w.review_by < late)
        ), titled as (
            select h.document_id from (
                select w.document_id, w.head from library_words w where w.head @@ entitled limit 2000
            ) h order by ts_rank('{{0, 0, 0.5, 1}}', h.head, wanted, 1) desc limit 100
        ), latest as (
            select m.document_id from matched m order by m.at desc limit 100
        ), ranked as (
            select m.document_id, m.at, case when by_date then 0
                else ts_rank('{{0.1, 0.3, 0.6, 1}}', w.words, wanted, 1) end as rank
            from matched m join library_words w using (document_id)
            where case when by_date then m.document_id in (
                select document_id from matched order by at desc, document_id limit {_MOST_SHOWN}
            ) else m.document_id in (select document_id from titled union select document_id from latest) end
        ), page as (
            select document_id, rank, at from ranked order by rank desc, at desc, document_id limit most offset skipped
        )
        select jsonb_build_object(
            'level', level,
            'total', (select count(*) from matched),
            'reached', (select count(*) from ranked),
            'stems', wanted::text,
            'ids', (select coalesce(jsonb_agg(document_id order by rank desc, at desc, document_id), '[]') from page),
            'kinds', (select coalesce(jsonb_object_agg(kind, n), '{{}}')
                      from (select kind, count(*) n from matched group by kind) a),
            'categories', (select coalesce(jsonb_object_agg(category_id, n), '{{}}') from (select category_id,
                      count(*) n from matched where category_id is not null group by category_id) a),
            'files', (select coalesce(jsonb_object_agg(file_kind, n), '{{}}')
                      from (select file_kind, count(*) n from matched group by file_kind) a)
        ) into found;
        if (found ->> 'total')::integer > 0 then
            return found;
        end if;
    end loop;
    return jsonb_build_object('total', 0, 'ids', jsonb_build_array());
end $$
"""

# A word that no document of the community holds any more says nothing to anybody, and might be a name.
_FORGET = f"""
create function library_forget_vocabulary() returns void language sql {_DEFINER} as $$
    delete from library_vocabulary v where not exists (
        select 1 from library_words w
        where w.words @@ (plainto_tsquery('french', v.word) && quote_literal('c:' || v.community_id)::tsquery)
    ) and numnode(plainto_tsquery('french', v.word)) > 0
$$
"""
