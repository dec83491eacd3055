"""What agents who sort fill in: shape and wording."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required
from portal.web.ui import short_day
from services.documents.forms import LINE, AssignForm, chosen_among, identifier, words_of
from services.documents.models import Document
from services.documents.queries import Known
from services.documents.tray.queries import Proposal, Wanted
from services.documents.wording import CODES, DISCARD_REASONS, DROP_REASONS


class SortForm(AssignForm):
    """Give a letter, and others that describe the same person, to one of the patients shown; none is chosen before."""

    together = SelectMultipleField(
        _l("Other letters of the tray describe exactly the same person: file them too?"),
        choices=[],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )

    def offer_all(self, proposals: Sequence[Proposal], found: Sequence[Known], others: Sequence[Document]) -> None:
        """Let the agent choose among those proposed and those found, each once."""
        known = {each.patient.id: each for each in (*(each.known for each in proposals), *found)}
        self.offer(list(known.values()))
        self.together.choices = choices(
            (str(each.id), f"{each.title} ({short_day(each.authored_on)})") for each in others
        )

    @property
    def others(self) -> set[UUID]:
        """The letters to file with this one."""
        return {found for each in self.together.data or () if (found := identifier(each))}


class FilterForm(Form):
    """Which letters of the tray to see. Codes and places only: names stay out of addresses."""

    class Meta:
        csrf = False

    hopital = SelectField(_l("Hospital"), choices=[], validate_choice=False)
    motif = SelectField(_l("Why it is here"), choices=[], validate_choice=False)
    age = SelectField(
        _l("Age"), choices=choices([("", _l("Any")), ("2", _l("More than 2 days"))]), validate_choice=False
    )

    def offer(self, hospitals: Mapping[str, str], codes: Mapping[str, int]) -> None:
        """Let the agent choose among their hospitals and the reasons that occur."""
        self.hopital.choices = choices([("", _l("All")), *hospitals.items()])
        self.motif.choices = choices([("", _l("Any")), *((code, f"{_name(code)} ({codes[code]})") for code in codes)])

    def wanted(self, page: int) -> Wanted:
        return Wanted(identifier(self.hopital.data), self.motif.data or "", self.age.data == "2", page)


def _name(code: str) -> str:
    return str(_("Taken back")) if code == "taken_back" else f"{code} {CODES.get(code, '')}"


class DiscardSeveralForm(OnceForm):
    """Set several letters aside."""

    letters = SelectMultipleField(choices=[], validate_choice=False)
    reason = SelectField(_l("Why?"), [Required(_l("Choose a reason."))], choices=chosen_among(DISCARD_REASONS))

    @property
    def chosen(self) -> set[UUID]:
        return {found for each in self.letters.data or () if (found := identifier(each))}


class TakeAsFileForm(OnceForm):
    """Put a refused PDF or photograph in the tray."""

    title = StringField(
        _l("Title"),
        [Required(_l("Write the title under which agents and the patient will see it.")), LINE],
    )

    @property
    def words(self) -> str:
        return words_of(self.title)


class DropForm(OnceForm):
    """Nothing will be done with a refused file."""

    reason = SelectField(_l("Why?"), [Required(_l("Choose a reason."))], choices=chosen_among(DROP_REASONS))
