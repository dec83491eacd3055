"""What is kept ends: on its day, with a proof, never under a legal hold, and the bytes are really gone."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from portal import db, files, retention
from portal.files import StoredFile
from portal.notifications import Notification
from portal.retention import AlreadyHeld, LegalHold, LegalHoldLift, NotALife, NotHeld, RetentionProof
from services.pieces import actions as piece_actions
from services.pieces.models import Piece
from services.preadmission import queries
from services.preadmission.models import Preadmission, PreadmissionChange, StepAnswers
from services.preadmission.office.models import OfficeLine
from tests.factories import people
from tests.factories.preadmission import pieces_of, preadmission, put, stored
from tests.ground import audited, prepared, rows, today
from tests.services.preadmission.conftest import Ground

NOW = db.now
RULES = {
    "preadmission_draft": ("draft", 30),
    "preadmission_file": ("closed", 365),
    "preadmission_ended": ("refused", 182),
}


def _file(ground: Ground, state: str, days_ago: int, **more: object) -> UUID:
    """A file in this state, whose stay and last change were so many days ago."""
    with prepared():
        made = preadmission(
            ground.patient, ground.hospital.unit, state, planned_on=today() - timedelta(days=days_ago),
            days_ago=days_ago + 1, **more,  # type: ignore[arg-type]  # keywords of the factory
        )  # fmt: skip
        made.changed_at = db.now() - timedelta(days=days_ago, hours=1)
        return made.id


def _run() -> dict[str, int]:
    return {each.rule.code: each.erased for each in retention.run(db.now()) if each.erased}


def _one(file_id: UUID) -> Preadmission:
    return next(each for each in rows(Preadmission) if each.id == file_id)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_thing_goes_on_its_day_and_not_before(ground: Ground, rule: str) -> None:
    state, days = RULES[rule]
    kept, gone = _file(ground, state, days - 2), _file(ground, state, days + 2)
    assert _run() == {rule: 1}
    assert _one(kept).state == state
    assert _one(gone).state == "purged"
    assert _run() == {}, "a second run erases nothing"


def test_a_purged_file_holds_nothing_any_more_and_still_says_what_happened(ground: Ground) -> None:
    gone = _file(ground, "refused", 200)
    _run()
    assert [each for each in rows(StepAnswers) if each.preadmission_id == gone] == []
    assert {each.state for each in rows(Piece) if each.folder_id == gone} == {"purged"}
    left = _one(gone)
    assert (left.nir_digest, left.decision_reason, left.agent_name) == (None, "", "")
    told = [each for each in rows(PreadmissionChange) if each.preadmission_id == gone]
    assert max(told, key=lambda change: change.at).to_state == "purged"
    assert "preadmission.purged" in audited()


def test_a_draft_that_somebody_works_on_is_not_deleted(ground: Ground) -> None:
    file_id = _file(ground, "draft", 40)
    with prepared():
        db.session.get_one(Preadmission, file_id).changed_at = db.now()
    assert _run() == {}


def test_scans_of_identity_go_a_month_after_the_registration_long_before_the_rest(
    ground: Ground, work_jobs: Callable[[], None]
) -> None:
    with prepared():
        made = preadmission(
            ground.patient, ground.hospital.unit, "integrated", planned_on=today() + timedelta(days=3), days_ago=40
        )
        scan, card = put(pieces_of(made)["identity"]), put(pieces_of(made)["health_card"])
        keys = {piece.kind: piece.pages[0].file.storage_key for piece in (scan, card)}
    assert _run() == {"preadmission_identity": 1}
    work_jobs()
    states = {each.kind: each.state for each in rows(Piece)}
    assert (states["identity"], states["health_card"]) == ("purged", "deposited")
    assert not files.is_stored(keys["identity"]), "the bytes are gone from the storage"
    assert files.is_stored(keys["health_card"])


def test_other_documents_go_a_year_after_the_stay(ground: Ground, work_jobs: Callable[[], None]) -> None:
    with prepared():
        made = preadmission(
            ground.patient, ground.hospital.unit, "closed", planned_on=today() - timedelta(days=400), days_ago=410
        )
        put(pieces_of(made)["health_card"])
    assert _run()["preadmission_piece"] == 1
    work_jobs()
    assert rows(StoredFile) == []


def test_a_minor_has_a_rule_of_their_own(ground: Ground) -> None:
    with prepared():
        retention.change_life(retention.rule("preadmission_minor"), ground.hospital.establishment.id, 1000)
        child = people.patient(birth_on=today() - timedelta(days=365 * 10))
        made = preadmission(
            child, ground.hospital.unit, "closed", planned_on=today() - timedelta(days=400), days_ago=410
        ).id
    assert _run() == {}
    with prepared():
        retention.change_life(retention.rule("preadmission_minor"), ground.hospital.establishment.id, 365)
    assert _run() == {"preadmission_minor": 1}
    assert _one(made).state == "purged"


def test_each_hospital_has_its_own_days(ground: Ground) -> None:
    here = _file(ground, "refused", 100)
    with prepared():
        retention.change_life(retention.rule("preadmission_ended"), ground.other_hospital.establishment.id, 30)
        there = preadmission(ground.other_patient, ground.other_hospital.unit, "refused", days_ago=101)
        there.changed_at = db.now() - timedelta(days=100)
        there_id = there.id
    _run()
    assert (_one(here).state, _one(there_id).state) == ("refused", "purged")


@pytest.mark.parametrize("days", [0, -1, 731, 10**9])
def test_a_life_out_of_bounds_is_refused(ground: Ground, days: int) -> None:
    with prepared(), pytest.raises(NotALife):
        retention.change_life(retention.rule("preadmission_ended"), ground.hospital.establishment.id, days)


# -- proofs --------------------------------------------------------------------------------------------------------


def test_every_batch_leaves_a_proof_that_names_nobody(ground: Ground) -> None:
    gone = _file(ground, "refused", 200)
    _run()
    (proof,) = rows(RetentionProof)
    assert (proof.rule, proof.erased, proof.held, proof.failed) == ("preadmission_ended", 1, 0, 0)
    assert proof.digest == retention.digest([gone])
    told = {column.name for column in RetentionProof.__table__.columns}
    assert not told & {"patient_id", "account_id", "name", "label"}


@pytest.mark.parametrize("table", ["retention_proof", "legal_hold", "legal_hold_lift"])
@pytest.mark.parametrize("statement", ["update {} set id = id", "delete from {}"])
def test_no_proof_and_no_hold_is_ever_altered(app: Flask, ground: Ground, table: str, statement: str) -> None:
    from sqlalchemy import text

    with pytest.raises(DBAPIError), prepared():
        db.session.execute(text(statement.format(table)))


def test_a_dry_run_says_what_would_go_and_touches_nothing(ground: Ground) -> None:
    gone = _file(ground, "refused", 200)
    with prepared():
        seen = {each.rule.code: each.due for each in retention.look(db.now(), [ground.hospital.establishment.id])}
    assert seen["preadmission_ended"] == 1
    assert _one(gone).state == "refused"
    assert rows(RetentionProof) == []


@given(st.lists(st.uuids(), unique=True))
def test_a_digest_does_not_depend_on_the_order(ids: list[UUID]) -> None:
    assert retention.digest(ids) == retention.digest(list(reversed(ids)))


def test_one_that_resists_does_not_keep_the_others(ground: Ground) -> None:
    first, second = uuid4(), uuid4()
    left = {first, second}

    def purge(thing: UUID, _before: object) -> bool:
        if thing == first:
            raise RuntimeError("the storage is away")
        left.discard(thing)
        return True

    rule = retention.Rule(
        "tested", "", "", 1, lambda _place, _before, _limit: [retention.Due(each) for each in sorted(left)], purge,
        of_portal=True,
    )  # fmt: skip
    from portal.retention import registry

    registry._rules["tested"] = rule
    try:
        done = next(each for each in retention.run(db.now()) if each.rule is rule)
    finally:
        del registry._rules["tested"]
    assert left == {first}
    assert done.erased == 1
    assert done.failed >= 1
    proof = rows(RetentionProof)[0]
    assert (proof.erased, proof.failed) == (1, 1)


def test_what_the_storage_still_has_is_asked_again_and_told(ground: Ground, work_jobs: Callable[[], None]) -> None:
    with prepared():
        made = preadmission(ground.patient, ground.hospital.unit, "draft")
        stored = put(pieces_of(made)["health_card"]).pages[0].file
        key, stored.state = stored.storage_key, "erased"
        db.session.flush()
        assert retention.not_erased_yet() == 1
        db.session.execute(select(1))
        for page in list(pieces_of(made)["health_card"].pages):
            db.session.delete(page)
    with prepared():
        assert retention.ask_storage_again() == 1
    work_jobs()
    assert not files.is_stored(key)
    assert [(each.rule, each.failed) for each in rows(RetentionProof)] == [(retention.STORAGE, 1)]
    with prepared():
        assert retention.not_erased_yet() == 0


# -- legal holds ---------------------------------------------------------------------------------------------------


def _hold(ground: Ground, file_id: UUID, subject: UUID | None = None) -> UUID:
    admin = people.as_agent(ground.clerk, ground.hospital.establishment.id, "administration")
    with db.transaction(admin):
        return retention.hold(
            subject or file_id, establishment_id=ground.hospital.establishment.id, object_kind="preadmission",
            patient_id=ground.patient.id, label="KT7P-3XBN", reason="Réclamation du 3 mars",
        ).id  # fmt: skip


@pytest.mark.parametrize("of_patient", [False, True])
def test_nothing_is_erased_under_a_legal_hold(ground: Ground, of_patient: bool) -> None:
    kept, gone = _file(ground, "refused", 200), _file(ground, "refused", 201)
    hold_id = _hold(ground, kept, ground.patient.id if of_patient else None)
    assert _run() == ({} if of_patient else {"preadmission_ended": 1})
    assert _one(kept).state == "refused"
    assert _one(gone).state == ("refused" if of_patient else "purged")
    admin = people.as_agent(ground.clerk, ground.hospital.establishment.id, "administration")
    with db.transaction(admin):
        retention.lift(db.session.get_one(LegalHold, hold_id), "Réclamation close")
    _run()
    assert _one(kept).state == "purged"
    assert audited().count("legal_hold.set") == audited().count("legal_hold.lifted") == 1


def test_a_hold_keeps_the_pieces_of_its_file_too(ground: Ground) -> None:
    with prepared():
        made = preadmission(
            ground.patient, ground.hospital.unit, "integrated", planned_on=today() + timedelta(days=3), days_ago=40
        )
        put(pieces_of(made)["identity"])
        file_id = made.id
    _hold(ground, file_id)
    assert _run() == {}


def test_a_page_that_the_patient_takes_away_is_kept_while_a_hold_stands(
    ground: Ground, work_jobs: Callable[[], None]
) -> None:
    with prepared():
        made = preadmission(ground.patient, ground.hospital.unit, "draft")
        page = put(pieces_of(made)["health_card"]).pages[0]
        key, file_id = page.file.storage_key, made.id
    hold_id = _hold(ground, file_id)
    with prepared():
        piece_actions.remove_page(pieces_of(_one(file_id))["health_card"].pages[0])
    work_jobs()
    assert files.is_stored(key)
    admin = people.as_agent(ground.clerk, ground.hospital.establishment.id, "administration")
    with db.transaction(admin):
        retention.lift(db.session.get_one(LegalHold, hold_id), "Réclamation close")
    with prepared():
        db.session.execute(text("update procrastinate_jobs set scheduled_at = now() where status = 'todo'"))
    work_jobs()
    assert not files.is_stored(key)


def test_a_subject_is_held_once_and_let_go_once(ground: Ground) -> None:
    file_id = _file(ground, "refused", 10)
    hold_id = _hold(ground, file_id)
    with pytest.raises(AlreadyHeld):
        _hold(ground, file_id)
    with prepared():
        retention.lift(db.session.get_one(LegalHold, hold_id), "close")
    with pytest.raises(NotHeld), prepared():
        retention.lift(db.session.get_one(LegalHold, hold_id), "close")


def test_only_administrators_of_the_hospital_hold_and_nobody_else_sees_it(ground: Ground) -> None:
    file_id = _file(ground, "refused", 10)
    _hold(ground, file_id)
    for stranger in (ground.as_patient, ground.as_other_patient, ground.as_other_clerk, db.ANONYMOUS):
        with db.transaction(stranger) as current:
            assert current.scalars(select(LegalHold)).all() == []
            assert current.scalars(select(LegalHoldLift)).all() == []
            assert current.scalars(select(RetentionProof)).all() == []
    with db.transaction(ground.as_clerk) as current:
        assert len(current.scalars(select(LegalHold)).all()) == 1, "visible on the file"
    with pytest.raises(DBAPIError), db.transaction(ground.as_clerk):
        retention.hold(
            uuid4(), establishment_id=ground.hospital.establishment.id, object_kind="preadmission",
            patient_id=ground.patient.id, label="x", reason="x",
        )  # fmt: skip


def test_a_day_long_gone_is_not_needed_to_know_what_is_kept(ground: Ground) -> None:
    """The patient is told until when a draft is kept."""
    from services.preadmission.retention import draft_goes_on, is_near_its_end

    file_id = _file(ground, "draft", 20)
    with db.transaction(ground.as_patient):
        file = queries.one_of_patient(ground.patient.id, file_id)
        assert file is not None
        goes_on = draft_goes_on(file)
        assert isinstance(goes_on, date)
        assert goes_on in (today() + timedelta(days=9), today() + timedelta(days=10))
        assert is_near_its_end(file, db.now())


def test_what_agents_noted_goes_with_the_file(ground: Ground) -> None:
    gone = _file(ground, "refused", 200)
    with prepared():
        db.session.add(
            OfficeLine(
                preadmission_id=gone,
                establishment_id=ground.hospital.establishment.id,
                kind="note",
                body="Rappeler la fille",
                actor="staff:x",
            )
        )
    _run()
    assert rows(OfficeLine) == []


def test_the_words_of_a_message_go_a_month_after_it_left(ground: Ground) -> None:
    with prepared():
        for days in (29, 31):
            db.session.add(
                Notification(
                    recipient="patiente@exemple.test",
                    subject="x",
                    body="un lien",
                    created_at=db.now() - timedelta(days=days),
                )
            )
    assert _run() == {"message_words": 1}
    assert sorted(each.body for each in rows(Notification)) == ["", "un lien"]


def test_an_upload_that_resisted_the_hourly_sweep_is_erased_with_its_proof(
    ground: Ground, work_jobs: Callable[[], None]
) -> None:
    with db.transaction(ground.as_patient):
        kept = stored().id
    with prepared():
        db.session.get_one(StoredFile, kept).created_at = db.now() - timedelta(days=3)
    assert _run() == {"unattached_file": 1}
    work_jobs()
    assert rows(StoredFile) == []


def test_every_rule_says_what_why_and_within_which_bounds(app: Flask) -> None:
    for rule in retention.rules():
        assert str(rule.title)
        assert str(rule.why)
        assert rule.least <= rule.days <= rule.most, rule.code
    assert {"questionnaire", "preadmission_identity", "message_words"} <= {rule.code for rule in retention.rules()}
