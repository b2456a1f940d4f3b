/* Two shapes of a few metres in SVG: each by itself and one upon the other, at one scale, with a bar that says which. */

const SIZE = 320;
const MARGIN = 34;
const DEGREE_M = 111320;
const LEAST_M = 12;
/** Shapes farther apart than so many times their size are not drawn at one scale on top of each other. */
const APART = 5;
const NAMESPACE = "http://www.w3.org/2000/svg";

function made(tag, attributes) {
  const node = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** All rings of a geometry, each a list of places; a point is one ring of one place. */
function rings({ type, coordinates }) {
  if (type === "Point") return [[coordinates]];
  return type === "Polygon" ? coordinates : coordinates.flat();
}

/** Metres east and north of an origin; exact enough for what stands on one plot. */
function flat(geometry, [lon, lat]) {
  const narrow = Math.cos((lat * Math.PI) / 180);
  return rings(geometry).map((ring) =>
    ring.map(([x, y]) => [(x - lon) * narrow * DEGREE_M, (y - lat) * DEGREE_M]),
  );
}

function boundsOf(shapes) {
  const places = shapes.flat(2);
  const of = (axis) => places.map((place) => place[axis]);
  const [west, south] = [0, 1].map((axis) => of(axis).reduce((a, b) => Math.min(a, b)));
  const [east, north] = [0, 1].map((axis) => of(axis).reduce((a, b) => Math.max(a, b)));
  return { middle: [(west + east) / 2, (south + north) / 2], span: Math.max(east - west, north - south, LEAST_M) };
}

function drawn(shape, name, { middle, span }) {
  const scale = (SIZE - 2 * MARGIN) / span;
  const at = ([x, y]) => [SIZE / 2 + (x - middle[0]) * scale, SIZE / 2 - (y - middle[1]) * scale].map((n) => n.toFixed(2));
  if (shape[0].length === 1) {
    const [cx, cy] = at(shape[0][0]);
    return made("circle", { cx, cy, r: 5, class: name });
  }
  const d = shape.map((ring) => `M${ring.map(at).join("L")}Z`).join("");
  return made("path", { d, class: name, "fill-rule": "evenodd" });
}

/** A bar of 1, 2 or 5 times a power of ten metres, about a quarter of the picture long. */
function bar(span) {
  const quarter = span / 4;
  const power = 10 ** Math.floor(Math.log10(quarter));
  const metres = [5, 2, 1].map((times) => times * power).find((length) => length <= quarter);
  const long = (metres * (SIZE - 2 * MARGIN)) / span;
  const text = made("text", { x: 16, y: SIZE - 16 });
  text.textContent = `${metres} m`;
  return [made("path", { d: `M12 ${SIZE - 10}h${long.toFixed(2)}`, class: "scale", "data-metres": metres }), text];
}

function picture(shapes, frame, label) {
  const svg = made("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": label });
  svg.dataset.span = frame.span.toFixed(3);
  svg.append(...shapes.map(([shape, name]) => drawn(shape, name, frame)), ...bar(frame.span));
  return svg;
}

/** Pictures of the row, of the building, and of both; without a building the row alone. */
export function pictures(rowShape, buildingShape) {
  const origin = rings(rowShape)[0][0];
  const row = flat(rowShape, origin);
  if (!buildingShape) return [picture([[row, "row"]], boundsOf([row]), "row")];
  const building = flat(buildingShape, origin);
  const [alone, other, both] = [[row], [building], [row, building]].map(boundsOf);
  const near = both.span <= APART * Math.max(alone.span, other.span);
  const span = near ? both.span : Math.max(alone.span, other.span);
  const frame = (bounds) => ({ middle: near ? both.middle : bounds.middle, span });
  return [
    picture([[row, "row"]], frame(alone), "row"),
    picture([[building, "building"]], frame(other), "building"),
    picture([[building, "building"], [row, "row"]], both, "row and building"),
  ];
}
