"""No hospital system: nothing is sent, nothing comes."""

from collections.abc import Iterable

from portal.gateways import Unavailable
from portal.gateways.door import Door
from portal.gateways.his.contract import Dropped, Parcel
from portal.gateways.his.hl7v2 import Acknowledgement


class NoSystem:
    """`HospitalSystem` of a hospital that has none."""

    def __init__(self, label: str = "") -> None:
        self.door = Door(f"his.none {label}".strip())

    def send(self, message: bytes, control_id: str) -> Acknowledgement:
        """Nobody is there to accept it."""
        raise Unavailable("no hospital system is set")

    def put(self, parcel: Parcel) -> Acknowledgement:
        """Nobody is there to find it."""
        raise Unavailable("no hospital system is set")

    def dropped(self) -> Iterable[Dropped]:
        """See `HospitalSystem.dropped`."""
        return ()

    def settle(self, name: str, answer: bytes, *, accepted: bool) -> None:
        """See `HospitalSystem.settle`."""

    def check(self) -> None:
        """See `HospitalSystem.check`."""
