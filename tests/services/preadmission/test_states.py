"""A file and a piece only ever move as their tables say, and each move leaves a row that nobody can alter."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.exc import ProgrammingError

from portal import db
from portal.db import Actor
from services.pieces import states as piece_states
from services.pieces.models import STATES as PIECE_STATES
from services.pieces.models import Piece, PieceChange
from services.preadmission import actions, queries, states
from services.preadmission.actions import Incomplete, NotEditable, NothingToAskAgain, PiecesNotSettled
from services.preadmission.models import STATES, Preadmission, PreadmissionChange, new_reference
from services.preadmission.states import TransitionRefused
from tests.factories import preadmission as factory
from tests.ground import today
from tests.services.preadmission.conftest import Ground

SOMEBODY = Actor("staff", "Somebody")


def test_every_state_is_in_the_table_and_named() -> None:
    assert set(states.TRANSITIONS) == {"", *STATES}
    assert set(states.EVENTS) == set(STATES)
    assert set(piece_states.TRANSITIONS) == set(PIECE_STATES)


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_a_file_moves_only_as_the_table_says_and_every_move_is_a_row(wanted: list[str]) -> None:
    file, rows = Preadmission(state=""), []
    for to_state in ["draft", *wanted]:
        before = file.state
        try:
            rows.append(states.change(file, to_state, SOMEBODY, "because"))
        except TransitionRefused:
            assert to_state not in states.TRANSITIONS[before]
            assert file.state == before
        else:
            assert to_state in states.TRANSITIONS[before]
    assert [row.from_state for row in rows] == ["", *(row.to_state for row in rows[:-1])]
    assert rows[-1].to_state == file.state
    assert {(row.actor, row.actor_name, row.reason) for row in rows} == {("staff", "Somebody", "because")}


@given(st.lists(st.sampled_from(PIECE_STATES), max_size=12))
def test_a_piece_moves_only_as_the_table_says(wanted: list[str]) -> None:
    piece, rows = Piece(state="awaited"), []
    for to_state in wanted:
        before = piece.state
        try:
            rows.append(piece_states.change(piece, to_state, SOMEBODY))
        except piece_states.PieceTransitionRefused:
            assert to_state not in piece_states.TRANSITIONS[before]
        else:
            assert to_state in piece_states.TRANSITIONS[before]
    assert [row.to_state for row in rows][-1:] == ([piece.state] if rows else [])


GESTURES = ("take", "ask_again", "validate", "refuse", "cancel", "submit", "lapse", "refuse piece", "accept piece",
            "waive piece", "deposit")  # fmt: skip


def gesture(name: str, file: Preadmission) -> None:
    """One thing somebody does; facts are raised when it is not possible."""
    piece = factory.pieces_of(file)["identity"]
    match name:
        case "take" | "validate" | "cancel" | "submit" | "lapse":
            getattr(actions, name)(file)
        case "ask_again":
            actions.ask_again(file, date(2027, 1, 1))
        case "refuse":
            actions.refuse(file, "because")
        case "refuse piece":
            actions.refuse_piece(file, piece, "unreadable")
        case "accept piece":
            actions.accept_piece(file, piece)
        case "waive piece":
            actions.waive_piece(file, piece)
        case "deposit":
            actions.add_pages(file, piece, [factory.stored().id])
            actions.deposit_piece(file, piece)


FACTS = (TransitionRefused, piece_states.PieceTransitionRefused, NotEditable, Incomplete, NothingToAskAgain,
         PiecesNotSettled, actions.StayInThePast, actions.UnitNotOpen, factory.files.FileNotReadable)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(GESTURES), min_size=1, max_size=8))
def test_whatever_is_done_in_whatever_order_the_rows_tell_the_whole_story(
    app: Flask, ground: Ground, done: list[str]
) -> None:
    """Real actions on the real base: the chain of rows is whole, legal, and ends where the file is."""
    with app.app_context(), db.transaction(db.system("tests")) as current:
        file = factory.preadmission(ground.patient, ground.hospital.unit, complete=True)
        for name in done:
            try:
                with current.begin_nested():
                    gesture(name, file)
            except FACTS:
                pass
        story = list(reversed(queries.history(file.id)))
        assert [row.from_state for row in story] == ["", *(row.to_state for row in story[:-1])]
        assert all(row.to_state in states.TRANSITIONS[row.from_state] for row in story)
        assert story[-1].to_state == file.state
        for piece in factory.pieces_of(file).values():
            moves = select(PieceChange).where(PieceChange.piece_id == piece.id).order_by(PieceChange.at)
            chain = ["awaited", *(row.to_state for row in current.scalars(moves))]
            assert chain[-1] == piece.state


@pytest.mark.parametrize("model", [PreadmissionChange, PieceChange])
def test_nobody_alters_what_happened(ground: Ground, model: type[PreadmissionChange] | type[PieceChange]) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "submitted")
        factory.put(factory.pieces_of(file)["identity"])
    for statement in (update(model).values(reason="other"), delete(model)):
        with pytest.raises(ProgrammingError, match="permission denied"), db.transaction(db.system("tests")) as current:
            current.execute(statement)


def test_a_file_is_not_sent_before_it_is_whole(ground: Ground) -> None:
    with db.transaction(ground.as_patient):
        file = actions.start(ground.patient.id, stay_of(ground))
        with pytest.raises(Incomplete) as missing:
            actions.submit(file)
    assert missing.value.missing == {"situation", "identity", "doctor", "coverage", "relative", "choices", "pieces"}


def test_a_file_is_not_accepted_with_an_undecided_document(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "in_review")
        factory.put(factory.pieces_of(file)["identity"], "accepted")
        factory.put(factory.pieces_of(file)["health_card"])
    with db.transaction(ground.as_clerk), pytest.raises(PiecesNotSettled):
        actions.validate(queries.one_at(frozenset({ground.hospital.establishment.id}), file.id))


def test_two_agents_at_once_give_one_answer(ground: Ground) -> None:
    """Each gesture locks the file: the second agent finds it settled, and two patients' messages are never sent."""
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "in_review")
        factory.settle(file)
    here, ready = frozenset({ground.hospital.establishment.id}), Barrier(2)

    def answer(gesture: Callable[[Preadmission], None]) -> str:
        try:
            with db.transaction(ground.as_clerk):
                found = queries.one_at(here, file.id)
                ready.wait(timeout=10)
                gesture(found)
        except TransitionRefused:
            return "too late"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(answer, [lambda found: actions.refuse(found, "because")] * 2)
    assert sorted(answers) == ["done", "too late"]
    with db.transaction(db.system("tests")):
        assert [row.to_state for row in queries.history(file.id)].count("in_review") == 1


