"""Indicators of this room: D3 and M2 to M4 of the domain catalogue (section 5.2)."""

from collections.abc import Iterator

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period
from portal.kpi.formulas import number, within


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(*_of_documents(), *_of_correspondents())
    kpi.define(*_of_threads(), by_unit=True)


def _of_documents() -> Iterator[Definition]:
    yield Definition(
        "D3",
        _l("Documents opened by patients"),
        _l("Documents opened for the first time, within 30 days of their filing"),
        _l("Documents put on patients’ shelves"),
        _opened,
        unit="rate",
        event="document_opened",
        service="documents",
        events=("document_opened", "document_filed"),
        better="up",
        of_people=True,
    )
    yield Definition(
        "D3a",
        _l("Documents put on patients’ shelves"),
        _l("Documents filed that the patient sees, on the day they were"),
        "",
        number("document_filed"),
        event="document_filed",
        service="documents",
        events=("document_filed",),
        better="up",
        of_people=True,
    )


def _of_threads() -> Iterator[Definition]:
    for code, title, words, part_of_them in (
        ("M3a", _l("Working hours to a unit’s first answer, for half of the threads"),
         _l("Working hours within which half of the first answers of units came, by message"), 0.5),
        ("M3b", _l("Working hours to a unit’s first answer, for nine threads in ten"),
         _l("Working hours within which nine first answers of units in ten came, by message"), 0.9),
    ):  # fmt: skip
        yield Definition(
            code, title, words, "", within("exchange_first_answer", part_of_them), unit="hours",
            event="exchange_first_answer", missing=_l("A first answer of a unit in the period"), service="messages",
            events=("exchange_first_answer",), better="down", of_people=True,
        )  # fmt: skip
    yield Definition(
        "M4",
        _l("Messages read within three days"),
        _l("Messages of units that their correspondents read here within 72 hours, on the day they were read"),
        _l("Messages of units to correspondents who read them here, on the day they were sent"),
        _read_soon,
        unit="rate",
        event="exchange_read",
        service="messages",
        events=("exchange_read", "exchange_to_read"),
        better="up",
        of_people=True,
    )
    yield Definition(
        "M4a",
        _l("Messages written here"),
        _l("Messages of practitioners, patients and units in threads"),
        "",
        number("exchange_sent"),
        event="exchange_sent",
        service="messages",
        events=("exchange_sent",),
        of_people=True,
    )


def _of_correspondents() -> Iterator[Definition]:
    yield Definition(
        "M2",
        _l("Active correspondents"),
        _l("Distinct practitioners who wrote to a unit, in the month of the last day"),
        "",
        _correspondents,
        event="exchange_sent",
        portal=True,
        by_month=True,
        service="messages",
        events=("exchange_sent",),
        better="up",
        of_people=True,
    )


def _read_soon(period: Period) -> Figure:
    read = kpi.counted("exchange_read", period, dimension="correspondent_soon")
    return Figure(read, kpi.counted("exchange_to_read", period))


def _opened(period: Period) -> Figure:
    opened = kpi.counted("document_opened", period, dimension="within_30_days")
    return Figure(opened, kpi.counted("document_filed", period))


def _correspondents(period: Period) -> Figure:
    return Figure(kpi.uniques("exchange_sent", period, audience="professional"))
