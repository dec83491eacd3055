"""The shelf: all that hospitals gave a patient to read, what the patient deposited, and what other rooms lay there."""

from services.documents.shelf.sources import Line, Source, offer

__all__ = ["Line", "Source", "offer"]
