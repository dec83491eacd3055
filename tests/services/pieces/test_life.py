"""The life of a piece against a model of it: whatever is done, in whatever order, it is where the model says."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import uuid4

from flask import Flask
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from portal import db
from portal.db import session
from portal.files import FileNotReadable, StoredFile
from services.pieces import actions, states
from services.pieces.actions import NoPage, TooManyFiles
from services.pieces.models import KINDS, STATES, Piece, PieceChange
from services.pieces.states import DEPOSITABLE, TRANSITIONS, PieceTransitionRefused
from tests.services.pieces.conftest import Ground, photo, piece_of, stored

FACTS = (NoPage, TooManyFiles, PieceTransitionRefused, FileNotReadable)
COLOURS = ("white", "red", "green", "blue", "black", "yellow")
ON_THE_WAY = ("scanning", "deposited", "infected")


def test_every_state_is_in_the_table_and_only_the_erased_one_is_an_end() -> None:
    assert set(TRANSITIONS) == set(STATES)
    assert [state for state, following in TRANSITIONS.items() if not following] == ["purged"]
    assert all("purged" in following for state, following in TRANSITIONS.items() if state != "purged")
    assert set(STATES) - DEPOSITABLE == {"accepted", "withdrawn", "purged"}


def test_every_state_can_be_reached() -> None:
    reached, edge = {"awaited"}, {"awaited"}
    while edge := set().union(*(TRANSITIONS[state] for state in edge)) - reached:
        reached |= edge
    assert reached == set(STATES)


class Life(RuleBasedStateMachine):
    """One piece. The model: its state, and for each page its colour and what the antivirus said of it."""

    ground: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        db.open_unit(self._declare, None)
        self.folder_id = uuid4()
        self._require({"identity": True})
        self.piece = piece_of(self.folder_id, "identity")
        self.state, self.former, self.pages = "awaited", "awaited", {}  # colour → verdict

    @staticmethod
    def _declare(connection: Any) -> db.Actor:
        db.declare(connection, db.system("tests"))
        return db.system("tests")

    def teardown(self) -> None:
        db.close_unit(commit=False)

    def _require(self, asked: dict[str, bool]) -> None:
        actions.require(self.folder_id, self.ground.here.establishment.id, self.ground.patient.id, asked)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            with session.begin_nested():
                act()
        except FACTS:
            pass

    def _verdict(self) -> str:
        if not self.pages:
            return "awaited"
        verdicts = set(self.pages.values())
        return "infected" if "infected" in verdicts else "scanning" if "waiting" in verdicts else "deposited"

    def _follow(self) -> None:
        if self.state in ON_THE_WAY:
            self.state = self._verdict()

    def _page(self, which: int) -> Any:
        return self.piece.pages[which % len(self.piece.pages)] if self.piece.pages else None

    @rule(colour=st.sampled_from(COLOURS), scanned=st.booleans())
    def add(self, colour: str, scanned: bool) -> None:
        file_id = stored(photo(colour), f"{colour}.png").id
        if not scanned:
            session.get_one(StoredFile, file_id).state = "waiting"
        self._try(lambda: actions.add_page(self.piece, file_id))
        if self.state in DEPOSITABLE and colour not in self.pages and len(self.pages) < KINDS["identity"].most_pages:
            self.pages[colour] = "clean" if scanned else "waiting"
            self._follow()

    @rule(which=st.integers(0, 5))
    def remove(self, which: int) -> None:
        if (page := self._page(which)) is None:
            return
        colour = page.file.name.removesuffix(".png")
        self._try(lambda: actions.remove_page(page))
        if self.state in DEPOSITABLE:
            del self.pages[colour]
            self._follow()

    @rule(which=st.integers(0, 5), place=st.integers(-1, 9), turn=st.integers(-2, 5))
    def arrange(self, which: int, place: int, turn: int) -> None:
        if page := self._page(which):
            self._try(lambda: actions.move_page(page, place))
            actions.turn_page(page, turn * 90)
            assert page.rotation == turn * 90 % 360

    @rule()
    def deposit(self) -> None:
        self._try(lambda: actions.deposit(self.piece))
        if self.state in DEPOSITABLE and self._verdict() in ("scanning", "deposited"):
            self.state = self._verdict()

    @rule()
    def accept(self) -> None:
        self._try(lambda: actions.accept(self.piece))
        if set(self.pages.values()) == {"clean"}:
            self._move("accepted")

    @rule(reason=st.sampled_from(states.REFUSAL_REASONS))
    def refuse(self, reason: str) -> None:
        self._try(lambda: actions.refuse(self.piece, reason, "a word"))
        self._move("refused")

    @rule(gesture=st.sampled_from(("waive", "expire")))
    def decide(self, gesture: str) -> None:
        self._try(lambda: getattr(actions, gesture)(self.piece))
        self._move({"waive": "waived", "expire": "expired"}[gesture])

    @rule()
    def withdraw(self) -> None:
        self._require({})
        if self.state not in ("withdrawn", "purged"):
            self.former, self.state = self.state, "withdrawn"

    @rule()
    def ask_again(self) -> None:
        self._require({"identity": False})
        if self.state == "withdrawn":
            self.state = self._verdict() if self.former in ON_THE_WAY else self.former

    @rule(verdict=st.sampled_from(("clean", "infected")))
    def scanner_judges(self, verdict: str) -> None:
        for page in self.piece.pages:
            if page.file.state == "waiting":
                page.file.state = verdict
        self.pages = {colour: verdict if was == "waiting" else was for colour, was in self.pages.items()}
        actions.conclude_scan(self.piece)
        if self.state == "scanning":
            self.state = self._verdict()

    @rule(sure=st.integers(0, 9))
    def purge(self, sure: int) -> None:
        if sure == 0 and self.state != "purged":
            actions.purge(self.piece, "the end")
            self.state, self.pages = "purged", {}

    def _move(self, to_state: str) -> None:
        if to_state in TRANSITIONS[self.state]:
            self.state = to_state

    @invariant()
    def it_is_where_the_model_says(self) -> None:
        session.flush()
        session.refresh(self.piece)
        assert self.piece.state == self.state
        assert sorted(page.file.name for page in self.piece.pages) == sorted(f"{name}.png" for name in self.pages)
        assert [page.position for page in self.piece.pages] == list(range(1, len(self.pages) + 1))
        assert bool(self.piece.refusal_reason) <= (self.state == "refused")

    @invariant()
    def its_rows_tell_the_whole_story(self) -> None:
        moves = select(PieceChange).where(PieceChange.piece_id == self.piece.id).order_by(PieceChange.at)
        story = session.scalars(moves).all()
        assert [row.from_state for row in story] == ["awaited", *(row.to_state for row in story)][: len(story)]
        assert all(row.to_state in TRANSITIONS[row.from_state] for row in story)
        assert (story[-1].to_state if story else "awaited") == self.state


def test_whatever_is_done_the_piece_is_where_the_model_says(app: Flask, ground: Ground) -> None:
    Life.ground = ground
    with app.app_context():
        run_state_machine_as_test(Life, settings=settings(max_examples=10, stateful_step_count=18, deadline=None))
        assert isinstance(Life.ground, Ground)
    with db.transaction(db.system("tests")) as current:
        assert current.scalars(select(Piece)).all() == [], "each life was rolled back"
