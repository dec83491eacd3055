"""What becomes of a change that is to be told, and who may follow the rooms."""

from typing import Final

HIS, WEBHOOK = "his", "webhook"
KINDS = (HIS, WEBHOOK)

WAITING, ACCEPTED, REFUSED, SET_ASIDE, NOT_NEEDED = "waiting", "accepted", "refused", "set_aside", "not_needed"
DELIVERY_STATES = (WAITING, ACCEPTED, REFUSED, SET_ASIDE, NOT_NEEDED)

TEST_EVENT: Final = "parvis.test"
"""What a subscriber is told to try the line: about nothing."""
NOBODYS_JOB: Final = "exchanges.his"
"""The system job that answers messages which no room takes."""
