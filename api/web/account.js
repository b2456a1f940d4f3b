/* Who is signed in. The session is in a cookie that no script can read; every request says that a page of ours made it. */

const OURS = { "X-Menpai": "page" };

export const session = { actor: null };

export function isPlanner() {
  return Boolean(session.actor?.roles?.includes("planner"));
}

/** For MapLibre: the cookie goes along by itself, to this service alone. */
export function withBearer(url) {
  return { url };
}

export class Refused extends Error {
  constructor(status, sentence, type = "") {
    super(sentence);
    this.status = status;
    this.type = type.split(":").pop();
  }
}

/** JSON of an address of this service, null where it says nothing. Throws Refused with the problem's sentence (RFC 9457). */
export async function fetched(path, options = {}) {
  const headers = { Accept: "application/json", ...OURS, ...options.headers };
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options, headers });
  } catch {
    throw new Refused(0, "服务没有应答。 The service does not answer.");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await answer.json().catch(() => ({}));
  const sentence = problem.detail || problem.title || `${answer.status} ${answer.statusText}`;
  throw new Refused(answer.status, sentence, problem.type);
}

/** Send JSON. */
export function sent(method, path, said) {
  const body = said === undefined ? {} : { body: JSON.stringify(said), headers: { "Content-Type": "application/json" } };
  return fetched(path, { method, ...body });
}

export async function recall() {
  session.actor = null;
  try {
    session.actor = (await fetched("/api/session")).actor ?? null;
  } catch (refusal) {
    if (refusal.status !== 401) throw refusal;
  }
}

/** Name, password, and a code where the account has a second factor. */
export async function signIn(name, password, code) {
  session.actor = (await sent("POST", "/api/session", { name, password, code: code || null })).actor;
}

/** One-time link, with a password to set or none. */
export async function enter(link, password) {
  session.actor = (await sent("POST", "/api/session", { link, password: password || null })).actor;
}

/** Forget who was signed in: the session has run out, or is about to be ended. */
export function forget() {
  session.actor = null;
}

/** End the session, here even where the service does not answer. */
export async function signOut() {
  forget();
  await sent("DELETE", "/api/session").catch(() => null);
}
