// The draft of one campaign while it is edited: history, saving by itself, conflicts, and what the API finds wrong.
import { batch, computed, signal } from "../vendor/preact.js";
import { get, patch, post } from "../lib/api.js";
import { readField } from "../lib/steps.js";
import { tabStore } from "../lib/store.js";

const PARTS = ["name", "description", "availability", "trigger", "audience", "steps", "configuration", "entry", "startGrace"];
const REST_MS = 700;
/** Changes of one field in a row are one step of the history while they follow each other within this. */
const TOGETHER_MS = 1_500;
const MOST_UNDO = 100;

const partsOf = (campaign) => Object.fromEntries(PARTS.map((part) => [part, campaign[part] ?? (part === "steps" ? [] : null)]));
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Signals and actions of one draft. `close()` saves what is left. */
export function openDraft(campaign) {
  const uid = campaign.uid;
  const path = `/v1/campaigns/${uid}`;
  const server = signal(campaign);
  const parts = signal(partsOf(campaign));
  /** "saved", "waiting", "saving", "failed" or "conflict". */
  const state = signal("saved");
  const error = signal(null);
  const theirs = signal(null);
  const found = signal(null);
  const history = signal({ past: [], future: [] });
  let lastEdit = { name: "", at: 0 };
  /** What the server has, as it was written here: its own words for the same may differ. */
  let base = parts.value;
  let timer;
  let running = null;
  /** What was on its way last: when its answer is lost, the server may have it all the same. */
  let sent = null;
  let asked = 0;

  function note(before, name) {
    const isMore = name && lastEdit.name === name && Date.now() - lastEdit.at < TOGETHER_MS;
    lastEdit = { name, at: Date.now() };
    if (!isMore) history.value = { past: [...history.value.past, before].slice(-MOST_UNDO), future: [] };
  }

  /** Changes parts; edits under the same `name` that follow each other closely are undone together. */
  function edit(changes, name = "") {
    const next = { ...parts.value, ...changes };
    if (same(next, parts.value)) return;
    batch(() => {
      note(parts.value, name);
      take(next);
    });
  }

  function take(next) {
    parts.value = next;
    tabStore.write(`draft.${uid}`, JSON.stringify({ parts: next, base: partsOf(server.value) }));
    if (state.value !== "conflict") later();
  }

  function later() {
    state.value = "waiting";
    clearTimeout(timer);
    timer = setTimeout(save, REST_MS);
  }

  function travel(from, to) {
    const stack = history.value[from];
    if (!stack.length) return;
    batch(() => {
      history.value = { ...history.value, [from]: stack.slice(0, -1), [to]: [...history.value[to], parts.value] };
      lastEdit = { name: "", at: 0 };
      take(stack.at(-1));
    });
  }

  /** One save at a time: what is edited meanwhile is saved after it. */
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
      if (problem.status === 409) await meetNewer(problem, [before, sent]);
      else fail(problem);
    }
  }

  function fail(problem) {
    batch(() => {
      error.value = problem;
      state.value = "failed";
    });
  }

  /** Launches and the calendar move the revision too: only another draft is a conflict of two people. */
  async function meetNewer(refused, ours) {
    try {
      const now = await get(path);
      if (now.rev === server.value.rev) return fail(refused);
      const mine = ours.find((each) => each && same(partsOf(now), each));
      if (!mine && !same(partsOf(now), partsOf(server.value))) return collide(now);
      base = mine ?? base;
      server.value = now;
      return await write();
    } catch (problem) {
      return fail(problem);
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

  /** Before something is done with the draft as the server has it; throws where that is not what stands here. */
  async function saveAll() {
    await save();
    if (state.value === "conflict") throw new Error("Somebody else changed this draft: choose first which one stays");
    if (state.value !== "saved") throw error.value ?? new Error("The draft could not be saved");
  }

  /** Ends a conflict: "mine" goes over what is there, "theirs" replaces what is here (and can be undone). */
  async function resolve(side) {
    const now = theirs.value;
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
    const number = ++asked;
    try {
      const said = await post(`${path}/validate`);
      if (number === asked) found.value = said;
    } catch (problem) {
      if (number === asked) error.value = problem;
    }
  }

  /** Somebody else may have saved meanwhile: without edits of our own theirs is simply shown. */
  async function refresh() {
    if (state.value !== "saved") return;
    const now = await get(path).catch(() => null);
    if (now && now.rev !== server.value.rev) await adopt(now);
  }

  /** What the server has now: somebody else's draft is shown where nothing is edited; where something is, saving tells. */
  async function adopt(now) {
    if (state.value !== "saved" || now.rev < server.value.rev) return;
    const isOther = !same(partsOf(now), partsOf(server.value));
    batch(() => {
      server.value = now;
      if (isOther) base = parts.value = partsOf(now);
    });
    if (isOther) await validate();
  }

  /** What a reload or a closed tab kept from being saved. */
  function recover() {
    const kept = readKept(uid);
    if (!kept || same(kept.parts, parts.value)) return;
    const isOurs = same(kept.base, parts.value);
    parts.value = kept.parts;
    if (isOurs) later();
    else collide(campaign);
  }

  recover();
  validate();
  return {
    uid, server, parts, state, error, theirs, found, history, edit, save, saveAll, resolve, refresh, validate,
    problems: computed(() => [...mark(found.value?.errors, "error"), ...mark(found.value?.warnings, "warning")]),
    undo: () => travel("past", "future"),
    redo: () => travel("future", "past"),
    adopt,
    close() {
      if (state.value === "waiting" || state.value === "failed") save();
    },
  }; // prettier-ignore
}

function readKept(uid) {
  try {
    return JSON.parse(tabStore.read(`draft.${uid}`));
  } catch {
    return null;
  }
}

/** With the path of the step that a problem lies in. */
function mark(list, level) {
  return (list ?? []).map((each) => ({ ...each, level, ...readField(each.field) }));
}
