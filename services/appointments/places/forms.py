"""What an administrator says of a site or of a practitioner."""

from collections.abc import Iterable, Mapping

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length, Optional, Regexp, ValidationError

from portal.web.fields import choices
from portal.web.forms import Form
from services.appointments.places.actions import SITE_SWITCHES, SITE_TEXTS
from services.appointments.reasons.forms import is_safe_link

LANGUAGES = (
    "fsl", "en", "ar", "es", "pt", "it", "de", "tr", "ru", "uk", "pl", "ro", "zh", "vi", "ta", "fa", "ps", "ku", "hy",
    "sq", "so", "ti", "am", "ln", "wo", "bm", "ff", "kab",
)  # fmt: skip
"""Offered, the most useful first (ISO 639); `fsl` is French Sign Language."""
_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"


class SiteForm(Form):
    """How to come, and for whom it is made."""

    address = TextAreaField(_l("Address"), [Length(max=500), Regexp(_NO_CONTROLS)])
    town = StringField(_l("Town"), [Length(max=100), Regexp(_NO_CONTROLS)], description=_l("As patients search for it"))
    access = TextAreaField(
        _l("How to get there"),
        [Length(max=2000), Regexp(_NO_CONTROLS)],
        description=_l("Bus and tram stops, car park, which entrance"),
    )
    for_wheelchairs = BooleanField(_l("The units are reached in a wheelchair, without a step"))
    for_hearing = BooleanField(_l("A hearing loop, or somebody who signs, welcomes deaf and hard-of-hearing people"))
    for_sight = BooleanField(_l("Somebody guides blind and partially sighted people, or signs are in relief"))

    @property
    def facts(self) -> Mapping[str, str | bool]:
        texts = {name: (self[name].data or "").strip().replace("\r\n", "\n") for name in SITE_TEXTS}
        return texts | {name: bool(self[name].data) for name in SITE_SWITCHES}


class PractitionerForm(Form):
    """Languages, and the room where they receive at a distance."""

    languages = SelectMultipleField(_l("Languages spoken beside French"), [Optional()], validate_choice=False)
    link = StringField(
        _l("Own room for teleconsultations"),
        [Length(max=500)],
        filters=[lambda text: (text or "").strip()],
        description=_l(
            "https only; patients see it from the day before. Empty: the link of the reason. {reference} becomes the "
            "appointment’s."
        ),
    )

    def offer(self, names: Iterable[tuple[str, str]]) -> None:
        """names: (code, name in the reader's language)."""
        self.languages.choices = choices(names)

    def validate_languages(self, field: SelectMultipleField) -> None:
        """Codes that were offered."""
        if not set(field.data or []) <= {value for value, *_rest in field.iter_choices()}:
            raise ValidationError(_l("Choose among the languages listed"))

    def validate_link(self, field: StringField) -> None:
        """An address that a browser opens safely."""
        if field.data and not is_safe_link(field.data):
            raise ValidationError(_l("Write an address that begins with https://"))
