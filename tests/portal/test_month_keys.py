"""Keys of months in the memory of a process: gone on the day when the month closes, whoever destroys them."""

from datetime import UTC, date, datetime

import pytest

from portal import db
from portal.kpi import keys

pytestmark = pytest.mark.usefixtures("app")
AUGUST, OCTOBER = date(2026, 8, 1), date(2026, 10, 1)


@pytest.mark.parametrize(("day", "known"), [(4, True), (6, False)], ids=["before it closes", "after"])
def test_a_process_forgets_a_key_that_another_one_destroyed(
    monkeypatch: pytest.MonkeyPatch, day: int, known: bool
) -> None:
    monkeypatch.setattr(keys, "_keys", {AUGUST: b"a" * 32, OCTOBER: b"o" * 32})
    monkeypatch.setattr(db, "now", lambda: datetime(2026, 10, day, 12, tzinfo=UTC))
    assert keys.of_month(OCTOBER) == b"o" * 32
    assert (AUGUST in keys._keys) is known
