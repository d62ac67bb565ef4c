// Finds contacts by a word: a part of the name or the address, an id, or a tag.
import { get, getPage } from "./api.js";

const MOST_SHOWN = 100;

/** {contacts, hasMore}. */
export async function searchContacts(word, signal) {
  const exact = /^[\w-]{20,64}$/.test(word) ? await get(`/v1/contacts/${word}`, {}, signal).catch(() => null) : null;
  if (exact) return { contacts: [exact], hasMore: false };
  const [named, tagged] = await Promise.all([search({ name: word }, signal), search({ tag: word }, signal)]);
  const contacts = [...new Map([...named, ...tagged].map((each) => [each.uid, each])).values()];
  return { contacts: contacts.slice(0, MOST_SHOWN), hasMore: contacts.length > MOST_SHOWN };
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
