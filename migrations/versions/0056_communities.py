"""Communities: members, invitations, charters, announcements, discussions, lists.

A policy that looked at `community_member` from `community_member` would never end: what the actor is a member of is
asked of functions, which run as the schema's owner and answer about nobody else.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_TABLES = (
    "community_announcement_reading",
    "community_announcement",
    "community_topic_reading",
    "community_report",
    "community_past_post",
    "community_post",
    "community_topic",
    "community_subscription",
    "community_theme",
    "community_event",
    "community_invitation",
    "community_member",
    "community",
)
_FUNCTIONS = (
    "communities_of_actor(text)",
    "communities_inviting_actor()",
    "community_role_of_actor(uuid)",
    "rpps_of_actor()",
    "community_sizes()",
    "count_community_post()",
)
_ROLES = "role in ('member', 'contributor', 'moderator', 'animator')"
_DEFINER = "stable security definer set search_path = public, pg_temp as $$ {body} $$"
_ACTOR = "nullif(current_setting('parvis.account', true), '')::uuid"


def _mine(least: str, column: str = "community_id") -> str:
    """Communities where the actor has this role, or one that has more. Asked once a statement."""
    return f"{column} = any ((select communities_of_actor('{least}'))::uuid[])"


_INVITING = "{column} = any ((select communities_inviting_actor())::uuid[])"
_HOSTED = (
    f"exists (select 1 from community hosted where hosted.id = {{table}}.community_id"
    f" and {may.staff('administration', 'hosted.establishment_id')})"
)
_READ = may.either(_mine("member"), may.SYSTEM)
_OWN = may.both(_mine("member"), may.account())


def _author(least: str) -> str:
    return may.either(may.both(_mine(least), may.account("author_id")), may.SYSTEM)


def upgrade() -> None:
    op.execute("set local check_function_bodies = off")  # they name tables that come after them
    _functions()
    _community()
    _member()
    _invitation()
    _event()
    _theme()
    _subscription()
    _topic()
    _post()
    _past_post()
    _report()
    _topic_reading()
    _announcement()
    _announcement_reading()


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"drop table {table} cascade")
    for signature in _FUNCTIONS:
        op.execute(f"drop function {signature}")


def _functions() -> None:
    ranks = "array['member', 'contributor', 'moderator', 'animator']"
    _function(
        "communities_of_actor(lowest text) returns uuid[]",
        f"select coalesce(array_agg(m.community_id), '{{}}') from community_member m where m.account_id = {_ACTOR}"
        f" and m.state = 'active' and array_position({ranks}, m.role) >= array_position({ranks}, lowest)",
    )
    _function(
        "rpps_of_actor() returns text",
        "select p.rpps from professional p where p.rpps <> '' and p.id ="
        f" nullif(current_setting('parvis.professional', true), '')::uuid and p.account_id = {_ACTOR}",
    )
    _function(
        "communities_inviting_actor() returns uuid[]",
        "select coalesce(array_agg(i.community_id), '{}') from community_invitation i where i.rpps <> ''"
        " and i.rpps = rpps_of_actor() and i.used_at is null and i.refused_at is null and i.withdrawn_at is null"
        " and i.expires_at > now()",
    )
    _function(
        "community_role_of_actor(asked uuid) returns text",
        f"select m.role from community_member m where m.community_id = asked and m.account_id = {_ACTOR}"
        " and m.state = 'active'",
    )
    _function(
        "community_sizes() returns table (community_id uuid, members bigint, animators bigint, invited bigint)",
        "select c.id, (select count(*) from community_member m where m.community_id = c.id and m.state = 'active'),"
        " (select count(*) from community_member m where m.community_id = c.id and m.state = 'active'"
        " and m.role = 'animator'), (select count(*) from community_invitation i where i.community_id = c.id"
        " and i.used_at is null and i.refused_at is null and i.withdrawn_at is null and i.expires_at > now())"
        f" from community c where {may.either(may.staff('administration', 'c.establishment_id'), may.SYSTEM)}",
    )
    op.execute(
        "create function count_community_post() returns trigger language plpgsql security definer"
        " set search_path = public, pg_temp as $$ begin update community_topic set posts = posts + 1,"
        " last_post_at = greatest(last_post_at, new.created_at), last_author_name = new.author_name"
        " where id = new.topic_id; return null; end $$"
    )
    op.execute("revoke execute on function count_community_post() from public")


def _function(signature: str, body: str) -> None:
    name = signature.partition("(")[0]
    op.execute(f"create function {signature} language sql {_DEFINER.format(body=body)}")
    op.execute(f"revoke execute on function {name} from public")


def _seen_by_functions(table: str) -> None:
    """The functions above run as the schema's owner; the application is another role."""
    op.execute(f"create policy {table}_asked on {table} for select to current_user using (true)")


