"use strict";
/* Draws the areas of a density map on one canvas. Leaflet moves and scales the canvas; this paints it: one path per
   colour instead of one object per area, so that fifty thousand cells draw in a moment. */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STEPS_PER_DEGREE = 100000;

/** Web Mercator within 0..1, and its bounds: what hit testing and drawing need of one area. */
function projected(ring) {
  for (let at = 0; at < ring.length; at += 2) {
    const sine = Math.sin((ring[at + 1] * Math.PI) / 180);
    ring[at] = ring[at] / 360 + 0.5;
    ring[at + 1] = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  }
  return ring;
}

/** Reads what packing.py wrote: a list of areas, each {rings, west, north, east, south} in Mercator 0..1. */
function unpacked(text) {
  if (!text) return [];
  const values = new Map([...LETTERS].map((letter, value) => [letter, value]));
  let lon = 0,
    lat = 0;
  return text.split("|").map((area) => {
    const rings = (area ? area.split(",") : []).map((letters) => {
      const numbers = [];
      let number = 0,
        weight = 1;
      for (const letter of letters) {
        const value = values.get(letter);
        number += (value % 32) * weight;
        weight *= 32;
        if (value < 32) {
          numbers.push(number % 2 ? -(number + 1) / 2 : number / 2);
          number = 0;
          weight = 1;
        }
      }
      const ring = new Float64Array(numbers.length);
      let x = lon,
        y = lat;
      for (let at = 0; at < numbers.length; at += 2) {
        x += numbers[at];
        y += numbers[at + 1];
        if (at === 0) {
          lon = x;
          lat = y;
        }
        ring[at] = x / STEPS_PER_DEGREE;
        ring[at + 1] = y / STEPS_PER_DEGREE;
      }
      return projected(ring);
    });
    return bounded(rings);
  });
}

function bounded(rings) {
  const box = { rings, west: Infinity, north: Infinity, east: -Infinity, south: -Infinity };
  for (const ring of rings) {
    for (let at = 0; at < ring.length; at += 2) {
      box.west = Math.min(box.west, ring[at]);
      box.east = Math.max(box.east, ring[at]);
      box.north = Math.min(box.north, ring[at + 1]);
      box.south = Math.max(box.south, ring[at + 1]);
    }
  }
  return box;
}

/** Even-odd test, the rule the fill uses. */
function contains(area, x, y) {
  if (x < area.west || x > area.east || y < area.north || y > area.south) return false;
  let inside = false;
  for (const ring of area.rings) {
    for (let at = 0, last = ring.length - 2; at < ring.length; last = at, at += 2) {
      const crosses = ring[at + 1] > y !== ring[last + 1] > y;
      if (crosses && x < ((ring[last] - ring[at]) * (y - ring[at + 1])) / (ring[last + 1] - ring[at + 1]) + ring[at]) {
        inside = !inside;
      }
    }
  }
  return inside;
}

/** Stripes for withheld, dots for no data: neither can be taken for a class, in colour or in grey. */
function pattern(context, state) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.fillStyle = state === "w" ? "#efedea" : "#ffffff";
  pen.fillRect(0, 0, 6, 6);
  pen.strokeStyle = pen.fillStyle = state === "w" ? "#77716a" : "#8a949e";
  pen.lineWidth = 1.1;
  if (state === "w") {
    pen.beginPath();
    for (const start of [-6, 0, 6]) {
      pen.moveTo(start - 1, 7);
      pen.lineTo(start + 7, -1);
    }
    pen.stroke();
  } else {
    pen.fillRect(1, 1, 1.6, 1.6);
    pen.fillRect(4, 4, 1.6, 1.6);
  }
  return context.createPattern(tile, "repeat");
}

function fillOf(context, state, colours) {
  if (state === "z") return "#ffffff";
  return state === "w" || state === "x" ? pattern(context, state) : colours[Number(state)];
}

function traced(context, area, place) {
  for (const ring of area.rings) {
    context.moveTo(ring[0] * place.size - place.x, ring[1] * place.size - place.y);
    for (let at = 2; at < ring.length; at += 2) {
      context.lineTo(ring[at] * place.size - place.x, ring[at + 1] * place.size - place.y);
    }
    context.closePath();
  }
}

