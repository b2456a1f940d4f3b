"""Signing in at a provider, against one that stands on this machine for the test and can be told to lie."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from api import accounts
from api import provider as providers
from gis.terms import Role

CLIENT = "menpai at 银川"
SUBJECT = "00u-42"


@dataclass
class StandInProvider:
    """A provider of one person: gives a code for whoever comes, and an identity for the code's verifier."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1", "alg": "ES256"}))
    stranger: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1", "alg": "ES256"}))
    url: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    lie: dict[str, Any] = field(default_factory=dict)
    """Claims it gives in place of the true ones; ``key`` signs with a stranger's, ``alg`` with none at all."""

    def metadata(self) -> dict[str, str]:
        """Return what it says of itself."""
        ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        return {"issuer": self.url} | {name: self.url + path for name, path in ends.items()}

    def token(self, form: dict[str, str]) -> dict[str, str] | None:
        """Return an identity for a code, where the verifier is the one that was promised."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if form["code"] != "a code" or challenge.decode() != self.asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "sub": SUBJECT, "nonce": self.asked["nonce"], "iat": now}
        claims |= {"exp": now + 300} | {name: value for name, value in self.lie.items() if name not in {"key", "alg"}}
        if "alg" in self.lie:
            parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
            unsigned = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts) + b"."
            return {"access_token": "x", "token_type": "bearer", "id_token": unsigned.decode()}
        signed = jwt.encode({"alg": "ES256", "kid": "1"}, claims, self.stranger if "key" in self.lie else self.key)
        return {"access_token": "x", "token_type": "bearer", "id_token": signed}


@pytest.fixture
def provider(address: str, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInProvider]:
    """Serve a provider on this machine, and set it up."""
    assert database
    stand_in = StandInProvider()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            doors: dict[str, Callable[[], Any]] = {
                "/.well-known/openid-configuration": stand_in.metadata,
                "/jwks": lambda: {"keys": [stand_in.key.as_dict(private=False)]},
                "/token": lambda: stand_in.token({name: each[0] for name, each in parse_qs(form).items()}),
            }
            said = doors[urlsplit(self.path).path]()
            body = json.dumps(said or {"error": "invalid_grant"}).encode()
            self.send_response(200 if said else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name, value in (("OIDC_ISSUER", stand_in.url), ("OIDC_CLIENT_ID", CLIENT), ("PUBLIC_URL", address)):
        monkeypatch.setenv(f"MENPAI_{name}", value.rstrip("/"))
    providers.metadata_of.cache_clear()
    yield stand_in
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def browser_like(address: str) -> Iterator[httpx.Client]:
    """Yield a client that keeps cookies and follows nothing by itself."""
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


def go_there(client: httpx.Client, provider: StandInProvider) -> str:
    """Be sent to the provider; return the state it is told."""
    sent = client.get("/api/openid/start")
    assert sent.status_code == 303
    provider.asked = {name: each[0] for name, each in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    return provider.asked["state"]


def come_back(client: httpx.Client, state: str, code: str = "a code") -> httpx.Response:
    """Be sent back."""
    return client.get("/api/openid/return", params={"state": state, "code": code})


@pytest.fixture
def linked(provider: StandInProvider) -> StandInProvider:
    """Link the person at the provider to a planner's account."""
    accounts.add("规划员甲")
    accounts.grant("规划员甲", Role.PLANNER, "640000")
    accounts.link_identity("规划员甲", provider.url, SUBJECT)
    return provider


def test_whoever_is_linked_comes_in_with_their_roles(browser_like: httpx.Client, linked: StandInProvider) -> None:
    answer = come_back(browser_like, go_there(browser_like, linked))
    assert (answer.status_code, answer.headers["location"]) == (303, "/own")
    actor = browser_like.get("/api/session").json()["actor"]
    assert (actor["name"], actor["roles"], actor["opened_by"]) == ("规划员甲", ["planner"], "provider")
    assert linked.asked["code_challenge_method"] == "S256"
    assert linked.asked["scope"] == "openid", "nothing more than who they are"


def test_nobody_becomes_an_account_by_coming(
    browser_like: httpx.Client, provider: StandInProvider, database: str
) -> None:
    answer = come_back(browser_like, go_there(browser_like, provider))
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:menpai:problem:provider_refused")
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM reg.accounts").fetchone() == (0,)


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another service"},
        {"nonce": "another sign-in"},
        {"exp": 1},
        {"key": True},
        {"alg": "none"},
        {"sub": "somebody else"},
    ],
    ids=str,
)
def test_a_word_that_does_not_hold_lets_nobody_in(
    browser_like: httpx.Client, linked: StandInProvider, lie: dict[str, Any]
) -> None:
    state = go_there(browser_like, linked)
    linked.lie = lie
    assert come_back(browser_like, state).status_code == 401
    assert browser_like.get("/api/session").json() == {"actor": None}


def test_a_return_counts_once_and_only_in_the_browser_that_left(
    browser_like: httpx.Client, address: str, linked: StandInProvider
) -> None:
    state = go_there(browser_like, linked)
    with httpx.Client(base_url=address) as victim:
        assert come_back(victim, state).status_code == 401, "another's code in one's own browser"
    kept = browser_like.cookies.get("menpai-openid")
    assert come_back(browser_like, state).status_code == 303
    browser_like.cookies.set("menpai-openid", str(kept))
    assert come_back(browser_like, state).status_code == 401


def test_a_code_stolen_on_the_way_is_worth_nothing_without_its_verifier(
    browser_like: httpx.Client, linked: StandInProvider
) -> None:
    state = go_there(browser_like, linked)
    linked.asked["code_challenge"] = "of another browser"
    assert come_back(browser_like, state).status_code == 401


def test_a_registrar_still_shows_a_second_factor(browser_like: httpx.Client, provider: StandInProvider) -> None:
    accounts.add("登记员甲")
    accounts.grant("登记员甲", Role.REGISTRAR, "640000")
    accounts.link_identity("登记员甲", provider.url, SUBJECT)
    come_back(browser_like, go_there(browser_like, provider))
    actor = browser_like.get("/api/session").json()["actor"]
    assert (actor["roles"], actor["needs"]) == ([], "second_factor")


def test_a_closed_account_and_a_parted_one_stay_out(browser_like: httpx.Client, linked: StandInProvider) -> None:
    accounts.unlink_identities("规划员甲")
    assert come_back(browser_like, go_there(browser_like, linked)).status_code == 401
    accounts.link_identity("规划员甲", linked.url, SUBJECT)
    accounts.disable("规划员甲")
    assert come_back(browser_like, go_there(browser_like, linked)).status_code == 401


def test_without_a_provider_the_door_says_so(client: httpx.Client) -> None:
    assert client.get("/api/openid").json() == {"provider": None}
    assert client.get("/api/openid/start").status_code == 401


@pytest.mark.parametrize("address", ["http://idp.example/jwks", "file:///etc/passwd", "ftp://idp.example"])
def test_a_provider_elsewhere_is_reached_by_https_alone(address: str) -> None:
    with pytest.raises(ValueError, match="https"):
        providers.fetched(address)
