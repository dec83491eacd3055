"""Everything that changes what is exchanged about pre-admissions, by intention."""

from services.preadmission.exchanges.actions.telling import change_format, tell_again

__all__ = ["change_format", "tell_again"]
