"""What the style guide shows: a form with every kind of field, free times, figures. Never shown to the public."""

from dataclasses import dataclass
from typing import Any

from flask import request
from wtforms import (
    BooleanField,
    EmailField,
    FileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import InputRequired

from portal.web.fields import DateParts, EuroField, choices
from portal.web.forms import Form

MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.")
TAKEN = (120, 180, 164, 210, 260, 244, 190, 120, 320, 410, 388)
WEEK = ("lundi 23 novembre", "mardi 24 novembre", "mercredi 25 novembre", "jeudi 26 novembre", "vendredi 27 novembre")
MORNINGS = (
    ("08:30", "09:00", "09:30", "10:00"),
    (),
    ("09:00", "09:30", "10:00", "11:00"),
    ("08:00",),
    ("08:00", "09:00"),
)
AFTERNOONS = (("14:00", "14:30", "15:00"), (), (), ("13:30", "14:00", "16:30"), ("15:00",))


class GuideForm(Form):
    """One field of each kind."""

    name = StringField(
        "Nom de naissance",
        [InputRequired("Écrivez votre nom de naissance")],
        description="Celui de votre acte de naissance.",
    )
    email = EmailField(
        "Adresse électronique",
        [InputRequired("Écrivez votre adresse électronique, par exemple nom@exemple.fr")],
        description="Pour vous prévenir, jamais pour parler de votre santé.",
    )
    phone = TelField("Téléphone portable")
    birth_on = DateParts("Date de naissance", [InputRequired("Écrivez votre date de naissance")])
    amount = EuroField("Montant à régler", [InputRequired("Écrivez un montant")])
    country = SelectField("Pays de naissance", choices=choices([("fr", "France"), ("be", "Belgique")]), default="fr")
    venue = RadioField(
        "Comment serez-vous accueilli ?",
        [InputRequired("Choisissez une réponse")],
        choices=choices(
            [("day", "En ambulatoire"), ("full", "En hospitalisation complète"), ("out", "En consultation")]
        ),
    )
    yes_no = RadioField(
        "Avez-vous une mutuelle ?",
        [InputRequired("Répondez oui ou non")],
        choices=choices([("yes", "Oui"), ("no", "Non")]),
    )
    needs = SelectMultipleField(
        "De quoi avez-vous besoin ?",
        choices=choices(
            [("chair", "Un fauteuil roulant"), ("sign", "Un interprète"), ("read", "Une aide à la lecture")]
        ),
    )
    message = TextAreaField("Quelque chose à nous dire ?")
    card = FileField(
        "Carte de mutuelle", [InputRequired("Choisissez un fichier")], description="PDF ou photo, 25 Mo au plus."
    )
    consent = BooleanField(
        "Je certifie que ces informations sont exactes", [InputRequired("Cochez la case pour continuer")]
    )


@dataclass(frozen=True)
class Samples:
    """The form is empty, or refused with `?state=errors`, or filled with `?state=filled`."""

    form: GuideForm
    days: list[dict[str, Any]]
    months: list[dict[str, Any]]
    weeks: list[str]
    series: list[dict[str, Any]]
    hours: list[list[int]]
    steps: list[dict[str, Any]]
    places: list[dict[str, Any]]


def samples() -> Samples:
    """What `pages/style_guide.html` draws."""
    return Samples(_form(request.args.get("state", "")), _days(), _months(), *_visits(), _hours(), _steps(), _places())


def _form(state: str) -> GuideForm:
    filled = {
        "name": "de La Rochefoucauld-Montbel",
        "venue": "full",
        "yes_no": "yes",
        "needs": ["sign"],
        "amount": 1250,
    }
    form = GuideForm(data=filled if state == "filled" else None)
    if state == "errors":
        form.validate()
    return form


def _days() -> list[dict[str, Any]]:
    return [
        {"label": day, "morning": _times(day, morning), "afternoon": _times(day, afternoon)}
        for day, morning, afternoon in zip(WEEK, MORNINGS, AFTERNOONS, strict=True)
    ]


def _times(day: str, times: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"value": f"{day.split()[1]}-{time}", "label": time} for time in times]


def _months() -> list[dict[str, Any]]:
    return [{"label": label, "value": value} for label, value in zip(MONTHS, TAKEN, strict=True)]


def _visits() -> tuple[list[str], list[dict[str, Any]]]:
    weeks = range(30, 48)
    known = [week * 13 % 47 + week * 4 for week in weeks]
    passing = [None if week == 35 else 200 + week * 29 % 101 for week in weeks]
    return [f"S{week}" for week in weeks], [
        {"name": "Connectés", "values": known},
        {"name": "Visiteurs", "values": passing},
    ]


def _hours() -> list[list[int]]:
    """Seven days of twenty-four hours: quiet nights, busy mornings, calm Sundays."""
    return [
        [max(0, 40 - 6 * abs(hour - 10) - day) + max(0, 24 - 6 * abs(hour - 18)) for hour in range(24)]
        if day < 5
        else [max(0, 12 - 2 * abs(hour - 15)) for hour in range(24)]
        for day in range(7)
    ]


def _steps() -> list[dict[str, Any]]:
    steps = (("Commencées", 420), ("Envoyées", 361), ("Acceptées", 340), ("Intégrées", 302))
    return [{"label": label, "value": value} for label, value in steps]


def _places() -> list[dict[str, Any]]:
    """Two hospitals; a small number of the second one is hidden."""
    return [
        {"name": "Hôpital du Nord", "text": "388", "values": list(TAKEN), "displays": list(map(str, TAKEN))},
        {
            "name": "Hôpital du Sud",
            "text": "97",
            "values": [None, *(value // 4 for value in TAKEN[1:])],
            "displays": ["< 11", *(str(value // 4) for value in TAKEN[1:])],
        },
    ]
