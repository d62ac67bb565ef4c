// @ts-check
// The draft of one campaign during editing: history, automatic saving, conflicts, and the problems that the API finds.
import { batch, computed, signal } from "../vendor/preact.js";
import { get, patch, post, toApiError } from "../lib/api.js";
import { readField } from "../lib/steps.js";
import { tabStore } from "../lib/store.js";
import { campaigns } from "../lib/texts/en/campaigns.js";

/** @typedef {import("../lib/api.js").ApiError} ApiError */
/** @typedef {Api["CampaignResponse"]} Campaign */
/** @typedef {Record<string, any>} Parts the parts of a campaign that are edited */
/** @typedef {{past: Parts[], future: Parts[]}} History */
/** @typedef {"saved" | "waiting" | "saving" | "failed" | "conflict"} SaveState */

const PARTS = ["name", "description", "availability", "trigger", "audience", "steps", "configuration", "entry", "startGrace"];
/** Editing that pauses this long is saved. */
const SAVE_AFTER_MS = 700;
/** Changes of one field within this time are one step of the history. */
const TOGETHER_MS = 1_500;
const MOST_UNDO = 100;

/** @returns {Parts} */
const partsOf = (/** @type {any} */ campaign) => Object.fromEntries(PARTS.map((part) => [part, campaign[part] ?? (part === "steps" ? [] : null)]));
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/**
 * Return the signals and actions of one draft. `close()` saves the last changes.
 * @param {Campaign} campaign
 */
