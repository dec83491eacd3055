"""What units offer, when their doors are open, whom to ring, how to come, and mistakes that readers reported."""

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from services.offer.states import REPORT_STATES

ACTIVITY_KINDS = (
    "consultation", "examination", "day_hospital", "hospitalisation", "follow_up", "emergency", "support",
)  # fmt: skip
AUDIENCES = ("patient", "professional")
CONTACT_KINDS = ("phone", "mail", "mssante", "url", "fax")
HOURS_KINDS = ("open", "visits")
"""When one is received; when families may visit."""
REPORTED = ("establishment", "site", "unit", "activity", "practitioner")
MISTAKES = ("phone", "hours", "address", "access", "people", "activity", "other")


def _among(column: str, codes: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{code}'" for code in codes)
    return f"{column} in ({listed})"


_ONE_OWNER = "num_nonnulls(site_id, unit_id, activity_id) = 1"


class Activity(Keyed, Base):
    """What a unit offers (a HealthcareService in FHIR).

    code: in the address of its page, for ever. speciality: TRE_R38, "" when none fits. ages: in years, both included,
    None without a bound. languages: spoken there beside French (ISO 639). ror: its identifier in the regional
    directory. opens_on, closes_on: the first day and the last one, when they are known. is_public: on public pages;
    otherwise only those who work in health see it.
    """

    __tablename__ = "activity"
    __table_args__ = (
        CheckConstraint(_among("kind", ACTIVITY_KINDS), "kind"),
        CheckConstraint("age_from between 0 and 130 and age_to between 0 and 130 and age_from <= age_to", "ages"),
        CheckConstraint("opens_on <= closes_on", "days"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="consultation")
    speciality: Mapped[str] = mapped_column(default="")
    presentation: Mapped[str] = mapped_column(default="")
    age_from: Mapped[int | None] = mapped_column(SmallInteger)
    age_to: Mapped[int | None] = mapped_column(SmallInteger)
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    equipment: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    ror: Mapped[str] = mapped_column(default="")
    is_public: Mapped[bool] = mapped_column(default=True)
    opens_on: Mapped[date | None]
    closes_on: Mapped[date | None]
    position: Mapped[int] = mapped_column(SmallInteger, default=0)

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()

    def takes(self, age: int) -> bool:
        """Whether somebody of that age, in years, is received."""
        return (self.age_from is None or age >= self.age_from) and (self.age_to is None or age <= self.age_to)


class OpeningHours(Keyed, Base):
    """A stretch of a weekday (0 is Monday) when a site, a unit or an activity receives, on the hospital's wall clock.

    closes: when it is not after `opens`, it is on the next day: 00:00 to 00:00 is round the clock. on_holidays: on
    public holidays too.
    """

    __tablename__ = "opening_hours"
    __table_args__ = (
        CheckConstraint(_ONE_OWNER, "owner"),
        CheckConstraint("weekday between 0 and 6", "weekday"),
        CheckConstraint(_among("kind", HOURS_KINDS), "kind"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    activity_id: Mapped[UUID | None] = mapped_column(ForeignKey("activity.id"), index=True)
    kind: Mapped[str] = mapped_column(default="open")
    weekday: Mapped[int] = mapped_column(SmallInteger)
    opens: Mapped[time]
    closes: Mapped[time]
    on_holidays: Mapped[bool] = mapped_column(default=False)


class OpeningException(Keyed, Base):
    """Days, both included, that do not follow the week. opens and closes: other hours; None: closed. reason: public."""

    __tablename__ = "opening_exception"
    __table_args__ = (
        CheckConstraint(_ONE_OWNER, "owner"),
        CheckConstraint("starts_on <= ends_on", "days"),
        CheckConstraint("(opens is null) = (closes is null)", "hours"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    activity_id: Mapped[UUID | None] = mapped_column(ForeignKey("activity.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    opens: Mapped[time | None]
    closes: Mapped[time | None]
    reason: Mapped[str] = mapped_column(default="")


class Contact(Keyed, Base):
    """How to reach a site, a unit or an activity. audience: a professional's number is never shown to patients
    (row-level security too). hours: when somebody answers, in words."""

    __tablename__ = "offer_contact"
    __table_args__ = (
        CheckConstraint(_ONE_OWNER, "owner"),
        CheckConstraint(_among("audience", AUDIENCES), "audience"),
        CheckConstraint(_among("kind", CONTACT_KINDS), "kind"),
        CheckConstraint("kind <> 'mssante' or audience = 'professional'", "mssante"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    activity_id: Mapped[UUID | None] = mapped_column(ForeignKey("activity.id"), index=True)
    audience: Mapped[str]
    kind: Mapped[str]
    value: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    hours: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(SmallInteger, default=0)


class SitePlan(Base):
    """A picture of the way inside a site, drawn again by us from what was uploaded. text: what it says, for those who
    do not see it."""

    __tablename__ = "site_plan"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    picture: Mapped[bytes] = mapped_column(LargeBinary)
    text: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)


class ErrorReport(Keyed, Base):
    """A mistake that somebody saw on a page. about_id: of what (kind in REPORTED). email: where to answer, "" when they
    left none; forgotten after a while. account_id: of whoever was signed in."""

    __tablename__ = "offer_report"
    __table_args__ = (
        CheckConstraint(_among("kind", REPORTED), "kind"),
        CheckConstraint(_among("mistake", MISTAKES), "mistake"),
        CheckConstraint(_among("state", REPORT_STATES), "state"),
        Index("ix_offer_report_establishment_id_state_created_at", "establishment_id", "state", "created_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str]
    about_id: Mapped[UUID]
    about_name: Mapped[str]
    mistake: Mapped[str]
    words: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="fr")
    audience: Mapped[str] = mapped_column(default="anonymous")
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(default="received")
    answer: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    ended_at: Mapped[datetime | None]


class ErrorReportChange(Keyed, Base):
    """One step of a report: by whom, and when. Append-only."""

    __tablename__ = "offer_report_change"

    report_id: Mapped[UUID] = mapped_column(ForeignKey("offer_report.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    from_state: Mapped[str]
    to_state: Mapped[str]
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)
