"""Whoever guesses waits, wherever from and at whichever worker; the right person is not locked out by it."""

import httpx
import psycopg
import pytest

from api import accounts
from api.accounts import waiting
from api.accounts.waiting import ACCOUNT, ACCOUNT_FROM_SOURCE, LONGEST_WAIT_S, SOURCE, Attempt
from gis.errors import TooManyAttempts

PASSWORD = "correct horse battery"  # noqa: S105 - of an account that lives for one test
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def wait_of(attempt: Attempt) -> int:
    """Return the seconds an attempt has to wait, 0 where it may go on and is counted."""
    try:
        waiting.begin(attempt)
    except TooManyAttempts as told:
        return int(str(told.facts["wait_s"]))
    return 0


def age(database: str, seconds: int) -> None:
    """Let time pass for every count."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "UPDATE reg.account_attempts SET failed_at = failed_at - make_interval(secs => %s)", (seconds,)
        )


def test_the_wait_doubles_is_bounded_and_ends(database: str) -> None:
    who = Attempt.of("甲", HOME)
    assert [wait_of(who) for _ in range(ACCOUNT_FROM_SOURCE.free)] == [0] * ACCOUNT_FROM_SOURCE.free
    waits = []
    for _ in range(12):
        waits.append(wait_of(who))
        age(database, LONGEST_WAIT_S + 1)
        assert wait_of(who) == 0
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == LONGEST_WAIT_S


def test_waiting_is_not_counted_and_a_day_later_all_is_forgotten(database: str) -> None:
    who = Attempt.of("甲", HOME)
    for _ in range(ACCOUNT_FROM_SOURCE.free):
        wait_of(who)
    assert {wait_of(who) for _ in range(30)} == {1}, "knocking on makes it no longer"
    age(database, ACCOUNT_FROM_SOURCE.forgotten_after_s + 1)
    assert [wait_of(who) for _ in range(ACCOUNT_FROM_SOURCE.free)] == [0] * ACCOUNT_FROM_SOURCE.free


def test_a_guesser_with_many_addresses_is_slowed_and_the_holder_at_their_desk_is_not(database: str) -> None:
    assert database
    desk = Attempt.of("甲", HOME)
    assert wait_of(desk) == 0
    waiting.succeeded(desk)
    for n in range(ACCOUNT.free):
        assert wait_of(Attempt.of("甲", f"203.0.113.{n}")) == 0
    assert wait_of(Attempt.of("甲", "203.0.113.250")) > 0, "an address nobody has tried from yet"
    assert wait_of(desk) == 0, "the desk from which the holder signed in"
    assert wait_of(Attempt.of("乙", "203.0.113.250")) == 0


def test_a_source_that_tries_every_name_is_slowed(database: str) -> None:
    assert database
    for n in range(SOURCE.free):
        assert wait_of(Attempt.of(f"name {n}", ELSEWHERE)) == 0
    assert wait_of(Attempt.of("another", ELSEWHERE)) > 0
    assert wait_of(Attempt.of("another", HOME)) == 0


def test_the_addresses_of_an_ipv6_site_are_one_source(database: str) -> None:
    assert database
    assert Attempt.of("甲", "2001:db8::1") == Attempt.of("甲", "2001:db8::ffff:2")
    assert Attempt.of("甲", "2001:db8::1") != Attempt.of("甲", "2001:db8:0:1::1")


def test_guesses_through_the_door_wait_even_with_the_right_password_and_others_do_not(
    client: httpx.Client, database: str
) -> None:
    for name in ("甲", "乙"):
        accounts.add(name)
        accounts.redeem_link(accounts.make_link(name), PASSWORD)

    def sign_in(name: str, password: str) -> httpx.Response:
        return client.post("/api/token", data={"username": name, "password": password}, timeout=60)

    for _ in range(ACCOUNT_FROM_SOURCE.free):
        assert sign_in("甲", "wrong wrong wrong").status_code == 401
    answer = sign_in("甲", PASSWORD)
    assert (answer.status_code, int(answer.headers["retry-after"])) == (429, 1)
    assert sign_in("乙", PASSWORD).status_code == 200
    age(database, 2)
    assert sign_in("甲", PASSWORD).status_code == 200


@pytest.mark.parametrize("kept", ["甲", HOME])
def test_no_name_and_no_address_is_kept(database: str, kept: str) -> None:
    wait_of(Attempt.of("甲", HOME))
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT a::text FROM reg.account_attempts a").fetchall()
    assert rows
    assert not any(kept in row[0] or kept.encode().hex() in row[0] for row in rows)
