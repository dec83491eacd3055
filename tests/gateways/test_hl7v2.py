"""What is read of an HL7 v2 message, whoever wrote it, and what is written."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import Acknowledgement, Message, NotHl7, acknowledge, header, read, segment

PARIS, REUNION = ZoneInfo("Europe/Paris"), ZoneInfo("Indian/Reunion")
SAMPLE = (
    "MSH|^~\\&|HIS|CHU|PARVIS|990000017|20261122101500||SIU^S12^SIU_S12|42|P|2.5|||||FRA|UNICODE UTF-8\r"
    "SCH|P1^PARVIS|F1^HIS|||||CS^Consultation||30|min|^^^20261201090000+0100^20261201093000+0100\r"
    "PID|||8000000001^^^CHU&1.2.3&ISO^PI~279035121518989^^^INS&1.2.250.1.213.1.4.10&ISO^INS||PAT-TROIS^Zoé^^^^^L\r"
)
text_lines = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\0"), max_size=40)


def test_fields_components_repetitions_and_subcomponents_are_found() -> None:
    message = read(SAMPLE.encode())
    pid, sch = message.first("PID"), message.first("SCH")
    assert (message.control_id, message.trigger, message.header.value(1)) == ("42", "S12", "|")
    assert (pid.value(3), pid.value(3, 4, 2, 2), pid.value(3, 5, 2)) == ("8000000001", "1.2.250.1.213.1.4.10", "INS")
    assert (pid.repetitions(3), pid.value(5, 2), pid.value(99), pid.value(3, 9, 9)) == (2, "Zoé", "", "")
    assert sch.value(11, 4) == "20261201090000+0100"
    assert message.first("ZZZ").value(1) == ""


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r\n\n"])
def test_lines_may_end_as_they_do_in_practice(end: str) -> None:
    assert [each.name for each in read(SAMPLE.replace("\r", end).encode()).segments] == ["MSH", "SCH", "PID"]


@given(text_lines)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    written = Message((header({3: "A"}), segment("NTE", {3: text}))).write()
    assert b"\n" not in written
    assert written.count(b"\r") == 2, "nothing in a text ends a line"
    assert b"\x0b" not in written, "nor begins a block"
    assert read(written).first("NTE").value(3) == text.strip()


@given(st.lists(st.lists(text_lines.map(str.strip).filter(lambda each: each != '""'), min_size=1, max_size=3),
                min_size=1, max_size=3))  # fmt: skip
def test_components_and_repetitions_come_back_as_they_were(values: list[list[str]]) -> None:
    written = Message((header({3: "A"}), segment("PID", {3: [tuple(each) for each in values], 4: "end"}))).write()
    found = read(written).first("PID")
    assert [[found.value(3, n + 1, r + 1) for n in range(3)] for r in range(len(values))] == [
        [*each, "", ""][:3] for each in values
    ]
    assert found.value(4) == "end"


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    for tried in (body, b"MSH|^~\\&|" + body):
        try:
            read(tried).first("PID").value(3, 2)
        except NotHl7:
            continue


@given(st.text(alphabet="0123456789+-.", max_size=26))
def test_a_time_stamp_is_a_moment_or_is_refused(text: str) -> None:
    try:
        found = hl7v2.moment(text, PARIS)
    except NotHl7:
        return
    assert found.tzinfo is not None


@pytest.mark.parametrize(
    ("named", "encoding"),
    [("8859/1", "latin-1"), ("8859/15", "iso-8859-15"), ("UNICODE UTF-8", "utf-8"), ("utf-8", "utf-8"),
     ("", "utf-8"), ("", "iso-8859-15")],
)  # fmt: skip
def test_the_character_set_is_the_one_that_is_said(named: str, encoding: str) -> None:
    body = SAMPLE.replace("UNICODE UTF-8", named).encode(encoding)
    assert read(body).first("PID").value(5, 2) == "Zoé"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "100"), (b"PID|1\r", "100"), (b"<html>", "100"), (b"MSH", "101"), (b"MSH|^~\\", "101"),
        (b"MSH|||||", "101"), (b"MSHabcdefgh|", "101"), (b"MSH|^~\\&|A\rpid|1", "100"), (b"MSH|^~\\&|A\rPI|1", "100"),
        (SAMPLE.replace("UNICODE UTF-8", "KLINGON").encode(), "103"),
        (SAMPLE.encode("latin-1"), "102"), (SAMPLE.encode() + b"NTE|\0\r", "102"),
        (SAMPLE.encode() + b"PID|1\r" * 2001, "102"),
        (SAMPLE.encode() + b"NTE|||" + b"x" * hl7v2.MAX_BYTES, "102"),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_with_a_code(body: bytes, code: str) -> None:
    with pytest.raises(NotHl7) as refused:
        read(body)
    assert refused.value.code == code
    assert "PAT-TROIS" not in str(refused.value)


def test_escapes_are_undone_and_unknown_ones_leave_nothing() -> None:
    body = b"MSH|^~\\&|A\rNTE|||a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\.br\\g\\X41\\h\\H\\i\\N\\j\\XZZ\\k"
    assert read(body).first("NTE").value(3) == "a|b^c&d~e\\f\ngAhijk"


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("20260701090000", PARIS, datetime(2026, 7, 1, 7, tzinfo=UTC)),
        ("202612010900", PARIS, datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("20261201090000.0000", REUNION, datetime(2026, 12, 1, 5, tzinfo=UTC)),
        ("20261201090000+0400", PARIS, datetime(2026, 12, 1, 5, tzinfo=UTC)),
        ("20261201", PARIS, datetime(2026, 11, 30, 23, tzinfo=UTC)),
        ("20261025023000", PARIS, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("20261025023000+0100", PARIS, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_time_stamp_is_the_hospitals_wall_clock_unless_it_says_otherwise(
    text: str, zone: ZoneInfo, expected: datetime
) -> None:
    assert hl7v2.moment(text, zone) == expected


@pytest.mark.parametrize("text", ["", "2026", "20261301", "20260230", "202603290230", "2026120109xx", "20261201250000"])
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(NotHl7):
        hl7v2.moment(text, PARIS)


@pytest.mark.parametrize("hour", [0, 1])
def test_the_hour_that_comes_twice_is_told_with_its_offset(hour: int) -> None:
    at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    assert hl7v2.moment(hl7v2.stamp(at, PARIS), PARIS) == at


def test_an_acknowledgement_goes_back_where_the_message_came_from() -> None:
    asked = read(SAMPLE.encode())
    body = acknowledge(asked.header, Acknowledgement("AE", "42", "204", "Praticien | inconnu"), "20261122", "7")
    answer = read(body)
    assert [answer.header.value(n) for n in (3, 4, 5, 6)] == ["PARVIS", "990000017", "HIS", "CHU"]
    assert hl7v2.read_acknowledgement(body) == Acknowledgement("AE", "42", "204", "Praticien | inconnu")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"MSH|^~\\&|A\rMSA|AA|42\r", Acknowledgement("AA", "42")),
        (b"MSH|^~\\&|A\nMSA|CA|42", Acknowledgement("AA", "42")),
        (b"MSH|^~\\&|A\rMSA|AR|42|Non|\r", Acknowledgement("AR", "42", "", "Non")),
        (b"MSH|^~\\&|A\rMSA|AE|42\rERR|PID^1^3^204&Inconnu\r", Acknowledgement("AE", "42", "204&Inconnu", "Inconnu")),
    ],
)
def test_answers_of_older_systems_are_read(body: bytes, expected: Acknowledgement) -> None:
    found = hl7v2.read_acknowledgement(body)
    assert (found.code, found.control_id, found.told) == (expected.code, expected.control_id, expected.told)


@pytest.mark.parametrize("body", [b"MSH|^~\\&|A\r", b"MSH|^~\\&|A\rMSA|OK|1\r", b"200 OK", b""])
def test_what_is_no_answer_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises(NotHl7):
        hl7v2.read_acknowledgement(body)
