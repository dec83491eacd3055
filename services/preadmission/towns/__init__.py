"""French towns by postcode, without asking anybody outside: a list that comes with the portal.

`towns.csv`: one line a postcode, then its towns; made from what Etalab and La Poste publish (docs/decisions/0018).
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

LIST = Path(__file__).with_name("towns.csv")
_POSTCODE = re.compile(r"[0-9]{5}", re.ASCII)


def is_postcode(typed: str) -> bool:
    return _POSTCODE.fullmatch(typed) is not None


def at(postcode: str) -> Sequence[str]:
    """The towns of one postcode, by name; none when there is no such postcode (or a large firm's own, CEDEX)."""
    return _known().get(postcode, ())


@cache
def _known() -> Mapping[str, tuple[str, ...]]:
    found = {}
    for line in LIST.read_text("utf-8").splitlines():
        postcode, *towns = line.split(";")
        found[postcode] = tuple(towns)
    return found
