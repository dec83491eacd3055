"""A shared address that is told each morning what waits."""

from collections.abc import Sequence
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, SelectField
from wtforms.validators import InputRequired

from portal.establishments import Establishment, Unit
from portal.web.fields import choices
from portal.web.forms import EmailAddress, OnceForm, Required


class AddressForm(OnceForm):
    place = SelectField(_l("For"), [InputRequired(_l("Choose a unit, or the whole hospital"))])
    address = EmailField(
        _l("Shared address"),
        [Required(_l("Write an e-mail address")), EmailAddress()],
        description=_l("Several people of the unit read it. It receives numbers only."),
    )

    def offer(self, hospitals: Sequence[Establishment], units: Sequence[Unit]) -> None:
        """The places to choose from: each hospital, then its units."""
        found = []
        for hospital in hospitals:
            found.append((str(hospital.id), _("%(hospital)s, the whole hospital", hospital=hospital.name)))
            found += [
                (f"{hospital.id} {unit.id}", f"{hospital.short_name or hospital.name} – {unit.name}")
                for unit in units
                if unit.establishment_id == hospital.id
            ]
        self.place.choices = choices(found)

    @property
    def chosen(self) -> tuple[UUID, UUID | None]:
        """The hospital, and the unit if any; the validated form only."""
        hospital, _space, unit = (self.place.data or "").partition(" ")
        return UUID(hospital), UUID(unit) if unit else None
