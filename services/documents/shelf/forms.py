"""What people fill in about the shelf: a search, filters, what a hospital decides of a type."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from portal.web.fields import choices
from portal.web.forms import Form
from services.documents.shelf import wording
from services.documents.shelf.actions import TypeRules
from services.documents.shelf.kinds import KINDS
from services.documents.shelf.models import DELAYS, DocumentType
from services.documents.shelf.queries import Counts, Filters

_DAYS = NumberRange(1, 365, message=_l("Write a number of days from 1 to 365, or nothing."))


class FilterForm(Form):
    """The filters of the shelf, in its address: hospital, kind, year, state. An unknown word counts for nothing."""

    class Meta:
        csrf = False  # filters: nothing is changed

    hospital = SelectField(_l("Hospital"), validate_choice=False)
    kind = SelectField(_l("Kind"), validate_choice=False)
    year = SelectField(_l("Year"), validate_choice=False)
    show = SelectField(_l("Show"), validate_choice=False)

    def offer(self, counts: Counts, others: Sequence[tuple[str, Any]] = ()) -> None:
        """Propose what is there, with how many. others: (code, words) of what other rooms lay on the shelf."""
        hospitals = [(str(each), _n(name, total)) for each, (name, total) in counts.hospitals.items()]
        self.hospital.choices = _all(_("All hospitals"), hospitals)
        kinds = [(kind, _n(wording.KINDS[kind], counts.kinds[kind])) for kind in KINDS if kind in counts.kinds]
        self.kind.choices = _all(_("All kinds"), [*kinds, *others])
        self.year.choices = _all(_("All years"), [(str(year), _n(year, total)) for year, total in counts.years.items()])
        self.show.choices = _all(
            _("Everything"),
            [("unread", _n(_("Not opened yet"), counts.unread)), ("deposited", _n(_("What I sent"), counts.deposited))],
        )

    @property
    def filters(self) -> Filters:
        return Filters(
            hospital=_uuid(self.hospital.data),
            kind=self.kind.data if self.kind.data in KINDS else "",
            year=int(self.year.data) if (self.year.data or "").isdecimal() and len(self.year.data) == 4 else None,
            unread=self.show.data == "unread",
            deposited=self.show.data == "deposited",
        )


class WordsForm(Form):
    """A search among one's documents: posted, so that what somebody looks for stays out of addresses."""

    words = StringField(
        _l("Search in my documents"),
        validators=[Length(max=100, message=_l("Write 100 characters at most."))],
        description=_l("A word of the title or of the text, a doctor’s name"),
    )

    @property
    def typed(self) -> list[str]:
        return (self.words.data or "").split()[:8]


class TypeForm(Form):
    """What a hospital decides of a type of documents."""

    type_code = StringField(
        _l("National code of the type"),
        validators=[
            Optional(),
            Length(max=40, message=_l("Write 40 characters at most.")),
            Regexp(r"^[0-9A-Za-z._-]+$", message=_l("A code such as 11502-2: figures, letters, hyphens.")),
        ],
        description=_l("JDV_J07, for example 11502-2. Nothing for all types that have no line of their own."),
    )
    label = StringField(
        _l("What patients read"),
        validators=[Length(max=120, message=_l("Write 120 characters at most."))],
        description=_l("Instead of the national label. Nothing to keep it."),
    )
    kind = SelectField(_l("Kind"), choices=choices(wording.ONE.items()))
    delay = RadioField(
        _l("When patients see it"),
        validators=[InputRequired(_l("Choose when patients see it."))],
        choices=choices((code, wording.DELAYS[code]) for code in DELAYS),
    )
    delay_days = IntegerField(_l("How many days"), validators=[Optional(), _DAYS])
    remind_days = IntegerField(
        _l("Remind after"), validators=[Optional(), _DAYS], description=_l("Days unread. Nothing: no reminder.")
    )
    paper_days = IntegerField(
        _l("Write on paper after"),
        validators=[Optional(), _DAYS],
        description=_l("Days unread before it joins the list of paper letters. Nothing: never."),
    )
    notifies = BooleanField(_l("Tell patients by mail when a document of this type arrives"))

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        if self.delay.data in ("days", "business_days") and not self.delay_days.data and not self.delay_days.errors:
            self.delay_days.errors = [_("Write how many days.")]
            return False
        return valid

    def validate_paper_days(self, field: IntegerField) -> None:
        if field.data and self.remind_days.data and field.data <= self.remind_days.data:
            raise ValidationError(_("The paper letter comes after the reminder: write more days."))

    @property
    def rules(self) -> TypeRules:
        counted = self.delay.data in ("days", "business_days")
        return TypeRules(
            label=" ".join((self.label.data or "").split()),
            kind=self.kind.data,
            delay=self.delay.data,
            delay_days=self.delay_days.data or 0 if counted else 0,
            remind_days=self.remind_days.data,
            paper_days=self.paper_days.data,
            notifies=bool(self.notifies.data),
        )

    @staticmethod
    def as_data(row: DocumentType) -> dict[str, Any]:
        fields = ("type_code", "label", "kind", "delay", "remind_days", "paper_days", "notifies")
        return {name: getattr(row, name) for name in fields} | {"delay_days": row.delay_days or None}


def _all(first: Any, options: Sequence[tuple[str, Any]]) -> list[Any]:
    return choices([("", first), *options])


def _n(words: Any, total: int) -> str:
    return f"{words} ({total})"


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None