def _ids(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Uuid(), nullable=nullable) for name in names]


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _days(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Date(), nullable=nullable) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _to(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=ondelete)


def _community() -> None:
    table = "community"
    op.create_table(
        table,
        *_ids("establishment_id", nullable=True),
        *_texts("slug", "name", "kind", "purpose", "charter"),
        *_numbers("charter_version"),
        *_moments("charter_at", "created_at"),
        *_moments("closed_at", nullable=True),
        *_ids("id"),
        sa.CheckConstraint("kind in ('cpts', 'pathway', 'board', 'other')", name=op.f(f"ck_{table}_kind")),
        _to(table, "establishment_id", "establishment"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("slug", name=op.f(f"uq_{table}_slug")),
    )
    op.create_index("ix_community_establishment_id", table, ["establishment_id"])
    may.protect(
        table,
        read=may.either(_mine("member", "id"), _INVITING.format(column="id"), may.staff("administration"), may.SYSTEM),
        insert=may.either(may.staff("administration"), may.SYSTEM),
        update=may.either(_mine("animator", "id"), may.staff("administration"), may.SYSTEM),
    )
    _seen_by_functions(table)


def _member() -> None:
    table = "community_member"
    op.create_table(
        table,
        *_ids("community_id", "account_id", "id"),
        *_texts("name", "calling", "role", "state", "notify"),
        *_numbers("charter_version"),
        *_moments("charter_at", "joined_at", "ended_at", nullable=True),
        *_moments("created_at"),
        sa.CheckConstraint("notify in ('all', 'announcements', 'none')", name=op.f(f"ck_{table}_notify")),
        sa.CheckConstraint(_ROLES, name=op.f(f"ck_{table}_role")),
        sa.CheckConstraint("state in ('active', 'left', 'removed')", name=op.f(f"ck_{table}_state")),
        _to(table, "community_id", "community"),
        _to(table, "account_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("community_id", "account_id", name=op.f(f"uq_{table}_community_id_account_id")),
    )
    op.create_index("ix_community_member_account_id", table, ["account_id", "state"])
    invited = may.both(_INVITING.format(column="community_id"), "role = 'animator'", "state = 'active'")
    named = may.both(_HOSTED.format(table=table), "role = 'animator'")
    together = may.both(_mine("member"), "state = 'active'")
    may.protect(
        table,
        read=may.either(may.account(), together, _mine("moderator"), invited, named, may.SYSTEM),
        insert=may.SYSTEM,
        update=may.either(_mine("animator"), may.SYSTEM),
    )
    # Their own row too, but never their role, nor a way back in.
    own = may.both(may.account(), "state in ('active', 'left')", "role = community_role_of_actor(community_id)")
    op.execute(f"create policy {table}_own on {table} for update using ({may.account()}) with check ({own})")
    _seen_by_functions(table)


def _invitation() -> None:
    table = "community_invitation"
    op.create_table(
        table,
        *_ids("community_id", "id"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *_texts("email", "rpps", "name", "role", "invited_by_name"),
        *_ids("invited_by", nullable=True),
        *_moments("created_at", "expires_at"),
        *_moments("used_at", "refused_at", "withdrawn_at", nullable=True),
        sa.CheckConstraint("email <> '' or rpps <> ''", name=op.f(f"ck_{table}_reaches_somebody")),
        sa.CheckConstraint(_ROLES, name=op.f(f"ck_{table}_role")),
        _to(table, "community_id", "community"),
        _to(table, "invited_by", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("digest", name=op.f(f"uq_{table}_digest")),
    )
    op.create_index("ix_community_invitation_community_id", table, ["community_id", "created_at"])
    op.create_index("ix_community_invitation_rpps", table, ["rpps"], postgresql_where=sa.text("rpps <> ''"))
    named = may.both(_HOSTED.format(table=table), "role = 'animator'")
    theirs = may.both("rpps <> ''", "rpps = (select rpps_of_actor())")
    by_whom = may.either(_mine("animator"), named, may.SYSTEM)
    may.protect(
        table,
        read=may.either(_mine("animator"), named, theirs, may.SYSTEM),
        insert=by_whom,
        update=by_whom,
        delete=may.SYSTEM,
    )
    _seen_by_functions(table)


def _event() -> None:
    table = "community_event"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *_ids("community_id"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        *_texts("actor", "actor_name", "action", "object_kind", "label"),
        *_ids("object_id", nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _to(table, "community_id", "community"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_community_event_at", table, ["at"])
    op.create_index("ix_community_event_community_id", table, ["community_id", "id"])
    inside = may.either(_mine("member"), _INVITING.format(column="community_id"), _HOSTED.format(table=table))
    may.protect(
        table,
        read=may.either(_mine("animator"), may.actor(), may.SYSTEM),
        insert=may.either(may.SYSTEM, may.both(may.actor(), inside)),
        delete=may.SYSTEM,
    )


def _theme() -> None:
    table = "community_theme"
    op.create_table(
        table,
        *_ids("community_id", "id"),
        *_texts("name", "description"),
        *_moments("created_at"),
        *_moments("archived_at", nullable=True),
        _to(table, "community_id", "community"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("community_id", "name", name=op.f(f"uq_{table}_community_id_name")),
    )
    may.protect(table, read=_READ, insert=_mine("moderator"), update=_mine("moderator"))
    op.execute(f"create policy {table}_system on {table} for insert with check ({may.SYSTEM})")


def _subscription() -> None:
    table = "community_subscription"
    op.create_table(
        table,
        *_ids("theme_id", "account_id", "community_id"),
        *_moments("created_at"),
        _to(table, "account_id", "account"),
        _to(table, "theme_id", "community_theme"),
        _to(table, "community_id", "community"),
        sa.PrimaryKeyConstraint("theme_id", "account_id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_community_subscription_account_id", table, ["account_id"])
    may.protect(
        table,
        read=may.either(may.account(), _mine("moderator"), may.SYSTEM),
        insert=may.either(_OWN, may.SYSTEM),
        delete=may.either(may.account(), may.SYSTEM),
    )


def _topic() -> None:
    table = "community_topic"
    op.create_table(
        table,
        *_ids("community_id", "author_id", "id"),
        *_ids("theme_id", nullable=True),
        *_texts("title", "author_name", "last_author_name"),
        *_numbers("posts"),
        *_moments("created_at", "last_post_at"),
        *_moments("pinned_at", "closed_at", nullable=True),
        _to(table, "community_id", "community"),
        _to(table, "author_id", "account"),
        _to(table, "theme_id", "community_theme"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_community_topic_community_id", table, ["community_id", "last_post_at"])
    op.create_index("ix_community_topic_theme_id", table, ["theme_id"])
    may.protect(table, read=_READ, insert=_author("member"), update=_mine("moderator"), delete=may.SYSTEM)
    _seen_by_functions(table)
    op.execute(f"create policy {table}_counted on {table} for update to current_user using (true)")


def _post() -> None:
    table = "community_post"
    op.create_table(
        table,
        *_ids("topic_id", "community_id", "author_id", "id"),
        *_texts("author_name", "body", "withdrawn_by", "reason"),
        *_moments("created_at"),
        *_moments("edited_at", "withdrawn_at", nullable=True),
        sa.CheckConstraint("withdrawn_by in ('', 'author', 'moderator')", name=op.f(f"ck_{table}_withdrawn_by")),
        _to(table, "community_id", "community"),
        _to(table, "author_id", "account"),
        _to(table, "topic_id", "community_topic"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_community_post_author_id", table, ["author_id"])
    op.create_index("ix_community_post_topic_id", table, ["topic_id", "created_at"])
    seen = may.either(may.both(_mine("member"), may.account("author_id")), _mine("moderator"), may.SYSTEM)
    may.protect(table, read=_READ, insert=_author("member"), update=seen, delete=may.SYSTEM)
    op.execute(
        "create trigger community_post_counted after insert on community_post"
        " for each row execute function count_community_post()"
    )


def _past_post() -> None:
    table = "community_past_post"
    op.create_table(
        table,
        *_ids("post_id", "community_id", "author_id", "id"),
        *_texts("body"),
        *_moments("replaced_at"),
        _to(table, "community_id", "community"),
        _to(table, "post_id", "community_post", ondelete="cascade"),
        _to(table, "author_id", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_community_past_post_post_id", table, ["post_id"])
    may.protect(
        table,
        read=may.either(may.account("author_id"), _mine("moderator"), may.SYSTEM),
        insert=may.either(_author("member"), _mine("moderator")),
        delete=may.SYSTEM,
    )


def _report() -> None:
    table = "community_report"
    op.create_table(
        table,
        *_ids("post_id", "community_id", "account_id", "id"),
        *_texts("name", "kind", "words", "decision", "decided_by_name", "explanation"),
        *_moments("created_at"),
        *_moments("decided_at", nullable=True),
        sa.CheckConstraint("decision in ('', 'kept', 'withdrawn')", name=op.f(f"ck_{table}_decision")),
        _to(table, "community_id", "community"),
        _to(table, "account_id", "account"),
        _to(table, "post_id", "community_post", ondelete="cascade"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("post_id", "account_id", name=op.f(f"uq_{table}_post_id_account_id")),
    )
    op.create_index("ix_community_report_waiting", table, ["community_id"], postgresql_where=sa.text("decision = ''"))
    may.protect(
        table,
        read=may.either(may.account(), _mine("moderator"), may.SYSTEM),
        insert=may.either(_OWN, may.SYSTEM),
        update=_mine("moderator"),
        delete=may.SYSTEM,
    )


def _topic_reading() -> None:
    table = "community_topic_reading"
    op.create_table(
        table,
        *_ids("account_id", "topic_id", "community_id"),
        *_moments("read_at"),
        _to(table, "community_id", "community"),
        _to(table, "topic_id", "community_topic", ondelete="cascade"),
        _to(table, "account_id", "account"),
        sa.PrimaryKeyConstraint("account_id", "topic_id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_community_topic_reading_topic_id", table, ["topic_id"])
    may.protect(
        table,
        read=may.either(may.account(), may.SYSTEM),
        insert=may.either(_OWN, may.SYSTEM),
        update=_OWN,
        delete=may.SYSTEM,
    )


def _announcement() -> None:
    table = "community_announcement"
    op.create_table(
        table,
        *_ids("community_id", "author_id", "id"),
        *_ids("theme_id", nullable=True),
        *_texts("title", "body", "author_name"),
        *_moments("published_at"),
        *_days("starts_on", "ends_on", nullable=True),
        *_moments("pinned_at", "withdrawn_at", nullable=True),
        sa.CheckConstraint(
            "ends_on is null or starts_on is null or ends_on >= starts_on", name=op.f(f"ck_{table}_days")
        ),
        _to(table, "author_id", "account"),
        _to(table, "community_id", "community"),
        _to(table, "theme_id", "community_theme"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_community_announcement_community_id", table, ["community_id", "published_at"])
    op.create_index("ix_community_announcement_theme_id", table, ["theme_id"])
    changed = may.either(may.both(_mine("contributor"), may.account("author_id")), _mine("moderator"))
    may.protect(table, read=_READ, insert=_author("contributor"), update=changed, delete=may.SYSTEM)


def _announcement_reading() -> None:
    table = "community_announcement_reading"
    op.create_table(
        table,
        *_ids("announcement_id", "account_id", "community_id"),
        *_moments("read_at"),
        _to(table, "community_id", "community"),
        _to(table, "account_id", "account"),
        _to(table, "announcement_id", "community_announcement", ondelete="cascade"),
        sa.PrimaryKeyConstraint("announcement_id", "account_id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_community_announcement_reading_account_id", table, ["account_id"])
    may.protect(
        table,
        read=may.either(may.account(), _mine("moderator"), may.SYSTEM),
        insert=may.either(_OWN, may.SYSTEM),
        delete=may.SYSTEM,
    )
