"""The page where an agent chooses free times for a request: what it shows, and what was chosen."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time
from functools import cached_property

from flask import render_template

from portal import calendar, db
from portal.web.ui import long_day
from services.appointments import wording
from services.appointments.forms import day_asked
from services.appointments.models import Reason
from services.appointments.requests import queries
from services.appointments.requests.actions import ANSWER_DAYS
from services.appointments.requests.forms import ProposeForm
from services.appointments.requests.models import AppointmentRequest
from services.appointments.slots import FreeSlot, Slot
from services.appointments.wishes import Wishes


class TimesPage:
    """arguments: reason, practitioner, from (a day) and any (times that do not suit too), of an address or a form."""

    def __init__(self, asked: AppointmentRequest, arguments: Mapping[str, str]) -> None:
        self.asked, self.arguments = asked, arguments
        self.reasons = queries.reasons_of(asked.unit)

    @cached_property
    def reason(self) -> Reason | None:
        wanted = self.arguments.get("reason") or str(self.asked.reason_id)
        return next((each for each in self.reasons if str(each.id) == wanted), None)

    @cached_property
    def first_day(self) -> date:
        """The one asked for, else the first that the patient wished; today at the earliest."""
        today = calendar.civil_day(db.now(), self.asked.tz)
        wished = day_asked(self.arguments.get("from", "")) or self.asked.wishes.first_day
        return max(wished or today, today)

    @property
    def only_wished(self) -> bool:
        return not self.arguments.get("any")

    def chosen(self, form: ProposeForm) -> list[Slot]:
        """The times ticked, three at most; anything that is no time counts for nothing."""
        found = []
        for text in dict.fromkeys(form.slot.data or []):
            try:
                found.append(Slot.parse(text))
            except ValueError:
                continue
        return found

    def found(self) -> list[FreeSlot]:
        if self.reason is None:
            return []
        window, tz = self.reason.window("phone", db.now()), self.asked.tz
        since = calendar.to_utc(self.first_day, time(), tz) or window.earliest
        wishes = self.asked.wishes if self.only_wished else Wishes()
        if day_asked(self.arguments.get("from", "")):
            wishes = replace(wishes, spans=())
        return list(queries.times(self.reason, replace(window, earliest=max(window.earliest, since)), wishes))

    def render(self, form: ProposeForm) -> str:
        found = self.found()
        several = len({each.practitioner for each in found}) > 1
        form.tell_days({days: self._until(days) for days in ANSWER_DAYS})
        return render_template(
            "admin/appointment_requests/times.html",
            asked=self.asked,
            form=form,
            reasons=self.reasons,
            reason=self.reason,
            days=wording.picker(found, self.asked.tz, with_names=several),
            first_day=self.first_day,
            only_wished=self.only_wished,
            ticked=[str(each) for each in self.chosen(form)],
        )

    def _until(self, days: int) -> str:
        return long_day(self.asked.establishment.office.closing(db.now(), days).astimezone(self.asked.tz).date())
