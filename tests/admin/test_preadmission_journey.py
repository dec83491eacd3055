"""A day of an agent: two hundred files, few gestures and few statements for each, nothing left and nothing doubled."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth.models import Account
from portal.db import session
from services.pieces.models import Piece, PiecePage
from services.pieces.states import change
from services.preadmission.models import Preadmission, PreadmissionChange
from tests.admin.admissions import TRAY, Office, office, readable
from tests.factories import people
from tests.factories import preadmission as factory
from tests.ground import prepared, rows, today
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
FILES = 200
A_PAGE = 50


@pytest.fixture
def desk(app: Flask) -> Office:
    return office()


def prepare(desk: Office, count: int = FILES) -> None:
    """Files with a card to judge, of people of many names; every tenth card is blurred, says its file name."""
    from portal import db

    with prepared():
        for number in range(count):
            person = people.patient(f"NOM{number:03d}")
            made = factory.preadmission(
                person, desk.hospital.unit, "submitted", planned_on=today() + timedelta(days=4 + number % 40),
                stay_kind="outpatient",
            )  # fmt: skip
            blurred = number % 10 == 0
            piece = factory.put(factory.pieces_of(made)["identity"], name="floue.png" if blurred else "carte.png")
            readable(piece.pages[0].file)
            others = select(Piece).where(Piece.folder_id == made.id, Piece.kind != "identity", Piece.needed)
            for other in session.scalars(others):
                session.add(change(other, "waived", db.current_actor()))


def cards() -> dict[UUID, tuple[UUID, bool]]:
    """File → its card, and whether it is blurred."""
    with prepared():
        found = session.execute(select(Piece).join(PiecePage).where(Piece.kind == "identity")).scalars().unique()
        return {each.folder_id: (each.id, each.pages[0].file.name == "floue.png") for each in found}


def test_two_hundred_files_are_answered_in_order_without_a_gesture_too_many(
    desk: Office, sign_in: SignIn, app: Flask
) -> None:
    prepare(desk)
    judged, agent, gestures, cost = cards(), sign_in(desk.clerk), Counter[str](), Counter[str]()

    def press(name: str, path: str, **data: str) -> str:
        gestures[name] += 1
        with executed(app) as seen:
            answer = agent.post(path, data=data)
        cost[name] = max(cost[name], len(seen))
        assert answer.status_code == 303, (name, answer.status_code)
        return str(answer.location)

    order: list[UUID] = []
    where, current = press("next", f"{TRAY}/suivant"), ""
    while where != TRAY:
        current = where.removeprefix(f"{TRAY}/")
        order.append(UUID(current))
        card, blurred = judged[UUID(current)]
        if blurred:
            press("refuse", f"{where}/pieces/{card}/refuser", **{"refuse-reason": "unreadable"})
            by = today() + timedelta(days=3)
            parts = {f"complete_by-{part}": str(getattr(by, part)) for part in ("day", "month", "year")}
            press("ask", f"{where}/demander", message="", **parts)
        else:
            press("accept", f"{where}/pieces/{card}/accepter")
            press("validate", f"{where}/valider")
        where = press("next", f"{TRAY}/suivant", depuis=current)

    assert len(order) == len(set(order)) == FILES
    assert Counter(each.state for each in rows(Preadmission)) == {"validated": 180, "to_complete": 20}
    entered = Counter((each.preadmission_id, each.to_state) for each in rows(PreadmissionChange))
    assert set(entered.values()) == {1}, "each file entered each state once"
    assert sum(gestures.values()) / FILES <= 3.01
    assert max(cost.values()) <= 32, cost


def test_files_that_are_all_judged_are_accepted_by_fifties(desk: Office, sign_in: SignIn) -> None:
    prepare(desk, 60)
    with prepared():
        session.execute(update(Piece).where(Piece.kind == "identity").values(state="accepted"))
    agent = sign_in(desk.clerk)
    chosen = [str(each.id) for each in rows(Preadmission)]
    for first in range(0, len(chosen), A_PAGE):
        page = agent.post(f"{TRAY}/lot", data={"gesture": "validate", "files": chosen[first : first + A_PAGE]})
        assert page.status_code == 200
    assert {each.state for each in rows(Preadmission)} == {"validated"}
    assert agent.post(f"{TRAY}/lot", data={"gesture": "validate", "files": chosen}).status_code == 413
