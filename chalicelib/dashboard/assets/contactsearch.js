// Finds contacts by a word. The API has no search of its own: a segment's preview counts all and shows ten; a server
// without segments is asked page by page.
import { get, getAll, post } from "./api.js";
import { contactName } from "./contactpicker.js";

const FIELDS = ["email", "phone", "firstName", "lastName", "externalId"];
/** More pages than this take longer than somebody waits. */
const MOST_READ = 3_000;

/** {contacts, total, note?}. */
export async function searchContacts(word, signal) {
  const exact = /^[\w-]{20,64}$/.test(word) ? await get(`/v1/contacts/${word}`, {}, signal).catch(() => null) : null;
  if (exact) return { contacts: [exact], total: 1 };
  try {
    return await searchByPreview(word, signal);
  } catch (error) {
    if (!error.isMissingRoute) throw error;
    return searchByReading(word, signal);
  }
}

async function searchByPreview(word, signal) {
  const fields = FIELDS.map((field) => ({ field, op: "contains", value: word }));
  const found = await post("/v1/segments/preview", { filter: { any: [...fields, { tag: word }] } }, { signal });
  return { contacts: found.samples, total: found.count, note: found.exact ? "" : "the number is an estimate" };
}

async function searchByReading(word, signal) {
  const all = await getAll("/v1/contacts", {}, MOST_READ, signal);
  const wanted = word.toLowerCase();
  const fits = (contact) =>
    [contactName(contact), contact.uid, contact.phone, contact.email, contact.externalId, ...contact.tags].some((each) => each?.toLowerCase().includes(wanted));
  const contacts = all.filter(fits);
  const note = all.length >= MOST_READ ? `only the first ${all.length} contacts were looked at` : "";
  return { contacts: contacts.slice(0, 100), total: contacts.length, note };
}
