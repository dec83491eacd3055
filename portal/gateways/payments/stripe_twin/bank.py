"""What Stripe does with money: takes it, gives it back, loses it to a dispute, sends it to the hospital's bank."""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from portal.gateways.payments.stripe_twin import objects
from portal.gateways.payments.stripe_twin.account import Account
from portal.gateways.payments.stripe_twin.faults import Faults
from portal.gateways.payments.stripe_twin.objects import Object
from portal.gateways.payments.stripe_twin.orders import Refusal, check_session

_KEY = re.compile(r"(?:sk|rk)_(test|live)_[A-Za-z0-9_]{3,200}")
_DISPUTE_FEE = 2000


def fee_of(amount: int) -> int:
    """1.5 % and 25 cents, whole cents."""
    return (amount * 15 + 500) // 1000 + 25


class Bank:
    """The twin's memory; safe to share between threads. A key opens an account of its own, made when first seen;
    keys with `unknown` in them are refused. `clock` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.faults = Faults()
        self.clock = clock
        self.base_url = ""
        self.tell: Callable[[Object], None] = lambda event: None
        self._accounts: dict[str, Account] = {}
        self._asked: dict[str, Mapping[str, Any]] = {}
        self._lock = threading.Lock()

    def account(self, key: str) -> Account:
        """Raises `Refusal` 401."""
        kind = _KEY.fullmatch(key)
        if kind is None or "unknown" in key:
            raise Refusal("", f"Invalid API Key provided: {key[:8]}***", status=401)
        with self._lock:
            if key not in self._accounts:
                named = "acct_" + hashlib.sha256(key.encode()).hexdigest()[:16]
                self._accounts[key] = Account(
                    named, "Hôpital de démonstration", kind[1] == "live", self._now, lambda event: self.tell(event)
                )
            return self._accounts[key]

    def clear(self) -> None:
        """Forget everything, and be in good health."""
        self.faults.clear()
        with self._lock:
            self._accounts.clear()

    def holder(self, name: str) -> Account:
        """The account that holds this object. Raises `Refusal`."""
        with self._lock:
            accounts = list(self._accounts.values())
        for account in accounts:
            if name in account.objects:
                return account
        raise Refusal("resource_missing", f"No such object: '{name}'", status=404)

    # -- Checkout --------------------------------------------------------------------------------------------------

    def create(self, account: Account, asked: Mapping[str, Any]) -> Object:
        """A new session. Raises `Refusal` for what Stripe refuses."""
        amount = check_session(asked, self._now())
        with account.lock:
            made = objects.session(asked, amount=amount, now=self._now(), live=account.live, base_url=self.base_url)
            self._asked[made["id"]] = asked
            return account.keep(made)

    def session(self, name: str) -> Object:
        """A session as it is now: its time may be over. Raises `Refusal`."""
        account = self.holder(name)
        with account.lock:
            found = account.known(name, "checkout.session")
            if found["status"] == "open" and self._now() >= found["expires_at"]:
                self._close(account, found)
            return found

    def lines(self, name: str) -> list[tuple[str, int]]:
        """What the page shows: each line's label and cents."""
        items = self._asked.get(name, {}).get("line_items", [])
        prices = [item["price_data"] for item in items]
        return [(price["product_data"]["name"], int(price["unit_amount"])) for price in prices]

    def pay(self, name: str, *, delayed: bool = False) -> Object:
        """The payer pays. delayed: the money comes later (`arrive`), or not (`bounce`). Raises `Refusal`."""
        account, found = self.holder(name), self.session(name)
        with account.lock:
            self._must_be_open(found)
            metadata = self._asked.get(name, {}).get("payment_intent_data", {}).get("metadata", {})
            intent = account.keep(objects.intent(found, metadata, now=self._now()))
            found["payment_intent"], found["status"] = intent["id"], "complete"
            if delayed:
                intent["status"] = "processing"
            else:
                self._take(account, found, intent)
            account.happen("checkout.session.completed", found)
            return found

    def arrive(self, name: str) -> None:
        """The money of a delayed payment comes."""
        account, found = self.holder(name), self.session(name)
        with account.lock:
            self._take(account, found, account.known(found["payment_intent"], "payment_intent"))
            account.happen("checkout.session.async_payment_succeeded", found)

    def bounce(self, name: str) -> None:
        """The money of a delayed payment does not come."""
        account, found = self.holder(name), self.session(name)
        with account.lock:
            account.known(found["payment_intent"], "payment_intent")["status"] = "requires_payment_method"
            account.happen("checkout.session.async_payment_failed", found)

    def expire(self, name: str) -> Object:
        """Close a session that nobody has paid. Raises `Refusal` when it is too late, or closed already."""
        account = self.holder(name)
        if self.faults.paid_while_closing:
            self.pay(name)
        with account.lock:
            found = self.session(name)
            self._must_be_open(found)
            self._close(account, found)
            return found

    def _close(self, account: Account, found: Object) -> None:
        found["status"], found["url"] = "expired", None
        account.happen("checkout.session.expired", found)

    def _must_be_open(self, found: Object) -> None:
        if found["status"] != "open":
            raise Refusal("", f"This Session has a status of `{found['status']}`: it is no longer open.")

    def _take(self, account: Account, found: Object, intent: Object) -> None:
        charge = account.keep(objects.charge(intent, now=self._now(), email=found["customer_email"]))
        amount = int(intent["amount"])
        moved = account.move("charge", "charge", amount, charge["id"], fee_of(amount))
        charge["balance_transaction"] = moved["id"]
        intent |= {"status": "succeeded", "amount_received": amount, "latest_charge": charge["id"]}
        found["payment_status"] = "paid"

    # -- money given back ------------------------------------------------------------------------------------------

    def refund(self, account: Account, asked: Mapping[str, Any]) -> Object:
        """Raises `Refusal`: more than is left, disputed, not paid."""
        with account.lock:
            charge = account.charge_of(str(asked.get("payment_intent", "")))
            left = charge["amount"] - charge["amount_refunded"]
            amount = int(asked.get("amount", left))
            if left == 0:
                raise Refusal("charge_already_refunded", f"Charge {charge['id']} has already been refunded.")
            if charge["disputed"]:
                raise Refusal("charge_disputed", f"Charge {charge['id']} has been charged back.")
            if not 0 < amount <= left:
                raise Refusal("", f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})")
            made = account.keep(
                objects.refund(charge, amount, asked.get("metadata", {}), asked.get("reason"), now=self._now())
            )
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount"]
            made["balance_transaction"] = account.move("refund", "refund", -amount, made["id"])["id"]
            made["status"] = "pending" if self.faults.refunds_pend else "succeeded"
            account.happen("refund.created", made)
            account.happen("charge.refunded", charge)
            return made

    def end_refund(self, name: str, *, failed: bool = False) -> Object:
        """What becomes of a refund days later: `succeeded` unless failed, and then the money comes back."""
        account = self.holder(name)
        with account.lock:
            found = account.known(name, "refund")
            if not failed:
                found["status"] = "succeeded"
                account.happen("refund.updated", found)
                return found
            charge = account.known(found["charge"], "charge")
            charge["amount_refunded"] -= found["amount"]
            charge["refunded"] = False
            back = account.move("refund_failure", "refund_failure", found["amount"], name)
            found |= {
                "status": "failed",
                "failure_reason": "expired_or_canceled_card",
                "failure_balance_transaction": back["id"],
            }
            account.happen("refund.updated", found)
            account.happen("refund.failed", found)
            return found

    # -- disputes and payouts --------------------------------------------------------------------------------------

    def dispute(self, payment: str, amount: int | None = None) -> Object:
        """The payer's bank takes a payment back, and Stripe a fee. payment: `pi_…`."""
        account = self.holder(payment)
        with account.lock:
            charge = account.charge_of(payment)
            charge["disputed"] = True
            made = account.keep(objects.dispute(charge, amount or charge["amount"], now=self._now()))
            taken = account.move("adjustment", "dispute", -made["amount"], made["id"], _DISPUTE_FEE)
            account.happen("charge.dispute.created", made)
            made["balance_transactions"].append(taken)
            account.happen("charge.dispute.funds_withdrawn", made)
            return made

    def end_dispute(self, name: str, *, won: bool) -> Object:
        """won: the money comes back; its fee does not."""
        account = self.holder(name)
        with account.lock:
            found = account.known(name, "dispute")
            found["status"] = "won" if won else "lost"
            if won:
                found["balance_transactions"].append(
                    account.move("adjustment", "dispute_reversal", found["amount"], name)
                )
                account.happen("charge.dispute.funds_reinstated", found)
            account.happen("charge.dispute.closed", found)
            return found

    def pay_out(self, key: str) -> Object:
        """Send to the hospital's bank everything that was not sent yet."""
        account = self.account(key)
        with account.lock:
            waiting = [one for one in account.all("balance_transaction") if "payout" not in one]
            made = account.keep(objects.payout(sum(one["net"] for one in waiting), live=account.live, now=self._now()))
            sent = account.move("payout", "payout", -made["amount"], made["id"])
            made["balance_transaction"], made["status"] = sent["id"], "paid"
            for one in [*waiting, sent]:
                one["payout"] = made["id"]
            account.happen("payout.paid", made)
            account.happen("payout.reconciliation_completed", made)
            return made

    def return_payout(self, name: str) -> Object:
        """The hospital's bank refuses a payout: Stripe owes the money again."""
        account = self.holder(name)
        with account.lock:
            found = account.known(name, "payout")
            back = account.move("payout_failure", "payout_reversal", found["amount"], name)
            found |= {
                "status": "failed",
                "failure_code": "account_closed",
                "failure_balance_transaction": back["id"],
            }
            account.happen("payout.failed", found)
            return found

    def _now(self) -> int:
        return int(self.clock())
