/* The registrar's desk: a declaration is taken and its receipt printed; what waits is registered, or not. */

import { fetched, recall, session } from "./account.js";
import * as words from "./residency-words.js";
import { both, bothAsText, checkedNumber, element, shownNumber, wordFor } from "./words.js";

const byId = (name) => document.getElementById(name);
const form = byId("declaration");
const HEADS = [["受理", "taken"], ["事项", "kind"], ["住所", "dwelling"], ["起止", "dates"], ["状态", "status"], ["申报人", "declarer"], ["处理", "decide"]];
const taken = { uuid: crypto.randomUUID() };

function choices(select, table) {
  select.replaceChildren(...Object.entries(table).map(([value, pair]) => element("option", { value }, bothAsText(pair))));
}

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

function post(path, body) {
  return fetched(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
}

async function begin() {
  await recall();
  const registrar = Boolean(session.actor?.roles?.includes("registrar"));
  byId("entry").hidden = registrar;
  form.hidden = !registrar;
  byId("open").hidden = !registrar;
  if (registrar) await list();
}

function fit() {
  for (const label of form.querySelectorAll("[data-for]")) {
    label.hidden = !label.dataset.for.split(" ").includes(form.kind.value);
  }
}

async function chooseDwelling() {
  const number = checkedNumber(form.building.value);
  form.dwelling.replaceChildren();
  if (!number) return;
  const { dwellings } = await fetched(`/api/buildings/${number}/dwellings`);
  form.dwelling.append(...dwellings.map((one) => {
    const place = [one.entrance && `${one.entrance}单元`, one.room ?? "整栋 whole"].filter(Boolean).join(" ");
    return element("option", { value: one.sequence }, place);
  }));
}

function stated() {
  const value = (name) => form.elements.namedItem(name).value.trim() || null;
  const here = (name) => !form.elements.namedItem(name).closest("label").hidden;
  const declarer = Object.fromEntries(
    ["name", "doc_type", "id_number", "sex", "birth_date", "nationality", "hukou_code", "hukou_as_of"].map((name) => [name, value(name)]),
  );
  const body = { uuid: taken.uuid, kind: form.kind.value, declarer };
  for (const name of ["since", "until"]) if (here(name)) body[name] = value(name);
  if (here("building") && value("building")) {
    Object.assign(body, { building: checkedNumber(value("building")) ?? value("building"), dwelling: Number(form.dwelling.value) || 1 });
  }
  if (here("principal")) body.principal = form.principal.checked;
  return body;
}

async function take() {
  const body = stated();
  const receipt = await post("/api/declarations", body);
  byId("receipt-kind").replaceChildren(...both(wordFor(words.DECLARATION_KINDS, body.kind)));
  byId("receipt-number").textContent = `№ ${receipt.declaration}`;
  byId("receipt-code").textContent = receipt.receipt;
  byId("receipt-taken").textContent = receipt.taken_on;
  byId("receipt-by").textContent = receipt.decide_by;
  byId("receipt-where").textContent = `${location.origin}/record`;
  byId("receipt").hidden = false;
  form.hidden = true;
  await list();
}

async function list() {
  const { declarations } = await fetched("/api/declarations");
  const head = element("tr", {}, ...HEADS.map((pair) => element("th", {}, ...both(pair))));
  byId("waiting").replaceChildren(head, ...declarations.map(row));
  if (!declarations.length) byId("waiting").replaceChildren(element("tr", {}, element("td", {}, ...both(["没有待办的申报。", "Nothing waits."]))));
}

function row(one) {
  const home = one.building ? [one.standard_address ?? shownNumber(one.building), element("br"), [one.entrance && `${one.entrance}单元`, one.room].filter(Boolean).join(" ")] : ["—"];
  const status = [...both(wordFor(words.DECLARATION_STATUSES, one.status)), ...one.more_needed.flatMap((word) => [element("br"), ...both(wordFor(words.MORE_NEEDED, word))])];
  const declarer = element("td", {});
  const open = element("button", { type: "button", className: "quiet" }, ...both(["打开", "open"]));
  open.addEventListener("click", () => trying(async () => {
    const who = await post(`/api/declarations/${one.declaration}/open`);
    declarer.textContent = [who.name, wordFor(words.DOCUMENT_TYPES, who.doc_type)[0], who.id_number, who.birth_date].filter(Boolean).join("\u3000");
  }));
  declarer.append(open);
  return element("tr", {},
    element("td", {}, `№ ${one.declaration}`, element("br"), one.taken_at.slice(0, 10), element("br"), `→ ${one.decide_by}`),
    element("td", {}, ...both(wordFor(words.DECLARATION_KINDS, one.kind))),
    element("td", {}, ...home),
    element("td", {}, `${one.since ?? ""} — ${one.until ?? ""}`),
    element("td", {}, ...status), declarer, element("td", { className: "acts" }, ...decisions(one)));
}

function decisions(one) {
  const register = element("button", { type: "button" }, ...both(["登记", "register"]));
  register.addEventListener("click", () => trying(async () => {
    const done = await post(`/api/declarations/${one.declaration}/register`);
    await list();
    told(done.ended_elsewhere ? ["已登记；此前的主要住所登记随之终止。", "Registered; an earlier principal residency ended by it."] : ["已登记。", "Registered."]);
  }));
  return [register, chooser("more", ["要求补充…", "ask for more…"], words.MORE_NEEDED, (word) => ({ needed: [word] }), one),
    chooser("decline", ["不予登记…", "decline…"], words.DECLINE_REASONS, (word) => ({ reason: word }), one)];
}

function chooser(door, title, table, body, one) {
  const select = element("select", { ariaLabel: bothAsText(title) }, element("option", { value: "" }, bothAsText(title)),
    ...Object.entries(table).map(([value, pair]) => element("option", { value }, bothAsText(pair))));
  select.addEventListener("change", () => select.value && trying(async () => {
    await post(`/api/declarations/${one.declaration}/${door}`, body(select.value));
    await list();
    told(["已处理。", "Done."]);
  }));
  return select;
}

choices(form.kind, words.DECLARATION_KINDS);
choices(form.doc_type, words.DOCUMENT_TYPES);
choices(form.sex, { unknown: words.SEXES.unknown, ...words.SEXES });
fit();
form.kind.addEventListener("change", fit);
form.building.addEventListener("change", () => trying(chooseDwelling));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  told(null);
  trying(take);
});
byId("print").addEventListener("click", () => {
  document.body.classList.add("receipt-only");
  window.print();
  document.body.classList.remove("receipt-only");
});
byId("next").addEventListener("click", () => {
  taken.uuid = crypto.randomUUID();
  form.reset();
  fit();
  form.dwelling.replaceChildren();
  byId("receipt").hidden = true;
  form.hidden = false;
});
trying(begin);
