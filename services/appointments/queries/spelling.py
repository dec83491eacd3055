"""Words as people type them, without what they forget."""

import unicodedata


def letters(name: str) -> str:
    """A name without accents, case, spaces or hyphens: LE GOFF and Le-Goff are the same person on the phone."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name).casefold() if letter.isalnum())
