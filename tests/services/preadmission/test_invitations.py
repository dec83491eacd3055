"""A stay that the hospital knows becomes a file in the right person's space, and in nobody else's."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from auth.models import Account, PatientRecord
from auth.records import open_record
from portal import db
from portal.delimited import NotSuchAFile
from portal.notifications import Notification
from services.preadmission import actions as files
from services.preadmission.actions import NotEditable, Stay, StayInThePast, UnitNotOpen
from services.preadmission.invitations import actions, importing, stay_file
from services.preadmission.invitations.actions import CodeRefused, Expected
from services.preadmission.invitations.jobs import expire_over
from services.preadmission.invitations.models import StayInvitation, StayInvitationChange
from services.preadmission.invitations.states import TRANSITIONS, InvitationOver
from services.preadmission.models import Preadmission
from tests.factories import people
from tests.ground import audited, prepared, rows, today
from tests.pages import PageClient
from tests.services.preadmission.conftest import Ground


def _stay(ground: Ground, days: int = 20, kind: str = "inpatient") -> Stay:
    return Stay(ground.hospital.unit.id, today() + timedelta(days=days), kind)


def _expected(ground: Ground, **more: str) -> Expected:
    return Expected(
        ground.patient.birth_name, ground.patient.first_names[0], ground.patient.birth_on,
        **{"visit_number": "V-1001", **more},
    )  # fmt: skip


def _invite(ground: Ground, days: int = 20, **more: str) -> tuple[UUID, str]:
    with db.transaction(ground.as_clerk):
        made, done = actions.invite(_stay(ground, days), _expected(ground, **more))
        return made.id, done


def _code(ground: Ground, invitation_id: UUID) -> str:
    with db.transaction(ground.as_clerk):
        return actions.new_code(db.session.get_one(StayInvitation, invitation_id))


def _open(ground: Ground, code: str) -> UUID:
    with db.transaction(ground.as_patient):
        return actions.open_(code, db.session.merge(ground.patient, load=False)).id


def _known_there(ground: Ground, ipp: str = "IPP-7") -> None:
    with prepared():
        _record(ground, ground.patient.id, ipp)


def _record(ground: Ground, patient_id: UUID, ipp: str) -> None:
    open_record(patient_id, ground.hospital.establishment.id)
    db.session.get_one(PatientRecord, (patient_id, ground.hospital.establishment.id)).ipp = ipp


def _only() -> StayInvitation:
    (found,) = rows(StayInvitation)
    return found


# -- reaching the person -------------------------------------------------------------------------------------------


def test_a_patient_whom_the_hospital_knows_finds_the_file_in_their_space(
    ground: Ground, work_jobs: Callable[[], None]
) -> None:
    _known_there(ground)
    _invite(ground, ipp="IPP-7")
    (file,) = rows(Preadmission)
    assert (file.patient_id, file.state, file.origin) == (ground.patient.id, "draft", "invitation")
    assert (_only().state, _only().preadmission_id) == ("told", file.id)
    mail = rows(Notification)[-1]
    for word in (ground.hospital.unit.name, str(file.planned_on), "hospitalisation", "pré-admission"):
        assert word not in mail.body + mail.subject


def test_a_wrong_patient_number_never_tells_somebody_else(ground: Ground) -> None:
    """The number is Durand's; the traits are not."""
    with prepared():
        _record(ground, ground.other_patient.id, "IPP-9")
    _invite(ground, ipp="IPP-9")
    assert rows(Preadmission) == []
    assert _only().state == "waiting"


def test_somebody_unknown_gets_a_mail_with_a_code_and_nothing_of_the_stay(
    ground: Ground, work_jobs: Callable[[], None], app: Flask
) -> None:
    sent: list[tuple[str, str, str]] = []
    from portal import notifications

    carry = notifications.carry
    notifications.carry = lambda *told: sent.append(told)  # type: ignore[assignment]  # the mail server's place
    try:
        _invite(ground, email="patiente@exemple.test")
        work_jobs()
    finally:
        notifications.carry = carry
    ((to, subject, body),) = sent
    assert to == "patiente@exemple.test"
    for word in (ground.hospital.unit.name, ground.patient.birth_name, str(today() + timedelta(days=20)), "V-1001"):
        assert word not in subject + body
    assert _only().state == "sent"
    assert rows(Notification) == [], "the code is kept nowhere"


