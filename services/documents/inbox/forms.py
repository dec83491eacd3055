"""What agents fill in: a text ready to use, an absence."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.establishments import Establishment, Unit
from portal.web.fields import DateParts, choices
from portal.web.forms import OnceForm, Required
from services.documents.forms import LINE, TEXT_LENGTH, words_of
from services.documents.inbox.actions import Away


class PlaceForm(OnceForm):
    """Something of one hospital of the agent's."""

    establishment_id = SelectField(_l("Hospital"), [Required(_l("Choose the hospital."))])

    def offer_places(self, places: Sequence[Establishment]) -> None:
        self.establishment_id.choices = choices((str(each.id), each.name) for each in places)


class ReplyTextForm(OnceForm):
    """A text ready to use. where: a hospital's, or one of its units'."""

    where = SelectField(_l("Offered to"), [Required(_l("Choose who is offered this text."))])
    title = StringField(_l("Title"), [Required(_l("Write a title.")), LINE])
    text = TextAreaField(
        _l("Text"),
        [
            Required(_l("Write the text.")),
            Length(max=TEXT_LENGTH, message=_l("Write 2,000 characters at most.")),
        ],
    )

    def offer(self, places: Sequence[Establishment], units: Sequence[Unit]) -> None:
        """The hospitals, then their units."""
        whole = [(str(place.id), _("All units of %(hospital)s", hospital=place.name)) for place in places]
        single = [(str(unit.id), f"{unit.name}, {unit.establishment.name}") for unit in units]
        self.where.choices = choices([*whole, *single])

    def chosen(self, units: Sequence[Unit]) -> tuple[UUID, UUID | None]:
        """(hospital, unit) that were chosen."""
        unit = next((each for each in units if str(each.id) == self.where.data), None)
        return (unit.establishment_id, unit.id) if unit else (UUID(self.where.data), None)

    @property
    def words(self) -> tuple[str, str]:
        return words_of(self.title), (self.text.data or "").strip()


class AbsenceForm(PlaceForm):
    """When somebody is away, and who stands in."""

    first_on = DateParts(_l("First day"), [InputRequired(_l("Write the first day."))])
    last_on = DateParts(_l("Last day"), [InputRequired(_l("Write the last day."))])
    deputy_id = SelectField(_l("Who answers meanwhile?"), [Required(_l("Choose a colleague."))])

    def offer_deputies(self, colleagues: Mapping[UUID, str]) -> None:
        self.deputy_id.choices = choices(
            [("", _("Choose…")), *((str(account_id), name) for account_id, name in colleagues.items())]
        )

    def away(self, colleagues: Mapping[UUID, str]) -> Away | None:
        """What was said, once it makes sense; else the form says why."""
        first, last, deputy = self.first_on.data, self.last_on.data, UUID(self.deputy_id.data)
        if first is None or last is None or last < first:
            self.last_on.errors = [*self.last_on.errors, _l("The last day comes after the first one.")]
            return None
        return Away(first, last, deputy, colleagues[deputy])
