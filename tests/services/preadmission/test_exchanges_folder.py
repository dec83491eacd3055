"""A hospital without messages: it finds files in a folder, whole, and leaves its answers there."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal import db, establishments
from portal.db import session
from portal.gateways import Refused
from portal.gateways.his import Parcel, connect
from services.exchanges import dialect, jobs
from services.exchanges.models import Delivery
from services.preadmission import actions
from services.preadmission.answers import Identity
from services.preadmission.exchanges import folder, states
from services.preadmission.models import Preadmission
from tests.factories import exchanges, hospital_messages, preadmission
from tests.ground import audited, prepared
from tests.services.preadmission.conftest import Ground
from tests.services.preadmission.test_exchanges_pam import REQUESTS


@pytest.fixture
def place(ground: Ground, tmp_path: Path) -> Iterator[Path]:
    """The folder of a hospital that takes pre-admissions as files."""
    with prepared():
        hospital_messages.follow(ground.hospital.establishment.id, f"folder:{tmp_path}", states.CSV)
    return tmp_path


def accepted(ground: Ground, street: str = "=cmd()") -> Preadmission:
    with prepared():
        made = preadmission.preadmission(
            ground.patient, ground.hospital.unit, "in_review", account_id=ground.account.id,
            stay_kind="day_case", answers=[Identity(phone="+33639980001", street=street, town="Arceau")],
        )  # fmt: skip
        asked = preadmission.pieces_of(made)
        preadmission.put(asked["prescription"], "accepted", content=preadmission.pdf(), name="ordonnance.pdf")
        preadmission.settle(made)
    change(made, actions.validate)
    return made


def change(file: Preadmission, what: object, *arguments: object) -> None:
    with prepared():
        what(session.get_one(Preadmission, file.id), *arguments)  # type: ignore[operator]  # an action


def now(file: Preadmission) -> Preadmission:
    with prepared():
        return session.scalars(select(Preadmission).where(Preadmission.id == file.id)).one()


def told() -> list[Delivery]:
    with prepared():
        return list(session.scalars(select(Delivery).order_by(Delivery.changed_at, Delivery.id)))


def row(path: Path) -> dict[str, str]:
    """The line of a file's CSV, by its columns."""
    (found,) = csv.DictReader(StringIO((path / "preadmission.csv").read_text(encoding="utf-8-sig")), delimiter=";")
    return found


def answer(ground: Ground, place: Path, *lines: str, name: str = "answers.csv") -> str:
    """The hospital leaves answers; our report."""
    (place / "in").mkdir(exist_ok=True)
    header = "reference;ipp;visit_number;state;reason"
    (place / "in" / name).write_text("\r\n".join([header, *lines]), encoding="utf-8")
    jobs.collect(ground.hospital.establishment.id, lambda: db.transaction(db.system("tests")))
    (report,) = [*(place / "done").glob(f"{name}.ack"), *(place / "refused").glob(f"{name}.ack")]
    return report.read_text(encoding="utf-8-sig")


# -- what is left for the hospital -----------------------------------------------------------------------------------


def test_a_file_is_left_whole_with_its_pieces_and_a_summary(ground: Ground, place: Path) -> None:
    made = accepted(ground)
    exchanges.tick()
    left = place / "out" / made.reference
    assert {each.name for each in left.iterdir()} >= {"preadmission.csv", "resume.pdf", "ready", "identity-1.png"}
    cells = row(left)
    assert (cells["reference"], cells["action"], cells["uf"]) == (made.reference, "INSERT", "1001")
    assert (cells["birth_name"], cells["birth_on"]) == (ground.patient.birth_name, ground.patient.birth_on.isoformat())
    assert cells["street"] == "'=cmd()", "a spreadsheet would run it"
    assert (left / "identity-1.png").read_bytes() == preadmission.photo(), "as it was sent"
    assert now(made).state == "transmitted"
    with pikepdf.open(left / "resume.pdf") as sheet:
        assert len(sheet.pages) == 1


def test_what_tells_of_health_is_not_left_for_those_who_admit(ground: Ground, place: Path) -> None:
    made = accepted(ground)
    exchanges.tick()
    names = [each.name for each in (place / "out" / made.reference).iterdir()]
    assert not [each for each in names if each.startswith("prescription")]
    assert "prescription" not in row(place / "out" / made.reference)["pieces"]


def test_a_change_replaces_the_folder_and_a_cancellation_empties_it(ground: Ground, place: Path) -> None:
    made = accepted(ground)
    exchanges.tick()
    change(made, actions.take)
    change(made, actions.validate)
    exchanges.tick()
    left = place / "out" / made.reference
    assert row(left)["action"] == "UPDATE"
    change(made, actions.cancel)
    exchanges.tick()
    assert row(left)["action"] == "CANCEL"
    assert {each.name for each in left.iterdir()} == {"preadmission.csv", "resume.pdf", "ready"}
    assert [each.name for each in (place / "out").iterdir()] == [made.reference], "nothing half-written is left"


def test_what_opens_a_piece_for_the_hospitals_system_is_in_the_journal(ground: Ground, place: Path) -> None:
    accepted(ground)
    exchanges.tick()
    assert "piece.opened" in audited()


