"""Figures judged together: parts with their whole, stocks by how they move, whichever of them was asked for."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import insert

from portal import db, kpi
from portal.kpi import Figure, KpiEvent, disclosure
from portal.kpi.disclosure import Hidden
from portal.kpi.shared import SharedFigure, shared
from tests.factories import hospitals
from tests.ground import prepared
from tests.writers import all_rolled_up

SPANS = disclosure.months(date(2026, 1, 1), date(2026, 3, 31))
QUARTER = (date(2026, 1, 1), date(2026, 3, 31))


@pytest.fixture
def paid(app: Flask) -> Iterator[list[object]]:
    """Two hospitals; in February the north had forty payments by PayFiP and four by Stripe."""
    with prepared():
        places = [
            hospitals.hospital("990000017", "Nord").establishment.id,
            hospitals.hospital("990000025", "Sud").establishment.id,
        ]
        for month, payfip, stripe in ((1, 50, 20), (2, 40, 4), (3, 60, 30)):
            at = datetime(2026, month, 12, 12, tzinfo=UTC)
            for channel, times in (("payfip", payfip), ("stripe", stripe)):
                row = {
                    "event": "bill_paid", "establishment_id": places[0], "channel": channel, "audience": "patient",
                    "dimension": "", "quantity": 1000, "pseudonym": "", "at": at,
                }  # fmt: skip
                db.session.execute(insert(KpiEvent).inline(), [row] * times)
    all_rolled_up()
    with prepared():
        yield list(places)


def read(code: str, places: list[object], spans: object = SPANS, *, exact: bool = False) -> list[object]:
    found = shared([kpi.definition(code)], spans, places[:1], hospitals=places, exact=exact)  # type: ignore[arg-type]
    [figure] = found
    assert isinstance(figure, SharedFigure)
    return [cell.numerator if isinstance(cell, Figure) else cell for cell in figure.cells.values()]


def test_a_small_part_is_not_told_by_the_whole_and_the_other_part(paid: list[object]) -> None:
    assert read("F1", paid) == [70, 44, 90]
    assert read("F1b", paid) == [50, Hidden.TOTAL, 60]
    assert read("F1c", paid) == [20, Hidden.FEW, 30]


def test_nor_by_longer_times(paid: list[object]) -> None:
    assert read("F1", paid, [QUARTER]) == [204]
    assert read("F1b", paid, [QUARTER]) == [Hidden.TOTAL]
    assert read("F1c", paid, [QUARTER]) == [Hidden.TOTAL]


def test_exact_figures_are_what_they_are(paid: list[object]) -> None:
    assert read("F1c", paid, exact=True) == [20, 4, 30]


def test_the_days_that_are_asked_for_change_nothing(paid: list[object]) -> None:
    assert read("F1c", paid, SPANS[1:2]) == read("F1c", paid)[1:2]
