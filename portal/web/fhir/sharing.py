"""One address, two rooms: the room that has it asks the other first whether a request is its own."""

from collections.abc import Callable

from flask import Response

Answer = Callable[..., Response | None]
_answers: dict[str, Answer] = {}


def share(address: str, answer: Answer) -> None:
    """Answer some requests at an address of another room (`DocumentReference`, `Binary/id`…); None: not this one."""
    _answers[address] = answer


def shared(address: str, *arguments: object) -> Response | None:
    """What the other room answers to this request; None when it is not its own."""
    answer = _answers.get(address)
    return answer(*arguments) if answer is not None else None
