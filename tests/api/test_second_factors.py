"""The second factor: who needs one, how it is bound, and that a code counts once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pyotp
import pytest

from api import accounts
from api.accounts import factors
from gis.terms import Role

PASSWORD = "correct horse battery"  # noqa: S105 - of an account that lives for one test
NAME = "登记员甲"


@pytest.fixture
def link(database: str) -> str:
    """Return the one-time link of a new registrar."""
    assert database
    accounts.add(NAME)
    accounts.grant(NAME, Role.REGISTRAR, "640100")
    return accounts.make_link(NAME)


def bearing(client: httpx.Client, token: str) -> httpx.Client:
    """Return a client that sends a bearer."""
    return httpx.Client(base_url=client.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=60)


@pytest.fixture
def entered(client: httpx.Client, link: str) -> Iterator[httpx.Client]:
    """Yield a client that came in by the link and set a password; its account has no second factor yet."""
    token = client.post("/api/first-start", json={"token": link, "password": PASSWORD}, timeout=60).json()
    with bearing(client, token["access_token"]) as inside:
        yield inside


class Telephone:
    """An authenticator whose clock a test moves on, for a code counts once."""

    def __init__(self, secret: str) -> None:
        """Hold a secret."""
        self.generator, self.at = pyotp.TOTP(secret), time.time()

    def code(self) -> str:
        """Return the code of the next half minute."""
        shown = self.generator.at(int(self.at))
        self.at += factors.STEP_S
        return shown


@pytest.fixture
def telephone(entered: httpx.Client) -> tuple[Telephone, list[str], str]:
    """Enrol; return the telephone, the recovery codes and the session's new token."""
    phone = Telephone(entered.post("/api/account/second-factor").json()["secret"])
    told = entered.post("/api/account/second-factor/confirmation", json={"code": phone.code()}).json()
    return phone, told["recovery_codes"], told["access_token"]


def roles_of(client: httpx.Client) -> list[str]:
    """Return the roles a session carries."""
    roles: list[str] = client.get("/api/session").json()["actor"]["roles"]
    return roles


def token_for(client: httpx.Client, code: str | None) -> httpx.Response:
    """Sign in by the password form."""
    form = {"username": NAME, "password": PASSWORD} | ({"code": code} if code else {})
    return client.post("/api/token", data=form, timeout=60)


