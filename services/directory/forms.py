"""What is looked for in the directory: nothing is changed, so the answers stand in the address."""

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _l
from wtforms import SearchField, SelectField, StringField
from wtforms.validators import Length, Optional

from portal.web.fields import choices
from portal.web.forms import Form
from services.directory import queries
from services.directory.queries import Found

_TOO_LONG = _l("Type fewer letters.")


class SearchForm(Form):
    """Name or number, occupation, place, structure."""

    name = SearchField(_l("Name or RPPS number"), validators=[Optional(), Length(max=100, message=_TOO_LONG)])
    occupation = SelectField(_l("Profession or speciality"), validators=[Optional()], validate_choice=False)
    place = StringField(_l("Town or postcode"), validators=[Optional(), Length(max=60, message=_TOO_LONG)])
    structure = StringField(
        _l("Structure or FINESS number"), validators=[Optional(), Length(max=80, message=_TOO_LONG)]
    )

    @classmethod
    def asked(cls) -> "SearchForm":
        """As the address says."""
        form = cls(request.args, meta={"csrf": False})
        form.occupation.choices = choices([("", _l("All professions")), *queries.occupations()])
        return form

    @property
    def is_asked(self) -> bool:
        return any((each.data or "").strip() for each in self)

    def found(self) -> Found | None:
        """One page of answers; None before anything is asked, or when it cannot be."""
        if not self.is_asked or not self.validate():
            return None
        return queries.search(
            self.name.data or "",
            speciality=self.occupation.data or "",
            place=self.place.data or "",
            structure=self.structure.data or "",
            similar=bool(request.args.get("similar")),
            page=page_number(),
        )

    def address(self, **more: Any) -> dict[str, Any]:
        """The address's arguments that ask the same, and more."""
        return {each.name: each.data for each in self if each.data} | more


def page_number() -> int:
    return min(max(request.args.get("page", 1, type=int), 1), 40)
