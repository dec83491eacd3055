"""States of a difference, as data. No I/O here."""

TRANSITIONS: dict[str, frozenset[str]] = {
    "open": frozenset({"explained", "closed"}),
    "explained": frozenset({"closed", "open"}),
    "closed": frozenset({"open"}),
}
"""explained: somebody knows why, and says so. closed: the two sides agree now, or nothing is left to do."""


def allowed(before: str, after: str) -> bool:
    return after in TRANSITIONS[before]
