"""FHIR's own grammar: dates, tokens, references, ids, preferences; whatever is sent, an answer or a refusal."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.web import fhir
from portal.web.fhir import Refused, Token
from services.appointments import states
from services.appointments.fhir import incoming, naming
from services.appointments.fhir.incoming import Unreadable
from services.appointments.slots import Slot
from services.offer import specialities
from services.offer.fhir import resources as places

PARIS = ZoneInfo("Europe/Paris")
REUNION = ZoneInfo("Indian/Reunion")
MOMENTS = st.datetimes(datetime(1901, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["status", "slot", "start", "end", "participant", "identifier", "serviceType", "contained", "cancelationReason"]
)


class TestADate:
    @pytest.mark.parametrize(
        ("text", "since", "until"),
        [
            ("2026", datetime(2026, 1, 1, tzinfo=PARIS), datetime(2027, 1, 1, tzinfo=PARIS)),
            ("2026-12", datetime(2026, 12, 1, tzinfo=PARIS), datetime(2027, 1, 1, tzinfo=PARIS)),
            # The day the clocks go back lasts 25 hours.
            ("2026-10-25", datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
            ("2026-11-04T09:30:00Z", datetime(2026, 11, 4, 9, 30, tzinfo=UTC),
             datetime(2026, 11, 4, 9, 30, 1, tzinfo=UTC)),
            ("2026-11-04T09:30+04:00", datetime(2026, 11, 4, 5, 30, tzinfo=UTC),
             datetime(2026, 11, 4, 5, 31, tzinfo=UTC)),
        ],
    )  # fmt: skip
    def test_is_a_stretch_of_time(self, text: str, since: datetime, until: datetime) -> None:
        found = fhir.moment("start", text)
        assert (found.since, found.until) == (since, until)

    def test_without_offset_is_the_hospital_s(self) -> None:
        assert fhir.moment("date", "2026-11-04", REUNION).since == datetime(2026, 11, 3, 20, tzinfo=UTC)

    def test_takes_a_plus_that_was_not_escaped(self) -> None:
        assert fhir.moment("start", "ge2021-11-04T14:19:35.760 01:00").since == datetime(
            2021, 11, 4, 13, 19, 35, 760_000, tzinfo=UTC
        )

    @given(MOMENTS, st.sampled_from(["ge", "gt", "le", "lt", "eq", "sa", "eb", ""]))
    def test_compares_as_its_prefix_says(self, at: datetime, prefix: str) -> None:
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        found = fhir.moment("start", prefix + at.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        before, same, after = (found.holds(at + timedelta(seconds=shift)) for shift in (-1, 0, 1))
        wanted = {
            "ge": (False, True, True), "gt": (False, False, True), "sa": (False, False, True),
            "le": (True, True, False), "lt": (True, False, False), "eb": (True, False, False),
            "eq": (False, True, False), "": (False, True, False),
        }  # fmt: skip
        assert (before, same, after) == wanted[prefix]

    @given(st.text(max_size=40))
    def test_is_read_or_refused(self, text: str) -> None:
        with suppress(Refused):
            fhir.moment("start", text)

    @given(MOMENTS, st.sampled_from([PARIS, REUNION, UTC]))
    def test_is_written_with_milliseconds_and_an_offset(self, at: datetime, tz: ZoneInfo) -> None:
        written = fhir.instant(at, tz)
        assert written[23] in "+-"
        assert abs(datetime.fromisoformat(written) - at) < timedelta(milliseconds=1)


class TestASearch:
    @pytest.mark.parametrize(
        ("text", "tokens"),
        [
            ("a", [Token(None, "a")]), ("s|a", [Token("s", "a")]), ("|a", [Token("", "a")]), ("s|", [Token("s", "")]),
            ("s|a,b", [Token("s", "a"), Token(None, "b")]), (r"s|a\,b", [Token("s", "a,b")]),
            (r"a\|b", [Token(None, "a|b")]),
        ],
    )  # fmt: skip
    def test_reads_tokens(self, app: Flask, text: str, tokens: list[Token]) -> None:
        with app.test_request_context("/fhir/X", query_string={"identifier": text}):
            search = fhir.asked({"identifier"}, (), most=10)
            assert search.tokens("identifier") == [tokens]
            assert fhir.asked({"identifier"}, (), most=10).address().startswith("identifier=")

    def test_keeps_the_order_and_the_page_in_its_links(self, app: Flask) -> None:
        with app.test_request_context("/fhir/X?b=2&a=1&_count=5&_offset=10&b=3"):
            search = fhir.asked({"a", "b"}, (), most=10)
        assert (search.count, search.offset) == (5, 10)
        assert search.address() == "b=2&a=1&_count=5&b=3&_offset=10"
        assert search.address(0) == "b=2&a=1&_count=5&b=3"

    def test_gives_no_more_than_the_most(self, app: Flask) -> None:
        with app.test_request_context("/fhir/X?_count=9999999"):
            assert fhir.asked((), (), most=10).count == 10

    @pytest.mark.parametrize("status", [400, 404, 405, 406, 409, 412, 415, 418, 422, 429, 500, 503])
    def test_that_fails_anyhow_is_told_so(self, app: Flask, status: int) -> None:
        with app.test_request_context("/fhir/X"):
            answer = fhir.of_status(status)
        assert (answer.status_code, answer.get_json()["resourceType"]) == (status, "OperationOutcome")


class TestAnId:
    @given(st.uuids(), st.uuids(), st.integers(0, 59))
    def test_of_a_slot_is_read_back(self, session_id: UUID, reason_id: UUID, cell: int) -> None:
        written = naming.slot_id(Slot(session_id, cell), reason_id)
        assert len(written) <= 64
        assert naming.slot_of(written) == (Slot(session_id, cell), reason_id)

    @given(st.uuids(), st.uuids())
    def test_of_a_schedule_is_read_back(self, practitioner_id: UUID, unit_id: UUID) -> None:
        assert naming.pair_of(naming.pair_id(practitioner_id, unit_id)) == (practitioner_id, unit_id)

    @given(st.uuids(), st.integers(0, 59))
    def test_of_taken_time_is_read_back(self, session_id: UUID, cell: int) -> None:
        assert naming.taken_of(naming.taken_id(session_id, cell)) == (session_id, cell)

    @given(st.text(max_size=30), st.text(max_size=8))
    def test_of_taken_time_that_is_not_ours_is_refused(self, session: str, cell: str) -> None:
        with pytest.raises(naming.NotAnId):
            naming.taken_of(f"{session}.taken.{cell}")

    @given(st.text(max_size=70))
    def test_that_is_not_ours_is_refused(self, text: str) -> None:
        for read in (naming.slot_of, naming.pair_of, naming.long):
            with pytest.raises(naming.NotAnId):
                read(text)

    @pytest.mark.parametrize("cell", ["60", "99", "-1", "007", "٣", "1 "])
    def test_of_a_cell_that_no_session_has_is_refused(self, cell: str) -> None:
        with pytest.raises(naming.NotAnId):
            naming.slot_of(f"{'a' * 25}4.{'a' * 25}4.{cell}")


class TestWhatIsSent:
    @given(st.dictionaries(FIELDS, JSON, max_size=6))
    def test_is_read_or_refused(self, sent: dict[str, object]) -> None:
        with suppress(Unreadable):
            assert incoming.read({"status": "booked", **sent}, "https://x/fhir").state in states.STATES


class TestAnAddress:
    @pytest.mark.parametrize(
        ("text", "line", "code", "town"),
        [
            ("12 avenue des Tilleuls, 91990 Arceau", "12 avenue des Tilleuls", "91990", "Arceau"),
            ("CHU – BP 12345\n97400 Saint-Denis de La Réunion", "CHU – BP 12345", "97400", "Saint-Denis de La Réunion"),
            ("75014 Paris", "Site", "75014", "Paris"),
            ("3 rue de la Paix", "3 rue de la Paix", None, None),
            ("", "Site", None, None),
        ],
    )
    def test_is_read_in_parts(self, text: str, line: str, code: str | None, town: str | None) -> None:
        found = places.address(text, "Site")
        assert (found["line"], found.get("postalCode"), found.get("city")) == ([line], code, town)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Cardiologie", "SM04"), ("ophtalmologie", "SM38"), ("Médecine générale", "SM54"),
        ("Chirurgie viscérale", "SM14"),
        ("Gynécologie-obstétrique", "SM20"), ("Radiologie", "SM74"), ("Chirurgie", ""), ("Sage-femme", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_speciality_has_its_national_code_or_none(words: str, code: str) -> None:
    assert specialities.code_of(words) == code
