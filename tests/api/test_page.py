"""The page at / in a browser that can reach nothing but the service, here a small stand-in with a strict policy."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jinja2
import mapbox_vector_tile
import pytest
import shapely
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

import api
from api.guard import POLICY
from gis.register import waiting
from gis.terms import (
    BuildingKind,
    BuildingStatus,
    Category,
    DivisionLevel,
    MatchReason,
    Reason,
    Role,
    RowDecision,
    Term,
)
from maps import style

WEB = Path(api.__file__).parent / "web"
KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
NUMBER = "900000000053"
"""A number of the test kind whose check digits fit."""
REGION = {"z": 5, "x": 25, "y": 12}
CLOSE = "/#at=10/38.5/105.8"
"""The page opened where squares of 1 km are drawn, on a square with a count."""
COUNTY, BESIDE, CELL = (440, 420), (703, 420), (440, 420)
"""Where the mouse finds them, the first two on the region, the last close by."""

SESSION = "menpai=opaque"


@dataclass
class StandIn:
    """What the stand-in service answers, and what it was asked."""

    release: str | None = "2026-01-01"
    review_number: str | None = None
    broken: frozenset[str] = frozenset()
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, query: dict[str, list[str]], bearer: str | None) -> tuple[int, str, bytes]:
        """Give status, media type and body."""
        if any(path.startswith(start) for start in self.broken):
            return 500, "application/problem+json", b'{"detail": "it fell over"}'
        if path.startswith("/tiles/"):
            return self._tile(path, query, bearer)
        if path.startswith("/api/"):
            status, body = self._api(path, bearer)
            return status, "application/json", json.dumps(body).encode()
        file = WEB / {"/": "index.html"}.get(path, path.removeprefix("/web/"))
        if file.is_file():
            return 200, KINDS.get(file.suffix, "application/octet-stream"), file.read_bytes()
        return 404, "text/plain", b""

    def _api(self, path: str, bearer: str | None) -> tuple[int, dict[str, Any]]:
        if path == "/api/map":
            return 200, {
                "release": self.release,
                "breaks": {"1000": [50, 500, 5000], "county": [1.5, 20, 300]} | ({"500": [80, 800]} if bearer else {}),
                "review_number": self.review_number,
                "bounds": [104.2, 35.2, 107.7, 39.4],
                "fictional": True,
                "attribution": "县界：天地图 <b>",
            }
        if path == "/api/session":
            return 200, {"actor": {"name": "规划甲", "roles": ["planner"]} if bearer else None}
        known = {f"/api/buildings/{NUMBER}": _building, "/api/addresses": _offered}
        if path in known:
            return (200, known[path]()) if bearer else (401, {"detail": "Sign in first."})
        if path.endswith("/counts") and self.release:
            return 200, {"release": self.release, "counts": _counts(bearer)}
        return 404, {"detail": "not here"}

    def _tile(self, path: str, query: dict[str, list[str]], bearer: str | None) -> tuple[int, str, bytes]:
        if self.release is None and (path.startswith("/tiles/cells/") or "category" in query):
            return 404, "application/problem+json", b"{}"
        layer, z, x, y = path.removeprefix("/tiles/").removesuffix(".mvt").split("/")
        narrow = query.get("category", ["all"]) != ["all"] or query.get("size", ["1000"]) != ["1000"]
        if narrow and not bearer:
            return 403, "application/problem+json", b"{}"
        size = query.get("size", ["1000"])[0]
        category = query.get("category", ["all"])[0]
        features = {"divisions": _divisions(category), "cells": _cells(size)}.get(layer, [])
        whole = int(z) == REGION["z"] and (int(x), int(y)) == (REGION["x"], REGION["y"])
        content = [{"name": layer, "features": features if whole else _scaled(features, int(z), int(x), int(y))}]
        body = mapbox_vector_tile.encode(content, default_options={"y_coord_down": True, "extents": 4096})
        return 200, "application/vnd.mapbox-vector-tile", body


def _building() -> dict[str, Any]:
    return {
        "number": NUMBER,
        "kind": "residential",
        "status": "active",
        "standard_address": "测试区幸福路1号楼",
        "lon": 106.2,
        "lat": 38.5,
    }


def _offered() -> dict[str, Any]:
    one = {"number": NUMBER, "standard_address": "测试区幸福路1号书香苑<b>1号楼", "agrees": ["compound", "building"]}
    other = one | {"number": "900000000150", "standard_address": "测试区西<i>路9号书香苑1号楼"}
    candidates = [one | {"contradicts": []}, other | {"contradicts": ["zone"]}]
    return {"outcome": "review", "reason": "several_buildings", "room": "", "candidates": candidates}


def _counts(bearer: str | None) -> dict[str, Any]:
    everybody = {"all": {"n": 12345, "withheld": False}}
    return everybody | ({"floating": {"n": None, "withheld": True}} if bearer else {})


def _divisions(category: str) -> list[dict[str, Any]]:
    """One county over the middle of the region's tile, in pixels of that tile, and one without a count beside it."""
    county = {"code": "999999", "name": "测试区", "level": "county"}
    counts = {"all": {"n": 12345, "density": 7.5, "withheld": False}}.get(category, {"withheld": True})
    beside = {"code": "999998", "name": "邻县", "level": "county"}
    return [
        {"geometry": shapely.box(1000, 800, 2400, 2600), "properties": county | counts | {"category": category}},
        {"geometry": shapely.box(2400, 800, 2500, 2600), "properties": beside},
    ]


