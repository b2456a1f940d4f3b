/* The legend of the density: which areas are drawn, their classes, and what has none. */

import { sequential } from "./layers.js";
import { both, count, element } from "./words.js";

export function swatch(colour, kind = "") {
  const made = element("span", { className: `swatch ${kind}` });
  if (colour) made.style.backgroundColor = colour;
  return made;
}

function row(mark, ...inside) {
  return element("li", {}, mark, element("span", {}, ...inside));
}

/** Classes by their upper limits, densest first, and below them what has no class. */
export function classRows(uppers, least, byCounty) {
  const colours = sequential(uppers.length);
  const classes = uppers.map((upper, place) => {
    const low = place ? uppers[place - 1] : 0;
    const last = place === uppers.length - 1;
    const span = place === 0 ? `≤ ${count(upper)}` : `> ${count(low)}${last ? "" : ` – ${count(upper)}`}`;
    return row(swatch(colours[place]), span);
  });
  const withheld = [
    `不公布：少于 ${least} 人，或可由合计推算`,
    `withheld: fewer than ${least}, or derivable from totals`,
  ];
  const others = [row(swatch(null, "withheld"), ...both(withheld))];
  if (byCounty) others.push(row(swatch(null, "uncounted"), ...both(["无数据", "no count"])));
  return [...classes.reverse(), ...others];
}

/** Says which areas are drawn now, and which at other zooms. */
export function areasDrawn(byCounty, [sizeZh, sizeEn]) {
  const [now, further] = byCounty
    ? [
        ["县（市、区）", "by county"],
        [`放大后显示 ${sizeZh}网格。`, `Zoom in for cells of ${sizeEn}.`],
      ]
    : [
        [`${sizeZh}网格`, `cells of ${sizeEn}`],
        ["缩小后显示县（市、区）。", "Zoom out for counties."],
      ];
  return [element("b", {}, ...both(now)), element("span", { className: "small" }, ...both(further))];
}
