/* The page at /: buildings and the density of residents over the divisions. */

import * as maplibregl from "./vendor/maplibre-gl/maplibre-gl.mjs";
import { keepOffers, showWhatIsAsked } from "./addresses.js";
import { fetched, forget, isPlanner, recall, session, signIn, signOut, withBearer } from "./account.js";
import {
  BUILDINGS_FROM_ZOOM, CELLS_FROM_ZOOM,
  KIND_COLOURS,
  PATTERNS,
  densityLayers,
  densitySources,
  mapStyle,
  rateOf,
  strengthOfCells,
} from "./layers.js";
import { areasDrawn, classRows, noiseTold, perturbed, swatch } from "./legend.js";
import { keepNames } from "./names.js";
import { keepPrintable } from "./printing.js";
import {
  CATEGORIES,
  KINDS,
  LEVELS,
  ROLES,
  STATUSES,
  WITHHELD,
  both,
  bothAsText,
  checkedNumber,
  count,
  element,
  shownNumber,
  wordFor,
} from "./words.js";

const byId = (id) => document.getElementById(id);
const SIZES = { 1000: ["1 公里", "1 km"], 500: ["500 米", "500 m"], 100: ["100 米", "100 m"] };
const LAST_RESORT_BREAKS = [30, 100, 300, 1000, 3000, 10000];
const NINGXIA = [104.2, 35.2, 107.7, 39.4];
const LOCALE = {
  "NavigationControl.ZoomIn": "放大 zoom in",
  "NavigationControl.ZoomOut": "缩小 zoom out",
  "Popup.Close": "关闭 close",
  "Map.Title": "地图 map",
  "ScaleControl.Meters": "米 m",
  "ScaleControl.Kilometers": "公里 km",
};

let about = { release: null, breaks: {}, review_number: null, bounds: NINGXIA, fictional: false, attribution: "" };
let map = null;
const countsOf = new Map();

function notice(sentence) {
  byId("notice").textContent = sentence ?? "";
  byId("notice").hidden = !sentence;
}

async function askAbout() {
  try {
    about = { ...about, ...(await fetched("/api/map")) };
  } catch (refusal) {
    notice(refusal.message);
  }
}

/* ---- account ---- */

function showAccount() {
  const { actor } = session;
  const roles = (actor?.roles ?? []).map((role) => wordFor(ROLES, role)[0]).join("、");
  byId("who").textContent = actor ? [actor.name, roles].filter(Boolean).join(" · ") : "";
  byId("open-sign-in").hidden = Boolean(actor);
  showWhatIsAsked(byId("number"), actor);
  byId("sign-out").hidden = !actor;
  for (const id of ["category", "size"]) byId(id).disabled = !isPlanner();
  byId("why-disabled").hidden = isPlanner();
  if (!isPlanner()) {
    byId("category").value = "all";
    byId("size").value = "1000";
  }
}

async function rightsChanged() {
  countsOf.clear();
  if (under.properties) showCounts(under.properties);
  showAccount();
  await askAbout(); // a planner is told the classes of the finer cells too
  showDensity();
}

function listenToAccount() {
  const dialog = byId("sign-in");
  byId("open-sign-in").addEventListener("click", () => {
    byId("refused").textContent = "";
    dialog.showModal();
  });
  byId("cancel").addEventListener("click", () => dialog.close());
  byId("sign-out").addEventListener("click", () => {
    signOut();
    rightsChanged();
  });
  byId("credentials").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    try {
      await signIn(form.username.value, form.password.value, form.code.value);
      form.reset();
      dialog.close();
      rightsChanged();
    } catch (refusal) {
      const wrong = [400, 401, 403, 422].includes(refusal.status);
      if (refusal.type === "second_factor_needed") form.code.focus();
      byId("refused").textContent = wrong && refusal.type !== "second_factor_needed" ? "账号或密码不对。 Wrong account or password." : refusal.message;
    }
  });
}

/* ---- density and its legend ---- */

/** Upper limits of the classes, of the counties and of the cells of the chosen size. */
function breaks() {
  const of = (areas) => (about.breaks?.[areas]?.length ? about.breaks[areas] : null);
  return {
    counties: of("county") ?? LAST_RESORT_BREAKS,
    cells: of(byId("size").value) ?? of("1000") ?? LAST_RESORT_BREAKS,
  };
}

function choice() {
  return { category: byId("category").value, size: byId("size").value, release: about.release };
}

function drawsCounties() {
  return !map || map.getZoom() < CELLS_FROM_ZOOM;
}

function showClasses() {
  const counties = drawsCounties();
  const uppers = counties ? breaks().counties : breaks().cells;
  byId("classes").replaceChildren(...classRows(uppers, about.withheld_below ?? 10, counties));
  byId("areas").replaceChildren(...areasDrawn(counties, SIZES[byId("size").value]));
  const release = about.release
    ? [`统计日期 ${about.release}`, "date of the release"]
    : ["尚未发布统计。", "No counts released yet."];
  byId("release").replaceChildren(...both(release));
  byId("noise").replaceChildren(...noiseTold(counties ? 0 : about.noise?.[byId("size").value]));
}

