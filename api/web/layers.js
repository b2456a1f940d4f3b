/* What the map draws: sources, layers, colours. The ramp is that of maps/style.py. */

import { ROADS_FROM_ZOOM, roadLayers, roadNameLayers } from "./roads.js";

const RAMP = ["#f4eeb4", "#cde098", "#80c99a", "#31a5a5", "#1c77a3", "#2d498b", "#2b2061"];
export const KIND_COLOURS = { residential: "#c4561a", work_shed: "#ffc21a", other_habitable: "#8d5bb5" };
export const BUILDINGS_FROM_ZOOM = 13;

/* Without a glyph server MapLibre draws every letter from the fonts of this machine. The first name of a stack only
   tells it the weight. */
const FAMILIES = ["Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei"];
const REGULAR = ["Menpai Regular", ...FAMILIES];
const BOLD = ["Menpai Bold", ...FAMILIES];

function mixed(low, high, share) {
  const channel = (colour, at) => parseInt(colour.slice(at, at + 2), 16);
  return (
    "#" +
    [1, 3, 5]
      .map((at) =>
        Math.round(channel(low, at) + (channel(high, at) - channel(low, at)) * share)
          .toString(16)
          .padStart(2, "0"),
      )
      .join("")
  );
}

/** Colours of so many classes, lightest first. */
export function sequential(classes) {
  if (classes === 1) return [RAMP[3]];
  return Array.from({ length: classes }, (_, position) => {
    const place = (position / (classes - 1)) * (RAMP.length - 1);
    const left = Math.min(Math.floor(place), RAMP.length - 2);
    return mixed(RAMP[left], RAMP[left + 1], place - left);
  });
}

/* A cell's id begins with its size in metres: 1000E510N589. Coarser cells at low zoom colour themselves. */
const SIZE_KM = ["/", ["to-number", ["slice", ["get", "cell"], 0, ["index-of", "E", ["get", "cell"]]], 1000], 1000];
const RATE = ["/", ["to-number", ["get", "n"], 0], ["*", SIZE_KM, SIZE_KM]];

/** Colour by residents per km²; `uppers` are the upper limits of the classes, included. */
function densityColour(uppers, rate) {
  const colours = sequential(Math.max(uppers.length, 1));
  if (uppers.length < 2) return colours[0];
  const steps = uppers.slice(0, -1).flatMap((upper, place) => [upper * (1 + 1e-9), colours[place + 1]]);
  return ["case", ["<=", rate, 0], "rgba(255, 255, 255, 0)", ["step", rate, colours[0], ...steps]];
}

export function rateOf(properties) {
  const km = Number.parseInt(properties.cell, 10) / 1000;
  return km > 0 ? properties.n / (km * km) : null;
}

/** How strongly cells are drawn at a zoom, 0 to 1. */
export function strengthOfCells(zoom) {
  const share = Math.min(Math.max((zoom - FADE.from) / (FADE.to - FADE.from), 0), 1);
  return FADE.before + share * (FADE.after - FADE.before);
}

function patch(side, ground) {
  const pen = Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d");
  pen.fillStyle = ground;
  pen.fillRect(0, 0, side, side);
  return pen;
}

/** Stripes of what is withheld, as in maps/density.js. */
function stripes() {
  const side = 8;
  const pen = patch(side, "#efedea");
  pen.strokeStyle = "#77716a";
  pen.lineWidth = 1.2;
  pen.beginPath();
  for (const start of [-side, 0, side]) {
    pen.moveTo(start - 1, side + 1);
    pen.lineTo(start + side + 1, -1);
  }
  pen.stroke();
  return pen.getImageData(0, 0, side, side);
}

/** Dots on grey of a county without a count: no class looks like it, in colour or in grey. */
function dots() {
  const side = 6;
  const pen = patch(side, "#e3e6e9");
  pen.fillStyle = "#8a949e";
  pen.fillRect(1, 1, 1.6, 1.6);
  pen.fillRect(4, 4, 1.6, 1.6);
  return pen.getImageData(0, 0, side, side);
}

/** Pictures that fills are made of, by the name the layers call them. */
export const PATTERNS = { stripes, dots };

function tiles(layer, query = {}) {
  const search = new URLSearchParams(query).toString();
  return [`${location.origin}/tiles/${layer}/{z}/{x}/{y}.mvt${search ? `?${search}` : ""}`];
}

