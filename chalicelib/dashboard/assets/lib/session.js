// @ts-check
// The session: the API key, which stays until the tab is closed, and the key's workspace.
import { signal } from "../vendor/preact.js";
import { tabStore } from "./store.js";

export const key = signal(tabStore.read("key"));
/** @type {import("../vendor/preact.js").Signal<Api["Workspace"] | null>} */
export const workspace = signal(null);
/** The key was refused during work. The page stays as it is until the user enters another key. */
export const expired = signal(false);

/** @type {(() => void)[]} */
let waiting = [];

/**
 * @param {string} newKey
 * @param {Api["Workspace"]} opened
 */
export function signIn(newKey, opened) {
  const before = workspace.value;
  tabStore.write("key", newKey);
  key.value = newKey;
  workspace.value = opened;
  expired.value = false;
  const resumed = waiting;
  waiting = [];
  // The page shows data of the previous workspace. A reload keeps it out of the new workspace.
  if (before && before.uid !== opened.uid) location.reload();
  else for (const resume of resumed) resume();
}

export function signOut() {
  tabStore.write("key", null);
  // A reload clears every signal of the old session.
  location.hash = "#/";
  location.reload();
}

/**
 * Ask for a key, and resolve when there is one that works.
 * @returns {Promise<void>}
 */
export function untilSignedIn() {
  expired.value = true;
  return new Promise((resume) => waiting.push(resume));
}