/** Draw what is chosen. New sources each time: setTiles would leave tiles of the choice before where two choices
    follow each other quickly, and a count under the wrong category is worse than none. */
function showDensity() {
  showClasses();
  if (!about.release || !map?.getSource("cells")) return;
  delete byId("map").dataset.drawn; // until the map is idle again
  const layers = densityLayers(about.release, breaks());
  const above = layers.length + map.getStyle().layers.findIndex(({ id }) => id === layers[0].id);
  const next = map.getStyle().layers[above].id;
  for (const { id } of layers) map.removeLayer(id);
  for (const [id, source] of Object.entries(densitySources(choice()))) {
    map.removeSource(id);
    map.addSource(id, source);
  }
  for (const layer of layers) map.addLayer(layer, next);
}

function fillSelectors() {
  const options = (words) =>
    Object.entries(words).map(([value, pair]) => element("option", { value }, bothAsText(pair)));
  byId("category").replaceChildren(...options(CATEGORIES));
  byId("size").replaceChildren(...options(SIZES));
  byId("size").value = "1000";
  byId("category").addEventListener("change", showDensity);
  byId("size").addEventListener("change", showDensity);
  byId("kinds").replaceChildren(
    ...Object.entries(KINDS).map(([kind, pair]) =>
      element("li", {}, swatch(KIND_COLOURS[kind]), element("span", {}, ...both(pair))),
    ),
  );
}

/* ---- what lies under the mouse ---- */

const under = { code: null, properties: null };

function told(figure) {
  if (!figure) return ["—"];
  return figure.withheld ? both(WITHHELD) : [perturbed(figure.n, figure.noise_sd)];
}

async function showCounts({ code, name, level }) {
  byId("point").hidden = true;
  byId("division").replaceChildren(
    name,
    " ",
    element("i", {}, `${bothAsText(wordFor(LEVELS, level))} ${String(code).replace(/0{6}$/, "")}`),
  );
  byId("counts").replaceChildren();
  if (!about.release) return;
  try {
    if (!countsOf.has(code)) countsOf.set(code, fetched(`/api/divisions/${code}/counts`));
    const { counts = {} } = await countsOf.get(code);
    if (under.code !== code) return;
    byId("counts").replaceChildren(
      ...Object.entries(CATEGORIES)
        .filter(([category]) => category in counts)
        .map(([category, pair]) =>
          element("tr", {}, element("th", {}, ...both(pair)), element("td", {}, ...told(counts[category]))),
        ),
    );
  } catch {
    countsOf.delete(code);
  }
}

function mark(code, lit) {
  if (code) map.setFeatureState({ source: "divisions", sourceLayer: "divisions", id: code }, { under: lit });
}

function showDivision(feature) {
  const code = feature?.properties.code ?? null;
  if (!code || code === under.code) return; // off the map the last division stays to be read
  mark(under.code, false);
  mark(code, true);
  under.code = code;
  under.properties = feature.properties;
  clearTimeout(under.wait);
  under.wait = setTimeout(() => showCounts(feature.properties), 120);
}

const PER_KM2 = "人/平方公里 per km²";

function showCell({ cell, n, withheld, noise_sd: noise }) {
  const rate = rateOf({ cell, n });
  const figure = withheld
    ? bothAsText(WITHHELD)
    : `${perturbed(n, noise)} 人 residents${rate === null ? "" : ` · ${count(rate)} ${PER_KM2}`}`;
  byId("cell").replaceChildren(`网格 ${cell}`, element("br"), figure);
}

function showCounty({ density, withheld, category }) {
  const figure = withheld ? bothAsText(WITHHELD) : `${count(density)} ${PER_KM2}`;
  byId("cell").replaceChildren(bothAsText(wordFor(CATEGORIES, category)), element("br"), figure);
}

function showArea(cell, county) {
  if (cell) showCell(cell.properties);
  else if (county) showCounty(county.properties);
  else byId("cell").replaceChildren();
}

const AREA_LAYERS = ["cells", "cells-withheld", "counties", "counties-withheld"];
const BUILDING_LAYERS = ["building-shapes", "building-points"];

function follow(event) {
  const found = map.queryRenderedFeatures(event.point, { layers: ["land", ...AREA_LAYERS, ...BUILDING_LAYERS] });
  const of = (...layers) => found.find((feature) => layers.includes(feature.layer.id));
  showDivision(
    found.find((feature) => feature.layer.id === "land" && feature.properties.level === "county") ?? of("land"),
  );
  showArea(of("cells", "cells-withheld"), of("counties", "counties-withheld"));
  map.getCanvas().style.cursor = of(...BUILDING_LAYERS) ? "pointer" : "";
}

/* ---- buildings ---- */

