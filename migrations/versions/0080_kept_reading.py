"""While the portal only reads, sessions go on without being touched: their idle time is looked at by the portal, which
has a signed cookie for it; the limit that holds whatever happens stays here."""

from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

_FUNCTION = "open_web_session(bytea)"
_TOUCHED = "opened.last_seen_at > now() - make_interval(secs => opened.idle_s)"
_ONLY_READS = "coalesce(current_setting('parvis.only_reads', true), '') = 'on'"
"""Said by a portal that was told to read only. A standby alone says nothing: nobody would look at the idle time."""
_KEPT = f"({_ONLY_READS} or {_TOUCHED})"


def upgrade() -> None:
    _say(_TOUCHED, _KEPT)


def downgrade() -> None:
    _say(_KEPT, _TOUCHED)


def _say(former: str, new: str) -> None:
    """Only the condition on the idle time changes; the former version of the portal gets the same answers."""
    op.execute(
        f"""
        do $$
        declare written text := pg_get_functiondef('{_FUNCTION}'::regprocedure);
        begin
          if position($former${former}$former$ in written) = 0 then
            raise exception '{_FUNCTION} is not what this migration knows';
          end if;
          execute replace(written, $former${former}$former$, $new${new}$new$);
        end $$
        """
    )
