"""Tries are counted before they are looked at: tight for one account, generous for one network."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from auth import tries
from auth.tries import FailedTries, TooManyTries, address_range
from portal import db
from portal.web.limits import visitor
from tests.ground import prepared, rows


class TestANetwork:
    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("192.0.2.7", "192.0.2.0/24"),
            ("192.0.2.255", "192.0.2.0/24"),
            ("::ffff:192.0.2.7", "192.0.2.0/24"),
            ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
            ("", ""),
            ("unix:", ""),
        ],
    )
    def test_is_what_one_customer_gets(self, address: str, network: str) -> None:
        assert address_range(address) == network

    @given(st.ip_addresses())
    def test_holds_the_address(self, address: object) -> None:
        import ipaddress

        made = ipaddress.ip_network(address_range(str(address)))
        mapped = getattr(address, "ipv4_mapped", None)
        assert (mapped or address) in made

    def test_counts_an_ipv6_customer_once_whatever_address_they_take(self, app: Flask) -> None:
        seen = set()
        for end in range(5):
            with app.test_request_context(environ_base={"REMOTE_ADDR": f"2001:db8::{end}"}):
                seen.add(visitor())
        assert len(seen) == 1


class TestACounter:
    def test_lets_its_limit_through_and_no_more(self, app: Flask) -> None:
        counter = tries.of_account(uuid4(), "proof", limit=3)
        for _try in range(3):
            tries.spend(counter)
        with pytest.raises(TooManyTries) as waiting:
            tries.spend(counter)
        assert timedelta(minutes=9) < waiting.value.until - db.now() <= timedelta(minutes=10)

    def test_made_at_the_same_time_counts_each_try(self, app: Flask) -> None:
        counter = tries.of_account(uuid4(), "proof", limit=5)

        def one(_number: int) -> bool:
            try:
                tries.spend(counter)
            except TooManyTries:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(one, range(20))) == 5

    def test_opens_again_when_its_window_is_over(self, app: Flask) -> None:
        counter = tries.of_account(uuid4(), "proof", limit=1)
        tries.spend(counter)
        with prepared():
            db.session.execute(update(FailedTries).values(first_at=db.now() - timedelta(minutes=11)))
        tries.spend(counter)
        with pytest.raises(TooManyTries):
            tries.spend(counter)

    def test_starts_from_nothing_after_a_success(self, app: Flask) -> None:
        account, network = tries.of_account(uuid4(), "proof", limit=2), tries.of_range("192.0.2.1", "proof")
        for _success in range(5):
            tries.spend(account, network)
            tries.succeed(account, network)
        assert [row.failures for row in rows(FailedTries)] == [0]

    def test_of_a_network_is_generous(self, app: Flask) -> None:
        """A whole hospital behind one address: a hundred people may be wrong once."""
        for _person in range(100):
            tries.spend(tries.of_account(uuid4(), "proof"), tries.of_range("192.0.2.1", "proof"))

    def test_says_nothing_of_who_came_from_where(self, app: Flask) -> None:
        counter = tries.of_range("192.0.2.1", "proof")
        tries.spend(counter)
        (row,) = rows(FailedTries)
        assert b"192" not in row.digest
        assert row.digest != hashlib.sha256(counter.key.encode()).digest(), "whoever tries every address finds nobody"
        assert len(row.digest) == 32


def test_good_and_counted_tries_at_one_moment_never_wait_in_a_circle(app: Flask) -> None:
    """Whichever of the two counters comes first in the order of the database."""
    pairs = [(tries.of_name(f"name {n}", "password"), tries.of_range(f"198.51.{n}.1", "password")) for n in range(8)]

    def sign_in(n: int) -> None:
        tries.spend(*pairs[n % 8])
        tries.succeed(*pairs[n % 8])

    with ThreadPoolExecutor(4) as together:
        for one in range(8):
            list(together.map(sign_in, [one] * 12))
