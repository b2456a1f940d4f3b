"""Who gets in, how long, and who does not."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import psycopg
import pytest

from api import accounts
from gis.errors import AccountNotFound, BadArgument, LinkSpent, NotSignedIn, UnknownDivision
from gis.terms import Role

PASSWORD = "correct horse battery"  # noqa: S105 - of an account that lives for one test


@pytest.fixture
def name(database: str) -> str:
    """Make an account with a password and the role of a planner."""
    assert database
    accounts.add("规划员甲")
    accounts.grant("规划员甲", Role.PLANNER, "640100")
    accounts.redeem_link(accounts.make_link("规划员甲"), PASSWORD)
    return "规划员甲"


def sign_in(client: httpx.Client, name: str, password: str) -> httpx.Response:
    """Send the OAuth2 password form."""
    form = {"grant_type": "password", "username": name, "password": password}
    return client.post("/api/token", data=form, timeout=60)


def test_a_password_gives_a_bearer_and_the_bearer_says_who(client: httpx.Client, name: str) -> None:
    issued = sign_in(client, name, PASSWORD).json()
    assert issued["token_type"] == "bearer"  # noqa: S105 - a word of OAuth2
    assert issued["expires_in"] == 12 * 3600
    told = client.get("/api/session", headers={"Authorization": f"Bearer {issued['access_token']}"}).json()["actor"]
    assert told["name"] == name
    assert told["roles"] == ["planner"]
    assert told["grants"] == [{"role": "planner", "division": "640100000000", "until": None}]


def test_without_a_bearer_nobody_is_signed_in(client: httpx.Client) -> None:
    assert client.get("/api/session").json() == {"actor": None}


@pytest.mark.parametrize("bearer", ["x", "'; DROP TABLE reg.accounts; --", "a" * 10_000])
def test_a_made_up_bearer_opens_nothing(client: httpx.Client, bearer: str) -> None:
    answer = client.get("/api/session", headers={"Authorization": f"Bearer {bearer}"})
    assert answer.status_code == 401 or answer.json() == {"actor": None}
    assert client.get("/api/buildings/100000000078", headers={"Authorization": f"Bearer {bearer}"}).status_code == 401


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("规划员甲", "correct horse batterz"),
        ("规划员甲", ""),
        ("规划员甲", "x" * 5_000),
        ("nobody", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("规划员甲\0", PASSWORD),
    ],
)
def test_wrong_names_and_passwords_sound_the_same(
    client: httpx.Client, name: str, username: str, password: str
) -> None:
    assert name
    answer = sign_in(client, username, password)
    assert answer.status_code in {401, 422}
    if answer.status_code == 401:
        assert answer.json()["detail"] == "Name or password is wrong."


def test_half_a_character_is_refused_not_a_fault(client: httpx.Client, name: str) -> None:
    link = accounts.make_link(name)
    body = b'{"token": "%s", "password": "aaaaaaaaaaaa\\ud800"}' % link.encode()
    answer = client.post("/api/first-start", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    answer = client.post(
        "/api/first-start", content=b'{"token": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {401, 422}


def test_the_tables_hold_no_password_and_no_token(database: str, name: str) -> None:
    token = accounts.sign_in(name, PASSWORD).token
    with psycopg.connect(database) as connection:
        kept = connection.execute("SELECT password_hash FROM reg.accounts").fetchall()
        tokens = connection.execute("SELECT digest FROM reg.account_tokens").fetchall()
    assert all(row[0].startswith("$argon2id$") for row in kept)
    assert (hashlib.sha256(token.encode()).digest(),) in tokens
    assert token.encode() not in b"".join(row[0] for row in tokens)


def test_a_disabled_account_is_out_at_once(client: httpx.Client, name: str) -> None:
    bearer = {"Authorization": f"Bearer {accounts.sign_in(name, PASSWORD).token}"}
    assert client.get("/api/session", headers=bearer).status_code == 200
    accounts.disable(name)
    assert client.get("/api/session", headers=bearer).status_code == 401
    assert sign_in(client, name, PASSWORD).status_code == 401
    with pytest.raises(AccountNotFound):
        accounts.make_link(name)


def test_signing_out_ends_the_bearer(client: httpx.Client, name: str) -> None:
    bearer = {"Authorization": f"Bearer {accounts.sign_in(name, PASSWORD).token}"}
    assert client.delete("/api/token", headers=bearer).status_code == 204
    assert client.get("/api/session", headers=bearer).status_code == 401
    assert client.delete("/api/token").status_code == 401


def test_an_expired_bearer_opens_nothing(database: str, client: httpx.Client, name: str) -> None:
    bearer = {"Authorization": f"Bearer {accounts.sign_in(name, PASSWORD).token}"}
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.account_tokens SET expires_at = now() - interval '1 second'")
    assert client.get("/api/session", headers=bearer).status_code == 401


def test_a_role_ends_with_its_day(database: str, client: httpx.Client, name: str) -> None:
    bearer = {"Authorization": f"Bearer {accounts.sign_in(name, PASSWORD).token}"}
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.account_grants SET valid_until = current_date - 1")
    assert client.get("/api/session", headers=bearer).json()["actor"]["roles"] == []


def test_a_link_works_once(client: httpx.Client, name: str) -> None:
    link = accounts.make_link(name)
    first = client.post("/api/first-start", json={"token": link})
    assert first.status_code == 200
    assert client.post("/api/first-start", json={"token": link}).status_code == 401
    bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert client.get("/api/session", headers=bearer).json()["actor"]["name"] == name


def test_of_two_at_the_same_moment_one_gets_in(name: str) -> None:
    link = accounts.make_link(name)
    got_in: list[str] = []
    barrier = threading.Barrier(4)

    def rush() -> None:
        barrier.wait()
        with suppress(LinkSpent):
            got_in.append(accounts.redeem_link(link).token)

    crowd = [threading.Thread(target=rush) for _ in range(4)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert len(got_in) == 1


def test_a_bearer_is_no_link_and_a_link_is_no_bearer(client: httpx.Client, name: str) -> None:
    link = accounts.make_link(name)
    bearer = accounts.sign_in(name, PASSWORD).token
    assert client.post("/api/first-start", json={"token": bearer}).status_code == 401
    assert client.get("/api/session", headers={"Authorization": f"Bearer {link}"}).status_code == 401


def test_a_newer_link_ends_the_older_and_a_new_password_the_sessions(name: str) -> None:
    older, bearer = accounts.make_link(name), accounts.sign_in(name, PASSWORD)
    newer = accounts.make_link(name)
    with pytest.raises(LinkSpent):
        accounts.redeem_link(older)
    accounts.redeem_link(newer, "another long password")
    with pytest.raises(NotSignedIn):
        accounts.caller_of(bearer.token)
    assert accounts.sign_in(name, "another long password")


def test_a_short_password_leaves_the_link_good(name: str) -> None:
    link = accounts.make_link(name)
    with pytest.raises(BadArgument):
        accounts.redeem_link(link, "short")
    assert accounts.redeem_link(link)


@pytest.mark.parametrize("wrong", ["", " a", "a ", "a\nb", "a\x1b[2J", "x" * 65])
def test_a_name_that_could_deceive_a_terminal_is_refused(database: str, wrong: str) -> None:
    assert database
    with pytest.raises(BadArgument):
        accounts.add(wrong)


def test_a_name_is_taken_once_and_a_role_needs_a_known_division(name: str) -> None:
    with pytest.raises(BadArgument, match="exists"):
        accounts.add(name)
    with pytest.raises(UnknownDivision):
        accounts.grant(name, Role.REGISTRAR, "123456")


def test_a_crowd_at_the_door_leaves_threads_to_the_map(client: httpx.Client) -> None:
    with ThreadPoolExecutor(40) as crowd:
        answers = [crowd.submit(sign_in, client, f"nobody {n}", "wrong wrong wrong") for n in range(40)]
        assert client.get("/healthz").status_code == 200
        told = [each.result() for each in answers]
    turned_away = next(each for each in told if each.status_code == 429)
    assert turned_away.json()["type"] == "urn:menpai:problem:too_many_at_once"
    assert int(turned_away.headers["retry-after"]) == 5
    assert any(each.status_code == 401 for each in told)


def test_only_the_role_of_accounts_reads_them(database: str, name: str) -> None:
    assert name
    with psycopg.connect(database) as connection:
        dbname = connection.info.dbname
        for role in ("public", "planner", "registrar", "siting_job", "resident_desk"):
            for table in ("accounts", "account_grants", "account_tokens"):
                connection.execute(f'SET ROLE "{dbname}_{role}"')
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"SELECT * FROM reg.{table}")  # noqa: S608 - a list of our own
                connection.rollback()
        connection.execute(f'SET ROLE "{dbname}_owner"')
        assert connection.execute("SELECT count(*) FROM reg.account_tokens").fetchone() == (0,), (
            "forced on the owner too"
        )
