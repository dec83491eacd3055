"""Files of payments against the ledger: three totals, a work list, debits given back, and never a correction."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from portal import db
from portal.calendar import civil_day
from portal.delimited import NotSuchAFile
from portal.gateways.payments.means import Ending
from portal.gateways.payments.payfip_twin import RunningTwin
from portal.notifications import Notification
from services.billing import queries
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill
from services.billing.settlement import actions, jobs
from services.billing.settlement import queries as settlement
from services.billing.settlement.models import SettlementDifference, SettlementFile, SettlementLine
from services.billing.settlement.queries import CounterDay, DayRow
from tests.factories import billing
from tests.factories.settlement import content, row, row_of
from tests.ground import audited, prepared, rows
from tests.services.billing import test_pes as pes
from tests.services.billing.conftest import Ground, SignIn, at_the_bank, begin, calls_to_payfip, idop_of, pay

PARIS = ZoneInfo("Europe/Paris")
HELD = "select sum(credit_cents - debit_cents) from ledger_line where account = 'overpaid'"


def read(tmp_path: Path, *lines: str) -> jobs.Report:
    path = tmp_path / "payments.csv"
    path.write_bytes(content(lines))
    return jobs.import_payments(path)


def paid(ground: Ground, ending: Ending = Ending.PAID, *, days_ago: int = 1) -> LedgerEntry:
    """The bill of the ground was paid, without a trip to the bank."""
    with prepared():
        owed = db.session.get_one(Bill, ground.bill.id)
        billing.attempt(owed, ending, days_ago=days_ago)
    return ground.entries()[-1]


def line_of(ground: Ground, entry: LedgerEntry, **facts: object) -> str:
    return row_of(entry, ground.hospital.establishment, **facts)


def day_of(ground: Ground, entry: LedgerEntry) -> DayRow:
    place = ground.hospital.establishment
    day = civil_day(entry.moved_at or entry.booked_at, place.tz)
    with prepared():
        found = settlement.day_row(CounterDay(day, place.id, entry.psp, entry.account))
    assert found
    return found


def closing(ground: Ground, **facts: object) -> str:
    bill = ground.bill
    usual = {"kind": "elsewhere", "psp": "", "account": "", "source": bill.source, "exer": bill.exer,
             "reference": bill.reference, "number": "Q-17"}  # fmt: skip
    return row(**{**usual, **facts})


def kinds() -> list[tuple[str, str]]:
    return sorted((each.kind, each.state) for each in rows(SettlementDifference))


# -- three totals ------------------------------------------------------------------------------------------------


def test_when_all_agree_the_three_totals_are_one_and_the_difference_is_zero(ground: Ground, tmp_path: Path) -> None:
    entry = paid(ground)
    report = read(tmp_path, line_of(ground, entry))
    assert report.totals() == {"added": 1, "changed": 0, "unchanged": 0, "refused": 0}
    totals = day_of(ground, entry).totals
    assert (totals.told_cents, totals.ledger_cents, totals.file_cents, totals.difference_cents) == (4520, 4520, 4520, 0)
    assert kinds() == []


def test_the_same_file_again_changes_nothing(ground: Ground, tmp_path: Path) -> None:
    entry = paid(ground)
    lines = [line_of(ground, entry), closing(ground, reference="unknown")]
    read(tmp_path, *lines)
    before = [(each.id, each.result, each.imported_at) for each in rows(SettlementLine)]
    assert read(tmp_path, *lines).totals() == {"added": 0, "changed": 0, "unchanged": 2, "refused": 0}
    assert [(each.id, each.result, each.imported_at) for each in rows(SettlementLine)] == before
    assert len(rows(SettlementFile)) == 2


def test_a_file_that_says_otherwise_is_a_difference_and_corrects_nothing(ground: Ground, tmp_path: Path) -> None:
    entry = paid(ground)
    read(tmp_path, line_of(ground, entry).replace(";4520;", ";4620;"))
    assert kinds() == [("amount", "open")]
    assert day_of(ground, entry).totals.difference_cents == 100
    assert [each.id for each in ground.entries()] == [entry.id]
    # The provider mends its file: both sides agree, and the difference closes by itself.
    assert read(tmp_path, line_of(ground, entry)).totals()["changed"] == 1
    assert kinds() == [("amount", "closed")]
    assert day_of(ground, entry).totals.difference_cents == 0


def test_a_payment_is_matched_by_its_number_alone(ground: Ground, tmp_path: Path) -> None:
    entry = paid(ground)
    read(tmp_path, row_of(entry, ground.hospital.establishment).replace(entry.psp_ref, ""))
    assert kinds() == []
    assert day_of(ground, entry).totals.difference_cents == 0


def test_another_counter_in_the_file_is_told(ground: Ground, tmp_path: Path) -> None:
    entry = paid(ground)
    read(tmp_path, line_of(ground, entry).replace(";090909;", ";090910;"))
    assert kinds() == [("counter", "open")]


def test_a_payment_of_which_no_later_file_tells_is_looked_at(ground: Ground, tmp_path: Path) -> None:
    with prepared():
        owed = db.session.get_one(Bill, ground.bill.id)
        billing.attempt(owed, Ending.PAID, days_ago=9)
    entry = ground.entries()[-1]
    place = ground.hospital.establishment
    day = civil_day(entry.moved_at or entry.booked_at, place.tz)
    jobs.compare(place, day, day)
    assert kinds() == []  # no file of this counter has ever come: nothing to compare with
    with prepared():
        other = billing.bill(place, ground.patient)
        billing.attempt(other, Ending.PAID)
    (later,) = [each for each in rows(LedgerEntry) if each.id != entry.id]
    read(tmp_path, line_of(ground, later))
    jobs.compare(place, day, day)
    assert kinds() == [("not_in_file", "open")]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 28, 22, 59, tzinfo=UTC), date(2026, 3, 28)),
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 26)),
    ],
)
def test_a_day_is_the_hospitals_even_when_the_clocks_change(ground: Ground, moment: datetime, day: date) -> None:
    place = ground.hospital.establishment
    with prepared():
        db.session.execute(
            text("insert into ledger_entry (id, establishment_id, psp, psp_ref, kind, amount_cents, account, booked_at,"
                 " moved_at) values (gen_random_uuid(), :place, 'payfip', 'x', 'payment', 100, '090909', :at, :at)"),
            {"place": place.id, "at": moment},
        )  # fmt: skip
        db.session.execute(
            text("insert into ledger_line (id, entry_id, establishment_id, kind, account, debit_cents, credit_cents)"
                 " select gen_random_uuid(), e.id, :place, 'payment', side.account, side.debit, side.credit"
                 " from ledger_entry e, (values ('clearing:payfip:090909', 100, 0), ('receivable', 0, 100))"
                 " as side(account, debit, credit)"),
            {"place": place.id},
        )  # fmt: skip
    with prepared():
        found = settlement.day_rows([place.id], day - timedelta(days=2), day + timedelta(days=2))
    assert [(each.key.day, each.totals.ledger_cents) for each in found] == [(day, 100)]


# -- what only the file knows ------------------------------------------------------------------------------------


def test_a_lost_payment_that_the_file_tells_of_is_asked_about_and_booked(
    sign_in: SignIn, ground: Ground, door: RunningTwin, tmp_path: Path
) -> None:
    door.faults.notification_copies = 0
    page = begin(sign_in(ground.account), ground)
    at_the_bank(page, "P")
    assert ground.entries() == []
    today = civil_day(db.now(), PARIS)
    read(tmp_path, row(psp_ref=idop_of(page), on=today))
    assert ground.standing().state == "paid"
    assert kinds() == [("not_in_ledger", "closed")]


def test_an_operation_that_we_never_opened_is_asked_about_nowhere(ground: Ground, tmp_path: Path) -> None:
    before = calls_to_payfip()
    read(tmp_path, row(psp_ref="5b1c4b0e-9f5e-4bd6-8f0f-d6b3a4a7c111"))
    assert kinds() == [("unknown_reference", "open")]
    assert calls_to_payfip() == before


# -- paid elsewhere ----------------------------------------------------------------------------------------------


def test_a_bill_paid_elsewhere_is_closed_with_its_reference(ground: Ground, tmp_path: Path) -> None:
    read(tmp_path, closing(ground))
    bill = ground.standing().bill
    assert (bill.closed_reason, bill.closed_note) == ("paid_elsewhere", "Q-17")
    assert "bill.closed" in audited()


def test_a_cancelled_bill_is_asked_for_no_more(ground: Ground, tmp_path: Path) -> None:
    read(tmp_path, closing(ground, kind="cancelled", amount_cents=""))
    assert ground.standing().bill.closed_reason == "cancelled"


def test_a_bill_paid_here_and_elsewhere_is_reported_not_closed(ground: Ground, tmp_path: Path) -> None:
    paid(ground)
    read(tmp_path, closing(ground))
    assert ground.standing().bill.closed_reason == ""
    assert kinds() == [("also_paid_here", "open")]


def test_a_bill_whose_payment_is_under_way_is_reported_not_closed(
    sign_in: SignIn, ground: Ground, tmp_path: Path
) -> None:
    begin(sign_in(ground.account), ground)
    read(tmp_path, closing(ground))
    assert ground.standing().bill.closed_reason == ""
    assert kinds() == [("also_paid_here", "open")]


def test_a_cheque_and_a_transfer_close_a_bill_together(ground: Ground, tmp_path: Path) -> None:
    read(tmp_path, closing(ground, amount_cents=2000, number="C-1"))
    assert ground.standing().bill.closed_reason == ""
    assert kinds() == [("part_only", "open")]
    read(tmp_path, closing(ground, amount_cents=2520, number="V-2"))
    assert ground.standing().bill.closed_reason == "paid_elsewhere"
    assert kinds() == [("part_only", "closed")]


# -- debits given back -------------------------------------------------------------------------------------------


def test_a_debit_given_back_reopens_the_bill_once_and_the_payer_is_told_without_amount(
    sign_in: SignIn, ground: Ground, work_jobs: Callable[[], None], tmp_path: Path
) -> None:
    browser = sign_in(ground.account)
    browser.get(pay(browser, ground, "V"))
    assert ground.standing().state == "debit_accepted"
    (entry,) = ground.entries()
    lines = [line_of(ground, entry, kind="rejected", note="REJ-9"), line_of(ground, entry)]
    read(tmp_path, *lines)
    read(tmp_path, *lines)
    standing = ground.standing()
    assert (standing.state, standing.left_cents) == ("open", 4520)
    assert [each.kind for each in ground.entries()] == ["payment", "rejection"]
    mails = [each for each in rows(Notification) if "direct debit" in each.subject or "prélèvement" in each.subject]
    assert len(mails) == 1
    assert "45.20" not in mails[0].body
    assert "45,20" not in mails[0].body
    (receipt,) = ground.receipts()
    assert receipt.entry_id == entry.id
    with prepared():
        assert queries.obstacle(standing) == ""


def test_after_a_debit_given_back_what_another_payment_left_over_counts_first(ground: Ground, tmp_path: Path) -> None:
    debit, _card = paid(ground, Ending.DEBIT_ACCEPTED), paid(ground)
    assert ground.standing().overpaid_cents == 4520
    read(tmp_path, line_of(ground, debit, kind="rejected"))
    standing = ground.standing()
    assert (standing.left_cents, standing.overpaid_cents) == (0, 0)
    with prepared():
        held = db.session.scalar(text(HELD))
    assert held == 0


def test_a_debit_given_back_that_matches_nothing_is_reported(ground: Ground, tmp_path: Path) -> None:
    card = paid(ground)
    read(tmp_path, line_of(ground, card, kind="rejected"), row(kind="rejected", psp_ref="nobody"))
    assert kinds() == [("rejection", "open"), ("rejection", "open")]
    assert len(ground.entries()) == 1


def test_a_debit_given_back_is_believed_for_its_whole_amount_alone(ground: Ground, tmp_path: Path) -> None:
    debit = paid(ground, Ending.DEBIT_ACCEPTED)
    read(tmp_path, line_of(ground, debit, kind="rejected").replace(";4520;", ";4500;"))
    assert kinds() == [("rejection", "open")]
    assert ground.standing().state == "debit_accepted"
    read(tmp_path, line_of(ground, debit, kind="rejected"))
    assert kinds() == [("rejection", "closed")]
    assert ground.standing().state == "open"


# -- deciding ----------------------------------------------------------------------------------------------------


def test_a_day_closes_at_zero_or_when_each_difference_is_explained(ground: Ground, tmp_path: Path) -> None:
    entry = paid(ground)
    assert not day_of(ground, entry).may_be_closed  # no file has come
    read(tmp_path, line_of(ground, entry).replace(";4520;", ";4620;"))
    assert not day_of(ground, entry).may_be_closed
    (found,) = rows(SettlementDifference)
    place = ground.hospital.establishment
    with prepared():
        actions.decide([place.id], found.id, "explained", "Frais du lecteur")
    key = day_of(ground, entry).key
    with prepared():
        actions.close_day([place.id], key)
    assert day_of(ground, entry).closed
    with prepared(), pytest.raises(actions.Unknown):
        actions.close_day([place.id], key)


def test_what_comes_in_after_the_day_was_closed_is_seen(ground: Ground, tmp_path: Path) -> None:
    entry = paid(ground)
    read(tmp_path, line_of(ground, entry))
    with prepared():
        actions.close_day([ground.hospital.establishment.id], day_of(ground, entry).key)
    assert not day_of(ground, entry).moved_since
    with prepared():
        billing.attempt(billing.bill(ground.hospital.establishment, ground.patient), Ending.PAID, days_ago=1)
    assert day_of(ground, entry).moved_since


def test_what_a_person_closed_stays_closed_while_nothing_new_is_said(ground: Ground, tmp_path: Path) -> None:
    place = ground.hospital.establishment
    read(tmp_path, row(psp_ref="nobody"))
    (found,) = rows(SettlementDifference)
    agent = db.Actor("staff", name="Agathe", account_id=ground.account.id, rights={"billing": frozenset({place.id})})
    with db.transaction(agent):
        actions.decide([place.id], found.id, "closed", "Autre portail")
    jobs.compare(place, date(2026, 11, 1), date(2026, 11, 30))
    assert kinds() == [("unknown_reference", "closed")]
    read(tmp_path, row(psp_ref="nobody", amount_cents=9900))
    assert kinds() == [("unknown_reference", "open")]


def test_a_day_that_is_not_over_stays_open(ground: Ground, tmp_path: Path) -> None:
    entry = paid(ground, days_ago=0)
    read(tmp_path, line_of(ground, entry))
    row = day_of(ground, entry)
    assert row.may_be_closed is row.is_over


# -- a file as a whole -------------------------------------------------------------------------------------------


def test_a_file_for_an_unknown_hospital_is_refused_line_by_line(ground: Ground, tmp_path: Path) -> None:
    report = read(tmp_path, row(finess="123456789", psp_ref="a"), row(psp_ref="b", kind="nothing"))
    assert report.totals()["refused"] == 2
    assert [refusal.line for refusal in report.refusals()] == [2, 3]


def test_an_import_that_was_cut_takes_up_where_it_was(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_BATCH", 2)
    whole = [row(psp_ref=f"op-{number}") for number in range(5)]
    cut = tmp_path / "cut.csv"
    cut.write_bytes(content([*whole[:3], "broken"]))
    jobs.import_payments(cut)
    assert read(tmp_path, *whole).totals() == {"added": 2, "changed": 0, "unchanged": 3, "refused": 0}
    assert len(rows(SettlementLine)) == 5


def test_the_same_line_twice_in_a_file_counts_once(ground: Ground, tmp_path: Path) -> None:
    assert read(tmp_path, row(psp_ref="a"), row(psp_ref="a"), row(psp_ref="a", amount_cents=1)).totals() == {
        "added": 1, "changed": 1, "unchanged": 1, "refused": 0,
    }  # fmt: skip


def test_lines_pending_are_listed_until_they_are_acted_upon(ground: Ground, tmp_path: Path) -> None:
    jobs.read_file(content([closing(ground)]), "x.csv", among=None)
    with prepared():
        assert len(settlement.pending_lines(10)) == 1
    assert jobs.act_on_lines() == 1
    assert jobs.act_on_lines() == 0
    with prepared():
        assert db.session.scalars(select(SettlementLine.result)).all() == ["done"]


# -- the accountant's own file -----------------------------------------------------------------------------------


@pytest.fixture
def titre(ground: Ground) -> Bill:
    with prepared():
        return billing.bill(
            ground.hospital.establishment, ground.patient, source="titre", reference="1234", refdet="TITRE1234"
        )


def read_return(tmp_path: Path, *encashments: str) -> jobs.Report:
    path = tmp_path / "retour.xml"
    path.write_bytes(pes.returned(*encashments))
    return jobs.import_payments(path)


def standing_of(bill: Bill) -> queries.Standing:
    with prepared():
        return queries.standing(bill.id)


def test_a_titre_that_the_accountant_was_paid_is_asked_for_no_more(titre: Bill, tmp_path: Path) -> None:
    assert read_return(tmp_path, pes.encashment("40.00")).totals()["added"] == 1
    assert standing_of(titre).state == "open"
    assert kinds() == [("part_only", "open")]
    read_return(tmp_path, pes.encashment("40.00"), pes.encashment("5.20", number="779"))
    assert standing_of(titre).bill.closed_reason == "paid_elsewhere"


def test_the_accountant_tells_of_the_portals_own_payment_and_nothing_changes(titre: Bill, tmp_path: Path) -> None:
    with prepared():
        billing.attempt(db.session.get_one(Bill, titre.id), Ending.PAID)
    read_return(tmp_path, pes.encashment())
    read_return(tmp_path, pes.encashment())
    assert standing_of(titre).state == "paid"
    assert kinds() == []
    assert [each.why for each in rows(SettlementLine)] == ["paid_here"]


def test_a_titre_that_the_portal_never_had_is_no_business_of_ours(ground: Ground, tmp_path: Path) -> None:
    read_return(tmp_path, pes.encashment())
    assert [(each.result, each.why) for each in rows(SettlementLine)] == [("done", "no_such_bill")]
    assert kinds() == []


def test_a_file_cut_in_the_middle_keeps_what_was_read(titre: Bill, tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    path.write_bytes(pes.returned(pes.encashment())[:-40])
    with pytest.raises(NotSuchAFile):
        jobs.import_payments(path)
    assert read_return(tmp_path, pes.encashment()).totals()["refused"] == 0
    assert standing_of(titre).bill.closed_reason == "paid_elsewhere"