export function openDraft(campaign) {
  const uid = campaign.uid;
  const path = `/v1/campaigns/${uid}`;
  const server = signal(campaign);
  const parts = signal(partsOf(campaign));
  const state = signal(/** @type {SaveState} */ ("saved"));
  const error = signal(/** @type {ApiError | null} */ (null));
  /** The draft of another user, until the conflict is resolved. */
  const theirs = signal(/** @type {Campaign | null} */ (null));
  /** The last validation. */
  const found = signal(/** @type {Api["ValidationResponse"] | null} */ (null));
  const history = signal(/** @type {History} */ ({ past: [], future: [] }));
  let lastEdit = { name: "", at: 0 };
  /** The parts on the server, as this page sent them. The server may write the same values differently. */
  let base = parts.value;
  let timer;
  let running = /** @type {Promise<void> | null} */ (null);
  /** The parts of the last request. If its response was lost, the server may have them. */
  let sent = /** @type {Parts | null} */ (null);
  let validations = 0;

  function note(before, name) {
    const isMore = name && lastEdit.name === name && Date.now() - lastEdit.at < TOGETHER_MS;
    lastEdit = { name, at: Date.now() };
    if (!isMore) history.value = { past: [...history.value.past, before].slice(-MOST_UNDO), future: [] };
  }

  /** Change parts. Edits with the same `name` in quick succession are undone together. */
  function edit(changes, name = "") {
    const next = { ...parts.value, ...changes };
    if (same(next, parts.value)) return;
    batch(() => {
      note(parts.value, name);
      apply(next);
    });
  }

  function apply(next) {
    parts.value = next;
    tabStore.write(`draft.${uid}`, JSON.stringify({ parts: next, base: partsOf(server.value) }));
    if (state.value !== "conflict") later();
  }

  function later() {
    state.value = "waiting";
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_AFTER_MS);
  }

  function moveInHistory(from, to) {
    const stack = history.value[from];
    if (!stack.length) return;
    batch(() => {
      history.value = { ...history.value, [from]: stack.slice(0, -1), [to]: [...history.value[to], parts.value] };
      lastEdit = { name: "", at: 0 };
      apply(stack.at(-1));
    });
  }

  /** Save the draft. Saves run one at a time; later edits are saved by the next one. */
  async function save() {
    clearTimeout(timer);
    while (running) await running;
    running = write();
    await running;
    running = null;
    if (state.value === "saved") await validate();
  }

  async function write() {
    const changes = changed();
    if (!Object.keys(changes).length) return settle(server.value);
    state.value = "saving";
    const before = sent;
    sent = { ...base, ...changes };
    try {
      const saved = await patch(path, { ...changes, rev: server.value.rev });
      base = sent;
      settle(saved);
    } catch (problem) {
      const refused = toApiError(problem);
      if (refused.status === 409) await handleNewer(refused, [before, sent]);
      else fail(refused);
    }
  }

  function fail(problem) {
    batch(() => {
      error.value = problem;
      state.value = "failed";
    });
  }

  /** Handle a newer revision. Launches and schedules change it too; only a different draft is a conflict with another user. */
  async function handleNewer(refused, ours) {
    try {
      const now = await get(path);
      if (now.rev === server.value.rev) return fail(refused);
      const mine = ours.find((each) => each && same(partsOf(now), each));
      if (!mine && !same(partsOf(now), partsOf(server.value))) return collide(now);
      base = mine ?? base;
      server.value = now;
      return await write();
    } catch (problem) {
      return fail(toApiError(problem));
    }
  }

  function changed() {
    return Object.fromEntries(PARTS.filter((part) => !same(parts.value[part], base[part])).map((part) => [part, parts.value[part]]));
  }

  function settle(saved) {
    batch(() => {
      server.value = saved;
      error.value = null;
      if (Object.keys(changed()).length) {
        later();
        return;
      }
      state.value = "saved";
      tabStore.write(`draft.${uid}`, null);
    });
  }

  function collide(now) {
    batch(() => {
      theirs.value = now;
      state.value = "conflict";
    });
  }

  /** Save before an action that uses the draft of the server. Throw if the draft could not be saved. */
  async function saveAll() {
    await save();
    if (state.value === "conflict") throw new Error(campaigns.draft.conflict);
    if (state.value !== "saved") throw error.value ?? new Error(campaigns.draft.notSaved);
  }

  /** Resolve a conflict: "mine" overwrites the draft on the server, "theirs" replaces the local draft and can be undone. */
  async function resolve(side) {
    const now = theirs.value;
    if (!now) return;
    batch(() => {
      theirs.value = null;
      server.value = now;
      base = partsOf(now);
      if (side === "theirs") {
        note(parts.value, "");
        parts.value = base;
      }
      state.value = "waiting";
    });
    await save();
  }

  async function validate() {
    const number = ++validations;
    try {
      const validation = await post(`${path}/validate`);
      if (number === validations) found.value = validation;
    } catch (problem) {
      if (number === validations) error.value = toApiError(problem);
    }
  }

  /** Show the draft of the server if another user saved it and there are no local edits. */
  async function refresh() {
    if (state.value !== "saved") return;
    const now = await get(path).catch(() => null);
    if (now && now.rev !== server.value.rev) await adopt(now);
  }

  /** Take over a newer state of the server. With local edits nothing happens: the next save finds the conflict. */
  async function adopt(now) {
    if (state.value !== "saved" || now.rev < server.value.rev) return;
    const isOther = !same(partsOf(now), partsOf(server.value));
    batch(() => {
      server.value = now;
      if (isOther) base = parts.value = partsOf(now);
    });
    if (isOther) await validate();
  }

  /** Restore the edits that a reload or a closed tab prevented from being saved. */
  function recover() {
    const stored = readStored(uid);
    if (!stored || same(stored.parts, parts.value)) return;
    const isOurs = same(stored.base, parts.value);
    parts.value = stored.parts;
    if (isOurs) later();
    else collide(campaign);
  }

  recover();
  validate();
  return {
    uid, server, parts, state, error, theirs, found, history, edit, save, saveAll, resolve, refresh, validate,
    problems: computed(() => [...mark(found.value?.errors, "error"), ...mark(found.value?.warnings, "warning")]),
    undo: () => moveInHistory("past", "future"),
    redo: () => moveInHistory("future", "past"),
    adopt,
    close() {
      if (state.value === "waiting" || state.value === "failed") save();
    },
  }; // prettier-ignore
}

function readStored(uid) {
  try {
    return JSON.parse(tabStore.read(`draft.${uid}`) ?? "null");
  } catch {
    return null;
  }
}

/** Add the level, and the path of the step in which the problem is. */
function mark(list, level) {
  return (list ?? []).map((each) => ({ ...each, level, ...readField(each.field) }));
}