def test_the_code_opens_the_file_for_the_person_whom_the_hospital_expects(ground: Ground) -> None:
    invitation_id, _done = _invite(ground)
    code = _code(ground, invitation_id)
    file_id = _open(ground, f" {code.lower().replace('-', ' ')} ")
    (file,) = rows(Preadmission)
    assert (file.id, file.origin, file.patient_id) == (file_id, "invitation", ground.patient.id)
    assert file.account_id == ground.account.id
    assert _only().state == "opened"
    assert [each.to_state for each in rows(StayInvitationChange)] == ["waiting", "sent", "opened"]


def test_somebody_elses_code_opens_nothing_and_the_answer_is_the_same_as_for_no_code(ground: Ground) -> None:
    invitation_id, _done = _invite(ground)
    code = _code(ground, invitation_id)
    for typed in (code, "BBBB-CCCC-DDDD", "", "🦊"):
        with pytest.raises(CodeRefused) as refused, db.transaction(ground.as_other_patient):
            actions.open_(typed, db.session.merge(ground.other_patient, load=False))
        assert str(refused.value) == ""
    assert rows(Preadmission) == []


def test_a_code_serves_once_and_a_new_one_ends_the_former(ground: Ground) -> None:
    invitation_id, _done = _invite(ground)
    former, code = _code(ground, invitation_id), _code(ground, invitation_id)
    with pytest.raises(CodeRefused):
        _open(ground, former)
    _open(ground, code)
    with pytest.raises(CodeRefused):
        _open(ground, code)
    assert len(rows(Preadmission)) == 1


def test_a_withdrawn_or_too_old_code_opens_nothing(ground: Ground) -> None:
    invitation_id, _done = _invite(ground)
    code = _code(ground, invitation_id)
    with prepared():
        db.session.get_one(StayInvitation, invitation_id).expires_at = db.now() - timedelta(seconds=1)
    with pytest.raises(CodeRefused):
        _open(ground, code)
    code = _code(ground, invitation_id)
    with db.transaction(ground.as_clerk):
        actions.withdraw(db.session.get_one(StayInvitation, invitation_id))
    with pytest.raises(CodeRefused):
        _open(ground, code)


def test_whoever_had_begun_this_very_stay_is_not_asked_for_a_second_file(ground: Ground) -> None:
    _known_there(ground)
    with db.transaction(ground.as_patient):
        own = files.start(ground.patient.id, _stay(ground)).id
    _invite(ground, ipp="IPP-7")
    (file,) = rows(Preadmission)
    assert (file.id, _only().preadmission_id) == (own, own)


# -- what the hospital changes -------------------------------------------------------------------------------------


def test_one_visit_is_one_invitation_and_its_day_follows(ground: Ground, work_jobs: Callable[[], None]) -> None:
    _known_there(ground)
    assert _invite(ground, ipp="IPP-7")[1] == "made"
    assert _invite(ground, ipp="IPP-7")[1] == "same"
    assert _invite(ground, days=25, ipp="IPP-7")[1] == "moved"
    (file,) = rows(Preadmission)
    assert file.planned_on == _only().planned_on == today() + timedelta(days=25)
    assert "preadmission.moved" in audited()


def test_a_visit_that_somebody_prepares_is_not_moved_for_somebody_else(ground: Ground) -> None:
    _known_there(ground)
    _invite(ground, ipp="IPP-7")
    (file,) = rows(Preadmission)
    stranger = Expected("AUTRE", "PERSONNE", ground.patient.birth_on - timedelta(days=1), visit_number="V-1001")
    with pytest.raises(actions.VisitOfAnother), db.transaction(ground.as_clerk):
        actions.invite(_stay(ground, 40), stranger)
    assert [each.planned_on for each in rows(Preadmission)] == [file.planned_on]


