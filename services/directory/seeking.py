"""How people are looked for: what was asked, taken apart, and the statements that find them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, exists, func, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from portal.db import session
from services.directory import folding
from services.directory.models import directory_activity, directory_person, directory_word

PAGE_SIZE: Final = 25
_LAST_PAGE: Final = 40
_MOST_WORDS: Final = 5
_MOST_PLACES: Final = 400
_MOST_CANDIDATES: Final = 5000
"""People looked at when only a place or a structure is given, before they are put in order."""
_MOST_RESEMBLING: Final = 12
_END: Final = "\x7f"
"""After every letter, digit and space of a folded key."""
_person = directory_person.c
_activity = directory_activity.c
_word = directory_word.c
Rows = Sequence[Any]
"""Rows of `_SHOWN`."""
_SHOWN: Final = (_person.id, _person.title, _person.family, _person.given, _person.family_key, _person.given_key)


@dataclass(frozen=True)
class Asked:
    """A search taken apart. number: digits that are an identifier. profession, speciality: codes."""

    words: tuple[str, ...] = ()
    number: str = ""
    profession: str = ""
    speciality: str = ""
    place: str = ""
    structure: str = ""
    page: int = 1
    size: int = PAGE_SIZE

    @classmethod
    def of(cls, name: str, speciality: str, place: str, structure: str, page: int = 1) -> "Asked":
        digits = name.replace(" ", "").replace("\xa0", "")
        is_number = digits.isdecimal() and digits.isascii()
        profession, _slash, exact = speciality.strip().partition("/")
        return cls(
            words=() if is_number else tuple(folding.key(name[:200]).split()[:_MOST_WORDS]),
            number=digits if is_number else "",
            profession=profession,
            speciality=exact,
            place=folding.key(place[:100]),
            structure=folding.key(structure[:100]),
            page=min(max(page, 1), _LAST_PAGE),
        )

    @property
    def is_vague(self) -> bool:
        """Nothing that narrows the country down: a speciality alone would list thousands."""
        spelt = len("".join(self.words)) >= 2
        return not (spelt or self.number or len(self.place) >= 2 or len(self.structure) >= 3)

    @property
    def filters(self) -> bool:
        return bool(self.profession or self.place or self.structure)


def among(column: Any, values: Collection[str]) -> ColumnElement[bool]:
    """One of these, as one array: a statement that is always the same text is prepared once."""
    found: ColumnElement[bool] = column == sa.any_(sa.literal(list(values), ARRAY(sa.Text)))
    return found


def identity(number: str) -> str:
    """The national identifier of an RPPS number, or itself; "" when it is neither."""
    number = number.strip()
    if not (number.isascii() and number.isalnum()):
        return ""
    return f"8{number}" if len(number) == 11 and number.isdecimal() else number.upper()


def by_number(number: str) -> Rows:
    """Nobody, or the one person of this number."""
    known = identity(number)
    return session.execute(select(*_SHOWN).where(_person.id == known)).all() if known else []


def exact(asked: Asked) -> Rows:
    """People whose names begin as asked, one more than a page; by name."""
    where = _narrowed(asked)
    if where is None:
        return []
    if asked.number:
        return session.execute(select(*_SHOWN).where(_person.id == identity(asked.number), *where)).all()
    if not asked.words:
        return _paged(select(*_SHOWN).where(_person.id.in_(_candidates(asked))), asked)
    last = asked.page * asked.size + 1
    spelt = [select(*_SHOWN).where(each, *where).order_by(*_SHOWN[-2:], _person.id).limit(last)
             for each in _spelt(asked.words)]  # fmt: skip
    if len(spelt) == 1:
        return _paged(spelt[0], asked)
    together = union_all(*(select(each.subquery()) for each in spelt)).subquery()
    return _paged(select(together).distinct(), asked, together.c)


def similar(asked: Asked) -> Rows:
    """People whose names look like what was asked, the closest first; one page."""
    where = _narrowed(asked)
    if where is None:
        return []
    found = _resembling("family", asked.words)
    if not found:
        return []
    families = [text for text, _word in found]
    rest = {word for word in asked.words if word not in {word for _text, word in found}} or set(asked.words)
    givens = [text for text, _word in _resembling("given", tuple(rest))] if len(asked.words) > 1 else []
    rank = func.array_position(families, _person.family_key)
    named = select(*_SHOWN).where(among(_person.family_key, families), *where)
    if givens and (rows := _ranked(named.where(among(_person.given_key, givens)), asked, rank, givens)):
        return rows
    return _ranked(named, asked, rank, givens)


def _ranked(found: Select[Any], asked: Asked, rank: Any, givens: list[str]) -> Rows:
    then = [func.array_position(givens, _person.given_key)] if givens else []
    return session.execute(
        found.order_by(rank, *then, _person.given_key, _person.id)
        .offset((asked.page - 1) * asked.size)
        .limit(asked.size + 1)
    ).all()


def _paged(found: Select[Any], asked: Asked, columns: Any = _person) -> Rows:
    by_name = found.order_by(None).order_by(columns.family_key, columns.given_key, columns.id)
    return session.execute(by_name.limit(None).offset((asked.page - 1) * asked.size).limit(asked.size + 1)).all()


def _spelt(words: tuple[str, ...]) -> list[ColumnElement[bool]]:
    """Each way to cut the words into a family name and a given name, in both orders."""
    ways = [(" ".join(words), "")]
    for cut in range(1, len(words)):
        first, second = " ".join(words[:cut]), " ".join(words[cut:])
        ways += [(first, second), (second, first)]
    return [_begins(_person.family_key, family) & _begins(_person.given_key, given) for family, given in ways]


def _begins(column: Any, start: str) -> ColumnElement[bool]:
    """A range and not LIKE: the database may use it in an index of a table with policies."""
    begins: ColumnElement[bool] = (column >= start) & (column < start + _END) if start else column >= ""
    return begins


def _narrowed(asked: Asked) -> list[ColumnElement[bool]] | None:
    """What the person's activities must be, as a condition on the person; None when no place or structure is so."""
    if not asked.filters:
        return []
    where = _activity_is(asked)
    return None if where is None else [exists().where(_activity.person_id == _person.id, *where)]


