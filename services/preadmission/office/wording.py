"""What agents read on the screens of the admissions office."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.web.ui import short_day
from services.pieces import wording as piece_wording
from services.preadmission import wording
from services.preadmission.office.checks import Check
from services.preadmission.office.queries import Event

GROUPS: Mapping[str, Any] = {
    "to_process": _l("To process"),
    "mine": _l("Mine"),
    "unassigned": _l("Nobody’s"),
    "at_risk": _l("At risk"),
    "late": _l("Sent late"),
    "waiting": _l("Waiting for the patient"),
    "ready": _l("Ready"),
    "refused_there": _l("Refused by the system"),
    "closed": _l("Closed"),
}
STAY_KINDS: Mapping[str, Any] = {
    "outpatient": _l("Consultation"),
    "day_case": _l("Day hospital"),
    "inpatient": _l("Full stay"),
    "maternity": _l("Maternity"),
}
TRAITS: Mapping[str, Any] = {
    "birth_name": _l("Birth name"),
    "used_name": _l("Name of use"),
    "first_names": _l("First names"),
    "birth_on": _l("Born on"),
    "sex": _l("Sex"),
}
SOURCES: Mapping[str, Any] = {
    "franceconnect": _l("FranceConnect"),
    "desk": _l("Told to an agent"),
    "typed": _l("Typed by the patient"),
    "card": _l("Read on the card"),
    "hospital": _l("Hospital’s system"),
}
VERDICTS: Mapping[str, tuple[Any, str]] = {
    "equal": (_l("Equal"), "success"),
    "spelling": (_l("Accent, hyphen or space"), "info"),
    "particle": (_l("Particle"), "info"),
    "used_name": (_l("Name of use"), "info"),
    "order": (_l("Order of first names"), "info"),
    "fewer": (_l("Some first names only"), "info"),
    "different": (_l("Different"), "danger"),
    "unknown": (_l("Not said"), "neutral"),
}
"""How a trait compares → words and tone of its tag."""

CHECKS: Mapping[str, Any] = {
    "nir_missing": _l("No social security number was given."),
    "nir_key": _l("The key of the social security number is wrong."),
    "nir_sex": _l("The social security number is of a person of the other sex."),
    "nir_birth": _l("The social security number says another month or year of birth."),
    "rights_end": _l("Rights end on %(day)s, before the end of the stay."),
    "top_up_ends": _l("Complementary cover ends on %(day)s, before the end of the stay."),
    "child_insured_alone": _l("A child under 16 is said to be insured in their own name."),
    "piece_ends": _l("%(piece)s: valid until %(day)s only, before the end of the stay."),
    "authority_unsaid": _l("A child, and nobody said who decides for them."),
    "second_holder_missing": _l("Both parents decide, and the second one is not named."),
    "adult_with_holders": _l("An adult on the day of the stay, though parents were named."),
    "turns_18": _l("Comes of age before the end of the stay."),
    "measure_ends": _l("The protection ends on %(day)s, before the stay."),
    "accident_after_stay": _l("The accident is said to happen on %(day)s, after the stay."),
    "dates_of_birth_differ": _l("The birth expected on %(day)s does not agree with the last period."),
    "similar": _l("Another file may be of the same person or stay: see below."),
    "late": _l("Sent after the hospital’s own deadline: the patient passes by the admissions office."),
}
"""Code → what does not agree."""

LIKENESS: Mapping[str, Any] = {
    "nir": _l("Same social security number"),
    "stay": _l("Same person, same day"),
    "name": _l("Born the same day, almost the same name"),
}
LINES: Mapping[str, Any] = {
    "note": _l("Note"),
    "assigned": _l("Given to %(words)s"),
    "taken_over": _l("Taken over from %(words)s"),
    "released": _l("Given back to everybody"),
    "spoken_with": _l("Begun for the patient: %(words)s"),
    "compared": _l("Traits read on the card"),
    "link_resent": _l("Patient told again"),
}
SPEAKERS: Mapping[str, Any] = {
    "self": _l("The patient"),
    "parent": _l("A parent"),
    "spouse": _l("Husband, wife or partner"),
    "child": _l("Daughter or son"),
    "protector": _l("Their guardian or curator"),
    "doctor": _l("Their doctor or a nurse"),
    "other": _l("Somebody else"),
}
OCCASIONS: Mapping[str, Any] = {
    "ask": _l("Asking for documents"),
    "refuse": _l("Refusing a file"),
}
CONFIDENTIAL_WAYS: Mapping[str, Any] = {
    "reference": _l("By their reference alone, without a name"),
    "left_out": _l("Without a name on screen, and not at all on paper nor in files"),
    "named": _l("As the others are"),
}
PLACEHOLDERS: Mapping[str, Any] = {
    "patient": _l("name of the patient"),
    "stay": _l("day of the stay"),
    "unit": _l("unit"),
    "deadline": _l("day of the answer"),
    "phone": _l("telephone of the office"),
}
"""What stands in braces in a message, and is written for each patient."""


def check(found: Check) -> str:
    """A check, in words."""
    about: dict[str, Any] = dict(found.about)
    if "day" in about:
        about["day"] = short_day(about["day"])
    if "piece" in about:
        about["piece"] = piece_wording.KINDS[str(about["piece"])]
    return str(CHECKS[found.code]) % about if about else str(CHECKS[found.code])


def event(told: Event) -> tuple[str, str, str]:
    """Title, text and tone of a line of the story."""
    if told.what == "state":
        words, tone = wording.STATES[told.code]
        return str(words), told.words, tone
    if told.what == "piece":
        words, tone = piece_wording.STATES[told.code]
        reason = piece_wording.REASONS.get(told.words)
        title = _("%(piece)s: %(state)s", piece=piece_wording.SHORT_KINDS[told.about], state=str(words).lower())
        return title, str(reason[0]) if reason else told.words, tone
    if told.what == "note":
        return str(LINES["note"]), told.words, "warning"
    return str(LINES[told.what]) % {"words": _words(told)}, "", "neutral"


def _words(told: Event) -> str:
    if told.what != "spoken_with":
        return told.words
    link, _bar, name = told.words.partition("|")
    return " – ".join(filter(None, (str(SPEAKERS.get(link, link)), name)))


def filled(body: str, values: Mapping[str, str]) -> str:
    """A message with what stands in braces written out; braces that mean nothing stay as they are."""
    for name, value in values.items():
        body = body.replace("{" + name + "}", value)
    return body
