"""SMS for a demonstration: printed where the server prints."""

import sys
from dataclasses import dataclass
from typing import TextIO

from portal.gateways import Refused, Unavailable
from portal.gateways.door import Door
from portal.gateways.sms.contract import checked


@dataclass
class SmsFaults:
    """What goes wrong from now on."""

    down: bool = False
    refuses: bool = False


class ConsoleSms:
    """`SmsSender` that prints each text on a stream (standard output unless told)."""

    def __init__(self, *, stream: TextIO | None = None) -> None:
        self.door = Door("sms.console")
        self.faults = SmsFaults()
        self._stream = stream

    def send(self, to: str, text: str) -> None:
        """See `SmsSender.send`."""
        with self.door.passage("send"):
            checked(to, text)
            self._must_be_up()
            if self.faults.refuses:
                raise Refused("operator", "the twin was told to refuse")
            print(f"--- sms ---\nTo: {to}\n\n{text}\n-----------", file=self._stream or sys.stdout, flush=True)

    def check(self) -> None:
        """See `SmsSender.check`."""
        with self.door.passage("check"):
            self._must_be_up()

    def _must_be_up(self) -> None:
        if self.faults.down:
            raise Unavailable("the twin was told to be down")
