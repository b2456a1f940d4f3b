/* Who is signed in. The bearer lives as long as the tab and goes to this service only. */

const KEY = "menpai-bearer";

export const session = { actor: null };

export function bearer() {
  return sessionStorage.getItem(KEY);
}

export function isPlanner() {
  return Boolean(session.actor?.roles?.includes("planner"));
}

/** For MapLibre: every request for a tile of this service carries the bearer. */
export function withBearer(url) {
  const own = new URL(url, location.href).origin === location.origin;
  return own && bearer() ? { url, headers: { Authorization: `Bearer ${bearer()}` } } : { url };
}

export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/** JSON of an address of this service. Throws Refused with the sentence of the problem (RFC 9457). */
export async function fetched(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  if (bearer()) headers.Authorization = `Bearer ${bearer()}`;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Refused(0, "服务没有应答。 The service does not answer.");
  }
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, problem.detail || problem.title || `${answer.status} ${answer.statusText}`);
}

export async function recall() {
  session.actor = null;
  try {
    session.actor = (await fetched("/api/session")).actor ?? null;
  } catch (refusal) {
    if (refusal.status !== 401) throw refusal;
  }
  if (!session.actor) sessionStorage.removeItem(KEY);
}

/** OAuth2 password form. */
export async function signIn(username, password) {
  sessionStorage.removeItem(KEY);
  const body = new URLSearchParams({ grant_type: "password", username, password });
  const { access_token: token } = await fetched("/api/token", { method: "POST", body });
  sessionStorage.setItem(KEY, token);
  await recall();
}

/** One-time link, with a password to set or none. */
export async function enter(token, password) {
  sessionStorage.removeItem(KEY);
  const body = JSON.stringify(password ? { token, password } : { token });
  const headers = { "Content-Type": "application/json" };
  const { access_token: issued } = await fetched("/api/first-start", { method: "POST", headers, body });
  sessionStorage.setItem(KEY, issued);
}

/** Forget the bearer here: it has run out, or is about to be ended. */
export function forget() {
  sessionStorage.removeItem(KEY);
  session.actor = null;
}

/** End the session, here even where the service does not answer. */
export async function signOut() {
  const headers = { Authorization: `Bearer ${bearer()}` };
  forget();
  await fetch("/api/token", { method: "DELETE", headers }).catch(() => null);
}
