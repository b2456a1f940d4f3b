"""A session: how it is held, proved, listed and ended, and what of it is written down."""

import logging
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from api import accounts
from gis.errors import BadArgument
from gis.terms import Role

NAME = "规划员甲"
PASSWORD, ANOTHER = "correct horse battery", "another long password"
OURS = {"X-Menpai": "page"}


@pytest.fixture
def name(database: str) -> str:
    """Make a planner's account with a password."""
    assert database
    accounts.add(NAME)
    accounts.grant(NAME, Role.PLANNER, "640100")
    accounts.redeem_link(accounts.make_link(NAME), PASSWORD)
    return NAME


@pytest.fixture
def page(name: str, address: str) -> Iterator[httpx.Client]:
    """Yield a page that is signed in by its cookie."""
    with httpx.Client(base_url=address, headers=OURS, timeout=60) as client:
        assert client.post("/api/session", json={"name": name, "password": PASSWORD}).status_code == 200
        yield client


def who(client: httpx.Client) -> str | None:
    """Return who is signed in; None where nobody is."""
    answer = client.get("/api/session")
    return (answer.json().get("actor") or {}).get("name") if answer.is_success else None


def test_a_request_of_another_site_counts_for_nothing(page: httpx.Client) -> None:
    assert who(page) == NAME
    del page.headers["X-Menpai"]
    assert page.put("/api/account/password", json={"password": ANOTHER}).status_code == 401, "a form of another site"
    assert page.post("/api/session", json={"name": NAME, "password": PASSWORD}).status_code == 401
    for site in ("cross-site", "same-site"):
        refused = page.get("/api/account/sessions", headers={"Sec-Fetch-Site": site})
        assert refused.status_code == 401
        assert page.put("/api/account/password", headers=OURS | {"Sec-Fetch-Site": site}).status_code in {401, 422}
    asked = page.options("/api/account/password", headers={"Origin": "https://elsewhere.example"})
    assert not [each for each in asked.headers if each.lower().startswith("access-control")]