/** Leaflet's canvas does panning, zooming and sharp screens; only the painting is ours. */
const AreaCanvas = L.Canvas.extend({
  _draw() {
    if (!this._bounds || !this._content) return;
    const { areas, states, outlines, colours } = this._content;
    const origin = this._map.getPixelOrigin();
    const size = 256 * 2 ** this._map.getZoom();
    const place = { x: origin.x, y: origin.y, size };
    const seen = (area) =>
      area.east * size - origin.x >= this._bounds.min.x &&
      area.west * size - origin.x <= this._bounds.max.x &&
      area.south * size - origin.y >= this._bounds.min.y &&
      area.north * size - origin.y <= this._bounds.max.y;
    const context = this._ctx;
    this._fill(context, outlines.filter(seen), place, "#ffffff");
    const groups = new Map();
    areas.forEach((area, index) => {
      if (!seen(area)) return;
      if (!groups.has(states[index])) groups.set(states[index], []);
      groups.get(states[index]).push(area);
    });
    for (const [state, group] of groups) {
      this._fill(context, group, place, fillOf(context, state, colours));
      this._edge(context, group, place, size);
    }
    this._outline(context, outlines.filter(seen), place);
  },

  _fill(context, areas, place, paint) {
    context.beginPath();
    for (const area of areas) traced(context, area, place);
    context.fillStyle = paint;
    context.fill("evenodd");
  },

  /** A thin edge once areas are large enough to have one. */
  _edge(context, areas, place, size) {
    const sample = areas[0];
    const width = (sample.east - sample.west) * size;
    if (width < 9) return;
    context.beginPath();
    for (const area of areas) traced(context, area, place);
    context.strokeStyle = "rgba(70, 78, 88, 0.45)";
    context.lineWidth = 0.6;
    context.stroke();
  },

  _outline(context, outlines, place) {
    context.beginPath();
    for (const outline of outlines) traced(context, outline, place);
    context.lineJoin = "round";
    context.strokeStyle = "rgba(255, 255, 255, 0.6)";
    context.lineWidth = 2.4;
    context.stroke();
    context.strokeStyle = "#3a3f45";
    context.lineWidth = 1.1;
    context.stroke();
  },
});

/** Names of divisions; where two would overlap the one of the smaller division waits for a closer look. */
function label(map, labels, outlines) {
  const markers = labels.map(([name, lon, lat], index) => {
    const span = document.createElement("span");
    span.className = "division-name";
    span.textContent = name;
    const icon = L.divIcon({ className: "", html: span, iconSize: [0, 0] });
    const area = outlines[index];
    const size = area ? (area.east - area.west) * (area.south - area.north) : 0;
    return { name, size, marker: L.marker([lat, lon], { icon, interactive: false, keyboard: false }).addTo(map) };
  });
  markers.sort((one, other) => other.size - one.size);
  const arrange = () => {
    const taken = [];
    for (const { name, marker } of markers) {
      const { x, y } = map.latLngToLayerPoint(marker.getLatLng());
      const half = name.length * 6.5 + 1;
      const free = taken.every((box) => Math.abs(box.x - x) > box.half + half || Math.abs(box.y - y) > 15);
      marker.getElement().style.display = free ? "" : "none";
      if (free) taken.push({ x, y, half });
    }
  };
  map.on("zoomend", arrange);
  arrange();
}

function words(content, index) {
  const box = document.createElement("div");
  const line = (tag, text) => {
    const part = document.createElement(tag);
    part.textContent = text;
    box.append(part);
  };
  const name = content.names && content.names[index];
  line("b", name || content.ids[index]);
  if (content.counts[index] !== null) {
    line("div", `${content.counts[index].toLocaleString("en")} 人 residents`);
    line("div", `${content.rates[index]} 人/平方公里 per km²`);
  } else if (content.states[index] === "w") {
    line("div", "不公布 withheld");
  } else {
    line("div", "无数据 no data");
  }
  if (name) line("small", content.ids[index]);
  return box;
}

function follow(map, areas, content) {
  const tooltip = L.tooltip({ direction: "auto", offset: [14, 0], opacity: 0.97 });
  let shown = -1;
  const hide = () => {
    tooltip.remove();
    shown = -1;
  };
  map.on("mousemove", (event) => {
    const size = 256 * 2 ** map.getZoom();
    const point = map.project(event.latlng).divideBy(size);
    const found = areas.findIndex((area) => contains(area, point.x, point.y));
    if (found < 0) {
      hide();
      return;
    }
    tooltip.setLatLng(event.latlng);
    if (found !== shown) tooltip.setContent(words(content, found));
    if (shown < 0) tooltip.addTo(map);
    shown = found;
  });
  map.on("mouseout movestart", hide);
}

function latLngOf(x, y) {
  return [(Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI, (x - 0.5) * 360];
}

function fit(map, shapes) {
  if (!shapes.length) return;
  const edge = (side, pick) => shapes.reduce((best, shape) => pick(best, shape[side]), shapes[0][side]);
  const bounds = [
    latLngOf(edge("west", Math.min), edge("south", Math.max)),
    latLngOf(edge("east", Math.max), edge("north", Math.min)),
  ];
  const snap = map.options.zoomSnap;
  map.options.zoomSnap = 0; // fill the window, whatever step the buttons take
  map.fitBounds(bounds, { padding: [18, 18], animate: false });
  map.options.zoomSnap = snap;
}

function drawDensity(map, content) {
  const areas = unpacked(content.shapes);
  const outlines = unpacked(content.outlines);
  for (const canvas of document.querySelectorAll("canvas.swatch")) {
    const context = canvas.getContext("2d");
    context.fillStyle = fillOf(context, canvas.dataset.state, content.colours);
    context.fillRect(0, 0, 26, 16);
    context.strokeStyle = "#777";
    context.strokeRect(0.5, 0.5, 25, 15);
  }
  fit(map, areas.length ? areas : outlines);
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
  const canvas = new AreaCanvas({ padding: 0.4 });
  canvas._content = { areas, states: content.states, outlines, colours: content.colours };
  canvas.addTo(map);
  canvas._container.classList.add("menpai-shapes");
  label(map, content.labels, outlines);
  follow(map, areas, content);
  map.getContainer().dataset.drawn = String(areas.length);
}
