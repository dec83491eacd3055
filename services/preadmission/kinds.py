"""Kinds of stay: what each one asks for, and its calendar (domain reference, 4.2 and 4.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Final

STAY_KINDS: Final = ("outpatient", "day_case", "inpatient", "maternity")


@dataclass(frozen=True)
class StayCalendar:
    """When a file may be prepared, in days before the stay; `working` days are those of the hospital's calendar.

    opens: from when it may be started (None: at any time before). recommended, cut_off: working days. cut_off_at: civil
    time of the hospital; after it the file is late: still useful, but the person passes by the admissions office.
    """

    opens: int | None = 60
    recommended: int = 7
    cut_off: int = 2
    cut_off_at: time = time(12)
    reminders: tuple[int, ...] = (14, 7, 3)
    to_complete: timedelta = timedelta(days=5)


@dataclass(frozen=True)
class Kind:
    """steps: beyond those that everybody answers. pieces: kind → whether the file cannot be sent without it.

    patient_class: HL7 table 0004 (PV1-2).
    """

    code: str
    patient_class: str
    steps: frozenset[str] = frozenset()
    pieces: Mapping[str, bool] = field(default_factory=dict)
    calendar: StayCalendar = StayCalendar()


FOR_EVERYBODY: Final = frozenset({"stay", "situation", "identity", "doctor", "coverage", "relative", "choices"})
_AT_THE_WARD: Final = frozenset({"trust", "directives"})

KINDS: Final[Mapping[str, Kind]] = {
    each.code: each
    for each in (
        Kind("outpatient", "O", pieces={"prescription": False, "referral_letter": False}),
        Kind("day_case", "I", _AT_THE_WARD | {"room"}, {"prescription": False}),
        Kind("inpatient", "I", _AT_THE_WARD | {"room"}, {"insurer_agreement": False}),
        Kind(
            "maternity",
            "I",
            _AT_THE_WARD | {"room", "maternity"},
            {"maternity_booklet": False, "family_book": False, "birth_recognition": False, "insurer_agreement": False},
            # From the first test on: there are few places, and a place is asked for early.
            StayCalendar(opens=None, recommended=60, cut_off=10),
        ),
    )
}
