"""Finding a document by words of its title, its author or its text: accents, plurals and slips do not count.

Two functions of the database look through the words, which nobody else reads; they show what the policies of
`document` show the caller, and nothing more. When no document holds the words as they were typed, words that are
nearly those are tried.
"""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from portal.db import session
from services.documents.reading import folding

MOST_WORDS_ASKED: Final = 8
MOST_ON_A_SHELF: Final = 2_000
MOST_AT: Final = 200


def of_patient(patient_id: UUID, words: str) -> Sequence[UUID]:
    """The documents of this patient's shelf (filed or superseded) that hold all these words, the latest first.

    Empty when nothing is found or nothing was typed. Join the ids back to `document` under your own conditions.
    """
    asked = _asked(words)
    if not asked:
        return []
    found = func.documents_of_patient(literal(asked, ARRAY(TEXT)), literal(patient_id, Uuid), MOST_ON_A_SHELF)
    return session.scalars(select(found)).all()


def at(establishments: Collection[UUID], words: str) -> Sequence[UUID]:
    """The documents of these hospitals, whatever their state, that hold all these words: the latest 200."""
    asked = _asked(words)
    if not asked or not establishments:
        return []
    hospitals = literal(list(establishments), ARRAY(Uuid))
    return session.scalars(select(func.documents_at(literal(asked, ARRAY(TEXT)), hospitals, MOST_AT))).all()


def _asked(words: str) -> list[str]:
    return folding.words(words[:200])[:MOST_WORDS_ASKED]