def test_the_cookie_is_bound_to_https_and_its_host_where_there_is_https(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENPAI_PUBLIC_URL", "https://menpai.example")
    answer = httpx.post(f"{address}api/session", json={"name": name, "password": PASSWORD}, headers=OURS, timeout=60)
    kept = answer.headers["set-cookie"]
    assert kept.startswith("__Host-menpai=")
    parts = {part.strip().lower() for part in kept.split(";")}
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= parts
    assert not any(part.startswith("domain") for part in parts)
    assert answer.json()["actor"]["name"] == name
    assert "token" not in answer.text, "the cookie alone holds it"


def test_https_is_kept_to_once_it_was_used(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "strict-transport-security" not in client.get("/healthz").headers
    monkeypatch.setenv("MENPAI_PUBLIC_URL", "https://menpai.example")
    assert client.get("/healthz").headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


def test_signing_in_gives_another_token_and_ends_the_one_before(page: httpx.Client, address: str) -> None:
    before = page.cookies["menpai"]
    page.post("/api/session", json={"name": NAME, "password": PASSWORD})
    after = page.cookies["menpai"]
    assert before != after
    with httpx.Client(base_url=address, cookies={"menpai": before}, headers=OURS) as fixed:
        assert who(fixed) is None
    page.post("/api/account/proof", json={"password": PASSWORD})
    assert page.cookies["menpai"] not in {before, after}
    assert who(page) == NAME


def test_a_page_left_alone_is_over(page: httpx.Client, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.account_tokens SET active_at = now() - interval '119 minutes'")
    assert who(page) == NAME, "and this was using it"
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.account_tokens SET active_at = active_at - interval '121 minutes'")
    assert who(page) is None


def test_sessions_are_listed_and_ended_one_by_one_or_all(page: httpx.Client, address: str) -> None:
    token = accounts.sign_in(NAME, PASSWORD).token
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}) as program:
        told = page.get("/api/account/sessions").json()
        assert {"signed_in", "link_used", "password_set"} <= {each["act"] for each in told["events"]}
        (other,) = [each["id"] for each in told["sessions"] if not each["this_one"] and each["opened_by"] == "password"]
        assert page.delete(f"/api/account/sessions/{other}").status_code == 204
        assert page.delete(f"/api/account/sessions/{other}").status_code == 404
        assert (who(program), who(page)) == (None, NAME)
    assert page.delete("/api/account/sessions").status_code == 204
    assert who(page) is None


def test_nobody_ends_another_s_session(page: httpx.Client, database: str) -> None:
    accounts.add("乙")
    accounts.mint("乙")
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT max(id) FROM reg.account_tokens").fetchone()
    assert row is not None
    assert page.delete(f"/api/account/sessions/{row[0]}").status_code == 404


def test_a_new_password_needs_a_fresh_proof_and_ends_the_other_sessions(page: httpx.Client, database: str) -> None:
    other = accounts.sign_in(NAME, PASSWORD).token
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.account_tokens SET proven_at = now() - interval '16 minutes'")
    refused = page.put("/api/account/password", json={"password": ANOTHER})
    assert refused.json()["type"] == "urn:menpai:problem:prove_again"
    assert page.post("/api/account/proof", json={"password": "wrong wrong wrong"}).status_code == 401
    assert page.post("/api/account/proof", json={"password": PASSWORD}).status_code == 200
    assert page.put("/api/account/password", json={"password": ANOTHER}).status_code == 204
    assert page.get("/api/session", headers={"Authorization": f"Bearer {other}"}).status_code == 401
    assert accounts.sign_in(NAME, ANOTHER)


@pytest.mark.parametrize(
    "guessed", ["password1234", "123456789012", "aaaaaaaaaaaa", "qwertyuiop123", "menpaimenpai1", f"{NAME}12345678"]
)
def test_a_password_that_is_guessed_early_is_refused(name: str, guessed: str) -> None:
    with pytest.raises(BadArgument, match="guessed"):
        accounts.redeem_link(accounts.make_link(name), guessed)


def test_a_token_for_a_program_does_what_its_roles_do_and_nothing_that_needs_a_person(
    page: httpx.Client, address: str
) -> None:
    accounts.grant(NAME, Role.FIELD_OFFICER, "640100")
    refused = page.post("/api/account/tokens", json={"roles": ["registrar"]})
    assert refused.status_code == 403, "a role one does not have"
    made = page.post("/api/account/tokens", json={"roles": ["field_officer"], "hours": 1}).json()
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {made['access_token']}"}) as program:
        assert program.get("/api/session").json()["actor"]["roles"] == ["field_officer"]
        assert program.get("/api/changes").status_code == 403, "a planner's, which it was not given"
        assert program.put("/api/account/password", json={"password": ANOTHER}).status_code == 403
        assert program.post("/api/account/tokens", json={"roles": ["field_officer"]}).status_code == 403


def test_who_was_turned_away_stands_in_the_log_without_what_they_typed(
    page: httpx.Client, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="menpai"):
        form = {"username": "hunter2\nrefused 200", "password": "my secret words"}
        httpx.post(f"{address}api/token", data=form, timeout=60)
        page.get("/api/accounts")
    said = [record.getMessage() for record in caplog.records if record.name == "menpai"]
    assert said == [
        "refused 401 POST /api/token from 127.0.0.1: 'nobody'",
        f"refused 403 GET /api/accounts from 127.0.0.1: {NAME!a}",
    ]


def test_the_log_holds_no_secret(name: str, client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    link = accounts.make_link(name)
    with caplog.at_level(logging.DEBUG):
        token = client.post("/api/first-start", json={"token": link, "password": ANOTHER}, timeout=60).json()
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        client.get("/api/session", headers=bearer)
        client.get("/api/accounts", headers=bearer)
        client.post("/api/token", data={"username": name, "password": "wrong wrong wrong"}, timeout=60)
    said = "\n".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.records)
    assert "refused" in said, "something was written at all"
    assert not [each for each in (link, ANOTHER, token["access_token"], "wrong wrong") if each in said]
