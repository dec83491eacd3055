"""What agents of the admissions office type."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.establishments import Establishment, Unit
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.pieces.states import REFUSAL_REASONS
from services.pieces.wording import KINDS, REASONS
from services.preadmission.actions import Stay
from services.preadmission.kinds import STAY_KINDS
from services.preadmission.office import comparison, wording
from services.preadmission.office.actions import Speaker
from services.preadmission.office.comparison import Description
from services.preadmission.queries import CONFIDENTIAL_WAYS


class DecisionForm(Form):
    """A decision about a file as the agent read it. version: of that reading; at: when, as a timestamp."""

    version = HiddenField()
    at = HiddenField()

    def version_read(self) -> int | None:
        """None when the page did not say: the file is then taken as it stands."""
        given = self.version.data or ""
        return int(given) if given.isascii() and given.isdecimal() and len(given) < 9 else None


class AcceptPieceForm(DecisionForm):
    """expires_on: the last day read on the document."""

    expires_on = DateParts(_l("Valid until, as read on it"), validators=[Optional()])


class RefusePieceForm(DecisionForm):
    """Why an agent refuses a piece, and their words beside it."""

    reason = SelectField(
        _l("Reason"),
        validators=[Required(_l("Choose a reason: the patient will read it."))],
        choices=choices([("", _l("Choose…")), *((code, REASONS[code][0]) for code in REFUSAL_REASONS)]),
    )
    note = StringField(
        _l("Message for the patient"), validators=[Length(max=300)], description=_l("No medical detail.")
    )


class NoteForm(DecisionForm):
    body = TextAreaField(
        _l("Note for colleagues"),
        validators=[Required(_l("Write the note.")), Length(max=2000)],
        description=_l("The patient does not read it here, but may ask for a copy. No medical detail."),
    )


class ReasonForm(DecisionForm):
    """Why a file is opened again, or taken over: for the history."""

    reason = StringField(_l("Why"), validators=[Required(_l("Say why.")), Length(max=300)])


class TakeOverForm(DecisionForm):
    reason = StringField(_l("Why, for the history"), validators=[Length(max=300)])


class AssignForm(DecisionForm):
    """To whom a file is given."""

    agent = SelectField(_l("Give to"), validators=[Required(_l("Choose somebody."))])

    def offer(self, colleagues: Mapping[UUID, str]) -> None:
        self.agent.choices = choices(
            [("", _("Choose…")), *((str(account_id), name) for account_id, name in colleagues.items())]
        )


class CardForm(DecisionForm):
    """The traits as they are written on the identity document."""

    birth_name = StringField(_l("Birth name"), validators=[Required(_l("Write the birth name.")), Length(max=100)])
    used_name = StringField(_l("Name of use"), validators=[Length(max=100)])
    first_names = StringField(
        _l("First names"),
        validators=[Required(_l("Write the first names.")), Length(max=200)],
        description=_l("In the order of the card, with commas between them."),
    )
    birth_on = DateParts(_l("Born on"), validators=[InputRequired(_l("Write the day of birth."))])
    sex = SelectField(_l("Sex"), choices=choices([("", _l("Not written")), ("F", "F"), ("M", "M")]))

    def description(self) -> Description:
        return Description(
            self.birth_name.data or "",
            self.used_name.data or "",
            comparison.split(self.first_names.data or ""),
            self.birth_on.data,
            self.sex.data or "",
        )


class Boxes(SelectMultipleField):
    """Several boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class AskForm(DecisionForm):
    """All that is missing, in one message."""

    complete_by = DateParts(
        _l("The patient answers by"), validators=[InputRequired(_l("Write the day by which you expect an answer."))]
    )
    more = Boxes(_l("Ask for something else, too"))
    message = TextAreaField(
        _l("Message for the patient"),
        validators=[Length(max=2000)],
        description=_l("They read it in their space, above the list of documents. No medical detail."),
    )
    today: date

    def offer(self, present: Sequence[str]) -> None:
        """Propose the kinds of document that are not asked for yet; health documents are the care team's."""
        from services.pieces.models import KINDS as RULES

        left = [code for code, rules in RULES.items() if code not in present and not rules.is_health]
        self.more.choices = choices((code, KINDS[code]) for code in left)

    def validate_complete_by(self, field: DateParts) -> None:
        if field.data is not None and field.data < self.today:
            raise ValidationError(_("This day has passed: choose today or a later day"))


