/* The address box: while an address is typed, the buildings it may mean; one of them is chosen by a person. */

import { fetched, session } from "./account.js";
import { both, element, ELEMENTS, MATCH_REASONS, wordFor } from "./words.js";

const PAUSE_MS = 180;
const LETTER = /[^\s\d-]/; // a building number has none

/** Say what may be typed: an address only where the service may be asked for one. */
export function showWhatIsAsked(box, actor) {
  const asked = actor ? "编号或地址 number or address" : "建筑物编号 building number";
  box.placeholder = asked;
  box.setAttribute("aria-label", asked);
  box.form.classList.toggle("wide", Boolean(actor));
}

/** Offer buildings under a box while an address is typed in it; ``choose`` takes the number of the one chosen. */
export function keepOffers(box, list, choose) {
  let timer = 0;
  let asked = 0;

  function close() {
    list.hidden = true;
    list.replaceChildren();
    box.removeAttribute("aria-activedescendant");
    box.setAttribute("aria-expanded", "false");
  }

  async function ask() {
    const text = box.value.trim();
    const turn = ++asked;
    if (!session.actor || !LETTER.test(text)) return close();
    try {
      const answer = await fetched(`/api/addresses?${new URLSearchParams({ text })}`);
      if (turn === asked) show(answer);
    } catch {
      close(); // the box still takes a number; the search itself says what is wrong
    }
  }

  function show({ candidates, reason, outcome, room }) {
    const rows = candidates.map((one, place) => option(one, place, outcome === "linked" ? room : ""));
    if (reason && outcome !== "linked") rows.push(element("li", { className: "why" }, ...both(wordFor(MATCH_REASONS, reason))));
    list.replaceChildren(...rows);
    list.hidden = !rows.length;
    box.setAttribute("aria-expanded", String(Boolean(rows.length)));
  }

  function option(one, place, room) {
    const row = element("li", { id: `offered-${place}` }, one.standard_address);
    if (room) row.append(" ", element("b", {}, room));
    const said = [...named(one.agrees, "相符"), ...named(one.contradicts, "不符")];
    if (said.length) row.append(element("div", { className: one.contradicts.length ? "why against" : "why" }, said.join(" ")));
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    row.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // keeps the focus in the box
      take(one);
    });
    row.dataset.number = one.number;
    row.dataset.address = one.standard_address;
    return row;
  }

  function take(one) {
    asked += 1;
    box.value = one.standard_address ?? one.address;
    close();
    choose(one.number);
  }

  function move(step) {
    const rows = [...list.querySelectorAll('[role="option"]')];
    if (!rows.length) return;
    const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
    const next = rows[(at + step + rows.length) % rows.length] ?? rows[0];
    for (const row of rows) row.setAttribute("aria-selected", String(row === next));
    box.setAttribute("aria-activedescendant", next.id);
  }

  box.setAttribute("role", "combobox");
  box.setAttribute("aria-controls", list.id);
  box.setAttribute("aria-expanded", "false");
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    }
    const chosen = list.querySelector('[aria-selected="true"]');
    if (event.key === "Enter" && chosen) {
      event.preventDefault();
      take(chosen.dataset);
    }
  });
  box.addEventListener("blur", close);
}

function named(elements, word) {
  const names = elements.map((name) => ELEMENTS[name]).filter(Boolean);
  return names.length ? [`${word}：${names.join("、")}`] : [];
}
