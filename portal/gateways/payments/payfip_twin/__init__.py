"""A PayFiP to pay fictional bills with: its web service, its payment page, its notification, its moods.

`start_in_thread()` in tests; `python -m portal.gateways.payments.payfip_twin --port N` in the demonstration.
State lives in memory. It listens on the loopback and calls or sends browsers to nothing but the loopback.
`--control` lets a test in another process order faults and read the truth (`control`).
"""

from portal.gateways.payments.payfip_twin.faults import Faults, Trouble
from portal.gateways.payments.payfip_twin.server import RunningTwin, start_in_thread
from portal.gateways.payments.payfip_twin.till import Operation, Till

__all__ = ["Faults", "Operation", "RunningTwin", "Till", "Trouble", "start_in_thread"]
