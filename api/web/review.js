/* Rows of structures files that wait for a person: one after the other, beside the building each met. */

import { fetched, recall, session, signIn } from "./account.js";
import { pictures } from "./shapes.js";
import { both, element, KINDS, REVIEW_REASONS, ROW_DECISIONS, STATUSES, wordFor } from "./words.js";

const byId = (name) => document.getElementById(name);
const CAPTIONS = [
  ["文件中的形状", "the shape in the file"],
  ["已登记的形状", "the shape registered"],
  ["两者重叠", "one upon the other"],
];
const FACTS = {
  standard_address: ["标准地址", "address"],
  kind: ["类别", "kind"],
  entrances: ["单元", "entrances"],
  floors: ["层数", "floors"],
  rooms_per_floor: ["每层户数", "rooms per floor"],
  premises: ["院落、小区、工地", "premises"],
  valid_to: ["到期日", "expires"],
};
const OFFERED = ["same", "another", "correct", "change", "refuse"];
const waiting = { rows: [], next: "0-0", division: "" };

function told(pair) {
  byId("told").replaceChildren(...(pair ? both(pair) : []));
}

/** Do something that the service may refuse, and say so. */
async function trying(act) {
  byId("refused").textContent = "";
  try {
    await act();
  } catch (refusal) {
    byId("refused").textContent = refusal.message;
    if (refusal.status === 401) await begin();
  }
}

async function begin() {
  await recall();
  const known = Boolean(session.actor);
  byId("credentials").hidden = known;
  byId("place").hidden = !known;
  if (!known) byId("review").hidden = true;
  const own = session.actor?.grants?.find((grant) => grant.role === "registrar");
  if (own && !byId("place").division.value) byId("place").division.value = shortest(own.division);
}

/** A division's code as people write it: 64, 6401, 640104 or nine digits, where zeros are all that follows. */
function shortest(code) {
  return [2, 4, 6, 9, 12].map((length) => code.slice(0, length)).find((short) => short.padEnd(12, "0") === code);
}

async function load() {
  const query = new URLSearchParams({ division: waiting.division, after: waiting.next });
  const page = await fetched(`/api/reviews?${query}`);
  waiting.rows = page.reviews;
  waiting.next = page.next;
}

/** Show the first row that waits, from the next page where this one is done. */
async function show() {
  if (!waiting.rows.length && waiting.next) await load();
  const [row] = waiting.rows;
  byId("review").hidden = !row;
  if (!row) {
    told(["没有待核的记录。", "Nothing waits here."]);
    return;
  }
  draw(row);
  byId("review").dataset.row = `${row.batch}-${row.row}`;
}

function draw(row) {
  const { building } = row;
  const where = `${row.source}，${row.file_name}，第 ${row.row} 行 row ${row.row} · ${row.division.name ?? row.division.code}`;
  byId("why").replaceChildren(element("b", {}, ...both(wordFor(REVIEW_REASONS, row.reason))), ` · ${where}`);
  byId("figures").replaceChildren(...figures(row));
  const drawings = pictures(row.geometry, building?.geometry);
  const figure = (drawing, place) => element("figure", {}, drawing, element("figcaption", {}, ...both(CAPTIONS[place])));
  byId("drawings").replaceChildren(...drawings.map(figure));
  byId("facts").replaceChildren(...facts(row));
  byId("decision").reset();
  byId("address").hidden = row.reason !== "address_taken";
  byId("decision").without_address.checked = row.reason === "address_taken";
  const buttons = OFFERED.map((name) =>
    element("button", { type: "button", value: name, disabled: !building && !["another", "refuse"].includes(name) },
      ...both(ROW_DECISIONS[name])),
  );
  byId("decisions").replaceChildren(...buttons);
}

function figures({ iou, shared_share: share, apart_m: apart }) {
  const percent = (value) => `${(100 * value).toFixed(0)} %`;
  const said = [];
  if (iou !== null) said.push([`交并比 ${percent(iou)}`, "intersection over union"]);
  if (share !== null) said.push([`较小者被覆盖 ${percent(share)}`, "of the smaller is covered"]);
  if (apart !== null) said.push([`相距 ${apart.toFixed(1)} 米`, "metres apart"]);
  return said.flatMap((pair, place) => [place ? " · " : "", ...both(pair)]);
}

function facts({ said, building }) {
  const heads = [["", ""], ["文件", "file"], ["已登记", "registered"]];
  const head = element("tr", {}, ...heads.map((pair) => element("th", {}, ...both(pair))));
  const known = building ? { ...building, valid_to: building.expires_on } : {};
  const rows = Object.entries(FACTS).map(([name, pair]) => {
    const [here, there] = [said[name], known[name]].map((value) => (value === undefined || value === null ? "" : `${value}`));
    const shown = name === "kind" ? [...both(wordFor(KINDS, here || "—")), ...[]] : [here || "—"];
    const registered = name === "kind" && there ? both(wordFor(KINDS, there)) : [there || "—"];
    const differs = building && here && here !== there && name !== "kind";
    return element("tr", { className: differs ? "differs" : "" }, element("th", {}, ...both(pair)),
      element("td", {}, ...shown), element("td", {}, ...registered));
  });
  if (!building) return [head, ...rows];
  const link = element("a", { href: `/b/${building.number}`, target: "_blank", rel: "noopener" }, building.shown);
  const number = element("tr", {}, element("th", {}, ...both(["建筑物编号", "building number"])), element("td", {}, "—"),
    element("td", {}, link, " ", ...both(wordFor(STATUSES, building.status))));
  return [head, number, ...rows];
}

byId("credentials").addEventListener("submit", (event) => {
  event.preventDefault();
  trying(async () => {
    const { username, password, code } = event.target;
    await signIn(username.value, password.value, code.value);
    password.value = code.value = "";
    await begin();
  });
});

byId("place").addEventListener("submit", (event) => {
  event.preventDefault();
  told(null);
  Object.assign(waiting, { rows: [], next: "0-0", division: event.target.division.value });
  trying(show);
});

// the Enter key in a text decides nothing
byId("decision").addEventListener("submit", (event) => event.preventDefault());

byId("decisions").addEventListener("click", (event) => {
  const form = byId("decision");
  const decision = event.target.closest("button:enabled")?.value;
  const [row] = waiting.rows;
  if (!decision || !row) return;
  const body = { decision, with_address: decision !== "another" || !form.without_address.checked };
  for (const name of ["reason", "source_document"]) if (form[name].value.trim()) body[name] = form[name].value.trim();
  const headers = { "Content-Type": "application/json" };
  trying(async () => {
    const path = `/api/reviews/${row.batch}/${row.row}/decision`;
    const done = await fetched(path, { method: "POST", headers, body: JSON.stringify(body) });
    waiting.rows.shift();
    const [zh, en] = ROW_DECISIONS[done.decision];
    told([`已决定：${zh} ${done.buildings.join(" ")}`, `decided: ${en}`]);
    await show();
  });
});

byId("later").addEventListener("click", () => {
  waiting.rows.shift();
  told(null);
  trying(show);
});

trying(begin);
