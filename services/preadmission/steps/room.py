"""The days at the hospital: room and its price, meals, somebody beside the patient, the way there."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, StringField, TelField
from wtforms.validators import Length, Optional, ValidationError

from portal.web.fields import choices
from portal.web.forms import Required
from portal.web.ui import euros, short_day
from services.preadmission.answers import Room
from services.preadmission.asked import Facts
from services.preadmission.prices import queries as prices
from services.preadmission.steps.about_file import FileForm
from services.preadmission.steps.step import Rows, Step, check_phone, phone_number, text, told

ROOMS: Mapping[str, Any] = {"shared": _l("A shared room"), "single": _l("A single room, if one is free")}
PAYERS: Mapping[str, Any] = {
    "insurer": _l("My mutuelle: it gave, or will give, its agreement"),
    "self": _l("I pay, or what my mutuelle leaves to me"),
}
DIETS: Mapping[str, Any] = {
    "none": _l("Nothing particular"),
    "medical": _l("A diet that a doctor prescribed, or an allergy"),
    "taste": _l("Foods that I do not eat"),
}
TRANSPORTS: Mapping[str, Any] = {
    "own": _l("By myself, or by public transport"),
    "relative": _l("A relative drives me"),
    "taxi": _l("Taxi or light medical vehicle"),
    "ambulance": _l("Ambulance"),
}
BELIEFS: Final = (
    "halal", "hallal", "casher", "cacher", "kasher", "kascher", "kosher", "cascher", "ramadan", "careme", "kippour",
    "hindou", "musulman", "islam", "juif", "juive", "judaisme", "catholi", "chretien", "protestant", "orthodox",
    "bouddhis", "jainis", "sikh", "religi", "croyan", "mormon", "jehovah",
)  # fmt: skip
"""Beginnings of words that would tell somebody's religion: asking for it, and keeping it, is forbidden."""


def tells_belief(words: str) -> bool:
    """Whether one of these words says what somebody believes. Pure."""
    plain = "".join(
        sign if sign.isalnum() else " "
        for sign in unicodedata.normalize("NFKD", words).casefold()
        if not unicodedata.combining(sign)
    )
    return any(word.startswith(BELIEFS) for word in plain.split())


