// Who is signed in: the key, kept until the tab closes, and the workspace that it opens.
import { signal } from "../vendor/preact.js";
import { tabStore } from "./store.js";

export const key = signal(tabStore.read("key"));
export const workspace = signal(null);
/** The key was refused while somebody worked; the page stays as it is until another one is given. */
export const expired = signal(false);

let waiting = [];

export function signIn(newKey, opened) {
  const before = workspace.value;
  tabStore.write("key", newKey);
  key.value = newKey;
  workspace.value = opened;
  expired.value = false;
  const resumed = waiting;
  waiting = [];
  // What is on the page belongs to the workspace before: nothing of it may be saved into another one.
  if (before && before.uid !== opened.uid) location.reload();
  else for (const goOn of resumed) goOn();
}

export function signOut() {
  tabStore.write("key", null);
  // A fresh page: no signal of the old session may survive.
  location.hash = "#/";
  location.reload();
}

/** Resolves once there is a key that works. */
export function untilSignedIn() {
  expired.value = true;
  return new Promise((goOn) => waiting.push(goOn));
}
