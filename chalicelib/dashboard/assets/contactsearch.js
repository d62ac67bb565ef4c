// Finds contacts by a word: a part of the name or the address, an id, or a tag.
import { get, getAll, getPage } from "./api.js";
import { contactName } from "./contactpicker.js";

/** More than this takes longer than somebody waits. */
const MOST_READ = 3_000;
const MOST_SHOWN = 100;

/** {contacts, hasMore, note?}: the API searches; one that cannot yet is read page by page. */
export async function searchContacts(word, signal) {
  const exact = /^[\w-]{20,64}$/.test(word) ? await get(`/v1/contacts/${word}`, {}, signal).catch(() => null) : null;
  if (exact) return { contacts: [exact], hasMore: false };
  try {
    const [named, tagged] = await Promise.all([search({ name: word }, signal), search({ tag: word }, signal)]);
    const contacts = [...new Map([...named, ...tagged].map((each) => [each.uid, each])).values()];
    return { contacts: contacts.slice(0, MOST_SHOWN), hasMore: contacts.length > MOST_SHOWN };
  } catch (error) {
    if (error.status !== 422) throw error;
    return searchByReading(word, signal);
  }
}

/** A page of a filtered list may be empty and still have a next one. */
async function search(query, signal) {
  const found = [];
  let cursor;
  do {
    const page = await getPage("/v1/contacts", { ...query, limit: 100, cursor }, signal);
    found.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor && found.length <= MOST_SHOWN);
  return found;
}

async function searchByReading(word, signal) {
  const all = await getAll("/v1/contacts", {}, MOST_READ, signal);
  const wanted = word.toLowerCase();
  const fits = (contact) =>
    [contactName(contact), contact.uid, contact.phone, contact.email, contact.externalId, ...contact.tags].some((each) => each?.toLowerCase().includes(wanted));
  const contacts = all.filter(fits);
  const note = all.length >= MOST_READ ? `only the first ${all.length} contacts were looked at` : "";
  return { contacts: contacts.slice(0, MOST_SHOWN), hasMore: contacts.length > MOST_SHOWN, note };
}
