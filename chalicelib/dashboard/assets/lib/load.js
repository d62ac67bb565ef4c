// @ts-check
// Reads from the API for a component: once, on demand, or repeatedly while the tab is visible.
import { useEffect, useRef, useState } from "../vendor/preact.js";
import { ApiError, getPage, newToken, postOnce, toApiError } from "./api.js";
import { common } from "./texts/en/common.js";

/** After this time without a response the page says that it waits. */
const SLOW_MS = 4_000;

/**
 * @template T
 * @typedef {{data: T | undefined, error: ApiError | null, loading: boolean, slow: boolean}} LoadState
 */
/**
 * @template T
 * @typedef {LoadState<T> & {reload: () => unknown}} Load what useLoad returns
 */
/** @typedef {{items: any[], cursor: string | null | undefined, loading: boolean, error: ApiError | null}} LaterPages */

/**
 * Run `load` when `inputs` change. With `every` (ms, 0 is never) it runs again while the tab is visible; if that fails,
 * the error is returned with the data of the last success.
 * @template T
 * @param {(signal: AbortSignal) => T | Promise<T>} load
 * @param {unknown[]} inputs
 * @param {{every?: number}} [options]
 * @returns {Load<T>}
 */
export function useLoad(load, inputs, { every } = {}) {
  /** @type {LoadState<T>} */
  const empty = { data: undefined, error: null, loading: true, slow: false };
  const [state, setState] = useState(empty);
  const run = useRef(/** @type {() => unknown} */ (() => {}));
  const wait = useRef(() => {});
  const interval = useRef(every);
  interval.current = every;
  useEffect(() => {
    const control = new AbortController();
    let timer;
    let latest = 0;
    async function read(isFirst) {
      clearTimeout(timer);
      const number = ++latest;
      // Responses can overtake each other. Only the newest request may set the state.
      const isStale = () => control.signal.aborted || number !== latest;
      const slow = setTimeout(() => isStale() || setState((now) => ({ ...now, slow: true })), SLOW_MS);
      if (isFirst) setState(empty);
      try {
        const data = await load(control.signal);
        if (!isStale()) setState({ data, error: null, loading: false, slow: false });
      } catch (error) {
        if (!isStale()) setState((now) => ({ ...now, error: toApiError(error), loading: false, slow: false }));
      }
      clearTimeout(slow);
      if (!isStale()) wait.current();
    }
    wait.current = () => {
      clearTimeout(timer);
      if (interval.current && !document.hidden) timer = setTimeout(read, interval.current);
    };
    function onVisible() {
      if (interval.current && !document.hidden) read(false);
    }
    run.current = () => read(false);
    document.addEventListener("visibilitychange", onVisible);
    read(true);
    return () => {
      control.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, inputs);
  // A new interval applies immediately, and the data stays on the page.
  useEffect(() => wait.current(), [every]);
  return { ...state, reload: () => run.current() };
}

/**
 * Read a list page by page: `more()` adds the next page to `data`. Only the first page is read again with `every` (ms).
 * @param {string} path
 * @param {import("./api.js").Query} query
 * @param {{every?: number}} [options]
 */
export function usePages(path, query, { every } = {}) {
  /** @type {LaterPages} */
  const none = { items: [], cursor: undefined, loading: false, error: null };
  const [later, setLater] = useState(none);
  const first = useLoad((signal) => getPage(path, query, signal), [path, JSON.stringify(query)], { every });
  const list = `${path} ${JSON.stringify(query)}`;
  const currentList = useRef(list);
  currentList.current = list;
  useEffect(() => setLater(none), [list]);
  const cursor = later.cursor === undefined ? first.data?.nextCursor : later.cursor;
  async function more() {
    setLater((now) => ({ ...now, loading: true, error: null }));
    try {
      const page = await getPage(path, { ...query, cursor });
      // The filters may have changed during the request.
      if (currentList.current !== list) return;
      setLater((now) => ({ items: [...now.items, ...page.data], cursor: page.nextCursor, loading: false, error: null }));
    } catch (error) {
      if (currentList.current === list) setLater((now) => ({ ...now, loading: false, error: toApiError(error) }));
    }
  }
  const items = first.data && [...first.data.data, ...later.items];
  return { ...first, data: items, total: first.data?.total, hasMore: Boolean(cursor), more, later };
}

/**
 * Return a value after it has not changed for `ms`.
 * @template T
 * @param {T} value
 */
export function useRested(value, ms = 300) {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}

/**
 * Return `send(path, body)` for a form that creates something. All sends use one idempotency token until one succeeds, so
 * a second press after a lost response creates nothing twice, even if the body was changed in between.
 */
export function useOnce() {
  const token = useRef(/** @type {string | null} */ (null));
  return async (/** @type {string} */ path, /** @type {unknown} */ body = undefined) => {
    token.current ??= newToken();
    const created = await postOnce(path, body, token.current).catch((error) => Promise.reject(explainReuse(error)));
    token.current = null;
    return created;
  };
}

/**
 * Replace the error about a reused token: no form has a field for the token.
 * @param {ApiError} error
 */
function explainReuse(error) {
  if (!error.at?.("Idempotency-Key")) return error;
  return new ApiError(error.status, { error: error.code, message: common.errors.arrivedAlready });
}

/**
 * Return `[run, busy, error, clear]` for the action of a button.
 * @template {any[]} A
 * @template R
 * @param {(...values: A) => Promise<R>} action
 * @returns {[(...values: A) => Promise<R | undefined>, boolean, ApiError | null, () => void]}
 */
export function useAction(action) {
  /** @type {{busy: boolean, error: ApiError | null}} */
  const idle = { busy: false, error: null };
  const [state, setState] = useState(idle);
  async function run(...values) {
    setState({ busy: true, error: null });
    try {
      const result = await action(.../** @type {A} */ (values));
      setState(idle);
      return result;
    } catch (error) {
      setState({ busy: false, error: toApiError(error) });
      return undefined;
    }
  }
  return [run, state.busy, state.error, () => setState(idle)];
}
