"""A mail door that keeps what it is given, for tests to read, and can be told to fail."""

from dataclasses import dataclass

from portal.gateways import OutcomeUnknown, Refused, Unavailable
from portal.gateways.door import Door
from portal.gateways.mail.contract import Message, written


@dataclass
class MailFaults:
    """What goes wrong from now on."""

    down: bool = False
    refuses: bool = False
    cut_after: bool = False  # the message is taken, and the answer lost


class MailTwin:
    """`Mailer` whose `sent` holds the messages, oldest first."""

    def __init__(self, *, sender: str = "parvis@localhost") -> None:
        self.door = Door("mail.twin")
        self.faults = MailFaults()
        self.sent: list[Message] = []
        self._sender = sender

    def send(self, message: Message) -> None:
        """See `Mailer.send`."""
        with self.door.passage("send"):
            written(message, self._sender)
            self._must_be_up()
            if self.faults.refuses:
                raise Refused("550", "the twin was told to refuse")
            self.sent.append(message)
            if self.faults.cut_after:
                raise OutcomeUnknown("the twin was told to be cut")

    def check(self) -> None:
        """See `Mailer.check`."""
        with self.door.passage("check"):
            self._must_be_up()

    def _must_be_up(self) -> None:
        if self.faults.down:
            raise Unavailable("the twin was told to be down")
