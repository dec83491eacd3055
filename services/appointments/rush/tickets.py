"""The turn that a browser was given, in a cookie it cannot alter."""

from datetime import UTC, datetime, timedelta

from auth.identity import sealing

GOOD_FOR = timedelta(minutes=20)
"""After their turn: time to look, choose and book."""


def written(turn: datetime) -> str:
    """`<moment in whole seconds>.<seal>`; a turn begins with its second."""
    moment = str(int(turn.timestamp()))
    return f"{moment}.{_seals(moment)[0]}"


def read(text: str, now: datetime) -> datetime | None:
    """The turn, to come or begun; None when it is over, or not of our making."""
    moment, _dot, seal = text.partition(".")
    is_ours = sealing.one_of(seal, _seals(moment))
    if not (is_ours and moment.isdecimal()):
        return None
    turn = datetime.fromtimestamp(int(moment), UTC)
    return turn if now < turn + GOOD_FOR else None


def _seals(moment: str) -> list[str]:
    return [each.hex()[:32] for each in sealing.digests("waiting room", moment)]
