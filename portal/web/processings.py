"""How long each line of the register of processing keeps things, for the public page and for the register itself."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from portal import retention
from portal.catalog.legal.processings import REGISTER


def kept_for(establishment_id: UUID | None) -> Mapping[str, Sequence[tuple[Any, int]]]:
    """Code of a processing → (what, days) by each rule of retention that applies, at a hospital or by default."""
    known = {each.code: each for each in retention.rules()}
    codes = [code for each in REGISTER for code in each.rules if code in known]
    if establishment_id is None:
        days = {code: known[code].days for code in codes}
    else:
        days = {rule.code: life.days for rule, life in retention.lives(establishment_id, codes)}
    return {each.code: [(known[code].title, days[code]) for code in each.rules if code in days] for each in REGISTER}
