"""The operational directory of the group: what each unit offers, contacts, opening, access, reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations import policies as may

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_TABLES = (
    "activity", "opening_hours", "opening_exception", "offer_contact", "site_plan", "offer_report",
    "offer_report_change",
)  # fmt: skip
_SITE = ("transport", "parking", "on_foot", "ror")
_UNIT = ("presentation", "ror")
_DAYS = ("opens_on", "closes_on")
_ADMINISTRATION = may.either(may.SYSTEM, may.staff("administration"))
_IN_HEALTH = may.either(
    "(select current_setting('parvis.establishments', true)) <> ''",
    "(select current_setting('parvis.professional', true)) <> ''",
    may.SYSTEM,
)
"""Agents of any hospital, practitioners, and jobs."""


def upgrade() -> None:
    _add_to_places()
    _create_activities()
    _create_openings()
    _create_contacts()
    _create_reports()
    _protect()


def _add_to_places() -> None:
    for column in ("latitude", "longitude"):
        op.add_column("site", sa.Column(column, sa.Float(), nullable=True))
    op.create_check_constraint(
        op.f("ck_site_place"),
        "site",
        "(latitude is null) = (longitude is null) and latitude between -90 and 90 and longitude between -180 and 180",
    )
    for table, texts in (("site", _SITE), ("unit", _UNIT)):
        for column in texts:
            op.add_column(table, sa.Column(column, sa.Text(), server_default="", nullable=False))
        for column in _DAYS:
            op.add_column(table, sa.Column(column, sa.Date(), nullable=True))


def _create_activities() -> None:
    op.create_table(
        "activity",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "kind", "speciality", "presentation", "ror")),
        sa.Column("age_from", sa.SmallInteger(), nullable=True),
        sa.Column("age_to", sa.SmallInteger(), nullable=True),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("equipment", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind in ('consultation', 'examination', 'day_hospital', 'hospitalisation', 'follow_up', 'emergency',"
            " 'support')",
            name=op.f("ck_activity_kind"),
        ),
        sa.CheckConstraint(
            "age_from between 0 and 130 and age_to between 0 and 130 and age_from <= age_to",
            name=op.f("ck_activity_ages"),
        ),
        sa.CheckConstraint("opens_on <= closes_on", name=op.f("ck_activity_days")),
        _of("activity", "establishment"),
        _of("activity", "unit"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sa.UniqueConstraint("code", name=op.f("uq_activity_code")),
    )
    _index("activity", "establishment_id", "unit_id")


def _create_openings() -> None:
    op.create_table(
        "opening_hours",
        *_owners(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.Column("on_holidays", sa.Boolean(), nullable=False),
        *_owned("opening_hours"),
        sa.CheckConstraint("weekday between 0 and 6", name=op.f("ck_opening_hours_weekday")),
        sa.CheckConstraint("kind in ('open', 'visits')", name=op.f("ck_opening_hours_kind")),
    )
    op.create_table(
        "opening_exception",
        *_owners(),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=True),
        sa.Column("closes", sa.Time(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        *_owned("opening_exception"),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_opening_exception_days")),
        sa.CheckConstraint("(opens is null) = (closes is null)", name=op.f("ck_opening_exception_hours")),
    )
    for table in ("opening_hours", "opening_exception"):
        _index(table, "establishment_id", "site_id", "unit_id", "activity_id")


def _create_contacts() -> None:
    op.create_table(
        "offer_contact",
        *_owners(),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("audience", "kind", "value", "label", "hours")),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        *_owned("offer_contact"),
        sa.CheckConstraint("audience in ('patient', 'professional')", name=op.f("ck_offer_contact_audience")),
        sa.CheckConstraint("kind in ('phone', 'mail', 'mssante', 'url', 'fax')", name=op.f("ck_offer_contact_kind")),
        sa.CheckConstraint("kind <> 'mssante' or audience = 'professional'", name=op.f("ck_offer_contact_mssante")),
    )
    _index("offer_contact", "establishment_id", "site_id", "unit_id", "activity_id")
    op.create_table(
        "site_plan",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _of("site_plan", "site"),
        _of("site_plan", "establishment"),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_plan")),
    )
    _index("site_plan", "establishment_id")


def _create_reports() -> None:
    op.create_table(
        "offer_report",
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("about_name", "mistake", "words", "email", "locale", "audience", "state", "answer")
        ),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind in ('establishment', 'site', 'unit', 'activity', 'practitioner')", name=op.f("ck_offer_report_kind")
        ),
        sa.CheckConstraint(
            "mistake in ('phone', 'hours', 'address', 'access', 'people', 'activity', 'other')",
            name=op.f("ck_offer_report_mistake"),
        ),
        sa.CheckConstraint("state in ('received', 'corrected', 'declined')", name=op.f("ck_offer_report_state")),
        _of("offer_report", "establishment"),
        _of("offer_report", "account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_report")),
    )
    _index("offer_report", ("establishment_id", "state", "created_at"))
    op.create_table(
        "offer_report_change",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("from_state", "to_state", "actor", "actor_name")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["offer_report.id"], name=op.f("fk_offer_report_change_report_id")),
        _of("offer_report_change", "establishment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer_report_change")),
    )
    _index("offer_report_change", "establishment_id", "report_id")


def _protect() -> None:
    may.protect("activity", read=may.either("is_public", _IN_HEALTH), write=_ADMINISTRATION)
    for table in ("opening_hours", "opening_exception"):
        may.protect(table, read=may.ANYBODY, write=_ADMINISTRATION)
    may.protect("offer_contact", read=may.either("audience = 'patient'", _IN_HEALTH), write=_ADMINISTRATION)
    may.protect("site_plan", read=may.ANYBODY, write=_ADMINISTRATION)
    new = may.both("state = 'received'", "answer = ''", "ended_at is null")
    theirs = may.either("account_id is null", may.account())
    may.protect(
        "offer_report", read=_ADMINISTRATION, insert=may.either(_ADMINISTRATION, may.both(new, theirs)),
        update=_ADMINISTRATION, delete=may.SYSTEM,
    )  # fmt: skip
    may.protect("offer_report_change", read=_ADMINISTRATION, insert=_ADMINISTRATION, delete=may.SYSTEM)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"drop table {table} cascade")
    op.drop_constraint(op.f("ck_site_place"), "site")
    for table, columns in (("site", ("latitude", "longitude", *_SITE, *_DAYS)), ("unit", (*_UNIT, *_DAYS))):
        for column in columns:
            op.drop_column(table, column)


# -- words of this migration -------------------------------------------------------------------------------------


def _of(table: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{other}_id")
    return sa.ForeignKeyConstraint([f"{other}_id"], [f"{other}.id"], name=name)


def _owners() -> list[sa.Column[object]]:
    """Whose it is: one of a site, a unit or an activity."""
    return [
        sa.Column("establishment_id", sa.Uuid(), nullable=False),
        *(sa.Column(f"{owner}_id", sa.Uuid(), nullable=True) for owner in ("site", "unit", "activity")),
        sa.Column("id", sa.Uuid(), nullable=False),
    ]


def _owned(table: str) -> list[sa.Constraint]:
    return [
        sa.CheckConstraint("num_nonnulls(site_id, unit_id, activity_id) = 1", name=op.f(f"ck_{table}_owner")),
        *(_of(table, other) for other in ("establishment", "site", "unit", "activity")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _index(table: str, *columns: str | tuple[str, ...]) -> None:
    for each in columns:
        listed = [each] if isinstance(each, str) else list(each)
        op.create_index(op.f(f"ix_{table}_{'_'.join(listed)}"), table, listed, unique=False)
