/* One's own account: sessions to end, password and second factor to change, and what was done to it. */

import { fetched, recall, sent, session, signIn, signOut } from "./account.js";
import { showFactor } from "./factor.js";
import { eventRows, when } from "./events.js";
import { both, element } from "./words.js";

const byId = (name) => document.getElementById(name);
const USES = {
  page: ["网页", "page"],
  bearer: ["程序登录", "program, by password"],
  program: ["程序令牌", "token for a program"],
};

async function trying(act) {
  byId("refused").textContent = "";
  try {
    await act();
  } catch (refusal) {
    byId("refused").textContent = refusal.message;
    if (["prove_again", "not_signed_in"].includes(refusal.type)) askAgain();
  }
}

/** Ask for name, password and code: signing in anew is the proof. */
function askAgain() {
  byId("credentials").hidden = false;
  byId("inside").hidden = true;
}

async function show() {
  await recall();
  const { actor } = session;
  byId("credentials").hidden = Boolean(actor);
  byId("inside").hidden = !actor;
  if (!actor) byId("provider").hidden = !(await fetched("/api/openid")).provider;
  byId("factor").hidden = true;
  byId("who").textContent = actor ? `${actor.name} · ${actor.roles.join(", ") || "—"}` : "";
  if (!actor) return;
  if (actor.needs === "second_factor") await showFactor(byId("factor"), byId("refused"), () => trying(show));
  const { sessions, events } = await fetched("/api/account/sessions");
  byId("sessions").replaceChildren(...sessions.map(sessionRow));
  byId("events").replaceChildren(...eventRows(events));
}

function sessionRow(one) {
  const button = element("button", { type: "button" }, ...both(["终止", "end"]));
  button.addEventListener("click", () => trying(async () => {
    await sent("DELETE", `/api/account/sessions/${one.id}`);
    await show();
  }));
  return element("tr", {},
    element("td", {}, ...both(one.this_one ? ["本会话", "this one"] : USES[one.use])),
    element("td", {}, ...both(["始于", "since"]), " ", when(one.opened_at)),
    element("td", {}, ...both(["最近使用", "used"]), " ", when(one.active_at)),
    element("td", {}, one.second_factor ? "✓ 2FA" : ""),
    element("td", {}, button));
}

byId("credentials").addEventListener("submit", (event) => {
  event.preventDefault();
  const { username, password, code } = event.target;
  trying(async () => {
    await signIn(username.value, password.value, code.value);
    event.target.reset();
    await show();
  });
});
byId("change").addEventListener("submit", (event) => {
  event.preventDefault();
  trying(async () => {
    await sent("PUT", "/api/account/password", { password: event.target.password.value });
    event.target.reset();
    await show();
  });
});
byId("renew").addEventListener("click", () => trying(() => showFactor(byId("factor"), byId("refused"), () => trying(show))));
byId("leave").addEventListener("click", () => trying(async () => {
  await signOut();
  await show();
}));
byId("leave-all").addEventListener("click", () => trying(async () => {
  await sent("DELETE", "/api/account/sessions");
  await show();
}));
trying(show);