class RoomForm(FileForm):
    """price_shown: in cents, what the page said a single room costs; another price today is told before it is kept."""

    room = RadioField(
        _l("Which room would you like?"),
        choices=choices(ROOMS.items()),
        validators=[Required(_l("Choose a room: it is a wish, not a booking."))],
    )
    payer = RadioField(_l("Who pays for the single room?"), choices=choices(PAYERS.items()), validate_choice=False)
    price_shown = HiddenField()
    diet = RadioField(
        _l("What should the kitchen know?"),
        choices=choices(DIETS.items()),
        default="none",
        validators=[Required(_l("Say whether the kitchen should know something."))],
    )
    diet_words = StringField(
        _l("Which foods, or which diet?"),
        validators=[Length(max=200)],
        description=_l("For example: no nuts, no pork, without salt. Not why."),
    )
    companion = RadioField(
        _l("Would somebody like to stay with you?"),
        choices=choices([("no", _l("No")), ("yes", _l("Yes"))]),
        default="no",
        validators=[Optional()],
    )
    companion_name = StringField(_l("Their name"), validators=[Length(max=200)])
    companion_phone = TelField(_l("Their telephone"), validators=[Optional(), check_phone])
    transport = RadioField(
        _l("How will you come?"),
        choices=choices(TRANSPORTS.items()),
        validators=[Required(_l("Say how you will come."))],
    )
    transport_prescribed = RadioField(
        _l("Did a doctor prescribe this transport?"),
        choices=choices([("yes", _l("Yes, I have the prescription")), ("no", _l("No"))]),
        validators=[Optional()],
    )

    goes_home_the_same_day = False

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        self.price_cents = self._price()
        self.payer.flags.required = True  # of whoever chooses a single room
        if not self.is_submitted():
            self.price_shown.data = "" if self.price_cents is None else str(self.price_cents)

    @classmethod
    def shown(cls, answers: Any, file: Any) -> dict[str, Any]:
        if answers is None:
            return {"file": file, "diet": "none", "companion": "no"}
        return dict(answers) | {
            "file": file,
            "companion": "yes" if answers.companion else "no",
            "transport_prescribed": "yes" if answers.transport_prescribed else "no",
        }

    def prepare(self, facts: Facts) -> None:
        """Who goes home in the evening needs somebody to take them there; no room is chosen."""
        self.goes_home_the_same_day = facts.stay_kind == "day_case"
        if self.goes_home_the_same_day:
            del self.room
            del self.payer
            del self.price_shown
            self.companion.label.text = _("Will an adult take you home and stay the first night?")

    def _price(self) -> int | None:
        if self.file is None:
            return None
        return prices.price_on(self.file.establishment_id, self.file.unit_id, self.file.planned_on)

    def validate_payer(self, field: Any) -> None:
        if self.room.data == "single" and self.price_cents and field.data not in PAYERS:
            raise ValidationError(_("Say who pays for the single room"))

    def validate_room(self, field: Any) -> None:
        now = "" if self.price_cents is None else str(self.price_cents)
        if field.data == "single" and self.price_shown.data != now:
            self.price_shown.data = now
            raise ValidationError(_("The price has changed meanwhile: read it again, then choose"))

    def validate_diet_words(self, field: Any) -> None:
        if self.diet.data in ("medical", "taste") and not text(field):
            raise ValidationError(_("Write what the kitchen must know"))
        if tells_belief(text(field)):
            raise ValidationError(
                _("Write only the foods: the hospital must not keep the reason. For example: no pork")
            )

    def validate_companion_name(self, field: Any) -> None:
        if self.companion.data == "yes" and not text(field):
            raise ValidationError(_("Write the name of this person"))

    def answers(self) -> Room:
        is_single = "room" in self and self.room.data == "single"
        somebody, motor = self.companion.data == "yes", self.transport.data in ("taxi", "ambulance")
        return Room(
            room=self.room.data if "room" in self else "",
            price_cents=(self.price_cents or 0) if is_single else 0,
            priced_on=self.today if is_single and self.price_cents is not None else None,
            payer=self.payer.data if is_single and self.payer.data in PAYERS else "",
            diet=self.diet.data,
            diet_words=text(self.diet_words) if self.diet.data != "none" else "",
            companion=somebody,
            companion_name=text(self.companion_name) if somebody else "",
            companion_phone=phone_number(self.companion_phone.data) if somebody else "",
            transport=self.transport.data,
            transport_prescribed=motor and self.transport_prescribed.data == "yes",
        )


def _rows(answers: Room) -> Rows:
    price = ""
    if answers.priced_on:
        price = _(
            "%(price)s a day, as shown on %(day)s",
            price=euros(answers.price_cents),
            day=short_day(answers.priced_on),
        )
    meals = (str(DIETS[answers.diet]), answers.diet_words) if answers.diet != "none" else ()
    prescribed = _("prescribed") if answers.transport_prescribed else ""
    return told(
        (_("Hospital room"), ROOMS.get(answers.room, "")),
        (_("Price of the single room"), price),
        (_("Who pays"), PAYERS.get(answers.payer, "")),
        (_("Meals"), ", ".join(filter(None, meals))),
        (_("Somebody with the patient"), ", ".join(filter(None, (answers.companion_name, answers.companion_phone)))),
        (_("Way there"), ", ".join(filter(None, (str(TRANSPORTS.get(answers.transport, "")), prescribed)))),
    )


STEP = Step("room", "sejour-pratique", _l("Your days at the hospital"), _l("Room and meals"), RoomForm, _rows)
