"""What people think of services: turns to be asked, answers without whoever gave them, comments to screen."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from migrations import policies as may

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

# A process says which digests are those of whoever acts; nobody else can compute them.
_MINE = "digest = any ((select string_to_array(current_setting('parvis.opinion', true), ','))::text[])"
# Who was asked answers, and nobody else.
_ASKED = (
    "exists (select 1 from opinion_turn asked where asked.digest = any ((select"
    " string_to_array(current_setting('parvis.opinion', true), ','))::text[])"
    " and asked.establishment_id = {table}.establishment_id)"
)
_SERVICES = (
    "service in ('appointments', 'preadmission', 'billing', 'documents', 'messages', 'questionnaires', 'referrals')"
)
_FUNCTIONS = (
    "opinion_invite(text[], uuid, text, uuid, timestamptz, timestamptz)",
    "opinion_show(text[], timestamptz, timestamptz)",
)


def upgrade() -> None:
    _turns()
    _opinions()
    _comments()
    _functions()


def downgrade() -> None:
    for function in _FUNCTIONS:
        op.execute(f"drop function {function}")
    for table in ("opinion_comment", "opinion", "opinion_turn"):
        op.drop_table(table)


def _text(name: str, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="" if empty else None)


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _place(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["establishment_id"], ["establishment.id"], name=op.f(f"fk_{table}_establishment_id")),
    ]


def _turns() -> None:
    table = "opinion_turn"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("digest"),
        _text("service"),
        *_place(table),
        *_moments("invited_at"),
        *_moments("shown_at", "answered_at", nullable=True),
        sa.CheckConstraint(_SERVICES, name=op.f(f"ck_{table}_service")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_opinion_turn_digest", table, ["digest"])
    mine = may.either(may.SYSTEM, _MINE)
    may.protect(table, read=mine, insert=mine, update=mine, delete=may.SYSTEM)


def _opinions() -> None:
    table = "opinion"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        *_place(table),
        _text("service"),
        _text("audience"),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        _text("words", empty=True),
        *_moments("published_at", nullable=True),
        sa.CheckConstraint(_SERVICES, name=op.f(f"ck_{table}_service")),
        sa.CheckConstraint("audience in ('patient', 'professional')", name=op.f(f"ck_{table}_audience")),
        sa.CheckConstraint("score between 1 and 5", name=op.f(f"ck_{table}_score")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_opinion_establishment_id_given_on", table, ["establishment_id", "given_on"])
    screens = may.either(may.SYSTEM, may.staff("administration"))
    may.protect(
        table,
        read=may.either(screens, may.both("published_at is not null", may.any_staff())),
        insert=may.either(may.SYSTEM, _ASKED.format(table=table)),
        update=screens,
        delete=may.SYSTEM,
    )


def _comments() -> None:
    table = "opinion_comment"
    op.create_table(
        table,
        sa.Column("opinion_id", sa.Uuid(), nullable=False),
        *_place(table),
        _text("text"),
        sa.Column("flags", ARRAY(sa.Text()), nullable=False),
        *_moments("received_at"),
        sa.Column("due_on", sa.Date(), nullable=False),
        _text("decision", empty=True),
        _text("reason", empty=True),
        *_moments("decided_at", nullable=True),
        _text("decided_by_name", empty=True),
        sa.CheckConstraint("decision in ('', 'published', 'removed')", name=op.f(f"ck_{table}_decision")),
        sa.CheckConstraint("(decision = '') = (decided_at is null)", name=op.f(f"ck_{table}_decided")),
        sa.ForeignKeyConstraint(
            ["opinion_id"], ["opinion.id"], name=op.f(f"fk_{table}_opinion_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("opinion_id", name=op.f(f"pk_{table}")),
    )
    op.create_index("ix_opinion_comment_establishment_id_due_on", table, ["establishment_id", "due_on"])
    screens = may.either(may.SYSTEM, may.staff("administration"))
    may.protect(
        table,
        read=screens,
        insert=may.either(may.SYSTEM, _ASKED.format(table=table)),
        update=screens,
        delete=may.SYSTEM,
    )


def _functions() -> None:
    """One round trip each; they run with the caller's rights, and say whose digests they were given."""
    op.execute("""
create function opinion_invite(
    digests text[], turn uuid, done text, place uuid, moment timestamptz, since timestamptz
) returns void language plpgsql set search_path = public, pg_temp as $$
begin
    perform set_config('parvis.opinion', array_to_string(digests, ','), true);
    if current_setting('transaction_read_only') = 'on' then
        return;
    end if;
    if exists (select 1 from establishment_setting s
               where s.establishment_id = place and s.key = 'satisfaction_asked' and s.value = 'no') then
        return;
    end if;
    -- Two windows of one person at the same moment: one of them is enough.
    if not pg_try_advisory_xact_lock(hashtextextended('opinion_turn ' || digests[1], 0)) then
        return;
    end if;
    update opinion_turn t set service = done, establishment_id = place, invited_at = moment
        where t.digest = any (digests) and t.invited_at > since and t.shown_at is null;
    if not found and not exists (
        select 1 from opinion_turn t where t.digest = any (digests) and t.invited_at > since
    ) then
        insert into opinion_turn (id, digest, service, establishment_id, invited_at)
            values (turn, digests[1], done, place, moment);
    end if;
end $$""")
    op.execute("""
create function opinion_show(digests text[], since timestamptz, moment timestamptz)
returns table (turn uuid, done text, place uuid, first boolean)
language plpgsql set search_path = public, pg_temp as $$
begin
    perform set_config('parvis.opinion', array_to_string(digests, ','), true);
    select t.id, t.service, t.establishment_id, t.shown_at is null into turn, done, place, first
        from opinion_turn t
        where t.digest = any (digests) and t.invited_at > since and t.answered_at is null
        order by t.invited_at desc limit 1;
    if turn is null then
        return;
    end if;
    first := first and moment is not null and current_setting('transaction_read_only') = 'off';
    if first then
        update opinion_turn t set shown_at = moment where t.id = turn;
    end if;
    return next;
end $$""")
