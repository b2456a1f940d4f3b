/* Acts on accounts as rows of a table. */

import { both, element, wordFor } from "./words.js";

export const ROLES = {
  registrar: ["登记员", "registrar"],
  planner: ["规划员", "planner"],
  field_officer: ["外勤", "field officer"],
  auditor: ["审计员", "auditor"],
  account_administrator: ["账户管理员", "administrator of accounts"],
};
const ACTS = {
  added: ["新建", "made"],
  granted: ["授权", "given a role"],
  grant_changed: ["授权变更", "given a role until another day"],
  disabled: ["停用", "closed"],
  enabled: ["启用", "opened again"],
  link_made: ["生成一次性链接", "given a one-time link"],
  link_used: ["使用一次性链接", "entered by a one-time link"],
  signed_in: ["登录", "signed in"],
  signed_out: ["退出", "signed out"],
  sessions_ended: ["会话终止", "had sessions ended"],
  password_set: ["设置密码", "given a password"],
  factor_confirmed: ["启用第二因素", "given a second factor"],
  factor_ended: ["停用第二因素", "rid of its second factor"],
  recovery_used: ["使用恢复码", "entered by a recovery code"],
  token_minted: ["签发程序令牌", "given a token for a program"],
  identity_linked: ["关联外部身份", "linked to a provider's identity"],
  identity_unlinked: ["取消外部身份", "parted from a provider's identity"],
};

export function when(moment) {
  return new Date(moment).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false });
}

/** A row for each act; the account is named where the list is of several. */
export function eventRows(events, { named = false } = {}) {
  return events.map((one) => element("tr", {},
    element("td", {}, when(one.at)),
    ...(named ? [element("td", {}, one.account)] : []),
    element("td", {}, ...both(wordFor(ACTS, one.act)),
      ...(one.role ? [" ", ...both(wordFor(ROLES, one.role)), ` ${one.division}`, one.valid_until ? ` → ${one.valid_until}` : ""] : [])),
    element("td", {}, ...both(["操作人", "by"]), " ", one.actor)));
}
