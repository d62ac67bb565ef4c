// Reads from the API for a component: once, again on demand, or again and again while the tab is looked at.
import { useEffect, useRef, useState } from "../vendor/preact.js";
import { ApiError, getPage, newToken, postOnce } from "./api.js";
import { common } from "./texts/en/common.js";

/** After this long without an answer the page says that it waits. */
const SLOW_MS = 4_000;

/**
 * `load(signal)` runs when `inputs` change. With `every` (ms) it runs again while the tab is visible; an error then
 * stands beside the data that was read before.
 */
export function useLoad(load, inputs, { every } = {}) {
  const [state, setState] = useState({ data: undefined, error: null, loading: true, slow: false });
  const run = useRef(() => {});
  const wait = useRef(() => {});
  const rhythm = useRef(every);
  rhythm.current = every;
  useEffect(() => {
    const control = new AbortController();
    let timer;
    let latest = 0;
    async function read(isFirst) {
      clearTimeout(timer);
      const number = ++latest;
      // Of several under way the newest alone tells: an older answer may come after it.
      const isStale = () => control.signal.aborted || number !== latest;
      const slow = setTimeout(() => isStale() || setState((now) => ({ ...now, slow: true })), SLOW_MS);
      if (isFirst) setState({ data: undefined, error: null, loading: true, slow: false });
      try {
        const data = await load(control.signal);
        if (!isStale()) setState({ data, error: null, loading: false, slow: false });
      } catch (error) {
        if (!isStale()) setState((now) => ({ ...now, error, loading: false, slow: false }));
      }
      clearTimeout(slow);
      if (!isStale()) wait.current();
    }
    wait.current = () => {
      clearTimeout(timer);
      if (rhythm.current && !document.hidden) timer = setTimeout(read, rhythm.current);
    };
    function onVisible() {
      if (rhythm.current && !document.hidden) read(false);
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
  // Another rhythm begins at once; what was read stays on the page.
  useEffect(() => wait.current(), [every]);
  return { ...state, reload: () => run.current() };
}

/** A list read page by page: `items` grows by `more()`. */
export function usePages(path, query, { every } = {}) {
  const [later, setLater] = useState({ items: [], cursor: undefined, loading: false, error: null });
  const first = useLoad((signal) => getPage(path, query, signal), [path, JSON.stringify(query)], { every });
  const list = `${path} ${JSON.stringify(query)}`;
  const listed = useRef(list);
  listed.current = list;
  useEffect(() => setLater({ items: [], cursor: undefined, loading: false, error: null }), [list]);
  const cursor = later.cursor === undefined ? first.data?.nextCursor : later.cursor;
  async function more() {
    setLater((now) => ({ ...now, loading: true, error: null }));
    try {
      const page = await getPage(path, { ...query, cursor });
      if (listed.current !== list) return;
      setLater((now) => ({
        items: [...now.items, ...page.data],
        cursor: page.nextCursor,
        loading: false,
        error: null,
      }));
    } catch (error) {
      if (listed.current === list) setLater((now) => ({ ...now, loading: false, error }));
    }
  }
  const items = first.data && [...first.data.data, ...later.items];
  return { ...first, data: items, total: first.data?.total, hasMore: Boolean(cursor), more, later };
}

/** A value that follows another one once it rests for `ms`. */
export function useRested(value, ms = 300) {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}

/**
 * `send(path, body)` for a form that makes something: pressed again after an answer that got lost, also with other words
 * in it, nothing is made a second time. Once something was made the next one may be.
 */
export function useOnce() {
  const token = useRef(null);
  return async (path, body) => {
    token.current ??= newToken();
    const made = await postOnce(path, body, token.current).catch((error) => Promise.reject(inWords(error)));
    token.current = null;
    return made;
  };
}

/** No form has a field for the token, so its error is replaced by a sentence about what happened. */
function inWords(error) {
  if (!error.at?.("Idempotency-Key")) return error;
  return new ApiError(error.status, { error: error.code, message: common.errors.arrivedAlready });
}

/** Runs an action of a button: `[run, busy, error, clear]`. */
export function useAction(action) {
  const [state, setState] = useState({ busy: false, error: null });
  async function run(...given) {
    setState({ busy: true, error: null });
    try {
      const done = await action(...given);
      setState({ busy: false, error: null });
      return done;
    } catch (error) {
      setState({ busy: false, error });
      return undefined;
    }
  }
  return [run, state.busy, state.error, () => setState({ busy: false, error: null })];
}