def test_the_person_changes_neither_the_day_nor_the_unit_of_an_invitation(ground: Ground) -> None:
    _known_there(ground)
    _invite(ground, ipp="IPP-7")
    with db.transaction(ground.as_patient) as current, pytest.raises(NotEditable):
        files.change_stay(current.scalars(select(Preadmission)).one(), _stay(ground, 30))


def test_a_cancelled_stay_is_told_to_whoever_had_begun_the_file_and_may_be_planned_again(ground: Ground) -> None:
    _known_there(ground)
    invitation_id, _done = _invite(ground, ipp="IPP-7")
    told = len(rows(Notification))
    with db.transaction(ground.as_clerk):
        actions.cancel(db.session.get_one(StayInvitation, invitation_id))
    assert rows(Preadmission)[0].state == "cancelled_by_hospital"
    assert len(rows(Notification)) == told + 1
    assert _invite(ground, ipp="IPP-7")[1] == "made"
    assert sorted(each.state for each in rows(Preadmission)) == ["cancelled_by_hospital", "draft"]


def test_an_invitation_ends_with_the_day_of_the_stay(ground: Ground, app: Flask) -> None:
    invitation_id, _done = _invite(ground)
    with prepared():
        db.session.get_one(StayInvitation, invitation_id).planned_on = today() - timedelta(days=2)
    with app.app_context():
        expire_over.__wrapped__() if hasattr(expire_over, "__wrapped__") else expire_over()
    assert _only().state == "expired"


def test_the_past_and_a_closed_unit_are_refused(ground: Ground) -> None:
    with pytest.raises(StayInThePast):
        _invite(ground, days=-1)
    with pytest.raises(UnitNotOpen), db.transaction(ground.as_clerk):
        actions.invite(Stay(UUID(int=1), today(), "inpatient"), _expected(ground))


def test_what_is_forgotten_names_nobody_and_opens_nothing(ground: Ground) -> None:
    invitation_id, _done = _invite(ground, email="patiente@exemple.test")
    code = _code(ground, invitation_id)
    with prepared():
        actions.forget(db.session.get_one(StayInvitation, invitation_id))
    left = _only()
    assert (left.who, left.email, left.birth_on, left.digest) == ("", "", None, None)
    with pytest.raises(CodeRefused):
        _open(ground, code)


@given(st.text(max_size=30), st.text(max_size=30))
def test_two_codes_share_a_digest_only_when_they_are_typed_alike(one: str, other: str) -> None:
    def plain(typed: str) -> str:
        return "".join(sign for sign in typed.upper() if sign.isalnum())

    assert (actions.digests(one) == actions.digests(other)) == (plain(one) == plain(other))


def test_every_end_may_be_left_only_by_the_hospital() -> None:
    assert TRANSITIONS["cancelled"] == TRANSITIONS["withdrawn"] == {"waiting", "told"}
    assert all(target in TRANSITIONS for targets in TRANSITIONS.values() for target in targets)


# -- who sees what -------------------------------------------------------------------------------------------------


def test_an_invitation_is_seen_by_the_admissions_office_of_its_hospital_alone(ground: Ground) -> None:
    _invite(ground)
    wrong_right = people.as_agent(ground.clerk, ground.hospital.establishment.id, "appointments")
    for stranger in (ground.as_patient, ground.as_other_clerk, wrong_right, db.ANONYMOUS):
        with db.transaction(stranger) as current:
            assert current.scalars(select(StayInvitation)).all() == []
            assert current.scalars(select(StayInvitationChange)).all() == []
    with pytest.raises(DBAPIError), db.transaction(ground.as_patient):
        actions.invite(_stay(ground), _expected(ground, visit_number="V-2"))


