// The one door to the server: everything on the page goes through the public HTTP API.
import { noteDate } from "./clock.js";
import { key, untilSignedIn } from "./session.js";
import { common } from "./texts/en/common.js";

const words = common.errors;
/** API Gateway gives up after 29 seconds. */
const LONGEST_MS = 30_000;

/** What the server (or the way to it) refused; `details` name fields. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body.message || words.status(status));
    this.status = status;
    this.code = body.error || "";
    this.details = body.details || [];
    this.body = body;
  }

  /** No such route on this server, as its routes of the same name are younger than it. */
  get isMissingRoute() {
    const gateway = /^There is nothing at|Missing Authentication Token/i.test(this.message);
    return gateway || this.status === 405;
  }

  /** The message for one field, and whatever lies below it. */
  at(field) {
    const mine = this.details.filter((each) => each.field === field || each.field.startsWith(`${field}.`));
    return mine.map((each) => each.message).join("; ");
  }
}

function url(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given).toString();
  // Relative to <base>, so that a stage prefix stays.
  return `.${path}${search ? `?${search}` : ""}`;
}

async function readError(answer) {
  const body = await answer.json().catch(() => ({}));
  const message = body.message || plainMessage(answer.status);
  return new ApiError(answer.status, { ...body, message });
}

function plainMessage(status) {
  if (status === 429) return words.tooManyRequests;
  if (status >= 500) return words.serverError(status);
  return words.status(status);
}

async function fetchOnce(method, path, { query, body, text, type, signal, headers, asKey } = {}) {
  const timeout = AbortSignal.timeout(LONGEST_MS);
  const content = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const given = content === undefined ? {} : { "Content-Type": type || "application/json" };
  try {
    const answer = await fetch(url(path, query), {
      method,
      body: content,
      headers: { Authorization: `Bearer ${asKey ?? key.value}`, ...given, ...headers },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    noteDate(answer.headers.get("Date"));
    return answer;
  } catch (error) {
    if (signal?.aborted) throw error;
    const message = error.name === "TimeoutError" ? words.timeout : words.unreachable;
    throw new ApiError(0, { error: "unreachable", message });
  }
}

async function fetchSignedIn(method, path, options) {
  const used = key.value;
  const answer = await fetchOnce(method, path, options);
  if (answer.status !== 401 || options?.asKey) return answer;
  // Another request may have had a new key given meanwhile.
  if (key.value === used) await untilSignedIn();
  return fetchOnce(method, path, options);
}

/** The whole answer as JSON; throws ApiError. */
export async function call(method, path, options) {
  const answer = await fetchSignedIn(method, path, options);
  if (!answer.ok) throw await readError(answer);
  return answer.json();
}

/** An answer that is no JSON. */
export async function getText(path, options) {
  const answer = await fetchSignedIn("GET", path, options);
  if (!answer.ok) throw await readError(answer);
  return answer.text();
}

/** `data` of one object. */
export async function get(path, query, signal) {
  return (await call("GET", path, { query, signal })).data;
}

/** One page of a list: `{data, nextCursor, prevCursor, total?}`. */
export function getPage(path, query, signal) {
  return call("GET", path, { query, signal });
}

export async function post(path, body = {}, options = {}) {
  return (await call("POST", path, { ...options, body })).data;
}

/** A POST that creates or starts something: an answer that got lost does not make two of it. */
export async function postOnce(path, body = {}, token = newToken()) {
  return post(path, body, { headers: { "Idempotency-Key": token } });
}

export async function patch(path, body) {
  return (await call("PATCH", path, { body })).data;
}

export async function put(path, body) {
  return (await call("PUT", path, { body })).data;
}

export async function remove(path, body) {
  return call("DELETE", path, { body });
}

/** Every page of a list, up to `most`. */
export async function getAll(path, query = {}, most = 500, signal = undefined) {
  const found = [];
  let cursor;
  do {
    const page = await getPage(path, { ...query, limit: 100, cursor }, signal);
    found.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor && found.length < most);
  return found;
}

/** randomUUID exists on https and localhost only. */
export function newToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
