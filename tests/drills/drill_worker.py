"""worker.statements: the worker dies between any two statements of its jobs, and the next one ends them."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import select

from portal import db
from portal.db import session
from portal.files import StoredFile
from services.appointments import actions
from services.appointments.slots import Slot
from tests.drills import readers, world
from tests.drills.history import History
from tests.drills.place import ROOT, Place, place
from tests.drills.report import Outcome
from tests.drills.world import World
from tests.factories import preadmission

_MOST_STATEMENTS = 400


def statements(seed: int, rounds: int) -> Outcome:
    """Drill 2, exactly: the same work again and again, the worker dying before its 1st, 2nd… nth statement."""
    del seed
    outcome, history = Outcome(), History()
    with place() as here, _faulty(here) as lives, here.app.app_context():
        crowd = world.fill(1, 0, 0)
        for dies_at in range(1, min(rounds, _MOST_STATEMENTS) + 1):
            _work_to_do(here, crowd, dies_at, history)
            how, seen = lives(dies_at)
            outcome.broken[how] = outcome.broken.get(how, 0) + 1
            _resurrect(here)
            again, _seen = lives(0)
            outcome.wrong |= {"the next worker": [again]} if again != "ended" else {}
            if how == "ended":
                outcome.figures["statements"] = seen
                break
        outcome.check(
            "died before every statement", "" if "statements" in outcome.figures else "more rounds are needed"
        )
        outcome.read(here, history)
        outcome.figures |= _runs(here)
    return outcome


# -- the parts ---------------------------------------------------------------------------------------------------


def _runs(here: Place) -> dict[str, object]:
    """How many jobs ended, and how many of them ran more than once."""
    ((ended, again),) = here.sql("select count(*), count(*) filter (where attempts > 1) from procrastinate_jobs"
                                 " where status = 'succeeded'")  # fmt: skip
    received = here.mail.received()
    return {"jobs": ended, "jobs_run_again": again, "mails": received.total()}


@contextmanager
def _faulty(here: Place) -> Iterator["Lives"]:
    with (here.folder / "worker0.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.drills.faulty_worker"], cwd=ROOT, env=here.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
    lives = Lives(child)
    try:
        yield lives
    finally:
        child.kill()
        child.communicate()


class Lives:
    """Each call is the life of one worker."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self._heard()

    def __call__(self, dies_at: int) -> tuple[str, int]:
        """`died` or `ended`, and before which statement."""
        assert self._child.stdin is not None, "a pipe"
        self._child.stdin.write(f"{dies_at}\n")
        self._child.stdin.flush()
        how, seen = self._heard().split()
        return how, int(seen)

    def _heard(self) -> str:
        assert self._child.stdout is not None, "a pipe"
        while (line := self._child.stdout.readline()) and not line.startswith(("ready", "died", "ended", "failed")):
            pass
        return line


def _work_to_do(here: Place, crowd: World, turn: int, history: History) -> None:
    """An appointment (mails, calendars), a document that waits for the scanner, figures to count, an audit to seal."""
    person = crowd.people[0]
    session_id, _dash, cell = crowd.slots[turn].rpartition("-")
    with history.invoke(0, "book") as operation, db.transaction(db.system("drills")):
        made = actions.book_by_phone(person.patient_id, crowd.reason_id, Slot(UUID(session_id), int(cell)))
        operation.facts |= {"appointment_id": made.id, "slot": crowd.slots[turn]}
        operation.outcome = "ok"
    with db.transaction(db.system("drills")):
        stored = preadmission.stored(preadmission.photo(f"SPECIMEN {turn}"))
        waits = session.scalars(select(StoredFile).where(StoredFile.id == stored.id)).one()
        waits.state, waits.attached_at, waits.patient_id = "waiting", db.now(), person.patient_id
    for name, arguments in (("files.scan", f'{{"file_id": "{stored.id}"}}'),):
        _defer(here, name, arguments)
    for name in ("kpi.roll_up", "audit.seal", "jobs.retry_stalled", "exchanges.follow_changes"):
        readers.strike(here, name)


def _defer(here: Place, name: str, arguments: str = "{}") -> None:
    here.sql(
        "select procrastinate_defer_jobs_v1(array[row('default', %s::text, 0, null, null, %s::jsonb, null)"
        "::procrastinate_job_to_defer_v1])",
        name,
        arguments,
    )


def _resurrect(here: Place) -> None:
    """A minute has passed: what the dead worker held is given back to the queue, as `jobs.retry_stalled` does."""
    here.sql("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'")
    readers.strike(here, "jobs.retry_stalled")


DRILLS = {"worker.statements": (statements, _MOST_STATEMENTS)}