def _cells(size: str) -> list[dict[str, Any]]:
    released = {"category": "all", "release": "2026-01-01"}
    return [
        {
            "geometry": shapely.box(1200, 1000, 1700, 2400),
            "properties": {"cell": f"{size}E1N1", "n": 700, "withheld": False} | released,
        },
        {
            "geometry": shapely.box(1700, 1000, 2200, 2400),
            "properties": {"cell": f"{size}E2N1", "withheld": True} | released,
        },
    ]


def _scaled(features: list[dict[str, Any]], z: int, x: int, y: int) -> list[dict[str, Any]]:
    """Move shapes of the region's tile into a tile of a closer zoom, cut to it."""
    if z < REGION["z"]:
        return []
    scale = 2 ** (z - REGION["z"])
    frame = shapely.box(-100, -100, 4196, 4196)
    moved = []
    for feature in features:
        shape = shapely.transform(
            feature["geometry"],
            lambda corners: corners * scale - [(x - REGION["x"] * scale) * 4096, (y - REGION["y"] * scale) * 4096],
        )
        cut = shapely.intersection(shape, frame)
        if not cut.is_empty:
            moved.append({"geometry": cut, "properties": feature["properties"]})
    return moved


@pytest.fixture
def service() -> Iterator[StandIn]:
    """Serve the page's own files and invented answers, on a port of the system's choice."""
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            parts = urlsplit(self.path)
            bearer = self.headers.get("Cookie")
            if self.command == "POST":
                bearer = bearer or SESSION
            stand_in.asked.append((self.path, bearer))
            status, kind, body = stand_in.answer(parts.path, parse_qs(parts.query), bearer)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", POLICY)
            if parts.path == "/api/session" and self.command != "GET":
                ends = "; Max-Age=0" if self.command == "DELETE" else ""
                self.send_header("Set-Cookie", f"{SESSION}; HttpOnly; SameSite=Strict; Path=/{ends}")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield stand_in
    server.shutdown()
    server.server_close()
    thread.join()


