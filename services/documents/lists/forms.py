"""What agents fill in about lists of correspondents."""

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from portal.establishments import Unit
from portal.files import StoredFile
from portal.web.fields import choices
from portal.web.forms import Required
from services.directory import queries as directory
from services.directory.queries import Box
from services.documents.exchanges.actions import Draft
from services.documents.forms import LINE, TEXT_LENGTH, UploadForm, words_of
from services.documents.inbox.forms import PlaceForm

MOST_MEMBERS: Final = 200


class ListForm(PlaceForm):
    """A list of correspondents, by theme."""

    name = StringField(_l("Name of the list"), [Required(_l("Write the name of the list.")), LINE])
    theme = StringField(_l("Theme"), [Optional(), LINE], description=_l("For example: diabetes care"))
    addresses = TextAreaField(
        _l("MSSanté addresses"),
        [Required(_l("Write an address at least.")), Length(max=30_000)],
        description=_l("One on each line. Each must be in the national directory."),
    )

    @property
    def words(self) -> tuple[str, str]:
        """(name, theme)."""
        return words_of(self.name), words_of(self.theme)

    def boxes(self) -> list[Box]:
        """What the directory says of the addresses; those that it does not have are told, and none is returned."""
        typed = [each for line in (self.addresses.data or "").splitlines() if (each := line.strip().lower())]
        if len(typed) > MOST_MEMBERS:
            return self._refuse(_("A list holds %(count)d addresses at most.", count=MOST_MEMBERS))
        found = {address: directory.box(address) for address in typed}
        unknown = [address for address, box in found.items() if box is None]
        if unknown:
            told = ", ".join(unknown[:5])
            return self._refuse(_("The national directory does not have: %(addresses)s", addresses=told))
        return [box for box in found.values() if box]

    def _refuse(self, words: str) -> list[Box]:
        self.addresses.errors = [*self.addresses.errors, words]
        return []


class ToListForm(UploadForm):
    """A message to a list: about nobody, so no patient is asked for."""

    unit_id = SelectField(_l("From which unit?"), [Required(_l("Choose the unit that sends it."))])
    subject = StringField(_l("Subject"), [Required(_l("Write what it is about, in a few words.")), LINE])
    text = TextAreaField(
        _l("Message"),
        [
            Required(_l("Write your message.")),
            Length(max=TEXT_LENGTH, message=_l("Write 2,000 characters at most.")),
        ],
    )

    def offer(self, units: Sequence[Unit]) -> None:
        self.unit_id.choices = choices([("", _("Choose…")), *((str(unit.id), unit.name) for unit in units)])

    def draft(self, stored: StoredFile | None) -> Draft:
        return Draft(subject=words_of(self.subject), text=self.text.data or "", file_ids=(stored.id,) if stored else ())
