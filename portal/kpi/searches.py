"""What people look for on the public pages and do not find: terms alone, and only those that many looked for.

A term that few looked for is never written: a keyed digest of it is counted, under the month's key, until eleven
searches of the month had the same words; from then on the words are kept with their number. Nothing says who looked.
Terms that look like a name or a number are not even counted.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Date, Integer, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, session
from portal.kpi import keys

LEAST: Final = 11
"""Searches of one month, before their words are kept (domain catalogue, section 5.4)."""
SHOWN: Final = 10
KEPT_DAYS: Final = 400
_LONGEST: Final = 40
_MOST_WORDS: Final = 4


class SearchMiss(Base):
    """How many searches of a month found nothing for words of which only a digest is kept."""

    __tablename__ = "search_miss"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(Integer)


class SearchTerm(Base):
    """Words that enough searches of a month had, and that found nothing."""

    __tablename__ = "search_term"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    term: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True)
class Missed:
    """Words that were looked for and not found, and how often."""

    term: str
    times: int


def count_missed(typed: str) -> None:
    """A public search found nothing for these words."""
    term = normalised(typed)
    if not term:
        return
    month = keys.month_of(db.now())
    if not (key := keys.of_month(month)):
        return
    digest = hmac.new(key, b"search:" + term.encode(), hashlib.sha256).hexdigest()[:40]
    db.write_later(_COUNT, {"month": month, "digest": digest, "term": term, "least": LEAST})


_COUNT = "select search_missed(cast(:month as date), :digest, :term, :least)"


def top(first: date, last: date) -> Sequence[Missed]:
    """The terms most often looked for in vain, in the months of these days; for administrators."""
    total = func.sum(SearchTerm.times)
    query = (
        select(SearchTerm.term, total)
        .where(SearchTerm.month.between(first.replace(day=1), last))
        .group_by(SearchTerm.term)
        .order_by(total.desc(), SearchTerm.term)
        .limit(SHOWN)
    )
    return [Missed(term, times) for term, times in session.execute(query)]


def normalised(typed: str) -> str:
    """The words in one writing (lower case, no accents, single spaces); "" for what is too long, or looks like a name,
    a number or an address."""
    folded = _fold(typed)
    if re.search(r"[\d@/\\]", typed + folded):
        return ""
    words = re.findall(r"[^\W_]+", folded)
    term = " ".join(words)
    if not 3 <= len(term) <= _LONGEST or len(words) > _MOST_WORDS or _NAMING & set(words):
        return ""
    return term


def _fold(typed: str) -> str:
    decomposed = unicodedata.normalize("NFKD", typed.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


_TITLES: Final = (
    "dr docteur doctor docteure pr prof professeur professeure mme madame mlle mr monsieur m mrs ms sr sra dra"
)
_FIRST_NAMES: Final = (
    "abdel ahmed aicha alain albert alexandre alexandra alexis ali alice aline amandine amelie amina andre andree"
    " anita anne annick annie anthony antoine arnaud arthur audrey aurelie aurore bernadette bernard bertrand"
    " brigitte bruno camille carole caroline catherine cecile cedric celine chantal charles charlotte christelle"
    " christian christiane christine christophe claire claude claudine clement colette corinne cyril damien daniel"
    " danielle david delphine denis denise didier dominique edouard eliane elisabeth elise emilie emma emmanuel eric"
    " estelle etienne eugenie evelyne fabien fabrice fatima fatou fernand florence florian francis francois"
    " francoise franck frederic gabriel gaelle georges gerard germaine ghislaine gilbert gilles ginette gregory"
    " guillaume guy hassan helene henri henriette herve hugo hugues ibrahim ines irene isabelle jacqueline jacques"
    " jean jeanne jeannine jennifer jeremy jerome jocelyne joel jordan jose joseph josette josiane julie julien"
    " juliette karim karine kevin khadija laetitia laura laure laurence laurent lea leo leon leila liliane lionel"
    " louis louise loic luc lucas lucie lucien lucienne ludovic lydie madeleine magali malika manon manuel marc"
    " marcel marcelle margot marguerite maria marie marine marion martin martine mathieu mathilde matthieu maurice"
    " maxime mehdi melanie michel michele micheline mickael mireille mohamed monique moussa muriel myriam nadia"
    " nadine nathalie nathan nicolas nicole noemie odette odile olivia olivier pascal pascale patrice patricia"
    " patrick paul paule paulette pauline philippe pierre pierrette quentin rachid raphael raymond raymonde regine"
    " regis remi renaud rene renee robert roger roland romain rose sabrina samira samuel sandra sandrine sarah"
    " sebastien serge severine simon simone solange sophie stephane stephanie suzanne sylvain sylvie theo therese"
    " thierry thomas valentin valerie vanessa veronique victor vincent virginie xavier yann yannick yasmina yves"
    " yvette yvonne zoe"
)
_NAMING: Final = frozenset(f"{_TITLES} {_FIRST_NAMES}".split())


def old_months(before: datetime, limit: int) -> Sequence[date]:
    """Months that had begun at this moment and of which something is kept."""
    month = keys.month_of(before)
    query = select(SearchMiss.month).where(SearchMiss.month < month).distinct().order_by(SearchMiss.month)
    return session.scalars(query.limit(limit)).all()


def forget(month: date, before: datetime) -> bool:
    """Erase what a month looked for in vain; False when it is not due."""
    if month >= keys.month_of(before):
        return False
    gone = session.scalars(delete(SearchMiss).where(SearchMiss.month == month).returning(SearchMiss.digest)).all()
    session.execute(delete(SearchTerm).where(SearchTerm.month == month))
    return bool(gone)
