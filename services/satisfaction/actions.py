"""To say what one thinks of a service, and to screen what was written before anybody else reads it."""

from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import insert

from portal import audit, db, kpi
from portal.db import session
from portal.establishments import Establishment
from services.satisfaction import asking, choices, screening
from services.satisfaction.asking import Shown
from services.satisfaction.models import Opinion, OpinionComment, OpinionTurn

LONGEST: Final = 1000
"""Characters of a comment."""
SATISFIED: Final = 4
REASONS: Final = ("health", "somebody", "insult", "nothing")


class NotAsked(Exception):
    """Nobody was asked that, or too long ago."""


class AlreadySaid(Exception):
    """The answer was given; it is given once."""


class NotTheirWords(Exception):
    """What would be published is not what the person wrote, with passages left out."""


class AlreadyDecided(Exception):
    """Somebody screened this comment meanwhile."""


def show(*, marking: bool = True) -> Shown | None:
    """The question to show to whoever acts, if any. marking: False when nothing may be written."""
    found = asking.show(marking=marking)
    if found and found.is_first and marking:
        kpi.count("opinion_asked", establishment_id=found.establishment_id, dimension=found.service)
    return found


def answer(turn_id: UUID, score: int, comment: str = "") -> None:
    """Say what one thinks, once. score: 1 to 5. Raises NotAsked, AlreadySaid.

    Who answers is written nowhere: neither beside the answer nor in the audit. Nor is the moment: of the turn, the
    event and the comment only the day is kept, so that none of them leads to another.
    """
    turn = asking.turn(turn_id)
    if turn is None:
        raise NotAsked
    session.refresh(turn, with_for_update={"key_share": True})
    if turn.answered_at is not None:
        raise AlreadySaid
    place = session.get_one(Establishment, turn.establishment_id)
    turn.answered_at = began_at = choices.began_at(place)
    session.flush()
    _keep(turn, place, score, comment.strip()[:LONGEST])
    for event in ("opinion_given", *(["opinion_satisfied"] if score >= SATISFIED else [])):
        kpi.count(event, establishment_id=place.id, dimension=turn.service, quantity=score, at=began_at)


def _keep(turn: OpinionTurn, place: Establishment, score: int, comment: str) -> None:
    opinion_id, given_on = uuid4(), choices.today(place)
    kept = {
        "id": opinion_id, "establishment_id": place.id, "service": turn.service, "score": score, "given_on": given_on,
        "audience": db.current_actor().kind, "words": "",
    }  # fmt: skip
    # Whoever answers may not read answers: nothing is asked back (RETURNING).
    session.execute(insert(Opinion).inline().values(kept))
    if comment:
        session.execute(
            insert(OpinionComment).inline().values(
                opinion_id=opinion_id, establishment_id=place.id, text=comment, flags=screening.flags(comment),
                received_at=choices.began_at(place), due_on=choices.due_on(place), decision="", reason="",
                decided_by_name="",
            )
        )  # fmt: skip


def open_comment(comment: OpinionComment) -> None:
    """An agent reads a comment as it was typed."""
    _record("opened", comment)


def publish(comment: OpinionComment, words: str) -> None:
    """Let the agents of the service read it; what was typed is erased at once. words: the person's own, gaps in the
    place of what is left out.

    Raises AlreadyDecided, NotTheirWords.
    """
    _hold(comment)
    if not screening.is_cut_from(comment.text, words):
        raise NotTheirWords
    comment.opinion.words, comment.opinion.published_at, comment.text = words.strip(), db.now(), ""
    _decide(comment, "published")


def remove(comment: OpinionComment, reason: str) -> None:
    """Nobody reads it, and what was typed is erased at once. reason: of REASONS. Raises AlreadyDecided."""
    _hold(comment)
    comment.text, comment.reason = "", reason
    _decide(comment, "removed", reason)


def _hold(comment: OpinionComment) -> None:
    session.refresh(comment, with_for_update={"key_share": True, "of": OpinionComment})
    if comment.decision:
        raise AlreadyDecided


def _decide(comment: OpinionComment, decision: str, reason: str = "") -> None:
    comment.decision, comment.decided_at = decision, db.now()
    comment.decided_by_name = db.current_actor().name
    session.flush()
    _record(decision, comment, reason)


def _record(what: str, comment: OpinionComment, reason: str = "") -> None:
    audit.record(
        f"opinion_comment.{what}",
        establishment_id=comment.establishment_id,
        object_kind="opinion_comment",
        object_id=comment.opinion_id,
        reason=reason,
    )
