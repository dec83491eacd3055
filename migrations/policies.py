"""Words for row-level security policies, as the migrations use them.

Each condition is a scalar sub-select, evaluated once a statement and not once a row. `nullif` because a setting is
'' after the transaction that set it, not NULL.
"""

from alembic import op


def _setting(key: str) -> str:
    return f"(select current_setting('parvis.{key}', true))"


def _among(column: str, key: str) -> str:
    listed = f"string_to_array(current_setting('parvis.{key}', true), ',')::uuid[]"
    return f"{column} = any ((select {listed})::uuid[])"


def _is(column: str, key: str) -> str:
    return f"{column} = (select nullif(current_setting('parvis.{key}', true), '')::uuid)"


SYSTEM = f"{_setting('system')} <> ''"
ANYBODY = "true"
_ADMINISTERED = "(select string_to_array(current_setting('parvis.at_administration', true), ',')::uuid[])::uuid[]"
WHOLE_GROUP = (
    "(select nullif(current_setting('parvis.at_administration', true), '')) is not null and not exists"
    f" (select 1 from establishment e where not coalesce(e.id = any ({_ADMINISTERED}), false))"
)
"""Whoever administers every hospital: what belongs to the whole group is theirs to change."""


def own(column: str = "patient_id") -> str:
    """Rows of a patient for whom the actor may act."""
    return _among(column, "patients")


def proxied(column: str = "patient_id") -> str:
    """Rows of somebody for whom the actor acts and who is not themselves."""
    # Outside a request nothing is declared, and nobody is acted for.
    return f"coalesce({_among(column, 'proxied')}, false)"


def oneself(column: str = "patient_id") -> str:
    """Rows of the actor in person."""
    return both(own(column), f"not {proxied(column)}")


def within(scope: str, column: str = "patient_id", *, unless_masked: bool = False) -> str:
    """What a mandate leaves of a row: everything unless it is somebody's for whom the actor acts, and then only in
    this matter, and only when it is not kept from those who act for them. For `restrain`."""
    reached = f"coalesce({_among(column, f'for_{scope}')}, false)"
    return either(
        f"{column} is null", f"not {proxied(column)}", both(reached, "not masked") if unless_masked else reached
    )


def account(column: str = "account_id") -> str:
    return _is(column, "account")


def professional(column: str = "professional_id") -> str:
    return _is(column, "professional")


def staff(right: str, column: str = "establishment_id") -> str:
    """Rows of an establishment where the actor holds that right."""
    return _among(column, f"at_{right}")


def any_staff(column: str = "establishment_id") -> str:
    return _among(column, "establishments")


def emergency(table: str) -> str:
    """Rows of a patient, at the hospital where the agent opened their file in an emergency that has not ended."""
    opened = both(
        _is("opened.account_id", "account"),
        f"opened.patient_id = {table}.patient_id",
        f"opened.establishment_id = {table}.establishment_id",
        "opened.ends_at > now()",
    )
    # The first half is decided once a statement, and false for everybody but those few.
    return both(
        _among(f"{table}.patient_id", "emergency"), f"exists (select 1 from emergency_access opened where {opened})"
    )


def actor(column: str = "actor") -> str:
    """Rows that name the declared actor."""
    return f"{column} = {_setting('actor')}"


def either(*conditions: str) -> str:
    return " or ".join(f"({condition})" for condition in conditions)


def both(*conditions: str) -> str:
    return " and ".join(f"({condition})" for condition in conditions)


def protect(
    table: str,
    *,
    read: str,
    write: str | None = None,
    insert: str | None = None,
    update: str | None = None,
    delete: str | None = None,
) -> None:
    """Turn row-level security on, for the owner too, with one policy per command.

    `write` stands for insert, update and delete unless one of them is given. A command without a policy is refused.
    """
    op.execute(f'alter table "{table}" enable row level security')
    op.execute(f'alter table "{table}" force row level security')
    op.execute(f'create policy {table}_read on "{table}" for select using ({read})')
    insert, update, delete = insert or write, update or write, delete or write
    if insert:
        op.execute(f'create policy {table}_insert on "{table}" for insert with check ({insert})')
    if update:
        op.execute(f'create policy {table}_update on "{table}" for update using ({update}) with check ({update})')
    if delete:
        op.execute(f'create policy {table}_delete on "{table}" for delete using ({delete})')


def restrain(table: str, condition: str, *, command: str = "all", name: str = "mandate") -> None:
    """Add a condition that every row must meet, whatever the other policies allow; the system alone stands above it."""
    always = either(SYSTEM, condition)
    op.execute(f'create policy {table}_{name} on "{table}" as restrictive for {command} using ({always})')
