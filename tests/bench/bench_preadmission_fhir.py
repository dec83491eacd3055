"""preadmission.fhir: a page of files, as the hospital's system polls it, p95 in ms, against its own statements."""

from auth.machines import actions as machines
from auth.machines.actions import Credentials, Draft
from portal import db
from portal.web.limits import limiter
from tests.bench.harness import Ground, application, ground, p95_ms, quickest, report, size
from tests.bench.replay import player, recorded
from tests.factories import hospitals, people
from tests.factories import preadmission as factory

NAMES = ("preadmission.fhir",)
FILES = 400
LOOKS = 30
_STATES = ("submitted", "in_review", "to_complete", "validated", "refused")


def run() -> None:
    with ground() as place:
        _poll(place)


def _poll(place: Ground) -> None:
    app, count = application(place.settings), size(FILES)
    limiter.enabled = False
    with app.app_context(), db.transaction(db.system("bench")):
        where = hospitals.hospital()
        for number in range(count):
            person = people.patient(f"PATIENT {number}")
            factory.preadmission(person, where.unit, _STATES[number % len(_STATES)])
        known, secret = machines.add(
            Draft(where.establishment.id, "GAM", ["system/Encounter.read"], quota_per_hour=1_000_000)
        )
        token, _given = machines.issue(Credentials(known.client_id, secret), "")
    browser = app.test_client()

    def look() -> None:
        answer = browser.get("/fhir/Encounter?_count=50", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 200 or len(answer.get_json()["entry"]) != min(50, count):
            raise RuntimeError(f"the poll answered {answer.status_code}")

    look()
    with recorded(app) as statements:
        look()
    with player(place, statements, writes=True) as play:
        ours, limit = quickest(lambda: p95_ms(look, LOOKS), lambda: p95_ms(play, LOOKS), 3)
    note = f"{count} files, 50 a page, {len(statements)} statements"
    report("preadmission.fhir", ours, "ms", limit, lower_is_better=True, note=note)