# -- the page ------------------------------------------------------------------------------------------------------


def test_the_page_opens_the_file_and_says_the_same_to_everybody_else(
    ground: Ground, sign_in: Callable[[Account], PageClient]
) -> None:
    invitation_id, _done = _invite(ground)
    code = _code(ground, invitation_id)
    client = sign_in(ground.other_account)
    refused = client.post("/pre-admission/invitation", data={"code": code})
    nothing = client.post("/pre-admission/invitation", data={"code": "BBBB-CCCC-DDDD"})
    assert refused.status_code == nothing.status_code == 422
    assert _only().state == "sent"


def test_tries_are_counted(ground: Ground, sign_in: Callable[[Account], PageClient]) -> None:
    client = sign_in(ground.account)
    for _try in range(6):
        page = client.post("/pre-admission/invitation", data={"code": "BBBB-CCCC-DDDD"})
    assert "dix minutes" in page.text or "ten minutes" in page.text


# -- the file of stays ---------------------------------------------------------------------------------------------

HEADER = ";".join(stay_file.COLUMNS)


def _csv(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "stays.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def _line(ground: Ground, **more: str) -> str:
    cells = {
        "finess": ground.hospital.establishment.finess, "uf": ground.hospital.unit.uf, "visit_number": "V-1",
        "planned_on": (today() + timedelta(days=9)).isoformat(), "stay_kind": "day_case", "ipp": "",
        "birth_name": "MARTIN", "first_name": "Ana", "birth_on": "1980-02-29", "email": "", "cancelled": "", **more,
    }  # fmt: skip
    return ";".join(cells[name] for name in stay_file.COLUMNS)


def test_a_file_of_stays_is_taken_twice_without_doubling(ground: Ground, tmp_path: Path) -> None:
    path = _csv(tmp_path, _line(ground), _line(ground, visit_number="V-2"))
    assert importing.import_stays(path).counts == {"made": 2}
    assert importing.import_stays(path).counts == {"same": 2}
    cancelled = _csv(tmp_path, _line(ground, cancelled="1"), _line(ground, visit_number="V-9", cancelled="1"))
    assert importing.import_stays(cancelled).counts == {"cancelled": 1, "same": 1}
    assert sorted(each.state for each in rows(StayInvitation)) == ["cancelled", "waiting"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("uf", "9999"), ("planned_on", "12/03/2027"), ("planned_on", "2020-01-01"), ("birth_on", "1980-02-30"),
     ("stay_kind", "surgery"), ("birth_name", ""), ("visit_number", "a b"), ("email", "x"), ("cancelled", "oui"),
     ("first_name", "\x00")],
)  # fmt: skip
def test_a_wrong_line_is_refused_alone_and_its_reason_names_nobody(
    ground: Ground, tmp_path: Path, cell: str, value: str
) -> None:
    report = importing.import_stays(_csv(tmp_path, _line(ground, **{cell: value}), _line(ground, visit_number="V-2")))
    assert report.counts == {"refused": 1, "made": 1}
    assert "MARTIN" not in report.refusals[0].why + report.refusals[0].visit_number


def test_a_file_without_its_columns_is_refused_whole(ground: Ground, tmp_path: Path) -> None:
    with pytest.raises(NotSuchAFile):
        importing.import_stays(_csv(tmp_path, header="finess;uf"))


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stays.csv"
        path.write_bytes((HEADER + "\n" + text).encode("utf-8", "surrogatepass"))
        try:
            found = list(stay_file.read(path))
        except NotSuchAFile:
            return
        assert all(isinstance(each, stay_file.StayLine | stay_file.Refusal) for each in found)


def test_what_is_over_is_not_sent_again(ground: Ground) -> None:
    invitation_id, _done = _invite(ground)
    with db.transaction(ground.as_clerk):
        actions.withdraw(db.session.get_one(StayInvitation, invitation_id))
    with pytest.raises(InvitationOver):
        _code(ground, invitation_id)