class RefuseFileForm(DecisionForm):
    reason = TextAreaField(
        _l("What the patient will read"),
        validators=[Required(_l("Say why and what to do: the patient will read it.")), Length(max=1000)],
        description=_l("Why the file is refused and what to do instead. No medical detail."),
    )


# -- a file begun for somebody -------------------------------------------------------------------------------------


class FindForm(Form):
    """Somebody the hospital knows: by number, or by birth name and day."""

    establishment = SelectField(_l("Hospital"), validators=[Required(_l("Choose the hospital."))])
    ipp = StringField(_l("Patient number (IPP)"), validators=[Length(max=40)])
    birth_name = StringField(_l("Birth name or name of use"), validators=[Length(max=100)])
    birth_on = DateParts(_l("Born on"), validators=[Optional()])

    def offer(self, hospitals: Sequence[Establishment]) -> None:
        self.hospitals = {str(each.id): each.name for each in hospitals}
        self.establishment.choices = choices(self.hospitals.items())

    def validate_birth_name(self, field: Any) -> None:
        if not (self.ipp.data or "").strip() and not ((field.data or "").strip() and self.birth_on.data):
            raise ValidationError(_("Write the number, or the name and the day of birth."))


class BeginForm(OnceForm):
    """The stay, and who says it."""

    unit_id = SelectField(_l("Unit"), validators=[Required(_l("Choose the unit."))])
    planned_on = DateParts(_l("Day of arrival"), validators=[InputRequired(_l("Write the day of arrival."))])
    stay_kind = SelectField(
        _l("Kind of stay"),
        choices=choices((code, wording.STAY_KINDS[code]) for code in STAY_KINDS),
        default="inpatient",
    )
    speaker = RadioField(
        _l("Who is speaking?"),
        choices=choices(wording.SPEAKERS.items()),
        validators=[Required(_l("Say who is speaking."))],
    )
    speaker_name = StringField(_l("Their name, if it is not the patient"), validators=[Length(max=100)])

    def offer(self, units: Sequence[Unit]) -> None:
        offered = choices((str(unit.id), f"{unit.name} – {unit.site.name}") for unit in units)
        self.unit_id.choices = choices([("", _("Choose…"))]) + offered

    def validate_speaker_name(self, field: Any) -> None:
        if self.speaker.data not in (None, "", "self") and not (field.data or "").strip():
            raise ValidationError(_("Write the name of who is speaking"))

    def stay(self) -> Stay:
        assert self.planned_on.data is not None, "the form is valid"
        return Stay(UUID(self.unit_id.data), self.planned_on.data, self.stay_kind.data)

    def who(self) -> Speaker:
        return Speaker(self.speaker.data, "" if self.speaker.data == "self" else self.speaker_name.data or "")


# -- what a hospital decides ---------------------------------------------------------------------------------------


class MessageForm(OnceForm):
    occasion = SelectField(_l("When"), choices=choices(wording.OCCASIONS.items()))
    title = StringField(_l("Title, for agents"), validators=[Required(_l("Write a title.")), Length(max=100)])
    body = TextAreaField(
        _l("What the patient reads"), validators=[Required(_l("Write the message.")), Length(max=2000)]
    )


class OfficeForm(Form):
    """How the stays that are to be kept secret are shown."""

    confidential = RadioField(
        _l("Stays whose patient asked that nobody be told"),
        choices=choices((code, wording.CONFIDENTIAL_WAYS[code]) for code in CONFIDENTIAL_WAYS),
        validators=[Required()],
    )


class NewPersonForm(OnceForm):
    """Somebody the hospital does not know: their identity stays provisional until a card is seen."""

    establishment = SelectField(_l("Hospital"), validators=[Required(_l("Choose the hospital."))])
    birth_name = StringField(_l("Birth name"), validators=[Required(_l("Write the birth name.")), Length(max=100)])
    first_name = StringField(_l("First name"), validators=[Required(_l("Write the first name.")), Length(max=100)])
    birth_on = DateParts(_l("Born on"), validators=[InputRequired(_l("Write the day of birth."))])
    sex = SelectField(_l("Sex"), choices=choices([("", _l("Not said")), ("F", _l("Female")), ("M", _l("Male"))]))
    mobile = StringField(_l("Mobile telephone"), validators=[Length(max=30)])
    email = StringField(_l("E-mail"), validators=[Optional(), EmailAddress()])

    def offer(self, hospitals: Sequence[Establishment]) -> None:
        self.hospitals = {str(each.id): each.name for each in hospitals}
        self.establishment.choices = choices(self.hospitals.items())
