"""MSSanté boxes that hospitals hold, and what becomes of the mails that leave from them and come into them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import Flask

from auth.wording import say
from portal import establishments
from portal.gateways import UnsupportedUrl

if TYPE_CHECKING:
    from services.documents.mailboxes.operators import Way


def register(app: Flask) -> None:
    """Furnish this part of the room: jobs, settings, words, figures."""
    from services.documents.mailboxes import (  # noqa: F401 - register their jobs
        answering,
        figures,
        jobs,
        journal,
        metrics,
        national_record,
        operators,
        polling,
        queries,
        telling,
        wording,
    )

    operators.configure(app.config["SETTINGS"])
    # A wrong address is told when it is set, whoever sets it.
    establishments.check_setting_with(operators.check_setting)
    say(journal.WORDS)
    figures.declare()
    # The thread's macro shows, to agents, what became of each mail.
    app.jinja_env.globals |= {"mails_of": queries.deliveries_of, "mail_words": wording}
    metrics.register()
    telling.offer()


def ways() -> "Mapping[str, Way | str]":
    """Address of each box that jobs read → the way to it, or why there is none; as the system."""
    from services.documents.mailboxes import operators, queries

    found: dict[str, Way | str] = {}
    for box in queries.open_boxes():
        try:
            if box.kind != "PER":
                found[box.address] = operators.way_to(box)
        except operators.NoOperator:
            found[box.address] = "no operator: set mssante_url, or give the box its own"
        except UnsupportedUrl as error:
            found[box.address] = str(error)
    return found
