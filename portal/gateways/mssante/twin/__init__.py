"""An operator of secure mail to exchange fictional letters with: SMTP, IMAP, certificates, correspondents, moods.

`start_in_thread()` in tests; `python -m portal.gateways.mssante.twin` in the demonstration. State lives in memory. It
listens on the loopback, and calls nothing but the demonstration's identity provider.
"""

from portal.gateways.mssante.twin.boxes import Habits, Kind, Mail, Receipt, TwinBox
from portal.gateways.mssante.twin.certificates import Paper
from portal.gateways.mssante.twin.faults import Faults, Point
from portal.gateways.mssante.twin.post_office import PostOffice
from portal.gateways.mssante.twin.server import RunningTwin, start_in_thread

__all__ = [
    "Faults", "Habits", "Kind", "Mail", "Paper", "Point", "PostOffice", "Receipt", "RunningTwin", "TwinBox",
    "start_in_thread",
]  # fmt: skip
