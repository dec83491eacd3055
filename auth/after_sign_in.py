"""Steps that use a provider's access token while it lives, in the callback itself: nowhere else is it ever.

FranceConnect's lives sixty seconds. It opens what other administrations hold of the person who has just signed in,
such as their health insurance rights (CNAM, "API Droits"), to fill in a form for them. The token is given to each
step and kept by nobody: a step keeps what it asked for, never the means to ask again.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog
from flask import Flask

log = structlog.get_logger(__name__)

LIMIT_S: Final = 4.0
"""For all the steps together: the person waits for them, and they are a convenience."""


@dataclass(frozen=True)
class JustSignedIn:
    """Who has just signed in, and by what. access_token: until the step returns, and never to be stored."""

    provider: str
    account_id: UUID
    access_token: str = field(repr=False)


Step = Callable[[JustSignedIn], None]
_steps: list[tuple[frozenset[str], Step]] = []


def after_sign_in(step: Step, *providers: str) -> None:
    """Run this step after each sign-in at these providers.

    It runs in a thread of its own, inside the application and outside any transaction: it opens its own. It may fail
    or be slow; the sign-in goes on without it.
    """
    _steps.append((frozenset(providers), step))


def forget(step: Step) -> None:
    """Run it no more."""
    _steps[:] = [(providers, each) for providers, each in _steps if each is not step]


def run(app: Flask, who: JustSignedIn) -> None:
    """Run the steps of this provider, one after the other, for `LIMIT_S` at most; never raises."""
    steps = [step for providers, step in _steps if who.provider in providers]
    deadline = time.monotonic() + LIMIT_S
    for step in steps:
        worker = threading.Thread(target=_run_one, args=(app, step, who), daemon=True)
        worker.start()
        worker.join(max(0.0, deadline - time.monotonic()))
        if worker.is_alive():
            log.warning("after_sign_in.late", step=step.__qualname__, provider=who.provider)
            return


def _run_one(app: Flask, step: Step, who: JustSignedIn) -> None:
    try:
        with app.app_context():
            step(who)
    # Whatever it raises is its own trouble. No traceback: it could hold the token.
    except Exception as error:
        log.warning("after_sign_in.failed", step=step.__qualname__, error=type(error).__name__)
