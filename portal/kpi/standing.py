"""What the figures of a page stand on: the versions of definitions in use, and the months that are final.

One statement for both in a unit of work.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import text

from portal.db import session

_KNOWN: Final = "portal.kpi.standing"


class Standing(NamedTuple):
    """versions: code → the version in use. closed: month → since when it is final."""

    versions: Mapping[str, int]
    closed: Mapping[date, datetime]


def standing() -> Standing:
    found: Standing | None = session.info.get(_KNOWN)
    if found is None:
        versions: dict[str, int] = {}
        closed: dict[date, datetime] = {}
        for code, version, month, closed_at in session.execute(_QUERY):
            if code is None:
                closed[month] = closed_at
            else:
                versions[code] = version
        found = session.info[_KNOWN] = Standing(versions, closed)
    return found


def forget() -> None:
    """Read them again at the next question: one of them changed."""
    session.info.pop(_KNOWN, None)


_QUERY = text(
    "select code, max(version), cast(null as date), cast(null as timestamptz) from kpi_definition group by code"
    " union all select null, null, month, closed_at from kpi_closed_month"
)
