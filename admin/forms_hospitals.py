"""What administrators type about a hospital, its sites, its units and its practitioners."""

import re
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FileField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError

from portal.calendar import OVERSEAS
from portal.web import theme
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, OnceForm, Required
from services.appointments.agendas.wording import HOLIDAYS, ZONES

TIME_ZONES = {
    "Europe/Paris": _l("Metropolitan France"),
    "America/Guadeloupe": "Guadeloupe",
    "America/Martinique": "Martinique",
    "America/Cayenne": "Guyane",
    "Indian/Reunion": "La Réunion",
    "Indian/Mayotte": "Mayotte",
    "America/Miquelon": "Saint-Pierre-et-Miquelon",
    "America/St_Barthelemy": "Saint-Barthélemy",
    "America/Marigot": "Saint-Martin",
    "Pacific/Noumea": "Nouvelle-Calédonie",
    "Pacific/Tahiti": "Polynésie française",
}
assert TIME_ZONES.keys() >= OVERSEAS.keys()
_FINESS = re.compile(r"[0-9][0-9AB][0-9]{7}", re.ASCII)
_FICTIONAL = "99"
"""No département: numbers of demonstrations, which no register holds and whose key nobody computed."""
_NO_CONTROLS = Regexp(r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
_TELEPHONE = Regexp(r"^[0-9+(). ]{2,30}$", message=_l("Write a telephone number: digits, spaces and + only."))


def _plain(text: str | None) -> str:
    return (text or "").strip().replace("\r\n", "\n")


def _packed(text: str | None) -> str:
    return re.sub(r"\s+", "", text or "").upper()


def _line(label: Any, most: int, *validators: Any, description: Any = "") -> StringField:
    return StringField(label, [*validators, Length(max=most), _NO_CONTROLS], filters=[_plain], description=description)


def _email(label: Any, description: Any = "") -> StringField:
    return StringField(
        label, [Optional(), EmailAddress()], filters=[lambda text: _plain(text).lower()], description=description
    )


class Finess:
    """A FINESS number: nine signs, 2A and 2B for Corsica, the last one a Luhn key."""

    def __call__(self, _form: Any, field: Any) -> None:
        number = field.data or ""
        if not _FINESS.fullmatch(number):
            raise ValidationError(_("A FINESS number has nine digits, such as 750712184"))
        # How 2A and 2B enter the key is not published: numbers of Corsica are taken as they are.
        if number.isdigit() and not number.startswith(_FICTIONAL) and not has_key(number):
            raise ValidationError(_("This number has a typing error: its last digit does not match the others"))


def has_key(number: str) -> bool:
    """Whether the last digit is the Luhn key of those before it."""
    digits = map(int, reversed(number))
    return sum(sum(divmod(digit * 2, 10)) if place % 2 else digit for place, digit in enumerate(digits)) % 10 == 0


class _IdentityForm(Form):
    name = _line(_l("Name of the hospital"), 150, Required(_l("Write the name of the hospital.")))
    short_name = _line(_l("Short name"), 40, description=_l("Where there is little room, such as CHSF"))
    address = TextAreaField(_l("Postal address"), [Length(max=400), _NO_CONTROLS], filters=[_plain])
    phone = StringField(_l("Telephone of the switchboard"), [Optional(), _TELEPHONE], filters=[_plain])
    email = _email(_l("Public e-mail address"))

    @property
    def facts(self) -> dict[str, Any]:
        """Columns of Establishment."""
        return {name: self[name].data or "" for name in ("name", "short_name", "address", "phone", "email")}


class IdentityForm(_IdentityForm):
    """How a hospital presents itself."""


class NewHospitalForm(_IdentityForm, OnceForm):
    """A hospital that joins the group."""

    finess = StringField(
        _l("FINESS number of the legal entity"), [Required(_l("Write the FINESS number.")), Finess()],
        filters=[_packed], description=_l("Nine digits; it never changes and stands in addresses of the portal"),
    )  # fmt: skip
    time_zone = SelectField(
        _l("Its clock"), [Required()], choices=choices(TIME_ZONES.items()), default="Europe/Paris",
        description=_l("Opening hours, days and delays are read on it"),
    )  # fmt: skip
    holidays = SelectField(_l("Public holidays"), choices=choices(HOLIDAYS.items()), default="")
    school_zone = SelectField(_l("School holidays"), choices=choices(ZONES.items()), default="")

    @property
    def facts(self) -> dict[str, Any]:
        """Columns of Establishment."""
        return super().facts | {name: self[name].data for name in ("finess", "time_zone", "holidays", "school_zone")}


class LooksForm(Form):
    """Colour and logo."""

    brand_colour = StringField(
        _l("Colour of the hospital"), [Required(_l("Write a colour."))], filters=[_plain],
        description=_l("Six digits after a #, as the graphic charter gives them, such as #1f5c63"),
    )  # fmt: skip
    picture = FileField(
        _l("Logo"),
        description=_l("PNG or JPEG, on a white or transparent background; 320 by 80 pixels at the most are kept"),
    )

    def validate_brand_colour(self, field: StringField) -> None:
        """Six or three hexadecimal digits."""
        if not theme.HEX.fullmatch(field.data or ""):
            raise ValidationError(_("Write a colour such as #1f5c63"))

    @property
    def colour(self) -> str:
        """As it is kept: # and six digits."""
        digits = (self.brand_colour.data or "").removeprefix("#").lower()
        return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


class SiteForm(OnceForm):
    """A place of the hospital."""

    name = _line(_l("Name of the site"), 150, Required(_l("Write the name of the site.")))
    finess_et = StringField(
        _l("FINESS number of the site"), [Required(_l("Write the FINESS number.")), Finess()], filters=[_packed],
        description=_l("The geographical one"),
    )  # fmt: skip
    address = TextAreaField(_l("Address"), [Length(max=400), _NO_CONTROLS], filters=[_plain])
    town = _line(_l("Town"), 80)

    @property
    def facts(self) -> dict[str, Any]:
        """Columns of Site."""
        return {name: self[name].data or "" for name in ("name", "finess_et", "address", "town")}


class UnitForm(OnceForm):
    """A unit where patients are received."""

    name = _line(_l("Name of the unit, as patients say it"), 150, Required(_l("Write the name of the unit.")))
    uf = StringField(
        _l("UF code"),
        [
            Required(_l("Write the code of the functional unit.")),
            Regexp(r"^[0-9A-Z-]{1,20}$", message=_l("Letters without accents, digits and hyphens only")),
        ],
        filters=[_packed], description=_l("As the hospital’s system writes it"),
    )  # fmt: skip
    site_id = SelectField(_l("Site"), [Required(_l("Choose the site."))])
    phone = StringField(_l("Telephone for patients"), [Optional(), _TELEPHONE], filters=[_plain])
    floor = _line(_l("Building and floor"), 120)

    @property
    def facts(self) -> dict[str, Any]:
        """Columns of Unit."""
        return {name: self[name].data or "" for name in ("name", "uf", "site_id", "phone", "floor")}


class PractitionerForm(OnceForm):
    """Who receives patients."""

    title = SelectField(
        _l("Title"), choices=choices([("Dr", "Dr"), ("Dre", "Dre"), ("Pr", "Pr"), ("Pre", "Pre"), ("", _l("None"))])
    )
    given_name = _line(_l("First name"), 80, Required(_l("Write the first name.")))
    family_name = _line(_l("Family name"), 80, Required(_l("Write the family name.")))
    rpps = StringField(
        _l("RPPS number"), [Required(_l("Write the RPPS number."))], filters=[_packed],
        description=_l("Eleven digits; it is how the hospital’s system names them"),
    )  # fmt: skip
    speciality = _line(_l("Speciality, in plain words"), 120, Required(_l("Write the speciality.")))
    unit_id = SelectField(_l("Unit"), [Required(_l("Choose the unit."))])

    def validate_rpps(self, field: StringField) -> None:
        """Eleven digits, the last one a Luhn key."""
        if not re.fullmatch(r"[0-9]{11}", field.data or "", re.ASCII):
            raise ValidationError(_("An RPPS number has eleven digits"))
        if not has_key(field.data or ""):
            raise ValidationError(_("This number has a typing error: its last digit does not match the others"))

    @property
    def facts(self) -> dict[str, Any]:
        """Columns of Practitioner."""
        names = ("title", "given_name", "family_name", "rpps", "speciality", "unit_id")
        return {name: self[name].data or "" for name in names}


class ClosingForm(Form):
    """The last day of a practitioner."""

    last_on = DateParts(_l("Last day"), [InputRequired(_l("Give the last day."))])
    confirm = StringField(_l("Confirm"), [Length(max=60)], filters=[_packed])


class PlaceClosingForm(ClosingForm):
    """The last day of a site or a unit, and what becomes of what is still open there afterwards. heir_id: "" for
    nobody."""

    heir_id = SelectField(
        _l("Who takes over what is still open"), [Optional()],
        description=_l(
            "Referrals, requests for appointments, places on the waiting list and messages pass to that unit after the"
            " last day"
        ),
    )  # fmt: skip
    message = TextAreaField(
        _l("What is told to those whom nobody takes over"),
        [Required(_l("Write what they are told.")), Length(max=1000), _NO_CONTROLS],
        filters=[_plain],
        description=_l("Read after signing in by patients and practitioners, who get back what they sent"),
    )  # fmt: skip
