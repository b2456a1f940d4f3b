"""Whatever goes wrong leaves the service as problem details, and says nothing about its inside."""

from string import Formatter

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from api import errors
from gis.errors import MenpaiError
from gis.store import session

INSIDE = ("Traceback", "psycopg", "sqlalchemy", "SELECT", "/site-packages/", "reg.", "calc.")


def problem(answer: httpx.Response) -> dict[str, object]:
    """Return the problem an answer carries, having looked at its form."""
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, object] = answer.json()
    assert told["status"] == answer.status_code
    assert told["type"]
    assert told["title"]
    assert not any(word in answer.text for word in INSIDE)
    return told


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/web/nothing.js", 404),
        ("GET", "/tiles/persons/1/0/0.mvt", 404),
        ("DELETE", "/healthz", 405),
        ("PUT", "/api/buildings", 405),
        ("GET", "/api/session?x=1", 200),
        ("GET", "/api/buildings?lon=106&lat=38", 401),
        ("POST", "/api/token", 422),
    ],
)
def test_each_refusal_is_a_problem(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    if status >= 400:
        problem(answer)


def test_a_wrong_value_is_named_but_not_repeated(planner: httpx.Client) -> None:
    answer = planner.get("/api/buildings", params={"lon": "<script>", "lat": "95"})
    assert answer.status_code == 422
    told = problem(answer)
    assert "lon" in str(told["detail"])
    assert "lat" in str(told["detail"])
    assert "script" not in answer.text


def test_who_is_not_signed_in_is_told_how(client: httpx.Client) -> None:
    answer = client.get("/api/buildings/100000000078")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert problem(answer)["type"] == "urn:menpai:problem:not_signed_in"


def test_a_fault_of_our_own_shows_nothing_of_itself(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(*_: object) -> None:
        message = "张三 640104189001010011"
        raise KeyError(message)

    monkeypatch.setattr("api.health.schema.is_current", fall_over)
    answer = client.get("/readyz")
    assert answer.status_code == 500
    problem(answer)
    assert "640104" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_is_down_is_503_and_comes_back(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("MENPAI_DATABASE_URL", "postgresql:///menpai?host=/nowhere/at/all")
        for path in ("/readyz", "/api/map", "/b/900000000078", "/tiles/divisions/5/25/12.mvt"):
            answer = client.get(path)
            assert answer.status_code == 503, path
            assert "nowhere" not in answer.text
            problem(answer)
        assert client.get("/readyz").headers["retry-after"]
        assert client.get("/healthz").status_code == 200
    session.forget()
    assert client.get("/readyz").json() == {"status": "ready"}


def test_every_error_of_the_register_has_a_status() -> None:
    def leaves(kind: type[MenpaiError]) -> list[type[MenpaiError]]:
        return [kind, *(leaf for each in kind.__subclasses__() for leaf in leaves(each))]

    for kind in leaves(MenpaiError):
        named = [field for _, field, _, _ in Formatter().parse(kind.__doc__ or "") if field]
        facts = dict.fromkeys(named, "1")
        assert 400 <= errors.status_of(kind(**facts)) < 600


def test_an_error_of_the_driver_never_speaks_for_itself() -> None:
    error = OperationalError("SELECT secret", {}, Exception("password authentication failed for user postgres"))
    answer = errors.answer(None, error)
    assert answer.status_code == 503
    assert b"password" not in bytes(answer.body)


@pytest.mark.parametrize("path", ["/", "/docs", "/enter", "/api/map", "/healthz", "/nothing", "/web/page.js"])
def test_every_answer_carries_the_headers_that_browsers_obey(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/web/../app.py",
        "/web/%2e%2e/app.py",
        "/web/..%2fapp.py",
        "/web//etc/passwd",
        "/web/vendor/../../app.py",
        "/web/%00",
    ],
)
def test_no_path_leads_out_of_the_pages(address: str, path: str) -> None:
    request = httpx.Request("GET", address)
    request.url = request.url.copy_with(raw_path=path.encode())  # as an attacker sends it, not tidied up
    with httpx.Client() as client:
        answer = client.send(request)
    assert answer.status_code in {404, 422}
    assert "import" not in answer.text


def test_a_large_body_is_refused(client: httpx.Client) -> None:
    answer = client.post("/api/token", content=b"username=" + b"x" * 200_000)
    assert answer.status_code in {413, 422}
    many = {"username": "a", "password": "b" * 100_000}
    assert client.post("/api/token", data=many).status_code == 413


def test_the_description_of_the_interface_names_its_problems(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    refused = described["paths"]["/api/buildings/{number}"]["get"]["responses"]
    assert {"401", "404", "422"} <= set(refused)
    assert all("problem+json" in str(refused[status]) for status in ("401", "404", "422"))
    assert described["components"]["schemas"]["Problem"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/docs", "/web/icon.svg", "/tiles/buildings/1/0/0.mvt"])
def test_head_answers_as_get_does_without_a_body(client: httpx.Client, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code
    assert head.headers["content-security-policy"]
    assert not head.content