def _candidates(asked: Asked) -> Select[Any]:
    where = _activity_is(asked) or []
    return select(_activity.person_id).where(*where).limit(_MOST_CANDIDATES)


def _activity_is(asked: Asked) -> list[ColumnElement[bool]] | None:
    where: list[ColumnElement[bool]] = []
    for text, kind, column in (
        (asked.place, "place", _activity.commune),
        (asked.structure, "structure", _activity.structure_id),
    ):
        if text:
            codes = _codes(kind, text)
            if not codes:
                return None
            where.append(among(column, codes))
    if asked.profession:
        where.append(_activity.profession == asked.profession)
    if asked.speciality:
        where.append(_activity.speciality == asked.speciality)
    return where


def _codes(kind: str, text: str) -> Sequence[str]:
    """Codes of the towns or structures that are named so, or that look like it when none is."""
    if kind == "place" and text.isdecimal():
        named: ColumnElement[bool] = _begins(_word.text, text)
    else:
        named = _holds(text)
    for condition in (named, _word.text.op("%>")(text)):
        found = session.scalars(select(_word.code).where(_is(kind), condition).limit(_MOST_PLACES)).all()
        if found:
            return list(set(found))
    return []


def _holds(text: str) -> ColumnElement[bool]:
    """Each word, at the beginning of a word; `text` is folded, so it holds no sign that LIKE would read."""
    return or_(*_holding(text))


def _resembling(kind: str, words: tuple[str, ...]) -> list[tuple[str, str]]:
    """(name, the word asked that it looks like), the closest first: of each word and of all of them together."""
    every = sorted({*words, " ".join(words)})
    asked = func.unnest(sa.cast(every, ARRAY(sa.Text))).table_valued("word").render_derived()
    alike = (_word.text.op("%")(asked.c.word), asked.c.word.op("<%")(_word.text), *_holding(asked.c.word))
    closeness = func.greatest(func.similarity(_word.text, asked.c.word), func.word_similarity(asked.c.word, _word.text))
    close = (
        select(_word.text.label("name"), closeness.label("closeness"))
        .where(_is(kind), or_(*alike))
        .order_by(closeness.desc(), _word.text)
        .limit(_MOST_RESEMBLING)
        .lateral()
    )
    rows = session.execute(
        select(asked.c.word, close.c.name, close.c.closeness).select_from(asked).join(close, sa.true())
    )
    found: dict[str, tuple[float, str]] = {}
    for row in rows:
        found[row.name] = max(found.get(row.name, (0.0, "")), (float(row.closeness), row.word))
    closest = sorted(found.items(), key=lambda each: (-each[1][0], each[0]))[:_MOST_RESEMBLING]
    return [(text, word) for text, (_closeness, word) in closest]


def _is(kind: str) -> ColumnElement[bool]:
    """Written out, as in the partial indexes: those of a parameter are not looked at."""
    written: ColumnElement[bool] = _word.kind == sa.literal_column(f"'{kind}'")
    return written


def _holding(word: Any) -> list[ColumnElement[bool]]:
    return [_word.text.like(func.concat(start, word, "%")) for start in ("", "% ")]