def test_files_for_an_address_that_is_no_folder_wait_for_an_agent(ground: Ground, place: Path) -> None:
    with prepared():
        establishments.change_setting(
            ground.hospital.establishment.id, dialect.ADDRESS, "mllp://127.0.0.1:1", secret=True
        )
    made = accepted(ground)
    exchanges.tick()
    (refused,) = told()
    assert (refused.state, refused.told, now(made).state) == ("refused", "no_folder", "validated")


def test_a_folder_that_is_away_loses_nothing(ground: Ground, place: Path) -> None:
    (place / "out").write_bytes(b"in the way")
    made = accepted(ground)
    exchanges.tick()
    assert told()[0].state == "waiting"
    (place / "out").unlink()
    exchanges.come_back()
    exchanges.tick()
    assert (place / "out" / made.reference / "ready").exists()


@pytest.mark.parametrize("name", ["../evil", "", "a/b", ".hidden", "x" * 61])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused):
        connect(f"folder:{tmp_path}").put(Parcel(name, []))
    with pytest.raises(Refused):
        connect(f"folder:{tmp_path}").put(Parcel("KT7P", [(name.replace("x" * 61, "x" * 121), [b""])]))


def test_messages_and_files_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        connect("mllp://127.0.0.1:1").put(Parcel("KT7P", []))


@settings(max_examples=100, deadline=None)
@given(REQUESTS)
def test_whatever_was_typed_a_line_is_one_line_and_no_formula(request: object) -> None:
    content = folder.as_csv(request).decode("utf-8-sig")  # type: ignore[arg-type]  # a Request
    header, line = csv.reader(StringIO(content, newline=""), delimiter=";")
    assert (len(header), content.count("\r\n")) == (len(line), 2)
    assert len(set(header)) == len(header)
    assert not [cell for cell in line if cell.startswith(("=", "@"))]


@pytest.mark.parametrize(
    "typed", ["+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "-HYPERLINK(A1)", "=1", "@SUM(A1)"]
)
def test_no_sign_begins_a_formula_and_a_telephone_number_stays_one(ground: Ground, place: Path, typed: str) -> None:
    made = accepted(ground, street=typed)
    exchanges.tick()
    line = row(place / "out" / made.reference)
    assert (line["street"], line["phone"]) == (f"'{typed}", "+33639980001")


# -- what the hospital answers ---------------------------------------------------------------------------------------


def test_an_answer_brings_the_hospitals_numbers(ground: Ground, place: Path) -> None:
    made = accepted(ground)
    exchanges.tick()
    report = answer(ground, place, f"{made.reference};8000000001;240001;integrated;")
    assert (now(made).state, now(made).ipp, now(made).visit_number) == ("integrated", "8000000001", "240001")
    assert "done" in report
    assert (place / "done" / "answers.csv").exists()
    assert answer(ground, place, f"{made.reference};8000000001;240001;integrated;", name="again.csv").count("done") == 1


def test_a_refusal_waits_for_an_agent_with_the_hospitals_words(ground: Ground, place: Path) -> None:
    made = accepted(ground)
    exchanges.tick()
    answer(ground, place, f"{made.reference};;;refused;Caisse inconnue")
    assert [(each.state, each.told) for each in told()] == [("refused", "Caisse inconnue")]


@pytest.mark.parametrize(
    ("state", "expected"),
    [("cancelled", "cancelled_by_hospital"), ("closed", "closed"), ("CANCELLED", "cancelled_by_hospital")],
)
def test_a_stay_may_be_cancelled_or_closed(ground: Ground, place: Path, state: str, expected: str) -> None:
    made = accepted(ground)
    exchanges.tick()
    answer(ground, place, f"{made.reference};;;{state};")
    assert now(made).state == expected


def test_each_line_is_done_by_itself_and_the_report_says_what_became_of_it(ground: Ground, place: Path) -> None:
    made = accepted(ground)
    exchanges.tick()
    report = answer(
        ground, place, "ZZZZ-ZZZZ;1;2;integrated;", f"{made.reference};8;9", f"{made.reference};8;;integrated;",
        f"{made.reference};8;9;perhaps;", f"{made.reference};8;9;integrated;",
    )  # fmt: skip
    lines = report.splitlines()[1:]
    assert [line.endswith(";done") for line in lines] == [False, False, False, False, True]
    assert (place / "refused" / "answers.csv").exists()
    assert now(made).visit_number == "9"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"reference;ipp\r\nA;1", b'"\r\n', b"\x00"])
def test_what_is_no_list_is_put_away_with_the_reason(ground: Ground, place: Path, content: bytes) -> None:
    (place / "in").mkdir()
    (place / "in" / "x.csv").write_bytes(content)
    jobs.collect(ground.hospital.establishment.id, lambda: db.transaction(db.system("tests")))
    assert (place / "refused" / "x.csv").exists()
    assert (place / "refused" / "x.csv.ack").read_bytes()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_is_in_a_list_it_never_fails(ground: Ground, content: bytes) -> None:
    from services.preadmission.exchanges.actions import listing

    with db.transaction(db.system(states.HIS_ACTOR)):
        report, _done = listing.read_list(ground.hospital.establishment.id, "x.csv", content)
    assert report
