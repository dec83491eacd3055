"""What Pro Santé Connect says of where one exercises: told apart, named, and dated by nothing but the sign-in.

An activity is a dictionary of codes (`auth.prosanteconnect.Activity`), every one of which may be missing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

Described = Mapping[str, Any]
_NUMBERS = ("finess_site", "siret", "structure_id", "finess_legal_entity")
_TITLES = {"DR": "Dr", "PR": "Pr"}


def key(activity: Described) -> str:
    """What a form posts to choose this activity: the same for the same codes, whatever their order."""
    text = json.dumps({name: value for name, value in activity.items() if value}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def distinct(activities: Iterable[Described]) -> list[Described]:
    """The activities in their order, each once."""
    return list({key(activity): activity for activity in activities}.values())


def number(activity: Described) -> str:
    """How the place is known to others: FINESS, else SIRET, else the registry's own number, else ""."""
    return next((str(activity[name]) for name in _NUMBERS if activity.get(name)), "")


def name_at_work(activities: Iterable[Described], given_name: str, family_name: str) -> str:
    """The name of the exercise when there is one, else the civil one. It may differ: a birth name kept at work."""
    for activity in activities:
        if activity.get("exercise_family_name"):
            given = activity.get("exercise_given_name") or given_name
            return f"{given} {activity['exercise_family_name']}".strip()
    return f"{given_name} {family_name}".strip()


def title(activities: Iterable[Described]) -> str:
    """« Dr » or « Pr », else ""."""
    return next((_TITLES[str(each["civility"])] for each in activities if each.get("civility") in _TITLES), "")
