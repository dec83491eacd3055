"""What people read about requests."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.web.ui import long_day, short_day
from services.documents.requests import clock
from services.documents.requests.models import RecordRequest
from services.documents.requests.states import ANSWERED, CANCELLED, MISSING, REFUSED

KINDS: Mapping[str, Any] = {
    "record": _l("Copy of the medical file"),
    "situation": _l("Proof of hospital stay (bulletin de situation)"),
    "presence": _l("Certificate of presence"),
    "complaint": _l("Complaint"),
    "thanks": _l("Thanks to a team"),
}
LEADS: Mapping[str, Any] = {
    "record": _l(
        "Reports, results, images: everything or a part."
        " Within 8 days, or 2 months when it is all older than five years."
    ),
    "situation": _l(
        "For your employer, your insurer or your complementary insurance: the days of your stay, and nothing else."
    ),
    "presence": _l("For your employer or a school: that you were at the hospital that day, without naming any unit."),
    "complaint": _l(
        "Something went wrong: the hospital’s management answers you, and the users’ commission sees to it."
    ),
    "thanks": _l("A word for those who looked after you. It can be passed on to them."),
}
STATES: Mapping[str, tuple[Any, str]] = {
    "draft": (_l("To finish"), "warning"),
    "received": (_l("Received by the hospital"), "info"),
    "handled": (_l("Being treated"), "info"),
    "missing": (_l("The hospital waits for you"), "warning"),
    "answered": (_l("Answered"), "success"),
    "refused": (_l("Refused"), "danger"),
    "cancelled": (_l("Cancelled"), "neutral"),
}
DESK_STATES: Mapping[str, tuple[Any, str]] = {
    **STATES,
    "received": (_l("To treat"), "warning"),
    "handled": (_l("Being treated"), "info"),
    "missing": (_l("Waits for the applicant"), "neutral"),
}
GROUPS: Mapping[str, Any] = {
    "open": _l("To answer"),
    "missing": _l("Waiting for the applicant"),
    "closed": _l("Closed"),
}
HAPPENED: Mapping[str, Any] = {
    "begun": _l("Begun"),
    "sent": _l("Sent to the hospital"),
    "taken": _l("An agent treats it"),
    "released": _l("Back among the requests to treat"),
    "asked": _l("The hospital asked for something"),
    "supplied": _l("What was asked for is given"),
    "completed": _l("The hospital has what it needed"),
    "older": _l("All of it is older than five years: two months to answer"),
    "recent": _l("Some of it is recent: eight days to answer"),
    "matched": _l("Patient number noted"),
    "passed_on": _l("Passed on to the team"),
    "shelf": _l("Answered: in the documents"),
    "here": _l("Answered: in this request"),
    "post": _l("Answered: sent by post"),
    "on_site": _l("Answered: to be consulted at the hospital"),
    "doctor": _l("Answered: sent to the doctor"),
    "collected": _l("Answered: handed over at the hospital"),
    "words": _l("Answered"),
    "by_applicant": _l("Cancelled by the applicant"),
    "reopened": _l("Asked again"),
    "revoked": _l("Certificate revoked"),
}
INTERNAL = ("matched",)
"""Lines of the history that agents alone read."""
QUALITIES: Mapping[str, Any] = {
    "patient": _l("The patient"),
    "parent": _l("Holder of parental authority"),
    "guardian": _l("Guardian (tuteur)"),
    "curator": _l("Person who assists (curateur) or is habilitated"),
    "carer": _l("Person mandated by the patient"),
    "heir": _l("Relative of somebody who died"),
}
MOTIVES: Mapping[str, Any] = {
    "cause": _l("Know the causes of the death"),
    "memory": _l("Defend the memory of the person who died"),
    "rights": _l("Assert my rights"),
}
BONDS: Mapping[str, Any] = {
    "heir": _l("Heir (ayant droit)"),
    "spouse": _l("Husband or wife"),
    "partner": _l("Partner (concubin)"),
    "civil_partner": _l("Civil partner (PACS)"),
}
EXTENTS: Mapping[str, Any] = {"all": _l("The whole file"), "period": _l("A stay or a period")}
PIECES: Mapping[str, Any] = {
    "all": _l("Everything of that time"),
    "reports": _l("Reports of stays, operations, consultations"),
    "letters": _l("Letters between doctors"),
    "results": _l("Laboratory results"),
    "images": _l("Images (on a disc or by a link)"),
    "nursing": _l("Nursing file"),
    "other": _l("Something else, said below"),
}
DELIVERIES: Mapping[str, Any] = {
    "here": _l("Here, in my documents"),
    "post": _l("By post"),
    "on_site": _l("I come and read it at the hospital"),
    "doctor": _l("To a doctor I designate"),
}
PROOFS: Mapping[str, Any] = {
    "identity": _l("Identity document"),
    "quality": _l("Proof of your quality"),
    "other": _l("Another document"),
    "answer": _l("Answer"),
}
MEDIATIONS: Mapping[str, Any] = {
    "none": _l("No, an answer in writing is enough"),
    "medical": _l("Yes, the mediator who is a doctor: care, how the unit works"),
    "other": _l("Yes, the mediator who is not a doctor: welcome, organisation, respect"),
}
REFUSALS: Mapping[str, Any] = {
    "not_entitled": _l("The applicant is not among those who may receive this file (CSP L1111-7, R1111-1)."),
    "no_motive": _l(
        "The motive is not one of the three of the law: causes of the death, memory, rights (CSP L1110-4)."
    ),
    "opposed": _l(
        "The person opposed it in their lifetime (CSP L1110-4), or the minor asked for secrecy (CSP L1111-5)."
    ),
    "nothing_found": _l("The hospital holds nothing that answers this request."),
    "third_party": _l("What is asked for was gathered from, or is about, somebody else (CSP L1111-7)."),
    "identity": _l("The applicant’s identity could not be checked (CSP R1111-1)."),
    "other_hospital": _l("Another hospital holds it."),
    "abusive": _l("The message is insulting, or is none of the hospital’s matters."),
}
WAYS: Mapping[str, Any] = {
    "post": _l("Sent by post"),
    "on_site": _l("To be consulted at the hospital"),
    "doctor": _l("Sent to the doctor"),
    "collected": _l("Handed over at the hospital"),
}
FOR_WHOM: Mapping[str, Any] = {
    "employer": _l("My employer"),
    "school": _l("A school"),
    "insurer": _l("An insurer or a complementary insurance"),
    "other": _l("Somebody else"),
}


def clock_words(request: RecordRequest) -> str:
    """By when one hears of it: the one sentence that matters."""
    if request.due_on is not None:
        if request.is_late:
            return str(_("Answer was due by %(day)s: the hospital is late.", day=long_day(request.due_on)))
        return str(_("Answer before the end of %(day)s", day=long_day(request.due_on)))
    if request.state == MISSING:
        return str(_("The time is stopped until the hospital has what it asked for."))
    words = {ANSWERED: _("Answered on %(day)s"), REFUSED: _("Refused on %(day)s"), CANCELLED: _("Cancelled on %(day)s")}
    closed = request.closed_on
    return str(words[request.state] % {"day": long_day(closed)}) if closed and request.state in words else ""


def days_words(request: RecordRequest) -> str:
    """For agents: `in 3 days`, `2 days late`."""
    if request.due_on is None:
        return "–"
    days = (request.due_on - request.today).days
    if days < 0:
        return str(ngettext("%(num)d day late", "%(num)d days late", -days))
    return str(_("today") if days == 0 else ngettext("in %(num)d day", "in %(num)d days", days))


def tone(request: RecordRequest) -> str:
    """Late in red, due soon in orange."""
    if request.due_on is None:
        return "neutral"
    days = (request.due_on - request.today).days
    return "danger" if days < 0 else "warning" if days <= 2 else "neutral"


def day(text: str | None) -> str:
    """A day kept among the facts."""
    return long_day(date.fromisoformat(text)) if text else ""


def facts(request: RecordRequest) -> list[tuple[str, str]]:
    """What was asked, label and value, in the order of the steps."""
    return [(str(label), str(value)) for label, value in [*_applicant(request), *_asked(request)] if value]


def _applicant(request: RecordRequest) -> list[tuple[Any, Any]]:
    born = short_day(request.birth_on) if request.birth_on else ""
    told = request.facts
    rows = [
        (_("Hospital"), request.establishment.name),
        (_("About"), f"{request.subject_name}, {born}" if born else request.subject_name),
        (_("Asked by"), request.applicant_name),
        (_("As"), QUALITIES[request.quality]),
    ]
    if request.quality == "heir":
        rows += [
            (_("Bond"), BONDS.get(told.get("bond", ""), "")),
            (_("Died on"), day(told.get("death_on"))),
            (_("Why"), MOTIVES.get(told.get("motive", ""), "")),
        ]
    if request.masked:
        rows.append((_("Secrecy"), _("The minor asks that the parents are not told.")))
    return rows


def _asked(request: RecordRequest) -> list[tuple[Any, Any]]:
    told = request.facts
    return [
        (_("What"), EXTENTS.get(told.get("extent", ""), "")),
        (_("From"), day(told.get("from_on"))),
        (_("To"), day(told.get("until_on"))),
        (_("Documents"), ", ".join(str(PIECES[each]) for each in told.get("pieces", ()) if each in PIECES)),
        (_("Delivery"), DELIVERIES.get(told.get("delivery", ""), "")),
        (_("Doctor"), told.get("doctor", "")),
        (_("Address"), told.get("address", "")),
        (_("Admitted on"), day(told.get("admitted_on"))),
        (_("Discharged on"), day(told.get("discharged_on"))),
        (_("Present on"), day(told.get("visit_on"))),
        (_("Hours"), " – ".join(filter(None, (told.get("from_at"), told.get("until_at"))))),
        (_("Accompanying person"), told.get("companion", "")),
        (_("For"), FOR_WHOM.get(told.get("for_whom", ""), "")),
        (_("Place"), told.get("place", "")),
        (_("When"), day(told.get("when_on"))),
        (_("Anonymous to the unit"), _("Yes") if told.get("anonymous") else ""),
        (_("Answer expected"), _answer_expected(told)),
        (_("Meeting with a mediator"), MEDIATIONS.get(told.get("mediation", ""), "")),
        (_("May be passed on"), _("Yes") if told.get("may_pass_on") else ""),
        (_("Passed on to"), told.get("passed_to", "")),
        (_("In your words"), request.text),
    ]


def _answer_expected(told: Mapping[str, Any]) -> Any:
    if "answer_expected" not in told:
        return ""
    return _("Yes") if told["answer_expected"] else _("No")


def silence_day(request: RecordRequest) -> str:
    """The day from which no answer is a refusal."""
    return long_day(clock.silence_is_refusal_on(request.sent_on))


def appeal_day(request: RecordRequest) -> str:
    """The last day to ask the CADA after a refusal."""
    return long_day(clock.appeal_until(request.closed_on)) if request.closed_on else ""


def missing(request: RecordRequest) -> str:
    """What the hospital waits for, in words."""
    return ", ".join(str(PROOFS[each]).lower() for each in request.missing if each in PROOFS)
