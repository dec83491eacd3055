"""Civil time and moments, holidays and business days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal import calendar

PARIS, CAYENNE, NOUMEA = ZoneInfo("Europe/Paris"), ZoneInfo("America/Cayenne"), ZoneInfo("Pacific/Noumea")
ZONES = some.sampled_from([PARIS, CAYENNE, NOUMEA, ZoneInfo("Indian/Reunion"), ZoneInfo("America/Miquelon")])
DAYS = some.dates(date(1990, 1, 1), date(2100, 12, 31))
CLOCKS = some.builds(time, some.integers(0, 23), some.integers(0, 59))


class TestATimeOfTheWallClock:
    @given(DAYS, CLOCKS, ZONES)
    def test_is_shown_again_by_its_moment(self, day: date, at: time, tz: ZoneInfo) -> None:
        moment = calendar.to_utc(day, at, tz)
        if moment is not None:
            assert moment.utcoffset() == timedelta(0)
            assert moment.astimezone(tz).replace(tzinfo=None) == datetime.combine(day, at)
            assert calendar.civil_day(moment, tz) == day

    @given(DAYS, CLOCKS, ZONES)
    def test_is_skipped_only_when_the_clock_jumps_over_it(self, day: date, at: time, tz: ZoneInfo) -> None:
        if calendar.to_utc(day, at, tz) is None:
            before = datetime.combine(day, at, tzinfo=tz) - timedelta(hours=3)
            after = datetime.combine(day, at, tzinfo=tz) + timedelta(hours=3)
            assert before.utcoffset() != after.utcoffset()

    @given(some.integers(1996, 2036), CLOCKS)
    def test_exists_every_sunday_but_the_last_of_march_in_paris(self, year: int, at: time) -> None:
        change = max(date(year, 3, day) for day in range(25, 32) if date(year, 3, day).weekday() == 6)
        is_skipped = calendar.to_utc(change, at, PARIS) is None
        assert is_skipped is (at.hour == 2)

    def test_that_comes_twice_is_the_first_one(self) -> None:
        assert calendar.to_utc(date(2026, 10, 25), time(2, 30), PARIS) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    @pytest.mark.parametrize(("tz", "hour"), [(PARIS, 8), (CAYENNE, 12), (NOUMEA, 22)])
    def test_is_each_establishment_s_own(self, tz: ZoneInfo, hour: int) -> None:
        moment = calendar.to_utc(date(2026, 1, 6), time(9), tz)
        assert moment is not None
        assert moment.hour == hour

    def test_is_of_the_establishment_s_day_and_not_of_the_server_s(self) -> None:
        new_year = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
        assert (calendar.civil_day(new_year, PARIS), calendar.civil_day(new_year, CAYENNE)) == (
            date(2026, 1, 1), date(2025, 12, 31),
        )  # fmt: skip


class TestHolidays:
    @pytest.mark.parametrize("sunday", [
        date(1961, 4, 2), date(1981, 4, 19), date(2000, 4, 23), date(2008, 3, 23), date(2024, 3, 31), date(2025, 4, 20),
        date(2026, 4, 5), date(2038, 4, 25), date(2285, 3, 22),
    ])  # fmt: skip
    def test_easter_is_when_it_was_and_will_be(self, sunday: date) -> None:
        assert calendar.easter(sunday.year) == sunday

    @given(some.integers(1900, 2200))
    def test_easter_is_a_sunday_from_22_march_to_25_april(self, year: int) -> None:
        sunday = calendar.easter(year)
        assert sunday.weekday() == 6
        assert date(year, 3, 22) <= sunday <= date(year, 4, 25)

    def test_of_2026_are_the_eleven_of_the_labour_code(self) -> None:
        assert sorted(calendar.public_holidays(2026)) == [
            date(2026, 1, 1), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 8), date(2026, 5, 14),
            date(2026, 5, 25), date(2026, 7, 14), date(2026, 8, 15), date(2026, 11, 1), date(2026, 11, 11),
            date(2026, 12, 25),
        ]  # fmt: skip

    @given(some.integers(1946, 2200))
    def test_are_eleven_unless_two_meet(self, year: int) -> None:
        assert len(calendar.public_holidays(year)) in (10, 11)  # 1 May or 8 May may be Ascension day

    def test_in_alsace_and_moselle_add_good_friday_and_the_26th_of_december(self) -> None:
        more = calendar.public_holidays(2026, "alsace-moselle") - calendar.public_holidays(2026)
        assert sorted(more) == [date(2026, 4, 3), date(2026, 12, 26)]

    @pytest.mark.parametrize(
        ("rules", "day"),
        [("guadeloupe", date(2027, 5, 27)), ("guyane", date(2027, 6, 10)), ("martinique", date(2027, 5, 22)),
         ("mayotte", date(2027, 4, 27)), ("reunion", date(2027, 12, 20))],
    )  # fmt: skip
    def test_overseas_add_the_day_slavery_was_abolished_there(self, rules: str, day: date) -> None:
        assert calendar.public_holidays(2027, rules) - calendar.public_holidays(2027) == {day}
        assert not calendar.is_business_day(day, rules)

    def test_are_those_a_hospital_chose_or_its_clock_tells(self) -> None:
        assert calendar.holiday_rules("", "Indian/Reunion") == "reunion"
        assert calendar.holiday_rules("", "Europe/Paris") == "metropole"
        assert calendar.holiday_rules("alsace-moselle", "Europe/Paris") == "alsace-moselle"
        assert calendar.holiday_rules("mars", "Europe/Paris") == "metropole"


class TestSkippedTimes:
    def test_become_the_moment_the_clock_jumps(self) -> None:
        paris = ZoneInfo("Europe/Paris")
        jump = datetime(2027, 3, 28, 1, tzinfo=UTC)
        for at in (time(2), time(2, 5), time(2, 59), time(3)):
            assert calendar.to_utc_or_after(date(2027, 3, 28), at, paris) == jump
        assert calendar.to_utc_or_after(date(2027, 3, 28), time(1, 59), paris) == jump - timedelta(minutes=1)


class TestBusinessDays:
    @given(DAYS)
    def test_are_from_monday_to_friday_and_no_holiday(self, day: date) -> None:
        is_off = day.weekday() >= 5 or day in calendar.public_holidays(day.year)
        assert calendar.is_business_day(day) is not is_off

    @given(DAYS, some.integers(1, 60))
    def test_after_a_day_are_counted_one_by_one(self, day: date, count: int) -> None:
        last = calendar.business_days_after(day, count)
        between = [day + timedelta(days=n) for n in range(1, (last - day).days + 1)]
        assert sum(map(calendar.is_business_day, between)) == count
        assert calendar.is_business_day(last)

    def test_skip_a_long_week_end(self) -> None:
        assert calendar.business_days_after(date(2026, 5, 7), 1) == date(2026, 5, 11)

    @pytest.mark.parametrize("count", [0, -1])
    def test_before_the_first_one_make_no_sense(self, count: int) -> None:
        with pytest.raises(ValueError, match="at least one"):
            calendar.business_days_after(date(2026, 5, 7), count)


class TestADayWithoutAHospital:
    REPUBLIC = [ZoneInfo(name) for name in (
        "Europe/Paris", "America/Guadeloupe", "America/Martinique", "America/Cayenne", "America/Miquelon",
        "Indian/Reunion", "Indian/Mayotte", "Pacific/Noumea", "Pacific/Wallis", "Pacific/Tahiti", "Pacific/Marquesas",
        "Pacific/Gambier", "Indian/Kerguelen",
    )]  # fmt: skip

    @given(some.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=some.just(UTC)))
    def test_has_begun_somewhere_and_is_not_over_everywhere(self, moment: datetime) -> None:
        days = [calendar.civil_day(moment, tz) for tz in self.REPUBLIC]
        assert calendar.latest_day(moment) == max(days)
        assert calendar.earliest_day(moment) == min(days)
