"""What people look for in vain: digests that are counted, and the words of those that many looked for."""

import sqlalchemy as sa
from alembic import op

from migrations import policies as may

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, words in (("search_miss", "digest"), ("search_term", "term")):
        op.create_table(
            table,
            sa.Column("month", sa.Date(), nullable=False),
            sa.Column(words, sa.Text(), nullable=False),
            sa.Column("times", sa.Integer(), nullable=False),
            sa.PrimaryKeyConstraint("month", words, name=op.f(f"pk_{table}")),
        )
    # Whoever searches adds to their own words; nobody reads those of others but administrators, once they are many.
    mine = "digest = (select nullif(current_setting('parvis.search_digest', true), ''))"
    one = may.either(may.SYSTEM, mine)
    may.protect("search_miss", read=one, insert=one, update=one, delete=may.SYSTEM)
    said = "term = (select nullif(current_setting('parvis.search_term', true), ''))"
    some = "(select nullif(current_setting('parvis.at_administration', true), '')) is not null"
    theirs = may.either(may.SYSTEM, said)
    may.protect("search_term", read=may.either(may.SYSTEM, said, some), insert=theirs, update=theirs, delete=may.SYSTEM)
    op.execute("""
create function search_missed(looked date, hidden text, words text, enough integer) returns void
language plpgsql set search_path = public, pg_temp as $$
declare
    so_far integer;
begin
    if current_setting('transaction_read_only') = 'on' then
        return;
    end if;
    perform set_config('parvis.search_digest', hidden, true);
    perform set_config('parvis.search_term', words, true);
    insert into search_miss as m (month, digest, times) values (looked, hidden, 1)
        on conflict (month, digest) do update set times = m.times + 1 returning times into so_far;
    if so_far >= enough then
        insert into search_term (month, term, times) values (looked, words, so_far)
            on conflict (month, term) do update set times = excluded.times;
    end if;
end $$""")


def downgrade() -> None:
    op.execute("drop function search_missed(date, text, text, integer)")
    for table in ("search_term", "search_miss"):
        op.drop_table(table)
