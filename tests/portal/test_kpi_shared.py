"""Figures judged together: parts with their whole, stocks by how they move, whichever of them was asked for."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import combinations
from random import Random

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from portal import db, kpi
from portal.kpi import GROUP_WIDE, Figure, KpiEvent, Period, disclosure
from portal.kpi.disclosure import GROUP, Hidden, Rate
from portal.kpi.models import KpiMonth
from portal.kpi.shared import STOCKS, SharedFigure, family, shared
from tests.factories import demonstration, history, hospitals
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
    found = shared([kpi.definition(code)], spans, places[:1], hospitals=places, exact=exact)  # type: ignore[arg-type]  # hospitals and spans, as objects
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


def test_a_correction_of_the_month_before_unties_nothing(app: Flask) -> None:
    """In April one of March is taken back, so that R7 is not R8a + R8b there; in May R7 less R8b would be R8a."""
    months = {
        4: {"missed_alone": 3, "seen_alone": 60, "seen_reminded": 60},
        5: {"missed_alone": 40, "missed_reminded": 2, "seen_alone": 60, "seen_reminded": 60},
    }
    with prepared():
        places = [hospitals.hospital("990000017").establishment.id, hospitals.hospital("990000025").establishment.id]
        told = [
            ("appointment_outcome", dimension, month)
            for month, outcomes in months.items() for dimension, times in outcomes.items() for _each in range(times)
        ] + [("appointment_outcome_taken_back", "missed_reminded", 4)]  # fmt: skip
        db.session.add_all(
            KpiEvent(event=event, dimension=dimension, establishment_id=places[0],
                     at=datetime(2026, month, 12, 12, tzinfo=UTC))
            for event, dimension, month in told
        )  # fmt: skip
    all_rolled_up()
    with prepared():
        may = [(date(2026, 5, 1), date(2026, 5, 31))]
        assert kpi.definition("R7").compute(Period(*may[0], places[0])).numerator == 42
        assert read("R7", list(places), may) == [42]
        assert read("R8a", list(places), may) == [Hidden.RATE]
        assert read("R8b", list(places), may) == [Hidden.TOTAL]


class TestFamilies:
    """Two figures that add up to a third would tell what is hidden of it."""

    def test_figures_that_add_up_are_judged_together(self, app: Flask) -> None:
        with prepared():
            periods = _a_year_of_everything(demonstration.build())
            figures = {each.code: [each.compute(period) for period in periods] for each in kpi.definitions()
                       if each.of_people and each.code not in STOCKS and not each.by_month}  # fmt: skip
        counted = {code: tuple(each.numerator for each in found) for code, found in figures.items()}
        among = {code: tuple(each.denominator or 0 for each in found) for code, found in figures.items()}
        told: dict[tuple[int, ...], set[str]] = {}
        for code, numbers in [*counted.items(), *among.items()]:
            told.setdefault(numbers, set()).add(code)
        undeclared = {
            (one, other, each)
            for vectors in (counted, among)
            for one, other in combinations(sorted(code for code in vectors if any(vectors[code])), 2)
            for each in told.get(tuple(map(sum, zip(vectors[one], vectors[other], strict=True))), ())
            if len({family(kpi.definition(code)) for code in (one, other, each)}) > 1
            # Two halves of one whole: each is the other's rest, and they are judged alike.
            and not (among[one] == among[other] == tuple(map(sum, zip(counted[one], counted[other], strict=True))))
        }
        assert undeclared == set()

    @given(
        st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2 * len(SPANS), max_size=2 * len(SPANS))
    )
    @settings(max_examples=200)
    def test_both_halves_of_a_whole_are_hidden_alike(self, halves: list[tuple[int, int]]) -> None:
        places, every = ("north", "south"), disclosure.grid(*QUARTER)
        keys = [(place, span) for place in places for span in SPANS]

        def hidden(side: int) -> set[object]:
            months = {key: Rate(halves[at][side], sum(halves[at])) for at, key in enumerate(keys)}
            cells = {
                (place, span): _together([rate for (where, month), rate in months.items()
                                          if place in (GROUP, where) and span[0] <= month[0] and month[1] <= span[1]])
                for place in (*places, GROUP)
                for span in every
            }  # fmt: skip
            judged = disclosure.protect_grid(cells, places, every)
            return {key for key, cell in judged.items() if isinstance(cell, Hidden)}

        assert hidden(0) == hidden(1)


def _together(rates: list[Rate]) -> Rate:
    return Rate(sum(each.numerator for each in rates), sum(each.denominator for each in rates))


def _a_year_of_everything(world: demonstration.World) -> list[Period]:
    """Every kind of event that rooms tell, so many times a month that no two sums agree by chance."""
    chance, place = Random(7), world.north.establishment.id
    kinds = {
        (row["event"], GROUP_WIDE if row["establishment_id"] == GROUP_WIDE else place, row["channel"],
         row["audience"], row["dimension"])
        for row in history.events(world)
    }  # fmt: skip
    names = ("event", "establishment_id", "channel", "audience", "dimension")
    rows = [
        dict(zip(names, kind, strict=True))
        | {"month": date(2025, month, 1), "events": chance.randrange(20, 9000), "quantity": chance.randrange(9000)}
        for kind in sorted(kinds)
        for month in range(1, 13)
    ]
    db.session.execute(insert(KpiMonth).inline(), rows)
    return kpi.side_by_side(disclosure.months(date(2025, 1, 1), date(2025, 12, 31)), place, [place])
