"""The person of trust: an adult whom the patient names in writing, and who signs too (CSP L1111-6)."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, EmailField, RadioField, StringField, TelField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

from portal.web.fields import choices
from portal.web.forms import EmailAddress, Required
from services.preadmission.answers import Situation, Trust
from services.preadmission.asked import Facts
from services.preadmission.steps.step import Rows, Step, StepForm, check_phone, phone_number, spelled_phone, text, told

WANTED: Mapping[str, Any] = {
    "yes": _l("Yes, for this stay"),
    "already": _l("I have already named one, and I change nothing"),
    "no": _l("No, not now"),
}
SIGNINGS: Mapping[str, Any] = {
    "online": _l("Online: we send them a link by e-mail"),
    "paper": _l("On paper: I print the form, we both sign it"),
}
LINKS: Mapping[str, Any] = {
    "spouse": _l("Husband, wife or partner"),
    "parent": _l("Parent"),
    "child": _l("Daughter or son"),
    "sibling": _l("Sister or brother"),
    "friend": _l("Friend or neighbour"),
    "doctor": _l("My doctor"),
    "other": _l("Other"),
}


class TrustForm(StepForm):
    """Naming somebody is offered at every stay, and never required."""

    wanted = RadioField(
        _l("Would you like to name a person of trust?"),
        choices=choices(WANTED.items()),
        validators=[Required(_l("Say whether you would like to name somebody."))],
    )
    first_name = StringField(_l("First name"), validators=[Length(max=100)])
    name = StringField(
        _l("Family name"),
        validators=[Length(max=100)],
        description=_l("As on their identity document: it is compared when they sign."),
    )
    link = RadioField(_l("Who are they to you?"), choices=choices(LINKS.items()), validators=[Optional()])
    phone = TelField(_l("Telephone"), validators=[Optional(), check_phone])
    address = TextAreaField(_l("Postal address"), validators=[Length(max=400)])
    signing = RadioField(_l("How will they sign?"), choices=choices(SIGNINGS.items()), validators=[Optional()])
    email = EmailField(_l("E-mail"), validators=[Optional(), EmailAddress()])
    is_adult = BooleanField(_l("This person is 18 or older"))
    authorised = BooleanField(_l("The judge or the family council has authorised me to name a person of trust"))

    is_guarded = False
    """Under guardianship, the judge or the family council authorises it (CSP L1111-6, last paragraph)."""

    @classmethod
    def shown(cls, answers: Any, file: Any) -> dict[str, Any]:
        if answers is None:
            return {}
        is_named = answers.wanted == "yes"
        return dict(answers) | {"is_adult": is_named, "authorised": is_named}

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        for name in ("link", "signing"):
            self[name].flags.required = True  # of whoever is named: their label does not say “optional”

    def prepare(self, facts: Facts) -> None:
        situation = facts.given(Situation)
        protection = situation.protection if situation is not None else "none"
        # A family authorisation with representation about the person stands in the same place.
        self.is_guarded = protection in ("guardianship", "family")
        if not self.is_guarded:
            del self.authorised

    def validate(self, **arguments: Any) -> bool:
        """What is asked of somebody who is named is not asked when nobody is."""
        good: bool = super().validate(**arguments)
        if self.wanted.data != "yes":
            return not self.wanted.errors
        for field, words in self._lacking():
            field.errors = [*field.errors, words]
            good = False
        return good

    def _lacking(self) -> list[tuple[Any, str]]:
        needed = {
            "first_name": _("Write their first name."),
            "name": _("Write their family name."),
            "link": _("Say who this person is to you."),
            "phone": _("Write their telephone number: the hospital calls them if needed."),
            "signing": _("Say how they will sign."),
        }
        lacking = [(self[name], words) for name, words in needed.items() if not text(self[name])]
        if self.signing.data == "online" and not text(self.email):
            lacking.append((self.email, _("Write their e-mail address: the link goes there")))
        if not self.is_adult.data:
            lacking.append((self.is_adult, _("A person of trust must be an adult")))
        if "authorised" in self and not self.authorised.data:
            lacking.append((self.authorised, _("You need this authorisation first: ask the judge or your guardian")))
        return lacking

    def validate_address(self, field: Any) -> None:
        if field.data and len(field.data.splitlines()) > 6:
            raise ValidationError(_("Write the address in six lines at most"))

    def answers(self) -> Trust:
        if self.wanted.data != "yes":
            return Trust(wanted=self.wanted.data)
        return Trust(
            wanted="yes",
            first_name=text(self.first_name),
            name=text(self.name),
            link=self.link.data or "",
            phone=phone_number(self.phone.data),
            email=text(self.email),
            address=text(self.address),
            signing=self.signing.data or "",
        )


def _rows(answers: Trust) -> Rows:
    if answers.wanted != "yes":
        return told((_("Person of trust"), WANTED[answers.wanted]))
    return told(
        (_("Name"), answers.full_name),
        (_("Link"), LINKS.get(answers.link, "")),
        (_("Telephone"), spelled_phone(answers.phone)),
        (_("E-mail"), answers.email),
        (_("Postal address"), ", ".join(answers.address.split("\n"))),
        (_("How they sign"), SIGNINGS.get(answers.signing, "")),
    )


STEP = Step(
    "trust",
    "personne-de-confiance",
    _l("Person of trust"),
    _l("Person of trust"),
    TrustForm,
    _rows,
    _l("An adult who will say what you want if you cannot say it yourself. You may name one; nothing obliges you to."),
)