function aboutBuilding({ number, kind, status, standard_address: address }) {
  return element(
    "div",
    { className: "building" },
    element("b", {}, shownNumber(number)),
    element("p", {}, address || "（无标准地址 no standard address）"),
    element("p", {}, ...both(wordFor(KINDS, kind))),
    element("p", {}, ...both(wordFor(STATUSES, status))),
    element("a", { href: `/b/${encodeURIComponent(number)}` }, ...both(["建筑物页面", "page of the building"])),
  );
}

function showBuilding(at, properties) {
  new maplibregl.Popup({ maxWidth: "300px" }).setLngLat(at).setDOMContent(aboutBuilding(properties)).addTo(map);
}

/** Longitude and latitude of a building in whatever of the usual forms the service answers. */
function placeOf(building) {
  if (Number.isFinite(building.lon) && Number.isFinite(building.lat)) return [building.lon, building.lat];
  const first = (coordinates) => (Array.isArray(coordinates?.[0]) ? first(coordinates[0]) : coordinates);
  return first(building.geometry?.coordinates) ?? null;
}

function pointTo(number) {
  const link = element("a", { href: `/b/${number}` }, shownNumber(number));
  byId("notice").replaceChildren("登录后可在地图上查找；建筑物页面： Sign in to find it on the map; its page: ", link);
  byId("notice").hidden = false;
}

async function find(number) {
  if (!number) {
    notice("不是建筑物编号：校验码不符。 Not a building number: its check digits do not fit.");
    return;
  }
  if (!session.actor) {
    pointTo(number);
    return;
  }
  try {
    const building = await fetched(`/api/buildings/${number}`);
    const at = placeOf(building);
    notice(null);
    if (!at) {
      pointTo(number);
      return;
    }
    map.jumpTo({ center: at, zoom: Math.max(map.getZoom(), 17) });
    showBuilding(at, { number, ...building.properties, ...building });
  } catch (refusal) {
    if (refusal.status === 401) pointTo(number);
    else
      notice(
        refusal.status === 404
          ? `没有编号为 ${shownNumber(number)} 的建筑物。 No building has this number.`
          : refusal.message,
      );
  }
}

/* ---- the map ---- */

function makeMap() {
  map = new maplibregl.Map({
    container: "map",
    style: mapStyle(choice(), breaks()),
    bounds: about.bounds ?? NINGXIA,
    fitBoundsOptions: { padding: 24 },
    hash: "at",
    minZoom: 4,
    maxZoom: 19,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    locale: LOCALE,
    transformRequest: withBearer,
    fadeDuration: 100,
    zoomLevelsToOverscale: undefined, // a tile drawn larger than it is stays in one piece: names.js needs it whole
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-left");
  map.addControl(new maplibregl.ScaleControl({ unit: "metric" }), "bottom-left");
  const addPattern = (id) => {
    if (id in PATTERNS && !map.hasImage(id)) map.addImage(id, PATTERNS[id]());
  };
  map.on("styleimagemissing", ({ id }) => addPattern(id));
  map.on("error", ({ error }) => {
    if (error?.status === 401 && session.actor) {
      forget();
      rightsChanged();
      notice("登录已过期，请重新登录。 Signed out: please sign in again.");
    } else notice(`地图的一部分没有取到。 A part of the map could not be fetched. (${error?.message ?? ""})`);
  });
  keepNames(map, "divisions-whole", "divisions", "division-names");
  keepPrintable(map);
  map.once("style.load", () => Object.keys(PATTERNS).forEach(addPattern));
  let counties = null;
  const zoomed = () => {
    if (counties !== drawsCounties()) showClasses();
    counties = drawsCounties();
    byId("closer").hidden = map.getZoom() >= BUILDINGS_FROM_ZOOM;
    byId("classes").style.setProperty("--strength", strengthOfCells(map.getZoom()));
  };
  map.on("zoom", zoomed);
  zoomed();
  map.on("mousemove", follow);
  map.on("click", follow);
  map.on("click", BUILDING_LAYERS, ({ lngLat, features }) => showBuilding(lngLat, features[0].properties));
  map.on("movestart", () => delete byId("map").dataset.drawn);
  map.on("idle", () => {
    byId("map").dataset.drawn = "yes";
  });
}

async function start() {
  fillSelectors();
  listenToAccount();
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    find(checkedNumber(byId("number").value));
  });
  keepOffers(byId("number"), byId("offered"), find);
  await Promise.all([askAbout(), recall().catch((refusal) => notice(refusal.message))]);
  byId("fictional").hidden = !about.fictional;
  byId("review").replaceChildren(
    ...(about.review_number ? [`审图号：${about.review_number}`] : both(["内部用图", "for internal use only"])),
  );
  byId("attribution").textContent = about.attribution ?? "";
  showAccount();
  showClasses();
  try {
    makeMap();
  } catch {
    notice("此浏览器不能显示地图（需要 WebGL2）。 This browser cannot draw the map: it needs WebGL2.");
  }
}

start();