def test_a_registrar_without_a_second_factor_is_in_and_may_do_nothing(entered: httpx.Client) -> None:
    actor = entered.get("/api/session").json()["actor"]
    assert (actor["roles"], actor["needs"]) == ([], "second_factor")
    refused = entered.get("/api/reviews", params={"division": "640100"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:menpai:problem:second_factor_missing")


def test_enrolment_gives_the_role_a_fresh_token_and_codes_for_a_lost_telephone(
    client: httpx.Client, entered: httpx.Client, telephone: tuple[Telephone, list[str], str]
) -> None:
    _, codes, token = telephone
    assert entered.get("/api/session").status_code == 401, "the session before it is over"
    with bearing(client, token) as inside:
        assert roles_of(inside) == ["registrar"]
    assert len(set(codes)) == factors.RECOVERY_CODES


def test_the_picture_is_a_qr_code_of_the_address_without_style_or_script(entered: httpx.Client) -> None:
    made = entered.post("/api/account/second-factor").json()
    assert made["address"].startswith("otpauth://totp/")
    assert made["secret"] in made["address"]
    assert made["picture"].startswith("<svg")
    assert "style" not in made["picture"]
    assert "script" not in made["picture"]


def test_with_a_factor_the_password_alone_opens_nothing(
    client: httpx.Client, telephone: tuple[Telephone, list[str], str]
) -> None:
    refused = token_for(client, None)
    assert (refused.status_code, refused.json()["type"]) == (401, "urn:menpai:problem:second_factor_needed")
    right = token_for(client, telephone[0].code())
    with bearing(client, right.json()["access_token"]) as inside:
        assert roles_of(inside) == ["registrar"]


def test_a_code_counts_once_in_its_window_and_no_earlier_one_after_it(
    client: httpx.Client, telephone: tuple[Telephone, list[str], str]
) -> None:
    phone, _, _ = telephone
    used = phone.code()
    assert token_for(client, used).status_code == 200
    assert token_for(client, used).status_code == 401
    earlier = phone.generator.at(int(phone.at) - 2 * factors.STEP_S)
    assert token_for(client, earlier).status_code == 401


@pytest.mark.parametrize("shift_s", [-4 * 30, 4 * 30])
def test_a_code_of_another_time_is_none(
    client: httpx.Client, telephone: tuple[Telephone, list[str], str], shift_s: int
) -> None:
    assert token_for(client, telephone[0].generator.at(int(time.time()) + shift_s)).status_code == 401


@pytest.mark.parametrize("code", ["000000", "１２３４５６", "x", "12345678901234567890", "' OR 1=1 --"])
def test_what_is_no_code_is_refused_in_the_same_words(
    client: httpx.Client, telephone: tuple[Telephone, list[str], str], code: str
) -> None:
    assert telephone
    answer = token_for(client, code)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Name or password is wrong."


def test_of_a_crowd_with_the_same_code_one_gets_in(
    client: httpx.Client, telephone: tuple[Telephone, list[str], str]
) -> None:
    code = telephone[0].code()
    with ThreadPoolExecutor(4) as crowd:
        answers = list(crowd.map(lambda _: token_for(client, code).status_code, range(4)))
    assert answers.count(200) == 1


def test_a_recovery_code_works_once(client: httpx.Client, telephone: tuple[Telephone, list[str], str]) -> None:
    _, codes, _ = telephone
    assert token_for(client, codes[0].lower()).status_code == 200
    assert token_for(client, codes[0]).status_code == 401
    assert token_for(client, codes[1]).status_code == 200


def test_the_tables_hold_no_secret_and_no_recovery_code(
    database: str, telephone: tuple[Telephone, list[str], str]
) -> None:
    phone, codes, _ = telephone
    with psycopg.connect(database) as connection:
        sealed = connection.execute("SELECT sealed FROM reg.account_factors").fetchall()
        digests = connection.execute("SELECT digest FROM reg.account_recovery_codes").fetchall()
    kept = b"".join(row[0] for row in [*sealed, *digests])
    assert phone.generator.secret.encode() not in kept
    assert phone.generator.byte_secret() not in kept
    assert not any(code.replace("-", "").encode() in kept for code in codes)


def test_a_stolen_password_binds_no_factor(client: httpx.Client, database: str) -> None:
    assert database
    accounts.add(NAME)
    accounts.redeem_link(accounts.make_link(NAME), PASSWORD)
    accounts.grant(NAME, Role.REGISTRAR, "640100")
    with bearing(client, token_for(client, None).json()["access_token"]) as inside:
        assert inside.post("/api/account/second-factor").status_code == 403


def test_a_link_for_a_forgotten_password_still_needs_the_telephone(
    client: httpx.Client, telephone: tuple[Telephone, list[str], str]
) -> None:
    phone, _, _ = telephone
    told = client.post("/api/first-start", json={"token": accounts.make_link(NAME)}, timeout=60).json()
    with bearing(client, told["access_token"]) as inside:
        assert roles_of(inside) == []
        assert inside.post("/api/account/second-factor").status_code == 403, "nor is another one bound without it"
        shown = inside.post("/api/account/second-factor/proof", json={"code": phone.code()}).json()
        assert inside.get("/api/session").status_code == 401
    with bearing(client, shown["access_token"]) as inside:
        assert roles_of(inside) == ["registrar"]


def test_a_lost_telephone_is_reset_and_every_session_ends(
    client: httpx.Client, telephone: tuple[Telephone, list[str], str]
) -> None:
    phone, codes, token = telephone
    accounts.reset_factor(NAME)
    with bearing(client, token) as inside:
        assert inside.get("/api/session").status_code == 401
    with bearing(client, token_for(client, phone.code()).json()["access_token"]) as inside:
        assert roles_of(inside) == [], "and without one there is no role"
    assert codes
