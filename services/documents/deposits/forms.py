"""What a patient and an agent fill in about deposits."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.establishments import Unit
from portal.web.fields import DateParts, choices
from portal.web.forms import OnceForm, Required
from services.documents.deposits.actions import Wish
from services.documents.forms import words_of
from services.documents.shelf import wording
from services.documents.shelf.kinds import KINDS

_TITLE = Length(max=120, message=_l("Write 120 characters at most."))


class BeginForm(OnceForm):
    """What a patient wants to send, and to whom."""

    unit = SelectField(_l("To whom"), validators=[Required(_l("Choose the hospital or the unit."))])
    kind = RadioField(
        _l("What is it?"),
        validators=[InputRequired(_l("Choose what it is."))],
        choices=choices((kind, wording.ONE[kind]) for kind in KINDS),
    )
    title = StringField(
        _l("Its name"),
        validators=[Required(_l("Give it a name, so that you find it again.")), _TITLE],
        description=_l("For example: Letter from Dr Martin, blood test of March"),
    )
    text = TextAreaField(
        _l("A word for the hospital"),
        validators=[Length(max=1000, message=_l("Write 1,000 characters at most."))],
        description=_l("Why you send it. Nobody answers here: for a question, call the unit."),
    )

    def offer(self, units: Sequence[Unit]) -> None:
        """Propose each hospital, then its units."""
        found = [("", _("Choose…"))]
        hospital = None
        for unit in units:
            if unit.establishment_id != hospital:
                hospital = unit.establishment_id
                found.append(
                    (f"h{hospital}", _("%(hospital)s, no unit in particular", hospital=unit.establishment.name))
                )
            found.append((f"u{unit.id}", f"{unit.establishment.name} – {unit.name}"))
        self.unit.choices = choices(found)

    def chosen(self, units: Sequence[Unit]) -> tuple[UUID, Unit | None]:
        """The hospital, and the unit when one was chosen. After validation."""
        word = self.unit.data
        unit = next((each for each in units if f"u{each.id}" == word), None)
        return (unit.establishment_id if unit else UUID(word[1:])), unit

    @property
    def wish(self) -> Wish:
        return Wish(self.kind.data, words_of(self.title), (self.text.data or "").strip())


class AskForm(OnceForm):
    """What a unit asks a patient for."""

    unit = SelectField(_l("Unit"), validators=[Required(_l("Choose the unit that needs it."))])
    kind = SelectField(_l("Kind"), choices=choices((kind, wording.ONE[kind]) for kind in KINDS))
    title = StringField(
        _l("Document"),
        validators=[Required(_l("Name the document you need.")), _TITLE],
        description=_l("As the patient will read it, for example: Result of your last blood test"),
    )
    text = TextAreaField(
        _l("What the patient should know"),
        validators=[Length(max=1000, message=_l("Write 1,000 characters at most."))],
        description=_l("Where to find it, what it is for. They read it in their space, not by mail."),
    )
    due_on = DateParts(_l("By which day"), validators=[Optional()], description=_l("Nothing when it is not urgent"))
    today: date

    def offer(self, units: Sequence[Unit]) -> None:
        several = len({unit.establishment_id for unit in units}) > 1
        named = [(str(u.id), f"{u.establishment.name} – {u.name}" if several else u.name) for u in units]
        self.unit.choices = choices([("", _("Choose…")), *named])

    def validate_due_on(self, field: DateParts) -> None:
        if field.data is not None and field.data < self.today:
            raise ValidationError(_("This day has passed: choose today or a later day"))

    @property
    def wish(self) -> Wish:
        text = (self.text.data or "").strip()
        return Wish(self.kind.data, words_of(self.title), text, self.due_on.data)
