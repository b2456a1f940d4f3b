/* The desk of those who manage accounts. It shows accounts and acts on them; no person and no structure is here. */

import { fetched, sent } from "./account.js";
import { eventRows, ROLES } from "./events.js";
import { both, element, wordFor } from "./words.js";

const byId = (name) => document.getElementById(name);

async function trying(act) {
  byId("refused").textContent = "";
  try {
    await act();
  } catch (refusal) {
    byId("refused").replaceChildren(refusal.message, " ", element("a", { href: "/own" }, ...both(["登录", "sign in"])));
  }
}

function button(pair, act) {
  const made = element("button", { type: "button" }, ...both(pair));
  made.addEventListener("click", () => trying(async () => {
    await act();
    await show();
  }));
  return made;
}

function tellLink({ link }) {
  const address = new URL(link, location.origin).href;
  byId("told").replaceChildren(...both(["一次性链接，24 小时内有效，只显示这一次：", "one-time link, for 24 hours, shown this once:"]),
    " ", element("code", {}, address));
}

function roleOf(account, held) {
  const path = `/api/accounts/${encodeURIComponent(account.name)}/grants`;
  const query = new URLSearchParams({ role: held.role, division: held.division });
  return element("p", {}, ...both(wordFor(ROLES, held.role)), ` ${held.division}${held.until ? ` → ${held.until}` : ""} `,
    button(["终止", "end"], () => sent("DELETE", `${path}?${query}`)));
}

function rowOf(account) {
  const path = `/api/accounts/${encodeURIComponent(account.name)}`;
  const acts = account.disabled
    ? [button(["启用", "open again"], () => sent("DELETE", `${path}/disabled`))]
    : [
        button(["一次性链接", "one-time link"], async () => tellLink(await sent("POST", `${path}/link`))),
        button(["终止会话", "end sessions"], () => sent("DELETE", `${path}/sessions`)),
        button(["重置第二因素", "reset second factor"], () => sent("DELETE", `${path}/second-factor`)),
        button(["停用", "close"], () => sent("PUT", `${path}/disabled`)),
      ];
  const state = [account.disabled && ["已停用", "closed"], !account.has_password && ["未设密码", "no password yet"],
    account.has_second_factor && ["第二因素", "second factor"]].filter(Boolean);
  return element("tr", {},
    element("th", {}, account.name, ...state.flatMap((pair) => [element("br"), ...both(pair)])),
    element("td", {}, ...account.grants.map((held) => roleOf(account, held)), ...account.identities.map((name) => element("p", {}, name))),
    element("td", {}, ...acts));
}

async function show() {
  const { accounts } = await fetched("/api/accounts");
  byId("inside").hidden = false;
  byId("accounts").replaceChildren(...accounts.map(rowOf));
  const names = accounts.filter((each) => !each.disabled).map((each) => element("option", {}, each.name));
  byId("grant").account.replaceChildren(...names);
  byId("events").replaceChildren(...eventRows((await fetched("/api/accounts/events?limit=50")).events, { named: true }));
}

byId("grant").role.replaceChildren(
  ...Object.entries(ROLES).map(([value, pair]) => element("option", { value }, pair.join(" "))));
byId("add").addEventListener("submit", (event) => {
  event.preventDefault();
  trying(async () => {
    tellLink(await sent("POST", "/api/accounts", { name: event.target.elements.name.value }));
    event.target.reset();
    await show();
  });
});
byId("grant").addEventListener("submit", (event) => {
  event.preventDefault();
  const { account, role, division, until } = event.target;
  trying(async () => {
    const said = { role: role.value, division: division.value, until: until.value || null };
    await sent("POST", `/api/accounts/${encodeURIComponent(account.value)}/grants`, said);
    await show();
  });
});
trying(show);
