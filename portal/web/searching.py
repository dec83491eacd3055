"""Public searches that find nothing are told to the figures, as words alone."""

import hashlib
from typing import Final

from flask import current_app

from portal.kpi import searches
from portal.web.limits import limiter, visitor

_DAY_S: Final = 86_400


def found_nothing(typed: str) -> None:
    """Nothing suits these words. A portal that only reads counts nothing, and the same words of one visitor count once
    a day: nobody makes words appear by looking for them eleven times."""
    if not typed or current_app.config["SETTINGS"].read_only:
        return
    term = searches.normalised(typed)
    if term and _is_new(term):
        searches.count_missed(term)


def _is_new(term: str) -> bool:
    """Asked where visits are limited, for a day; without an answer of it, nothing is counted."""
    if not limiter.enabled:
        return True
    key = hashlib.sha256(f"{visitor()} {term}".encode()).hexdigest()
    storage = limiter.storage
    try:
        return storage.incr(f"search_missed/{key}", _DAY_S) == 1
    except storage.base_exceptions:
        return False
