// @ts-check
// Calls of the public HTTP API. The dashboard uses no other route for its data.
import { noteDate } from "./clock.js";
import { key, untilSignedIn } from "./session.js";
import { common } from "./texts/en/common.js";

const text = common.errors;
/** API Gateway ends a request after 29 seconds; one second more lets its answer arrive. */
const TIMEOUT_MS = 30_000;

/**
 * @typedef {Record<string, string | number | boolean | null | undefined>} Query values that are empty are not sent
 * @typedef {object} CallOptions
 * @property {Query} [query]
 * @property {unknown} [body] sent as JSON
 * @property {AbortSignal} [signal]
 * @property {Record<string, string>} [headers]
 * @property {string} [asKey] an API key to use in place of the key of the session
 */

/** An error that the server, or the connection to it, answered with. `details` name the fields that are wrong. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 if there was no answer
   * @param {{message?: string, error?: string, details?: Api["ErrorDetail"][], requestId?: string}} body
   */
  constructor(status, body) {
    super(body.message || text.status(status));
    this.status = status;
    this.code = body.error || "";
    this.details = body.details || [];
    this.body = body;
  }

  /** The server has no such route: it is older than this page, or this part is not deployed. */
  get isMissingRoute() {
    const gateway = /^There is nothing at|Missing Authentication Token/i.test(this.message);
    return gateway || this.status === 405;
  }

  /**
   * Return the messages for a field and everything inside it.
   * @param {string} field
   */
  at(field) {
    const found = this.details.filter((each) => each.field === field || each.field.startsWith(`${field}.`));
    return found.map((each) => each.message).join("; ");
  }
}

/**
 * Return any error as an ApiError, so that the page shows one kind.
 * @param {unknown} error
 */
export function toApiError(error) {
  if (error instanceof ApiError) return error;
  return new ApiError(0, { message: error instanceof Error ? error.message : String(error) });
}

/**
 * @param {string} path
 * @param {Query} query
 */
function urlOf(path, query = {}) {
  const filters = Object.entries(query).flatMap(([name, value]) => (value === undefined || value === null || value === "" ? [] : [[name, String(value)]]));
  const search = new URLSearchParams(filters).toString();
  // The URL is relative to <base>, so the stage prefix of API Gateway stays in it.
  return `.${path}${search ? `?${search}` : ""}`;
}

/** @param {Response} response */
async function readError(response) {
  const body = await response.json().catch(() => ({}));
  const message = body.message || messageOf(response.status);
  return new ApiError(response.status, { ...body, message });
}

/** @param {number} status */
function messageOf(status) {
  if (status === 429) return text.tooManyRequests;
  if (status >= 500) return text.serverError(status);
  return text.status(status);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {CallOptions} options
 */
async function fetchOnce(method, path, { query, body, signal, headers, asKey } = {}) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  /** @type {Record<string, string>} */
  const contentType = body === undefined ? {} : { "Content-Type": "application/json" };
  try {
    const response = await fetch(urlOf(path, query), {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: { Authorization: `Bearer ${asKey ?? key.value}`, ...contentType, ...headers },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    noteDate(response.headers.get("Date"));
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    const isTimeout = error instanceof Error && error.name === "TimeoutError";
    throw new ApiError(0, { error: "unreachable", message: isTimeout ? text.timeout : text.unreachable });
  }
}

/**
 * Send a request. If the key is refused, wait for a new key and send the request once more.
 * @param {string} method
 * @param {string} path
 * @param {CallOptions} [options]
 */
async function fetchSignedIn(method, path, options) {
  const used = key.value;
  const response = await fetchOnce(method, path, options);
  if (response.status !== 401 || options?.asKey) return response;
  // Another request may have asked for a new key already; then that key is used without a second dialog.
  if (key.value === used) await untilSignedIn();
  return fetchOnce(method, path, options);
}

/**
 * Return the whole answer as JSON.
 * @param {string} method
 * @param {string} path
 * @param {CallOptions} [options]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function call(method, path, options) {
  const response = await fetchSignedIn(method, path, options);
  if (!response.ok) throw await readError(response);
  return response.json();
}

/**
 * Return an answer that is text, such as a CSV file.
 * @param {string} path
 * @param {CallOptions} [options]
 */
export async function getText(path, options) {
  const response = await fetchSignedIn("GET", path, options);
  if (!response.ok) throw await readError(response);
  return response.text();
}

/**
 * Return `data` of one object.
 * @param {string} path
 * @param {Query} [query]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function get(path, query, signal) {
  return (await call("GET", path, { query, signal })).data;
}

/**
 * Return one page of a list.
 * @param {string} path
 * @param {Query} [query]
 * @param {AbortSignal} [signal]
 * @returns {Promise<{data: any[], nextCursor: string | null, prevCursor: string | null, total?: number}>}
 */
export function getPage(path, query, signal) {
  return call("GET", path, { query, signal });
}

/**
 * @param {string} path
 * @param {unknown} [body]
 * @param {CallOptions} [options]
 * @returns {Promise<any>}
 */
export async function post(path, body = {}, options = {}) {
  return (await call("POST", path, { ...options, body })).data;
}

/**
 * Send a POST that creates or starts something. A second send with the same token after a lost response does not
 * create it twice.
 * @param {string} path
 * @param {unknown} [body]
 */
export async function postOnce(path, body = {}, token = newToken()) {
  return post(path, body, { headers: { "Idempotency-Key": token } });
}

/**
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<any>}
 */
export async function patch(path, body) {
  return (await call("PATCH", path, { body })).data;
}

/**
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<any>}
 */
export async function put(path, body) {
  return (await call("PUT", path, { body })).data;
}

/**
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function remove(path, body) {
  return call("DELETE", path, { body });
}

/**
 * Return the items of all pages of a list. Reading stops after the page that reaches `most`.
 * @param {string} path
 * @param {Query} [query]
 * @param {number} [most]
 * @param {AbortSignal} [signal]
 */
export async function getAll(path, query = {}, most = 500, signal = undefined) {
  const found = [];
  /** @type {string | null | undefined} */
  let cursor;
  do {
    const page = await getPage(path, { ...query, limit: 100, cursor }, signal);
    found.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor && found.length < most);
  return found;
}

/** Return a random token of 32 hexadecimal digits. `crypto.randomUUID` exists on https and localhost only. */
export function newToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