def test_a_file_whose_stay_is_over_lapses(app: Flask, ground: Ground) -> None:
    from services.preadmission import jobs

    yesterday = today() - timedelta(days=2)
    with db.transaction(db.system("tests")):
        late = factory.preadmission(ground.patient, ground.hospital.unit, "submitted", planned_on=yesterday)
        settled = factory.preadmission(ground.patient, ground.hospital.unit, "validated", planned_on=yesterday)
        coming = factory.preadmission(ground.patient, ground.hospital.unit, "submitted")
    jobs.lapse_overdue()
    jobs.lapse_overdue()
    with db.transaction(db.system("tests")) as current:
        found = {file.id: file.state for file in current.scalars(select(Preadmission))}
    assert found == {late.id: "lapsed", settled.id: "validated", coming.id: "submitted"}


def test_references_are_read_aloud_without_mistake() -> None:
    signs = set("".join(new_reference() for _ in range(500)))
    assert not signs & set("AEIOUY01")


def test_a_deadline_is_five_days_away_but_never_after_the_eve_of_the_stay() -> None:
    today = date(2026, 11, 20)
    for in_days, wanted in ((30, 5), (4, 3), (1, 0), (0, 0)):
        file = Preadmission(planned_on=today + timedelta(days=in_days))
        assert states.usual_deadline(file, today) == today + timedelta(days=wanted)


def stay_of(ground: Ground) -> actions.Stay:
    return actions.Stay(ground.hospital.unit.id, today() + timedelta(days=10), "outpatient")
