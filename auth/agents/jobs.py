"""What time does to agents: requests that nobody answers lapse, rights that nobody uses end."""

from auth.agents import dormancy
from auth.agents.actions import requests
from portal import jobs


@jobs.periodic("11 * * * *", "agents.lapse_requests")
def lapse_requests() -> None:
    """End the requests for a right that no second administrator answered in seven days."""
    with jobs.reading():
        requests.lapse()


@jobs.periodic("23 4 * * *", "agents.close_dormant")
def close_dormant() -> None:
    """Tell agents who have not signed in for long, then end what they may do."""
    with jobs.reading():
        dormancy.sweep()
