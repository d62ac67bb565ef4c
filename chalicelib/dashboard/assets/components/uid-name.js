// Names of contacts and campaigns in lists that only know their uids: read once each, a few at a time.
import { html, signal } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { contactName } from "./contact-picker.js";

const AT_ONCE = 4;
const KINDS = { contacts: contactName, campaigns: (campaign) => campaign.name };
const known = new Map();
const queue = [];
let reading = 0;

function nameOf(path) {
  if (!known.has(path)) {
    known.set(path, signal(null));
    queue.push(path);
    next();
  }
  return known.get(path);
}

async function next() {
  if (reading >= AT_ONCE || !queue.length) return;
  reading += 1;
  const path = queue.shift();
  const [kind, uid] = path.split("/");
  const found = await get(`/v1/${path}`).catch(() => null);
  known.get(path).value = found ? KINDS[kind](found) : uid;
  reading -= 1;
  next();
}

function Name({ kind, uid }) {
  return html`<span title=${uid}>${nameOf(`${kind}/${uid}`).value ?? html`<span class="muted">${uid}</span>`}</span>`;
}

export const ContactName = ({ uid }) => html`<${Name} kind="contacts" uid=${uid} />`;
export const CampaignName = ({ uid }) => html`<${Name} kind="campaigns" uid=${uid} />`;
