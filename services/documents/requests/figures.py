"""Indicators of requests: how many of each kind, how long answers take, how many came late."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_SENT = "record_request_sent"
_DELAY = "record_request_delay"
_WORDS = {
    "record": ("D5a", _l("Copies of the medical file asked for")),
    "situation": ("D5b", _l("Proofs of hospital stay asked for")),
    "presence": ("D5c", _l("Certificates of presence asked for")),
    "complaint": ("D5d", _l("Complaints to the users’ commission")),
    "thanks": ("D5e", _l("Thanks to the teams")),
}


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(*(_by_kind(kind, code, title) for kind, (code, title) in _WORDS.items()), *_of_delays())


def _by_kind(kind: str, code: str, title: object) -> Definition:
    return Definition(
        code,
        title,
        _l("Requests of this kind that people sent in the period"),
        "",
        lambda period: Figure(kpi.counted(_SENT, period, dimension=kind)),
        event=_SENT,
        service="documents",
        events=(_SENT,),
        of_people=True,
    )


def _of_delays() -> tuple[Definition, Definition]:
    return (
        Definition(
            "D6",
            _l("Median time to answer requests, in days"),
            _l("Civil days between sending and answer, half of the answers took at most that long"),
            "",
            _median,
            unit="days",
            event=_DELAY,
            service="documents",
            events=("record_request_delay",),
            better="down",
            of_people=True,
        ),
        Definition(
            "D7",
            _l("Requests answered late"),
            _l("Answers and refusals given after their last day"),
            _l("Answers and refusals given in the period"),
            lambda period: Figure(kpi.counted("record_request_late", period), kpi.counted(_DELAY, period)),
            unit="rate",
            event=_DELAY,
            service="documents",
            events=("record_request_late", "record_request_delay"),
            better="down",
            of_people=True,
        ),
    )


def _median(period: Period) -> Figure:
    """The lower median: a whole number of days."""
    counted = sorted((int(total.dimension), total.events) for total in kpi.totals(_DELAY, period))
    half, seen = (sum(events for _days, events in counted) + 1) // 2, 0
    for days, events in counted:
        seen += events
        if seen >= half:
            return Figure(days)
    return Figure(0, fed=False)
