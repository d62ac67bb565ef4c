// Codes and status words of the API, in words for the reader.
import { common } from "./texts/en/common.js";
import { httpStatus, reasons } from "./texts/en/reasons.js";

/** `pauseBetweenContactsMs` → "Pause between contacts ms"; `channel_not_found` → "Channel not found". */
export function title(name) {
  const spaced = String(name)
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .trim()
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Status words of campaigns, flows, executions, messages, imports and templates → colour of the dot. */
const TONES = {
  good: ["running", "completed", "active", "published", "approved", "sent", "delivered", "opened", "clicked", "replied",
    "granted", "closed"],
  wait: ["scheduled", "queued", "pending", "processing", "draft", "half_open", "circuit_half_open"],
  warn: ["paused", "paused_error", "paused_balance", "partial_completed", "completed_partial", "skipped", "unknown",
    "timed_out", "timeout", "deprecated", "unsubscribed"],
  bad: ["failed", "error", "bounced", "rejected", "blocked", "cancelled", "revoked", "open", "circuit_open", "inactive"],
}; // prettier-ignore

export function tone(status) {
  const word = String(status).toLowerCase();
  return Object.keys(TONES).find((name) => TONES[name].includes(word)) || "wait";
}

export function statusWord(status) {
  const word = String(status).toLowerCase();
  return common.statuses[word] || title(word);
}

/** A code of the engine as a reader would say it; codes that are not known are at least readable. */
export function reasonWord(code) {
  if (!code) return "";
  const [name, detail] = String(code).split(":");
  const [, status] = /^(?:status|http)_(\d{3})$/.exec(name) ?? [];
  const known = reasons[name] || (status ? httpStatus(status) : title(name).toLowerCase());
  return detail ? `${known} (${detail.trim()})` : known;
}

/** What went wrong with a message; that an earlier attempt did is past once it is known to have arrived. */
export function whyOfMessage({ status, reason }) {
  return ["sent", "delivered", "opened", "clicked", "replied"].includes(status) ? "" : reasonWord(reason);
}
