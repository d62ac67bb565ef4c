// Names of contacts in lists that only know their uids: read once each, a few at a time.
import { html, signal } from "./vendor.js";
import { get } from "./api.js";
import { contactName } from "./contactpicker.js";

const AT_ONCE = 4;
const known = new Map();
const queue = [];
let reading = 0;

function nameOf(uid) {
  if (!known.has(uid)) {
    known.set(uid, signal(null));
    queue.push(uid);
    next();
  }
  return known.get(uid);
}

async function next() {
  if (reading >= AT_ONCE || !queue.length) return;
  reading += 1;
  const uid = queue.shift();
  const contact = await get(`/v1/contacts/${uid}`).catch(() => null);
  known.get(uid).value = contact ? contactName(contact) : uid;
  reading -= 1;
  next();
}

export function ContactName({ uid }) {
  const name = nameOf(uid).value;
  return html`<span title=${uid}>${name ?? html`<span class="muted">${uid}</span>`}</span>`;
}
