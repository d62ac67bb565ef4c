// @ts-check
// Codes and statuses of the API in words.
import { common } from "./texts/en/common.js";
import { httpStatus, reasons } from "./texts/en/reasons.js";

/**
 * `pauseBetweenContactsMs` → "Pause between contacts ms"; `channel_not_found` → "Channel not found".
 * @param {unknown} name
 */
export function title(name) {
  const spaced = String(name)
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .trim()
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Statuses of campaigns, flows, executions, messages, imports and templates → colour of the dot. */
const TONES = {
  good: ["running", "completed", "active", "published", "approved", "sent", "delivered", "opened", "clicked", "replied",
    "granted", "closed"],
  wait: ["scheduled", "queued", "pending", "processing", "draft", "half_open", "circuit_half_open"],
  warn: ["paused", "paused_error", "paused_balance", "partial_completed", "completed_partial", "skipped", "unknown",
    "timed_out", "timeout", "deprecated", "unsubscribed"],
  bad: ["failed", "error", "bounced", "rejected", "blocked", "cancelled", "revoked", "open", "circuit_open", "inactive"],
}; // prettier-ignore

/** @param {string} status */
export function tone(status) {
  const word = String(status).toLowerCase();
  return Object.keys(TONES).find((name) => TONES[name].includes(word)) || "wait";
}

/** @param {string} status */
export function statusWord(status) {
  const word = String(status).toLowerCase();
  return common.statuses[word] || title(word);
}

/**
 * Return the words for a reason code. An unknown code is made readable.
 * @param {string | null | undefined} code may end with ": " and a detail
 */
export function reasonWord(code) {
  if (!code) return "";
  const [name, detail] = String(code).split(":");
  const [, status] = /^(?:status|http)_(\d{3})$/.exec(name) ?? [];
  const known = reasons[name] || (status ? httpStatus(status) : title(name).toLowerCase());
  return detail ? `${known} (${detail.trim()})` : known;
}

/**
 * Return why a message was not delivered. The reason of a failed attempt is omitted when a later attempt succeeded.
 * @param {{status: string, reason?: string | null}} message
 */
export function whyOfMessage({ status, reason }) {
  return ["sent", "delivered", "opened", "clicked", "replied"].includes(status) ? "" : reasonWord(reason);
}
