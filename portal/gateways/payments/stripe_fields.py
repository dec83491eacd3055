"""The fields of Stripe's objects, read with suspicion."""

from collections.abc import Mapping
from typing import Any

import stripe


class Unreadable(Exception):
    """An answer holds something else than what Stripe's documentation says."""


class Fields:
    """The fields of one object of Stripe's, read with suspicion. Raises `Unreadable`."""

    def __init__(self, found: object) -> None:
        as_dict = found.to_dict() if isinstance(found, stripe.StripeObject) else found
        if not isinstance(as_dict, Mapping):
            raise Unreadable
        self._found: Mapping[str, Any] = as_dict

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self._found.get(name)
        if not isinstance(value, str) or not value or "\x00" in value:
            raise Unreadable
        return value

    def maybe(self, name: str) -> str:
        """A text, or "" when there is none."""
        return self.text(name) if self._found.get(name) else ""

    def whole(self, name: str) -> int:
        """A whole number: cents, or seconds since 1970."""
        value = self._found.get(name)
        if type(value) is not int or not -(10**12) < value < 10**12:
            raise Unreadable
        return value

    def flag(self, name: str) -> bool:
        value = self._found.get(name)
        if not isinstance(value, bool):
            raise Unreadable
        return value

    def has(self, name: str) -> bool:
        return self._found.get(name) is not None

    def child(self, name: str) -> "Fields | None":
        """An object within, None when there is none, or only its name."""
        value = self._found.get(name)
        return Fields(value) if isinstance(value, Mapping) else None

    def children(self, name: str) -> "list[Fields]":
        value = self._found.get(name)
        if not isinstance(value, list):
            raise Unreadable
        return [Fields(one) for one in value]

    def id_of(self, name: str) -> str:
        """The name of an object, whether it came whole or by its name; "" when there is none."""
        inner = self.child(name)
        return inner.text("id") if inner else self.maybe(name)
