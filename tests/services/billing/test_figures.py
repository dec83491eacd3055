"""F3 and F4: a median is a median, and what did not end well is counted once."""

from statistics import median_low

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal import db
from portal.gateways.payments.means import Ending
from portal.kpi import KpiEvent
from services.billing.figures import median
from services.billing.models import Bill
from tests.factories import billing
from tests.ground import prepared
from tests.services.billing.conftest import Ground


def counted(event: str) -> list[tuple[str, str]]:
    with prepared():
        found = db.session.execute(select(KpiEvent.channel, KpiEvent.dimension).where(KpiEvent.event == event))
        return [(channel, dimension) for channel, dimension in found]


@given(st.lists(st.integers(0, 366), min_size=1, max_size=40))
def test_the_median_is_the_middle_one(days: list[int]) -> None:
    assert median([(day, days.count(day)) for day in set(days)]) == median_low(days)


def test_of_nothing_the_median_is_nothing() -> None:
    assert median([]) == 0


def test_a_payment_given_up_is_counted_once_and_a_paid_bill_with_its_days(ground: Ground) -> None:
    with prepared():
        owed = db.session.get_one(Bill, ground.bill.id)
        billing.attempt(owed, Ending.ABANDONED)
        billing.attempt(owed, Ending.PAID)
    assert counted("payment_unfinished") == [("payfip", "abandoned")]
    ((channel, days),) = counted("bill_settled")
    assert channel == "payfip"
    assert 0 <= int(days) <= 366
