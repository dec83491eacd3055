"""What a report says, in the words of whoever reads it. Reasons are facts in English for the operator's command; the
screen says the usual ones in the reader's language."""

import re
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.web.ui import euros
from services.billing.imports.actions import Tally
from services.billing.imports.models import BillImport

KINDS: Final = {"csv": _l("CSV file"), "pes": _l("Titres (PES v2)")}
STATES: Final = {"running": _l("Being read, or cut"), "done": _l("Read to its end"), "stopped": _l("Stopped")}
TONES: Final = {"running": "warning", "done": "success", "stopped": "danger"}

_REASONS: Final[tuple[tuple[str, Any], ...]] = (
    (
        r"finess: no hospital of yours has the number (?P<it>.*)",
        _l("No hospital of yours has the FINESS number %(it)s."),
    ),
    (r"(?P<it>\w+): missing", _l("%(it)s is missing.")),
    (r"(?P<it>\w+): a day as YYYY-MM-DD", _l("%(it)s is not a day written as 2026-01-31.")),
    (r"(?P<it>\w+): a whole number of cents", _l("%(it)s is not a whole number of cents.")),
    (r"(?P<it>\w+): an amount as 12.34", _l("%(it)s is not an amount written as 12.34.")),
    (r"(?P<it>\w+): too long, or not a text", _l("%(it)s is too long, or holds signs that cannot be shown.")),
    (r"source: (?P<it>.*)", _l("source is none of: %(it)s.")),
    (r"exer: four digits", _l("exer is not a year of four digits.")),
    (r"refdet: .*", _l("The reference for PayFiP (refdet) has not 6 to 30 letters and digits.")),
    (r"closed: nothing, or (?P<it>.*)", _l("closed is none of: %(it)s.")),
    (r"access_key: .*", _l("The access key is too easy to guess: 8 random letters and digits at least.")),
    (r"amo_cents, amc_cents.*", _l("The three shares add up to more than the total.")),
    (r"(?P<it>\d+ cells, \d+ columns)", _l("The line has not as many cells as the header (%(it)s).")),
    (
        r"it reduces or cancels the titre (?P<it>[^:]*):.*",
        _l("It reduces or cancels the titre %(it)s: look at that bill."),
    ),
    (
        r"bill_source: no source for (?P<kind>\w+) has the code (?P<it>[^;]*);.*",
        _l("No bill source has the code %(it)s: its bills follow the hospital’s default source."),
    ),
    (
        r"due_cents: (?P<due>\d+), less than what was paid \((?P<paid>\d+)\) or is being paid \((?P<going>\d+)\)",
        _l("The amount went down to %(due)s, when %(paid)s were paid and %(going)s are being paid."),
    ),
    (r"closed: not closed, .*", _l("The bill was not closed: money came in on the portal, or may any minute.")),
    (r"the file is not encoded in UTF-8", _l("it is not encoded in UTF-8")),
    (r"missing columns: (?P<it>.*)", _l("it lacks the columns %(it)s")),
    (r"the file does not say which hospital's it is .*", _l("it does not name its hospital: choose it below")),
    (r"the file is that of the hospital (?P<it>.*)", _l("it is that of the hospital %(it)s")),
    (r"no (?P<it>PES_\w+) in the file", _l("it is XML, but holds no %(it)s")),
    (r"the file is not well-formed XML.*", _l("it is not well-formed XML")),
    (r"the file holds a DTD", _l("it holds a DTD, which is never read")),
)
_COMPILED: Final = tuple((re.compile(pattern), words) for pattern, words in _REASONS)


def why(reason: str) -> str:
    """A reason in the reader's words; one that has none stays as it is."""
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(reason):
            return str(words) % _shown(found.groupdict())
    return reason


_AMOUNTS: Final = ("due", "paid", "going")


def _shown(values: dict[str, str]) -> dict[str, str]:
    return {name: euros(int(value)) if name in _AMOUNTS else value for name, value in values.items()}


def by_whom(imported: BillImport) -> str:
    """The agent, or the command of the night."""
    return imported.actor_name or _("Command line")


def outcome(report: Tally) -> str:
    """What the agent who sent the file is told at once."""
    said = _(
        "%(added)s bills added, %(changed)s changed, %(unchanged)s as they were, %(refused)s lines refused.",
        added=report.added,
        changed=report.changed,
        unchanged=report.unchanged,
        refused=report.refused,
    )
    return str(said)
