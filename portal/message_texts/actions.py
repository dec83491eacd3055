"""A hospital says a message in its own words, takes its last change back, or uses the portal's words again."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from sqlalchemy import func, select

from portal import audit, db
from portal.db import session
from portal.message_texts import checking, queries
from portal.message_texts.kinds import Kind
from portal.message_texts.models import LANGUAGES, MessageText
from portal.message_texts.writing import Words


class ChangedMeanwhile(Exception):
    """Another version was written since the page was shown."""


class NotChangeable(Exception):
    """The portal says it the same way everywhere."""


class NothingToUndo(Exception):
    """The portal's own words are used, and always were."""


def change(
    establishment_id: UUID, kind: Kind, language: str, words: Words, examples: Mapping[str, str], seen: int
) -> MessageText:
    """Use these words from now on. examples: see `checking.check`. seen: the version that was shown, 0 for none.

    Raises checking.Unsafe, ChangedMeanwhile, NotChangeable.
    """
    _changeable(kind, language)
    tidy = checking.tidy(words)
    checking.check(kind, tidy, examples)
    latest = _latest(establishment_id, kind, language, seen)
    if latest is not None and (latest.subject, latest.body) == (tidy.subject, tidy.body):
        return latest
    return _add(latest, establishment_id, kind, language, tidy, "changed")


def restore(establishment_id: UUID, kind: Kind, language: str, seen: int) -> None:
    """Use the portal's own words again. Raises ChangedMeanwhile, NotChangeable."""
    latest = _latest(establishment_id, kind, language, seen)
    if latest is not None and not latest.is_default:
        _add(latest, establishment_id, kind, language, Words("", ""), "restored")


def undo(establishment_id: UUID, kind: Kind, language: str, seen: int) -> MessageText:
    """Use what was used before the last change. Twice gives the last change back. Raises ChangedMeanwhile,
    NotChangeable, NothingToUndo."""
    latest = _latest(establishment_id, kind, language, seen)
    if latest is None:
        raise NothingToUndo
    former = next(iter(queries.history(establishment_id, kind.code, language)[1:]), None)
    words = Words(former.subject, former.body) if former else Words("", "")
    if not words.body and latest.is_default:
        raise NothingToUndo
    return _add(latest, establishment_id, kind, language, words, "undone")


def record_trial(establishment_id: UUID, kind: Kind, language: str) -> None:
    """Somebody sent themselves a message with fictional data."""
    _record("tried", establishment_id, kind, language, None)


def _changeable(kind: Kind, language: str) -> None:
    if not kind.at_hospital or language not in LANGUAGES or kind.only not in ("", language):
        raise NotChangeable


def _latest(establishment_id: UUID, kind: Kind, language: str, seen: int) -> MessageText | None:
    _changeable(kind, language)
    key = f"message_text {establishment_id} {kind.code} {language}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    latest = next(iter(queries.history(establishment_id, kind.code, language)), None)
    if (latest.version if latest else 0) != seen:
        raise ChangedMeanwhile
    return latest


def _add(
    latest: MessageText | None, establishment_id: UUID, kind: Kind, language: str, words: Words, what: str
) -> MessageText:
    made = MessageText(
        id=uuid4(), establishment_id=establishment_id, kind=kind.code, language=language,
        version=latest.version + 1 if latest else 1, subject=words.subject, body=words.body,
        is_default=not words.body, changed_at=db.now(), actor_name=db.current_actor().name,
    )  # fmt: skip
    session.add(made)
    session.flush()
    _record(what, establishment_id, kind, language, made)
    return made


def _record(what: str, establishment_id: UUID, kind: Kind, language: str, text: MessageText | None) -> None:
    audit.record(
        f"message_text.{what}", establishment_id=establishment_id, object_kind="message_text",
        object_id=text.id if text else None, message=kind.code, language=language,
        version=text.version if text else 0,
    )  # fmt: skip
