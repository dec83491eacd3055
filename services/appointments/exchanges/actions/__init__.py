"""Everything that changes what is exchanged about appointments, by intention."""

from services.appointments.exchanges.actions.telling import tell_again

__all__ = ["tell_again"]
