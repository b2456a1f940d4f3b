/* Where the names of divisions stand. A vector tile knows polygons only, and a division of several parts would be
   named on each: so every name gets one point, in the widest place of the largest part. */

const STEPS = 24;
const points = new Map();

function area(ring) {
  let twice = 0;
  for (let at = 0, last = ring.length - 1; at < ring.length; last = at, at += 1) {
    twice += ring[last][0] * ring[at][1] - ring[at][0] * ring[last][1];
  }
  return Math.abs(twice) / 2;
}

/** Squared distance from a point to the edge of a ring; negative outside of it. */
function depth(ring, x, y) {
  let inside = false;
  let least = Infinity;
  for (let at = 0, last = ring.length - 1; at < ring.length; last = at, at += 1) {
    const [ax, ay] = ring[last];
    const [bx, by] = ring[at];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2 || 1);
    const share = Math.min(Math.max(along, 0), 1);
    least = Math.min(least, (x - ax - share * (bx - ax)) ** 2 + (y - ay - share * (by - ay)) ** 2);
  }
  return inside ? least : -least;
}

function widest(ring) {
  const xs = ring.map(([x]) => x);
  const ys = ring.map(([, y]) => y);
  const [west, east, south, north] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  let best = { at: ring[0], depth: -Infinity };
  for (let column = 1; column < STEPS; column += 1) {
    for (let row = 1; row < STEPS; row += 1) {
      const at = [west + ((east - west) * column) / STEPS, south + ((north - south) * row) / STEPS];
      const here = depth(ring, ...at);
      if (here > best.depth) best = { at, depth: here };
    }
  }
  return best.at;
}

function place({ geometry, properties: { code, name, level } }) {
  const parts = geometry.type === "MultiPolygon" ? geometry.coordinates : [geometry.coordinates];
  const ring = parts.map(([outer]) => outer).sort((one, other) => area(other) - area(one))[0];
  const known = points.get(code);
  const size = area(ring);
  if (known && known.size >= size) return false;
  const point = { type: "Point", coordinates: widest(ring) };
  points.set(code, { size, feature: { type: "Feature", geometry: point, properties: { code, name, level } } });
  return true;
}

/** Keep a GeoJSON source of names in step with the divisions that `source` has loaded. */
export function keepNames(map, source, sourceLayer, target) {
  map.on("sourcedata", (event) => {
    if (event.sourceId !== source || !event.isSourceLoaded) return;
    const polygons = map
      .querySourceFeatures(source, { sourceLayer })
      .filter(({ geometry }) => geometry.type.endsWith("Polygon"));
    const changed = polygons.map(place).some(Boolean);
    if (!changed) return;
    map
      .getSource(target)
      .setData({ type: "FeatureCollection", features: [...points.values()].map(({ feature }) => feature) });
  });
}