const KIND_COLOUR = ["match", ["get", "kind"], ...Object.entries(KIND_COLOURS).flat(), "#777777"];
const STANDING = ["==", ["get", "status"], "active"];
const POLYGON = ["==", ["geometry-type"], "Polygon"];
const POINT = ["==", ["geometry-type"], "Point"];
const WITHHELD = ["to-boolean", ["get", "withheld"]];
/* Far out a square of 1 km is a speck: there the counties carry the density, and hand it over to the squares. */
const HAND_OVER = { from: 8.6, to: 9 };
export const CELLS_FROM_ZOOM = (HAND_OVER.from + HAND_OVER.to) / 2;
/* Cells step back where buildings come in; the legend follows. */
const FADE = { from: 12.5, to: 13.5, before: 1, after: 0.4 };
const SHOWN = ["interpolate", ["linear"], ["zoom"], HAND_OVER.from, 0, HAND_OVER.to, FADE.before];
const FADED = [...SHOWN, FADE.from, FADE.before, FADE.to, FADE.after];
const HANDED_OVER = ["interpolate", ["linear"], ["zoom"], HAND_OVER.from, 1, HAND_OVER.to, 0];
const GROUPED = [
  "concat",
  ["slice", ["get", "number"], 0, 4],
  " ",
  ["slice", ["get", "number"], 4, 8],
  " ",
  ["slice", ["get", "number"], 8, 12],
];

function divisionLayers() {
  const of = (level) => ["==", ["get", "level"], level];
  const line = (level, width, colour, rest = {}) => ({
    id: `${level}-line`,
    type: "line",
    source: "divisions",
    "source-layer": "divisions",
    filter: of(level),
    layout: { "line-join": "round" },
    paint: { "line-color": colour, "line-width": width, ...rest },
  });
  return [
    line("village", 0.5, "#9aa3ad", { "line-dasharray": [2, 2] }),
    line("township", 0.7, "#8a939d", { "line-dasharray": [4, 2] }),
    { ...line("county", 3, "#ffffff", { "line-opacity": 0.5 }), id: "county-casing" },
    line("county", ["interpolate", ["linear"], ["zoom"], 6, 0.8, 12, 1.6], "#3a424b"),
    line("province", 2, "#23282e"),
    line("prefecture", ["interpolate", ["linear"], ["zoom"], 6, 1.6, 12, 2.8], "#23282e"),
    {
      id: "county-under-mouse",
      type: "line",
      source: "divisions",
      "source-layer": "divisions",
      filter: of("county"),
      paint: {
        "line-color": "#e0490b",
        "line-width": ["case", ["boolean", ["feature-state", "under"], false], 2.6, 0],
      },
    },
  ];
}

function nameLayers() {
  const name = (level, zooms, size, stack, paint = {}) => ({
    id: `${level}-name`,
    type: "symbol",
    source: "division-names",
    filter: ["==", ["get", "level"], level],
    ...zooms,
    layout: {
      "text-field": ["get", "name"],
      "text-font": stack,
      "text-size": size,
      "text-padding": 3,
      "text-max-width": 20,
    },
    paint: {
      "text-color": "#15191e",
      "text-halo-color": "rgba(255, 255, 255, 0.92)",
      "text-halo-width": 1.6,
      ...paint,
    },
  });
  const size = ["interpolate", ["linear"], ["zoom"], 7, 12, 11, 17];
  return [
    { id: "named", type: "line", source: "divisions-whole", "source-layer": "divisions", paint: { "line-opacity": 0 } },
    name("prefecture", { maxzoom: 7.2 }, 15, BOLD),
    name("county", { minzoom: 7.2, maxzoom: 15 }, size, REGULAR),
  ];
}

function countyLayers(layout, uppers) {
  const shown = (id, condition, paint) => ({
    id,
    source: "counties",
    "source-layer": "divisions",
    type: "fill",
    maxzoom: HAND_OVER.to,
    layout,
    filter: ["all", ["==", ["get", "level"], "county"], condition],
    paint: { "fill-opacity": HANDED_OVER, ...paint },
  });
  return [
    shown("counties", ["has", "n"], { "fill-color": densityColour(uppers, ["get", "density"]) }),
    shown("counties-withheld", WITHHELD, { "fill-pattern": "stripes" }),
    shown("counties-uncounted", ["!", ["has", "withheld"]], { "fill-pattern": "dots" }),
  ];
}

