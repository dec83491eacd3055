"""Mail for a demonstration: printed where the server prints, for a person to read and click."""

import sys
from typing import TextIO

from portal.gateways.door import Door
from portal.gateways.mail.contract import Message, written


class ConsoleMailer:
    """`Mailer` that prints each message on a stream (standard output unless told)."""

    def __init__(self, *, sender: str, stream: TextIO | None = None) -> None:
        self.door = Door("mail.console")
        self._sender = sender
        self._stream = stream

    def send(self, message: Message) -> None:
        """See `Mailer.send`."""
        with self.door.passage("send"):
            written(message, self._sender)  # refuses what a real server would be made to refuse
            stream = self._stream or sys.stdout
            heading = f"From: {self._sender}\nTo: {message.to}\nSubject: {message.subject}"
            print(f"--- mail ---\n{heading}\n\n{message.text}\n------------", file=stream, flush=True)

    def check(self) -> None:
        """See `Mailer.check`."""
