"""A numbered receipt that one may keep, print, read aloud and check."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, time, timedelta
from io import BytesIO
from uuid import UUID

import pikepdf
import pypdfium2 as pdfium
import pytest

from auth.models import Account
from portal import db
from services.preadmission import actions, queries
from services.preadmission.actions import NotOpenYet, Stay
from services.preadmission.calendars import actions as calendars
from services.preadmission.calendars.actions import Change
from services.preadmission.calendars.models import StayCalendarRule
from services.preadmission.models import Preadmission
from services.preadmission.receipts import document
from services.preadmission.receipts import queries as receipts
from tests.factories.preadmission import everything, pieces_of, preadmission, put
from tests.ground import prepared, rows, today
from tests.pages import PageClient
from tests.services.preadmission.conftest import Ground

SignIn = Callable[[Account], PageClient]


def _sent(ground: Ground) -> Preadmission:
    with prepared():
        made = preadmission(ground.patient, ground.hospital.unit, "submitted", account_id=ground.account.id)
        put(pieces_of(made)["identity"])
        return made


def _pdf(ground: Ground, sign_in: SignIn, file_id: UUID) -> pikepdf.Pdf:
    answer = sign_in(ground.account).get(f"/pre-admission/{file_id}/accuse-de-reception.pdf")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    return pikepdf.open(BytesIO(answer.data))


def test_the_receipt_is_tagged_titled_and_in_a_language(ground: Ground, sign_in: SignIn) -> None:
    made = _pdf(ground, sign_in, _sent(ground).id)
    assert bool(made.Root.MarkInfo.Marked)
    assert str(made.Root.Lang).startswith("fr")
    assert "/StructTreeRoot" in made.Root
    fonts = made.pages[0].Resources.Font
    for name in fonts:
        descendant = fonts[name].DescendantFonts[0] if "/DescendantFonts" in fonts[name] else fonts[name]
        assert "/FontFile2" in descendant.FontDescriptor, "its letters are in it"


def test_the_receipt_holds_words_and_no_markup(ground: Ground, sign_in: SignIn) -> None:
    address = f"/pre-admission/{_sent(ground).id}/accuse-de-reception.pdf"
    with closing(pdfium.PdfDocument(sign_in(ground.account).get(address).data)) as pdf:
        told = "".join(page.get_textpage().get_text_range() for page in pdf)
    assert "4 rue des Lilas, 91990 Arceau" in told
    assert "<br" not in told
    assert "Pièce d’identité" in told
    assert "identité:" not in told, "French puts a space before the colon"


def test_a_receipt_is_checked_with_its_code_and_with_no_other(ground: Ground, client: PageClient) -> None:
    file = _sent(ground)
    with prepared():
        known = db.session.get_one(Preadmission, file.id)
        code, reference = document.code_of(known), known.reference
        assert receipts.issued(reference.lower(), f" {code.lower()} ") is not None
        assert receipts.issued(reference, "AAAAA-AAAAA") is None
        assert receipts.issued("BBBB-BBBB", code) is None
        assert receipts.issued("🦊", "🦊") is None
    page = client.post("/pre-admission/verifier", data={"number": reference, "code": code})
    assert page.status_code == 200
    assert ground.patient.birth_name not in page.text
    assert ground.hospital.unit.name not in page.text
    wrong = client.post("/pre-admission/verifier", data={"number": reference, "code": "AAAAA-AAAAA"})
    assert wrong.status_code == 422


def test_nobody_else_gets_the_receipt_and_a_draft_has_none(ground: Ground, sign_in: SignIn) -> None:
    file = _sent(ground)
    address = f"/pre-admission/{file.id}/accuse-de-reception.pdf"
    assert sign_in(ground.other_account).get(address).status_code == 404
    with prepared():
        draft = preadmission(ground.patient, ground.hospital.unit).id
    assert sign_in(ground.account).get(f"/pre-admission/{draft}/accuse-de-reception.pdf").status_code == 404


# -- in time, late, too early --------------------------------------------------------------------------------------


def _complete_draft(ground: Ground, in_days: int) -> UUID:
    with prepared():
        made = preadmission(
            ground.patient, ground.hospital.unit, planned_on=today() + timedelta(days=in_days),
            account_id=ground.account.id,
        )  # fmt: skip
        for _round in range(2):
            for answers in everything(queries.facts(made)):
                if answers.step not in queries.answers_of(made.id):
                    actions.fill(made, answers)
        for piece in pieces_of(made).values():
            if piece.needed:
                put(piece)
        return made.id


@pytest.mark.parametrize(("in_days", "late"), [(30, False), (0, True)])
def test_a_file_sent_after_the_cut_off_is_taken_and_marked_late(ground: Ground, in_days: int, late: bool) -> None:
    file_id = _complete_draft(ground, in_days)
    with db.transaction(ground.as_patient) as current:
        file = current.get_one(Preadmission, file_id)
        actions.submit(file)
        assert (file.state, file.late) == ("submitted", late)


def test_a_unit_may_take_files_until_the_last_minute(ground: Ground) -> None:
    file_id = _complete_draft(ground, 1)
    with prepared():
        calendars.change(ground.hospital.establishment.id, ground.hospital.unit.id, Change(cut_off=0, cut_off_hour=23))
    with db.transaction(ground.as_patient) as current:
        file = current.get_one(Preadmission, file_id)
        actions.submit(file)
        assert not file.late


def test_a_stay_is_not_prepared_before_its_time_unless_the_hospital_knows_it(ground: Ground) -> None:
    far = Stay(ground.hospital.unit.id, today() + timedelta(days=61), "inpatient")
    with pytest.raises(NotOpenYet) as refused, db.transaction(ground.as_patient):
        actions.start(ground.patient.id, far)
    assert refused.value.opens_on == today() + timedelta(days=1)
    with prepared():
        actions.start(ground.patient.id, far, origin="invitation", account_id=ground.account.id)
        actions.start(ground.patient.id, Stay(far.unit_id, today() + timedelta(days=200), "maternity"))


def test_the_calendar_of_a_hospital_is_written_by_its_administrators(ground: Ground) -> None:
    with prepared():
        calendars.change(ground.hospital.establishment.id, None, Change(opens=30))
    with pytest.raises(Exception, match=r"row-level security|policy"), db.transaction(ground.as_clerk):
        calendars.change(ground.hospital.establishment.id, ground.hospital.unit.id, Change(opens=10))
    assert [each.opens for each in rows(StayCalendarRule)] == [30]
    with prepared():
        calendars.change(ground.hospital.establishment.id, None, Change())
    assert rows(StayCalendarRule) == []


def test_the_second_counts_on_the_hospitals_clock(ground: Ground) -> None:
    from services.preadmission.calendars import queries as read

    file = _sent(ground)
    with prepared():
        known = db.session.get_one(Preadmission, file.id)
        cut_off = read.deadlines_of(known).cut_off_at
        assert cut_off.astimezone(known.establishment.tz).time() == time(12)
        assert isinstance(cut_off, datetime)
