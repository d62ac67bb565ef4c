// @ts-check
// Search for contacts by a word: a part of the name or address, an ID, or a tag.
import { get, getPage } from "./api.js";

const MAX_RESULTS = 100;

/**
 * Return at most 100 contacts, and whether there are more.
 * @param {string} word
 * @param {AbortSignal} [signal]
 * @returns {Promise<{contacts: Api["Contact"][], hasMore: boolean}>}
 */
export async function searchContacts(word, signal) {
  const exact = /^[\w-]{20,64}$/.test(word) ? await get(`/v1/contacts/${word}`, {}, signal).catch(() => null) : null;
  if (exact) return { contacts: [exact], hasMore: false };
  const [named, tagged] = await Promise.all([search({ name: word }, signal), search({ tag: word }, signal)]);
  const contacts = [...new Map([...named, ...tagged].map((each) => [each.uid, each])).values()];
  return { contacts: contacts.slice(0, MAX_RESULTS), hasMore: contacts.length > MAX_RESULTS };
}

/**
 * Read pages until there are enough contacts. A page of a filtered list may be empty and still have a next page.
 * @param {import("./api.js").Query} query
 * @param {AbortSignal} [signal]
 */
async function search(query, signal) {
  const found = [];
  /** @type {string | null | undefined} */
  let cursor;
  do {
    const page = await getPage("/v1/contacts", { ...query, limit: 100, cursor }, signal);
    found.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor && found.length <= MAX_RESULTS);
  return found;
}