class Visit:
    """One visitor of the page, and all that went wrong."""

    def __init__(self, browser: Browser, service: StandIn, path: str = "/") -> None:
        """Open the page and wait until the map stands."""
        self.page: Page = browser.new_context(viewport={"width": 1200, "height": 800}).new_page()
        self.outside: list[str] = []
        self.wrong: list[str] = []
        self._home = service.url
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.goto(service.url + path)
        self.page.wait_for_selector("#map[data-drawn]")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self._home, "data:", "blob:")):
            self.outside.append(request.url)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a tile that another choice made needless is called off
            self.wrong.append(f"failed {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        # the software WebGL of a machine without a screen reports its own slowness
        if message.type in {"error", "warning"} and "GL Driver Message" not in message.text:
            self.wrong.append(message.text)

    def colours_at(self, x: int, y: int) -> set[str]:
        """Return the colours of the map within a few pixels, read from the copy made for the printer."""
        found: list[str] = self.page.evaluate(
            """([x, y]) => {
                dispatchEvent(new Event("beforeprint"));
                const copy = document.querySelector("#map .printed");
                const { left, top } = document.getElementById("map").getBoundingClientRect();
                const { data } = copy.getContext("2d").getImageData(x - left - 8, y - top - 8, 16, 16);
                dispatchEvent(new Event("afterprint"));
                const two = (part) => part.toString(16).padStart(2, "0");
                const hex = (at) => "#" + [...data.slice(at, at + 3)].map(two).join("");
                return Array.from({ length: data.length / 4 }, (_, pixel) => hex(4 * pixel));
            }""",
            [x, y],
        )
        return set(found)

    def sign_in(self) -> None:
        """Sign in as a planner."""
        self.page.click("#open-sign-in")
        self.page.fill("[name=username]", "planner")
        self.page.fill("[name=password]", "a long enough password")
        self.page.click("#credentials button.first")
        self.page.wait_for_selector("#sign-out:not([hidden])")


@pytest.mark.parametrize(("path", "layers"), [("/", {"divisions"}), (CLOSE, {"divisions", "cells", "roads"})])
def test_the_page_draws_from_the_service_alone(browser: Browser, service: StandIn, path: str, layers: set[str]) -> None:
    visit = Visit(browser, service, path)
    assert visit.outside == []
    assert visit.wrong == []
    assert {path.split("/")[2] for path, _ in service.asked if path.startswith("/tiles/")} == layers
    assert visit.page.inner_text("#review").startswith("内部用图")
    assert "2026-01-01" in visit.page.inner_text("#release")
    assert visit.page.locator("#fictional").is_visible()
    assert visit.page.inner_text("#attribution") == "县界：天地图 <b>"


@pytest.mark.parametrize("path", ["/", CLOSE])
def test_without_an_account_one_sees_all_residents_at_one_kilometre(
    browser: Browser, service: StandIn, path: str
) -> None:
    visit = Visit(browser, service, path)
    assert visit.page.locator("#category").is_disabled()
    assert visit.page.locator("#size").is_disabled()
    assert "规划人员" in visit.page.inner_text("#why-disabled")
    asked = [parse_qs(urlsplit(path).query) for path, _ in service.asked if path.startswith("/tiles/")]
    assert any(query.get("category") == ["all"] for query in asked)
    assert all(query.get("category", ["all"]) == ["all"] for query in asked)
    assert all(query.get("size", ["1000"]) == ["1000"] for query in asked)
    assert all(bearer is None for _, bearer in service.asked)


def test_far_out_counties_are_filled_and_close_by_the_squares(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service)
    assert visit.colours_at(*COUNTY) == {style.sequential(3)[1]}, "7.5 per km² is of the second class"
    legend = visit.page.inner_text("#classes")
    assert "县（市、区）" in visit.page.inner_text("#areas")
    assert "> 1.5 – 20" in legend
    assert "无数据" in legend
    uncounted = visit.colours_at(*BESIDE)
    assert "#e3e6e9" in uncounted, "no count is grey"
    assert len(uncounted) > 1, "and dotted, so that it is no class in grey print either"
    visit.page.mouse.move(*COUNTY)
    visit.page.locator("#cell", has_text="7.5 人/平方公里").wait_for()
    visit.page.evaluate(f"location.hash = '{CLOSE[2:]}'")
    visit.page.locator("#areas b", has_text="1 公里网格").wait_for()
    visit.page.wait_for_selector("#map[data-drawn]")
    assert visit.colours_at(*CELL) == {style.sequential(3)[2]}, "700 per km² is of the third class"
    legend = visit.page.inner_text("#classes")
    assert "> 50 – 500" in legend
    assert "无数据" not in legend
    assert visit.wrong == []


def test_a_planner_chooses_category_and_finer_cells(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service, CLOSE)
    visit.sign_in()
    assert "规划甲" in visit.page.inner_text("#who")
    assert visit.page.locator("#why-disabled").is_hidden()
    visit.page.select_option("#category", "floating")
    with visit.page.expect_response(lambda answer: "category=floating&size=500" in answer.url) as answer:
        visit.page.select_option("#size", "500")
    assert answer.value.status == 200
    assert "> 80" in visit.page.inner_text("#classes"), "the classes of the finer cells"
    assert "500 米网格" in visit.page.inner_text("#areas")
    bearers = {bearer for path, bearer in service.asked if "floating" in path}
    assert bearers == {SESSION}
    with visit.page.expect_response(lambda answer: "category=all&size=1000" in answer.url):
        visit.page.click("#sign-out")
    assert visit.page.locator("#category").is_disabled()
    assert visit.page.evaluate("sessionStorage.length + document.cookie.length") == 0, "nothing for a script to find"
    assert ("/api/session", SESSION) in service.asked, "the session is ended at the service too"
    assert visit.wrong == []


def test_the_category_a_planner_chooses_fills_the_counties_too(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service)
    visit.sign_in()
    visit.page.wait_for_selector("#map[data-drawn]")
    with visit.page.expect_response(lambda answer: "/tiles/divisions/" in answer.url and "floating" in answer.url):
        visit.page.select_option("#category", "floating")
    visit.page.wait_for_selector("#map[data-drawn]")
    assert visit.colours_at(*COUNTY) & {"#efedea", "#77716a"}, "floating residents of the county are withheld"
    assert style.sequential(3)[1] not in visit.colours_at(*COUNTY)
    visit.page.mouse.move(*COUNTY)
    visit.page.locator("#cell", has_text=re.compile("流动.*不公布", re.DOTALL)).wait_for()
    with visit.page.expect_response(lambda answer: "/tiles/divisions/" in answer.url and "=all" in answer.url):
        visit.page.click("#sign-out")
    visit.page.wait_for_selector("#map[data-drawn]")
    assert visit.colours_at(*COUNTY) == {style.sequential(3)[1]}
    assert visit.wrong == []


def test_of_two_quick_choices_the_last_is_drawn(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service, CLOSE)
    visit.sign_in()
    visit.page.select_option("#category", "floating")
    visit.page.select_option("#size", "100")
    visit.page.select_option("#size", "500")
    visit.page.wait_for_selector("#map[data-drawn]")
    for x in range(400, 440, 10):
        visit.page.mouse.move(x, 420)
        visit.page.locator("#cell", has_text=re.compile("网格 500E")).wait_for()
    assert visit.wrong == []


def test_the_printer_gets_the_map_that_is_on_the_screen(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service)
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    visit.page.emulate_media(media="print")
    assert visit.page.locator("#map .printed").is_visible()
    assert visit.page.locator("#map .maplibregl-canvas").is_hidden()
    assert visit.page.locator("#search").is_hidden()
    assert visit.page.locator("#classes").is_visible()
    visit.page.emulate_media(media="screen")
    visit.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert visit.page.locator("#map .printed").count() == 0


def test_a_refused_sign_in_says_so(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service)
    service.broken = frozenset({"/api/session"})
    visit.page.click("#open-sign-in")
    visit.page.fill("[name=username]", "planner")
    visit.page.fill("[name=password]", "a long enough password")
    visit.page.click("#credentials button.first")
    visit.page.locator("#refused", has_text="it fell over").wait_for()
    assert visit.page.locator("#category").is_disabled()


def test_names_and_counts_of_the_division_under_the_mouse(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service)
    visit.page.mouse.move(*COUNTY)
    visit.page.locator("#counts tr").first.wait_for()
    assert "测试区" in visit.page.inner_text("#division")
    assert "12,345" in visit.page.inner_text("#counts")
    assert "流动" not in visit.page.inner_text("#counts"), "categories are for planners"
    visit.sign_in()
    visit.page.locator("#counts", has_text="不公布").wait_for()
    assert visit.wrong == []


def test_the_count_of_the_square_under_the_mouse(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service, CLOSE)
    visit.page.mouse.move(*CELL)
    visit.page.locator("#cell", has_text=re.compile(r"1000E1N1.*700", re.DOTALL)).wait_for()
    assert visit.wrong == []


def test_a_number_is_found_or_said_to_be_none(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service)
    find = visit.page.locator("#search button")
    visit.page.fill("#number", "9000 0000 0054")
    find.click()
    assert "校验码不符" in visit.page.inner_text("#notice")
    visit.page.fill("#number", "9000 0000 0053")
    find.click()
    assert visit.page.locator("#notice a").get_attribute("href") == f"/b/{NUMBER}"
    visit.sign_in()
    find.click()
    visit.page.locator(".building").wait_for()
    assert "9000 0000 0053" in visit.page.inner_text(".building")
    assert "住宅建筑" in visit.page.inner_text(".building")
    assert visit.page.locator(".building a").get_attribute("href") == f"/b/{NUMBER}"


def test_addresses_are_offered_while_one_is_typed_and_a_person_chooses(browser: Browser, service: StandIn) -> None:
    visit = Visit(browser, service)
    box = visit.page.locator("#number")
    box.press_sequentially("书香苑1")
    visit.page.wait_for_timeout(400)
    assert visit.page.locator("#offered").is_hidden(), "an address is asked for by an account only"
    visit.sign_in()
    assert "地址" in (box.get_attribute("placeholder") or "")
    box.fill("")
    box.press_sequentially("书香苑1号楼")
    options = visit.page.locator("#offered [role=option]")
    options.first.wait_for()
    assert options.count() == 2
    assert "书香苑<b>1号楼" in options.first.inner_text(), "text never becomes markup"
    assert "相符：院落小区、楼号" in options.first.inner_text()
    assert "不符：区期" in options.nth(1).inner_text()
    assert "多处相符" in visit.page.inner_text("#offered")
    box.press("ArrowDown")
    box.press("Enter")
    visit.page.locator(".building").wait_for()
    assert visit.page.locator("#offered").is_hidden()
    assert visit.wrong == []


def test_without_a_release_the_page_says_so(browser: Browser, service: StandIn) -> None:
    service.release, service.review_number = None, "宁S(2026)001号"
    visit = Visit(browser, service)
    assert "尚未发布" in visit.page.inner_text("#release")
    assert visit.page.inner_text("#review") == "审图号：宁S(2026)001号"
    visit.page.mouse.move(440, 420)
    visit.page.locator("#division", has_text="测试区").wait_for()
    assert visit.wrong == []


@pytest.mark.parametrize(("broken", "path"), [("/api/", "/"), ("/tiles/divisions/", "/"), ("/tiles/cells/", CLOSE)])
def test_a_failing_service_leaves_a_page_that_says_so(
    browser: Browser, service: StandIn, broken: str, path: str
) -> None:
    service.broken = frozenset({broken})
    visit = Visit(browser, service, path)
    visit.page.locator("#notice:not([hidden])").wait_for()
    assert visit.outside == []


@pytest.mark.parametrize("name", [path.name for path in sorted(WEB.glob("*.html"))])
def test_pages_hold_no_script_or_style_of_their_own(name: str) -> None:
    html = (WEB / name).read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert all(source for source in re.findall(r"<script([^>]*)>", html) if "src=" in source)
    assert not re.search(r"(?:src|href|action)=[\"'](?!/|\{\{)", html), "every address is of this service"


def test_the_words_of_the_page_are_the_register_s() -> None:
    script = (WEB / "words.js").read_text(encoding="utf-8")
    terms: dict[str, type[Term]] = {
        "KINDS": BuildingKind,
        "STATUSES": BuildingStatus,
        "CATEGORIES": Category,
        "LEVELS": DivisionLevel,
        "ROLES": Role,
        "ROW_DECISIONS": RowDecision,
        "REVIEW_REASONS": Reason,
        "MATCH_REASONS": MatchReason,
    }
    for name, words in terms.items():
        block = re.search(rf"export const {name} = \{{(.*?)\}};", script, re.DOTALL)
        assert block
        said = {key: (zh, en) for key, zh, en in re.findall(r'(\w+): \["(.*?)", "(.*?)"\]', block[1])}
        said.pop("all", None)
        shown = waiting.DECIDED_BY_A_PERSON if words is Reason else words
        assert said == {word.value: (word.zh, word.en) for word in shown}


def test_the_colours_of_the_page_are_the_map_s() -> None:
    found = re.search(r"const RAMP = (\[.*?\]);", (WEB / "layers.js").read_text(encoding="utf-8"))
    assert found
    assert json.loads(found[1]) == style.sequential(7)


@dataclass
class Plate:
    """What the page of a building is given."""

    shown: str = "9000 0000 0053"
    standard_address: str | None = "测试区<b>1号楼"
    division: str | None = "测试区"
    kind: BuildingKind = BuildingKind.WORK_SHED
    status: BuildingStatus = BuildingStatus.ACTIVE
    valid_to: str | None = "2026-12-31"
    successors: tuple[str, ...] = ("9000 0000 0150",)


@pytest.mark.parametrize("station", [None, {"name": "幸福路<服务站>", "address": None, "distance_m": 1234.5}])
def test_the_page_of_a_building_tells_its_structure_and_how_to_complain(station: dict[str, Any] | None) -> None:
    loader = jinja2.Environment(loader=jinja2.FileSystemLoader(WEB), autoescape=True, undefined=jinja2.StrictUndefined)
    html = loader.get_template("building.html").render(building=Plate(), station=station, fictional=False)
    for words in ("9000 0000 0053", "测试区&lt;b&gt;1号楼", "工地工棚", "2026-12-31", "第三十七条"):
        assert words in html
    assert ("幸福路&lt;服务站&gt;" in html) == (station is not None)
