/* How the map draws roads. */

export const ROADS_FROM_ZOOM = 7;

/* Roads stand back behind what the map is about: greys, the greater the darker and the wider. */
const ROAD_RANKS = [
  { classes: ["motorway", "trunk"], colour: "#8f8a80", from: ROADS_FROM_ZOOM, widths: [0.8, 2.2, 9] },
  {
    classes: ["primary", "motorway_link", "trunk_link"],
    colour: "#a39e94",
    from: 9,
    widths: [0.6, 1.6, 8],
  },
  { classes: ["secondary", "primary_link"], colour: "#b1aca2", from: 11, widths: [0.5, 1.2, 7] },
  {
    classes: ["tertiary", "secondary_link", "tertiary_link"],
    colour: "#b9b4aa",
    from: 12,
    widths: [0.5, 1, 6],
  },
  {
    classes: ["unclassified", "residential", "living_street", "road", "pedestrian"],
    colour: "#c2bdb4",
    from: 13,
    widths: [0.4, 0.8, 5],
  },
  { classes: ["service", "track"], colour: "#cbc7bf", from: 14, widths: [0.3, 0.6, 3] },
];
const RANKED = ROAD_RANKS.flatMap(({ classes }) => classes);

/** Beneath the buildings, the smaller roads first. */
export function roadLayers() {
  const line = (id, filter, from, paint) => ({
    id,
    type: "line",
    source: "roads",
    "source-layer": "roads",
    minzoom: from,
    filter,
    layout: { "line-join": "round", "line-cap": "round" },
    paint,
  });
  const within = (classes) => ["in", ["get", "road_class"], ["literal", classes]];
  const width = ([far, near, close]) => ["interpolate", ["exponential", 1.5], ["zoom"], 8, far, 13, near, 18, close];
  const paths = line("roads-paths", ["!", within(RANKED)], 14, {
    "line-color": "#b9b4aa",
    "line-width": 0.8,
    "line-dasharray": [2, 2],
  });
  const ranks = ROAD_RANKS.map(({ classes, colour, from, widths }) =>
    line(`roads-${classes[0]}`, within(classes), from, { "line-color": colour, "line-width": width(widths) }),
  );
  return [paths, ...ranks.reverse()];
}

/** Above the buildings. */
export function roadNameLayers(font) {
  return [
    {
      id: "road-names",
      type: "symbol",
      source: "roads",
      "source-layer": "roads",
      minzoom: 14,
      filter: ["has", "name"],
      layout: {
        "symbol-placement": "line",
        "text-field": ["get", "name"],
        "text-font": font,
        "text-size": 11,
        "text-padding": 8,
      },
      paint: { "text-color": "#5d5850", "text-halo-color": "#ffffff", "text-halo-width": 1.4 },
    },
  ];
}
