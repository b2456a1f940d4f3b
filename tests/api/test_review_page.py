"""The page on which a registrar decides, in a browser, over the service itself and its own policy."""

from collections.abc import Iterator

import httpx
import psycopg
import pyarrow as pa
import pytest
import shapely
from playwright.sync_api import Browser, Page

from api import accounts
from gis.register import batches
from gis.register.rows import STRUCTURE_ROWS
from gis.register.sheets import ImportOptions

LON, LAT = 106.27, 38.47
ROAD = "银川市兴庆区测试路"


def _box(east: float) -> shapely.Polygon:
    return shapely.box(LON + east, LAT, LON + east + 2e-4, LAT + 1.5e-4)


def _bring(source: str, *rows: tuple[shapely.Geometry, str]) -> None:
    """Import houses of four floors with their addresses, under codes of a source."""
    given = {
        "row": list(range(1, len(rows) + 1)),
        "source_id": [str(place) for place in range(len(rows))],
        "standard_address": [address for _, address in rows],
        "floors": ["4"] * len(rows),
        "geometry": [shapely.to_wkb(shape) for shape, _ in rows],
    }
    columns = [pa.array(given.get(field.name, [None] * len(rows)), type=field.type) for field in STRUCTURE_ROWS]
    options = ImportOptions(source=source, file_name=f"{source}.csv", actor="test")
    batches.import_buildings(pa.table(columns, schema=STRUCTURE_ROWS), options)


@pytest.fixture
def wrong() -> list[str]:
    """Return what the browser complains of; nothing, unless a test says that it must."""
    return []


@pytest.fixture
def desk(browser: Browser, address: str, registrar: httpx.Client, wrong: list[str]) -> Iterator[Page]:
    """Open the page as a registrar, with three rows that wait: a copy aside, a point within, a taken address."""
    assert registrar
    _bring("测绘", (_box(0), ROAD + "1号"), (_box(9e-4), ROAD + "2号"))
    courtyard = _box(9e-4).difference(_box(9e-4).buffer(-4e-5)).union(_box(9e-4 + 5e-5))
    _bring("影像", (_box(5e-5), ROAD + "3号"), (_box(0).centroid, ROAD + "4号"), (_box(30e-4), ROAD + "1号"))
    _bring("普查", (shapely.difference(courtyard, shapely.Point(LON + 10e-4, LAT + 7e-5).buffer(1e-5)), ROAD + "5号"))
    token = accounts.mint("registrar").token
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    page = context.new_page()
    page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.set_default_timeout(8000)
    page.goto(address.rstrip("/") + "/review")
    page.wait_for_selector("#credentials:not([hidden])")
    context.add_cookies([{"name": "menpai", "value": token, "url": address, "httpOnly": True, "sameSite": "Strict"}])
    page.reload()
    page.wait_for_selector("#place:not([hidden])")
    page.fill("[name=division]", "640104")
    page.click("#place button")
    page.wait_for_selector("#review:not([hidden])")
    yield page
    assert wrong == []
    context.close()


def test_both_shapes_are_drawn_to_one_scale_and_upon_one_another(desk: Page) -> None:
    spans = desk.eval_on_selector_all("#drawings svg", "all => all.map(svg => svg.dataset.span)")
    assert len(spans) == 3
    assert len(set(spans)) == 1, "one scale"
    names = "all => all.map(svg => [...svg.children].map(node => node.className.baseVal))"
    drawn = desk.eval_on_selector_all("#drawings svg", names)
    assert [sorted(filter(None, each)) for each in drawn] == [
        ["row", "scale"], ["building", "scale"], ["building", "row", "scale"]
    ]  # fmt: skip
    figures = desk.inner_text("#figures")
    assert "60 %" in figures
    assert "75 %" in figures
    assert "疑似重复" in desk.inner_text("#why")
    facts = desk.inner_text("#facts")
    assert ROAD + "3号" in facts
    assert ROAD + "1号" in facts
    assert desk.locator("#facts tr.differs").count() == 1, "the address; floors agree"
    assert desk.locator("#decisions button").count() == 5


def test_one_row_after_another_is_decided(desk: Page, database: str) -> None:
    desk.fill("[name=reason]", "到现场看过")
    desk.press("[name=reason]", "Enter")
    assert desk.locator("#told").inner_text() == "", "the Enter key decides nothing"
    desk.click("button[value=another]")
    desk.locator("#told", has_text="另一建筑物").wait_for()
    desk.locator("#drawings circle.row").first.wait_for()
    desk.click("button[value=same]")
    desk.locator("#told", has_text="即该建筑物").wait_for()
    desk.locator("#why", has_text="地址已被占用").wait_for()
    assert desk.locator("[name=without_address]").is_checked()
    spans = desk.eval_on_selector_all("#drawings svg", "all => all.map(svg => svg.dataset.span)")
    assert spans[0] == spans[1] < spans[2], "far apart they are overlaid at a scale of their own"
    desk.click("button[value=another]")
    desk.locator("#why", has_text="普查").wait_for()
    desk.click("#later")
    desk.locator("#told", has_text="没有待核的记录").wait_for()
    with psycopg.connect(database) as connection:
        decided = connection.execute(
            "SELECT decision FROM reg.batch_rows WHERE decided_by = 'registrar' ORDER BY batch_id, row"
        ).fetchall()
        addresses = connection.execute("SELECT count(*) FROM reg.addresses").fetchone()
    assert [decision for (decision,) in decided] == ["another", "same", "another"]
    assert addresses == (3,)


def test_a_refusal_is_told_and_the_row_stays(desk: Page, wrong: list[str]) -> None:
    desk.fill("[name=division]", "650000")
    desk.click("#place button")
    desk.locator("#refused", has_text="may not").wait_for()
    assert desk.locator("#review").is_visible()
    assert all("403" in told for told in wrong), wrong
    wrong.clear()
