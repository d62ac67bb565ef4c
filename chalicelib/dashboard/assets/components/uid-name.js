// @ts-check
// Names of contacts and campaigns in lists that contain their uids only. Each name is read once.
import { html, signal } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { contactName } from "./contact-picker.js";

const PARALLEL_READS = 4;
const KINDS = { contacts: contactName, campaigns: (campaign) => campaign.name };
/** @type {Map<string, import("../vendor/preact.js").Signal<string | null>>} */
const known = new Map();
/** @type {string[]} */
const queue = [];
let reading = 0;

function nameOf(path) {
  const found = known.get(path);
  if (found) return found;
  const name = signal(/** @type {string | null} */ (null));
  known.set(path, name);
  queue.push(path);
  readNext();
  return name;
}

async function readNext() {
  const path = reading < PARALLEL_READS ? queue.shift() : undefined;
  if (!path) return;
  reading += 1;
  const [kind, uid] = path.split("/");
  const found = await get(`/v1/${path}`).catch(() => null);
  nameOf(path).value = found ? KINDS[kind](found) : uid;
  reading -= 1;
  readNext();
}

function Name({ kind, uid }) {
  return html`<span title=${uid}>${nameOf(`${kind}/${uid}`).value ?? html`<span class="muted">${uid}</span>`}</span>`;
}

/** @param {{uid: string}} props */
export const ContactName = ({ uid }) => html`<${Name} kind="contacts" uid=${uid} />`;
/** @param {{uid: string}} props */
export const CampaignName = ({ uid }) => html`<${Name} kind="campaigns" uid=${uid} />`;
