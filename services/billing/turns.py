"""A payment site that is slow must not make the portal slow: whoever comes while somebody waits for it is told at once
to try again, or that the bank has not answered yet."""

from portal.turns import Turns

turn = Turns().turn
"""Surround a call to a provider. Raises NoTurn, in a web request only."""
