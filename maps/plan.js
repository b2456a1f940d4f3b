"use strict";
/* Draws a plan: outlines, sites that stand as circles, new ones as diamonds (told apart in grey too), and the curve. */

const NEW = "#a4341a";
const STANDS = "#1b4f8a";

function marker(site, number) {
  const span = document.createElement("span");
  span.textContent = number;
  const shape = site.stands
    ? `<circle cx="14" cy="14" r="12" fill="${STANDS}" stroke="#fff" stroke-width="2"/>`
    : `<path d="M14 1 27 14 14 27 1 14Z" fill="${NEW}" stroke="#fff" stroke-width="2"/>`;
  const html = `<svg width="28" height="28">${shape}<text x="14" y="18.5" text-anchor="middle" fill="#fff" font-size="12" font-weight="bold">${Number(number)}</text></svg>`;
  return L.divIcon({ className: "", html, iconSize: [28, 28], iconAnchor: [14, 14] });
}

function told(site) {
  const box = document.createElement("div");
  const name = document.createElement("b");
  name.textContent = site.name;
  const serves = site.serves === null ? "<10" : site.serves.toLocaleString("en");
  box.append(name, document.createElement("br"), `服务 serves ${serves} · 平均 mean ${site.mean_min ?? "—"} min`);
  return box;
}

function drawPlan(map, plan) {
  map.createPane("outlines").style.zIndex = 350;
  const outlines = L.geoJSON(plan.outlines, {
    pane: "outlines",
    interactive: false,
    style: { color: "#5b6570", weight: 1.2, fillColor: "#fff", fillOpacity: 1 },
    onEachFeature(feature, layer) {
      const span = document.createElement("span");
      span.className = "division-name";
      span.textContent = feature.properties.name;
      const icon = L.divIcon({ className: "", html: span, iconSize: [0, 0] });
      L.marker(layer.getBounds().getCenter(), { icon, interactive: false, keyboard: false }).addTo(map);
    },
  }).addTo(map);
  if (plan.settled) {
    const grey = (n) => (n < 50 ? "#eceff1" : n < 200 ? "#d7dde2" : n < 1000 ? "#b9c3cc" : "#93a1ae");
    L.geoJSON(plan.settled, {
      pane: "outlines",
      interactive: false,
      style: (feature) => ({ stroke: false, fillOpacity: 1, fillColor: grey(feature.properties.n) }),
    }).addTo(map);
  }
  plan.sites.forEach((site, place) => {
    L.marker([site.lat, site.lon], { icon: marker(site, place + 1), title: site.name }).bindTooltip(told(site)).addTo(map);
  });
  const sites = L.latLngBounds(plan.sites.map((site) => [site.lat, site.lon]));
  map.fitBounds(plan.sites.length > 1 ? sites.pad(0.25) : outlines.getBounds());
  L.control.scale({ imperial: false }).addTo(map);
  drawCurve(document.getElementById("curve"), plan.curve);
}

/** The measure over the number of sites; the plan's own number of sites is the filled point. */
function drawCurve(svg, curve) {
  if (!curve.length) return;
  const covers = "percent" in curve[0];
  const values = curve.map((one) => (covers ? one.percent : one.mean_min));
  const [width, height, left, bottom] = [520, 170, 44, 30];
  const top = covers ? 100 : Math.max(...values) * 1.1;
  const x = (place) => left + ((width - left - 16) * place) / Math.max(1, curve.length - 1);
  const y = (value) => height - bottom - ((height - bottom - 14) * value) / top;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const points = values.map((value, place) => `${x(place)},${y(value)}`).join(" ");
  const marks = curve.map((one, place) => {
    const label = `<text x="${x(place)}" y="${height - 12}" text-anchor="middle" font-size="11">${Number(one.sites)}</text>`;
    const every = Math.ceil(curve.length / 12);
    return `<circle cx="${x(place)}" cy="${y(values[place])}" r="3.5" fill="${STANDS}"/>`
      + (place % every ? "" : `${label}<text x="${x(place)}" y="${y(values[place]) - 7}" text-anchor="middle" font-size="11">${values[place]}</text>`);
  }).join("");
  svg.innerHTML = `<path d="M${left} 8V${height - bottom}H${width - 8}" fill="none" stroke="#8a949e"/>
    <polyline points="${points}" fill="none" stroke="${STANDS}" stroke-width="2"/>${marks}
    <text x="4" y="18" font-size="11" fill="#52606d">${covers ? "%" : "min"}</text>
    <text x="${width - 8}" y="${height - 1}" text-anchor="end" font-size="11" fill="#52606d">处数 sites</text>`;
}
