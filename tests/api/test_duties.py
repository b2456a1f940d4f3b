"""The separation of duties, in the database itself: whoever writes past the doors is refused there."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api import accounts
from gis.errors import GrantRefused, NotAllowed
from gis.store import schema, session
from gis.terms import Role

ADMIN, OTHER = "管理员甲", "管理员乙"


@pytest.fixture
def administrator(database: str, address: str) -> Iterator[httpx.Client]:
    """Yield a client of an administrator of accounts of 银川, as freshly signed in as can be."""
    assert database
    accounts.add(ADMIN)
    accounts.grant(ADMIN, Role.ACCOUNT_ADMINISTRATOR, "640100")
    token = accounts.mint(ADMIN).token
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.account_tokens SET use = 'bearer'")
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        yield client


@pytest.mark.parametrize("role", Role)
def test_nobody_grants_themselves_a_right_not_even_past_the_doors(administrator: httpx.Client, role: Role) -> None:
    refused = administrator.post(f"/api/accounts/{ADMIN}/grants", json={"role": role, "division": "640100"})
    assert refused.status_code == 409
    assert "nobody grants themselves" in refused.json()["detail"]
    with pytest.raises(DBAPIError, match="nobody grants themselves"), session.open("accounts", actor=ADMIN) as writing:
        writing.execute(
            text(
                "INSERT INTO reg.account_grants (account_id, role, division_code)"
                " SELECT id, :role, 640100000000 FROM reg.accounts WHERE name = :name"
            ),
            {"role": role.value, "name": ADMIN},
        )


def test_nor_do_they_make_a_right_of_theirs_last_longer(administrator: httpx.Client) -> None:
    assert administrator
    longer = text("UPDATE reg.account_grants SET valid_until = :until")
    with session.open("accounts") as writing:
        writing.execute(longer, {"until": "2098-12-31"})
    with pytest.raises(DBAPIError, match="nobody grants themselves"), session.open("accounts", actor=ADMIN) as writing:
        writing.execute(longer, {"until": "2099-12-31"})


def test_a_grant_cannot_be_turned_into_another(administrator: httpx.Client) -> None:
    assert administrator
    with pytest.raises(DBAPIError, match="permission denied"), session.open("accounts") as writing:
        writing.execute(text("UPDATE reg.account_grants SET role = 'registrar'"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Role.ACCOUNT_ADMINISTRATOR, Role.REGISTRAR),
        (Role.REGISTRAR, Role.ACCOUNT_ADMINISTRATOR),
        (Role.AUDITOR, Role.REGISTRAR),
        (Role.ACCOUNT_ADMINISTRATOR, Role.AUDITOR),
    ],
)
def test_who_manages_accounts_opens_no_person_and_who_opens_persons_audits_nobody(
    database: str, first: Role, second: Role
) -> None:
    assert database
    accounts.add("甲")
    accounts.grant("甲", first, "640100")
    with pytest.raises(GrantRefused, match="only one of registrar, auditor and administrator"):
        accounts.grant("甲", second, "640500")
    accounts.add(OTHER)
    accounts.grant(OTHER, Role.ACCOUNT_ADMINISTRATOR, "640000")
    accounts.revoke("甲", first, "640100")
    accounts.grant("甲", second, "640500")


def test_an_administrator_s_divisions_bound_what_they_grant_and_whom_they_manage(administrator: httpx.Client) -> None:
    for name, division in (("near", "640104"), ("far", "640502")):
        accounts.add(name)
        accounts.grant(name, Role.PLANNER, division)
    grants = "/api/accounts/near/grants"
    assert administrator.post(grants, json={"role": "registrar", "division": "640104"}).status_code == 204
    assert administrator.post(grants, json={"role": "registrar", "division": "640502"}).status_code == 403
    assert administrator.delete(grants, params={"role": "registrar", "division": "640104"}).status_code == 204
    assert administrator.post("/api/accounts/near/link").status_code == 200
    for method, path in (
        *(("POST", "link"), ("PUT", "disabled"), ("DELETE", "sessions")),
        *(("DELETE", "second-factor"), ("DELETE", "identities")),
    ):
        assert administrator.request(method, f"/api/accounts/far/{path}").status_code == 403


def test_who_manages_accounts_sees_no_queue_and_no_feed(administrator: httpx.Client) -> None:
    for path in ("/api/reviews?division=640100", "/api/findings?division=640100", "/api/changes"):
        assert administrator.get(path).status_code == 403, path


def test_the_last_administrator_stays(administrator: httpx.Client) -> None:
    refused = administrator.put(f"/api/accounts/{ADMIN}/disabled")
    assert refused.status_code == 409
    assert "last administrator" in refused.json()["detail"]
    with pytest.raises(GrantRefused, match="last administrator"):
        accounts.revoke(ADMIN, Role.ACCOUNT_ADMINISTRATOR, "640100")
    accounts.add(OTHER)
    accounts.grant(OTHER, Role.ACCOUNT_ADMINISTRATOR, "640000")
    accounts.disable(ADMIN)
    assert administrator.get("/api/accounts").status_code == 401


def test_every_grant_and_closing_is_an_event_that_stays(administrator: httpx.Client, database: str) -> None:
    made = administrator.post("/api/accounts", json={"name": "新人"})
    assert made.status_code == 201
    administrator.post(
        "/api/accounts/新人/grants", json={"role": "planner", "division": "640104", "until": "2099-12-31"}
    )
    administrator.put("/api/accounts/新人/disabled")
    events = administrator.get("/api/accounts/events").json()["events"]
    told = [
        (each["actor"], each["act"], each["role"], each["division"]) for each in events if each["account"] == "新人"
    ]
    assert told == [
        (ADMIN, "disabled", None, None),
        (ADMIN, "granted", "planner", "640104000000"),
        (ADMIN, "link_made", None, None),
        (ADMIN, "added", None, None),
    ]
    for statement in ("DELETE FROM reg.account_events", "UPDATE reg.account_events SET actor = 'nobody'"):
        with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement)


def test_the_service_itself_is_nobody(database: str) -> None:
    with psycopg.connect(database) as connection:
        name = connection.info.dbname
        for actor in ("", "host:root"):
            connection.execute(f'SET SESSION AUTHORIZATION "{name}_{schema.SERVICE}"')
            connection.execute(f'SET ROLE "{name}_accounts"')
            connection.execute("SELECT set_config('menpai.actor', %s, true)", (actor,))
            with pytest.raises(psycopg.errors.Error, match="who acts must be named"):
                connection.execute("INSERT INTO reg.accounts (name) VALUES ('somebody')")
            connection.rollback()


def test_a_sensitive_act_needs_a_fresh_proof(administrator: httpx.Client, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.account_tokens SET proven_at = now() - interval '16 minutes'")
    refused = administrator.post("/api/accounts", json={"name": "新人"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:menpai:problem:prove_again")
    assert administrator.get("/api/accounts").status_code == 200, "looking needs none"


def test_without_the_role_the_door_is_closed(planner: httpx.Client, registrar: httpx.Client) -> None:
    for client in (planner, registrar):
        assert client.get("/api/accounts").status_code == 403
        assert client.post("/api/accounts", json={"name": "x"}).status_code == 403


def test_an_account_named_like_the_host_is_refused(database: str) -> None:
    assert database
    with pytest.raises(Exception, match="printable"):
        accounts.add("host:root")
    accounts.add("甲")
    with pytest.raises(NotAllowed):
        accounts.grant("甲", Role.PLANNER, "640100", actor="nobody at all")
