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
    `不公布：少于 ${least} 人、不足三栋建筑物，或可由合计推算`,
    `withheld: fewer than ${least} people or three buildings, or derivable from totals`,
  ];
  const others = [row(swatch(null, "withheld"), ...both(withheld))];
  if (byCounty) others.push(row(swatch(null, "uncounted"), ...both(["无数据", "no count"])));
  return [...classes.reverse(), ...others];
}

/** A count with the standard deviation of the noise in it, where there is any. */
export function perturbed(n, noise) {
  return noise > 0 ? `${count(n)} ±${count(Math.max(1, Math.round(noise)))}` : count(n);
}

/** Says how much noise the counts drawn usually have. */
export function noiseTold(noise) {
  if (!(noise > 0)) return [];
  const amount = count(Math.max(1, Math.round(noise)));
  return both([`人数经扰动，标准差约 ±${amount} 人`, `counts are perturbed: standard deviation about ±${amount}`]);
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
