/* The resident's own desk: nothing is kept in the browser; leaving the page forgets the code and the record. */

import { fetched } from "./account.js";
import * as words from "./residency-words.js";
import { both, bothAsText, CATEGORIES, element, shownNumber, wordFor } from "./words.js";

const byId = (name) => document.getElementById(name);
const IDENTITY = ["name", "doc_type", "id_number", "birth_date", "sex"];
const HEADS = [["时间", "when"], ["何人", "who"], ["目的", "purpose"], ["行为", "what"], ["所见内容", "fields"]];
const mine = { key: null, record: null };

byId("key").doc_type.append(
  ...Object.entries(words.DOCUMENT_TYPES).map(([value, pair]) => element("option", { value }, bothAsText(pair))),
);

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
  }
}

function post(path, body) {
  return fetched(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

async function show() {
  mine.record = await post("/api/record", mine.key);
  const { identity, hukou_code: hukou, residencies, declarations, accesses } = mine.record;
  byId("identity").replaceChildren(...facts(identity, hukou));
  byId("residencies").replaceChildren(...(residencies.length ? residencies.map(home) : [nothing()]));
  byId("declarations").replaceChildren(...declarations.map(declaration));
  byId("accesses").replaceChildren(heads(), ...accesses.map(access));
  byId("key").hidden = true;
  byId("record").hidden = false;
}

function nothing() {
  return element("p", {}, ...both(["尚无登记。", "Nothing is registered yet."]));
}

function facts(identity, hukou) {
  if (!identity) return [element("dt", {}, ...both(["尚未登记", "not registered yet"]))];
  const shown = IDENTITY.filter((name) => identity[name]).flatMap((name) => {
    let value = [String(identity[name])];
    if (name === "doc_type") value = both(wordFor(words.DOCUMENT_TYPES, identity[name]));
    if (name === "sex") value = both(wordFor(words.SEXES, identity[name]));
    return [element("dt", {}, ...both(words.FIELDS[name])), element("dd", {}, ...value)];
  });
  return [...shown, element("dt", {}, ...both(words.FIELDS.hukou_code)), element("dd", {}, String(hukou ?? "—"))];
}

function home(row) {
  const current = !row.recorded_until;
  const until = row.until ?? "今 today";
  const lines = [
    element("b", {}, row.standard_address ?? shownNumber(row.building_number)),
    element("div", {}, `${row.shown} · ${row.start} — ${until}`),
    element("div", {}, ...both(wordFor(CATEGORIES, row.category)), "：", ...both(wordFor(words.CATEGORY_REASONS, row.category_reason))),
    element("div", {}, ...both(["登记依据", "basis"]), "：", ...both(wordFor(words.BASES, row.basis))),
  ];
  if (!row.principal) lines.push(element("div", {}, ...both(["非主要住所", "not the principal residency"])));
  if (!current) lines.push(element("div", {}, ...both(["此前的记载，已被更正或终止", "as it was registered before"])));
  const over = row.until && row.until < new Date().toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
  if (current && !over) {
    const end = element("button", { type: "button" }, ...both(["终止居住", "end it"]));
    const correct = element("button", { type: "button" }, ...both(["申请更正", "ask for a correction"]));
    end.addEventListener("click", () => ending(row));
    correct.addEventListener("click", () => correcting(row));
    lines.push(element("p", { className: "acts" }, end, " ", correct));
  }
  return element("div", { className: current ? "home-card" : "home-card past" }, ...lines);
}

function declaration(row) {
  const said = [element("b", {}, ...both(wordFor(words.DECLARATION_KINDS, row.kind))), `（${row.taken_at.slice(0, 10)}）：`,
    ...both(wordFor(words.DECLARATION_STATUSES, row.status))];
  if (row.decline_reason) said.push("：", ...both(wordFor(words.DECLINE_REASONS, row.decline_reason)));
  for (const needed of row.more_needed) said.push("：", ...both(wordFor(words.MORE_NEEDED, needed)));
  if (["waiting", "more_asked"].includes(row.status)) said.push(`，${row.decide_by} 前答复 `, element("i", { lang: "en" }, `answered by ${row.decide_by}`));
  return element("li", {}, ...said);
}

function heads() {
  return element("tr", {}, ...HEADS.map((pair) => element("th", {}, ...both(pair))));
}

function access(row) {
  const who = row.actor === "(resident)" ? both(["本人", "yourself"]) : [row.actor];
  const fields = row.fields.map((name) => bothAsText(wordFor(words.FIELDS, name))).join("、");
  const when = new Date(row.at).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false });
  return element("tr", {}, element("td", {}, when), element("td", {}, ...who),
    element("td", {}, row.purpose_zh, " ", element("i", { lang: "en" }, row.purpose_en)),
    element("td", {}, ...both(wordFor(words.ACTS, row.act))), element("td", {}, fields || "—"));
}

function ending(row) {
  const dialog = byId("ending");
  const form = dialog.querySelector("form");
  byId("which").textContent = `${row.standard_address ?? ""} ${row.shown}`;
  // the register's day, not UTC's: until eight in the morning they differ
  form.last_day.max = new Date().toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
  form.last_day.min = row.start;
  dialog.returnValue = "";
  dialog.onclose = () => dialog.returnValue === "end" && trying(async () => {
    await post("/api/record/end", { key: mine.key, residency: row.id, last_day: form.last_day.value });
    await show();
    told(["已终止。", "It is ended."]);
  });
  dialog.showModal();
}

function correcting(row) {
  const dialog = byId("correcting");
  const form = dialog.querySelector("form");
  const { identity, hukou_code: hukou } = mine.record;
  form.elements.namedItem("name").value = identity?.name ?? "";
  form.hukou_code.value = hukou ?? "";
  form.since.value = row.start;
  dialog.returnValue = "";
  dialog.onclose = () => dialog.returnValue === "ask" && trying(async () => {
    const declarer = {
      name: form.elements.namedItem("name").value,
      doc_type: mine.key.doc_type,
      id_number: mine.key.id_number,
      sex: identity?.sex ?? "unknown",
      birth_date: identity?.birth_date ?? null,
      hukou_code: form.hukou_code.value || null,
    };
    await post("/api/record/correction", { key: mine.key, residency: row.id, declarer, since: form.since.value });
    await show();
    told(["已提交，登记员将核对证件后决定。", "Sent; a registrar decides with your document in hand."]);
  });
  dialog.showModal();
}

byId("key").addEventListener("submit", (event) => {
  event.preventDefault();
  told(null);
  const { code, doc_type: kind, id_number: number } = event.target;
  mine.key = { code: code.value, doc_type: kind.value, id_number: number.value };
  trying(show);
});

byId("copy").addEventListener("click", () => {
  const file = new Blob([JSON.stringify(mine.record, null, 2)], { type: "application/json" });
  const link = element("a", { href: URL.createObjectURL(file), download: "menpai-my-record.json" });
  link.click();
  URL.revokeObjectURL(link.href);
});

byId("print").addEventListener("click", () => window.print());

byId("leave").addEventListener("click", () => {
  Object.assign(mine, { key: null, record: null });
  byId("key").reset();
  location.replace("/record");
});