function cellLayers(layout, uppers) {
  const shown = { source: "cells", "source-layer": "cells", type: "fill", minzoom: HAND_OVER.from, layout };
  return [
    {
      id: "cells",
      ...shown,
      filter: ["!", WITHHELD],
      paint: { "fill-color": densityColour(uppers, RATE), "fill-opacity": FADED, "fill-antialias": false },
    },
    {
      id: "cells-withheld",
      ...shown,
      filter: WITHHELD,
      paint: { "fill-pattern": "stripes", "fill-opacity": FADED },
    },
    {
      id: "cell-edges",
      source: "cells",
      "source-layer": "cells",
      type: "line",
      minzoom: 10,
      layout,
      paint: { "line-color": "#5b6570", "line-width": 0.4, "line-opacity": 0.6 },
    },
  ];
}

function buildingLayers() {
  const from = { source: "buildings", "source-layer": "buildings", minzoom: BUILDINGS_FROM_ZOOM };
  return [
    {
      id: "building-shapes",
      ...from,
      type: "fill",
      filter: POLYGON,
      paint: { "fill-color": KIND_COLOUR, "fill-opacity": ["case", STANDING, 0.85, 0.15] },
    },
    {
      id: "building-edges",
      ...from,
      type: "line",
      filter: POLYGON,
      paint: { "line-color": "#5a2a0c", "line-width": ["interpolate", ["linear"], ["zoom"], 13, 0.3, 17, 1.2] },
    },
    {
      id: "building-points",
      ...from,
      type: "circle",
      filter: POINT,
      paint: {
        "circle-color": KIND_COLOUR,
        "circle-opacity": ["case", STANDING, 0.95, 0.15],
        "circle-stroke-color": "#5a2a0c",
        "circle-stroke-width": 0.8,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 13, 2.2, 15, 4, 18, 8],
      },
    },
    {
      id: "building-numbers",
      ...from,
      type: "symbol",
      minzoom: 17,
      layout: {
        "text-field": GROUPED,
        "text-font": REGULAR,
        "text-size": 12,
        "text-offset": ["case", POINT, ["literal", [0, 1.3]], ["literal", [0, 0]]],
      },
      paint: { "text-color": "#2a1406", "text-halo-color": "#ffffff", "text-halo-width": 1.6 },
    },
  ];
}

/** Sources of the density for one choice of category, size and release. */
export function densitySources({ category, size, release }) {
  return {
    counties: { type: "vector", tiles: tiles("divisions", { category, release }), minzoom: 4, maxzoom: 8 },
    cells: { type: "vector", tiles: tiles("cells", { category, size, release }), minzoom: 8, maxzoom: 13 },
  };
}

/* Before the first release there are no counts to ask for: layers that are not shown ask for nothing. */
export function densityLayers(release, uppers) {
  const layout = { visibility: release ? "visible" : "none" };
  return [...countyLayers(layout, uppers.counties), ...cellLayers(layout, uppers.cells)];
}

/** The whole style, with the density that the query asks for. It names no address outside this service. */
export function mapStyle(query, uppers) {
  return {
    version: 8,
    sources: {
      divisions: { type: "vector", tiles: tiles("divisions"), minzoom: 4, maxzoom: 12, promoteId: "code" },
      /* The one zoom at which the region lies in one tile, so that no division is cut: names.js reads it. */
      "divisions-whole": { type: "vector", tiles: tiles("divisions"), minzoom: 5, maxzoom: 5 },
      "division-names": { type: "geojson", data: { type: "FeatureCollection", features: [] } },
      ...densitySources(query),
      roads: { type: "vector", tiles: tiles("roads"), minzoom: ROADS_FROM_ZOOM, maxzoom: 15 },
      buildings: { type: "vector", tiles: tiles("buildings"), minzoom: BUILDINGS_FROM_ZOOM, maxzoom: 15 },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": "#e8edf1" } },
      {
        id: "land",
        type: "fill",
        source: "divisions",
        "source-layer": "divisions",
        filter: ["in", ["get", "level"], ["literal", ["prefecture", "county"]]],
        paint: { "fill-color": "#ffffff" },
      },
      ...densityLayers(query.release, uppers),
      ...divisionLayers(),
      ...roadLayers(),
      ...buildingLayers(),
      ...roadNameLayers(REGULAR),
      ...nameLayers(),
    ],
  };
}
