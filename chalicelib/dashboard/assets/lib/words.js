// Numbers, times and states in words, in the reader's own locale.
import { serverNow } from "./clock.js";

const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const count = (value) => whole.format(value ?? 0);
export const compact = (value) => (value < 10_000 ? whole.format(value) : short.format(value));

export function percent(rate, digits = 0) {
  if (rate === null || rate === undefined || Number.isNaN(rate)) return "–";
  return `${(rate * 100).toFixed(digits)} %`;
}

export function share(part, of) {
  return of ? percent(part / of, part && part / of < 0.01 ? 1 : 0) : "–";
}

export function money(amount, currency) {
  if (amount === null || amount === undefined) return "–";
  try {
    const style = { style: "currency", currency: currency || "EUR", maximumFractionDigits: 6 };
    return new Intl.NumberFormat(undefined, style).format(Number(amount));
  } catch {
    return `${amount} ${currency}`;
  }
}

export const moment = (text) => (text ? dayAndTime.format(new Date(text)) : "–");
export const momentInFull = (text) => (text ? `${exact.format(new Date(text))} (${text})` : "");
/** The time alone where it is today. */
export function soon(text) {
  if (!text) return "–";
  return new Date(text).toDateString() === new Date(serverNow()).toDateString() ? clock.format(new Date(text)) : dayAndTime.format(new Date(text));
}
export const timeOfDay = (text) => clock.format(new Date(text));

/** "3 minutes ago", "in 2 days". */
export function relative(text, now = serverNow()) {
  if (!text) return "–";
  const away = new Date(text).getTime() - now;
  const size = Math.abs(away);
  if (size < 5_000) return away > 0 ? "in a moment" : "just now";
  if (size < MINUTE) return ago.format(Math.round(away / 1000), "second");
  if (size < HOUR) return ago.format(Math.round(away / MINUTE), "minute");
  if (size < DAY) return ago.format(Math.round(away / HOUR), "hour");
  if (size < 30 * DAY) return ago.format(Math.round(away / DAY), "day");
  return dayAndTime.format(new Date(text));
}

const UNITS = [
  ["day", DAY],
  ["hour", HOUR],
  ["minute", MINUTE],
  ["second", 1000],
];

/** "2 days 3 hours"; the two largest units that are not nothing. */
export function span(ms) {
  if (ms < 1000) return ms > 0 ? `${Math.round(ms)} ms` : "at once";
  const parts = [];
  let left = ms;
  for (const [name, size] of UNITS) {
    const amount = Math.floor(left / size);
    left -= amount * size;
    if (amount) parts.push(plural(amount, name));
  }
  return parts.slice(0, 2).join(" ");
}

/** "22 min 21 s", where there is little room. */
export function shortSpan(ms) {
  return span(ms).replace(/ days?/g, " d").replace(/ hours?/g, " h").replace(/ minutes?/g, " min").replace(/ seconds?/g, " s");
}

export function plural(amount, word, many = `${word}s`) {
  return `${count(amount)} ${amount === 1 ? word : many}`;
}

const ISO_DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** An ISO 8601 duration, or one by its parts, in milliseconds; null for what is none. */
export function durationMs(value) {
  if (value && typeof value === "object") {
    const { weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0 } = value;
    return (weeks * 7 + days) * DAY + hours * HOUR + minutes * MINUTE + seconds * 1000;
  }
  const found = ISO_DURATION.exec(value ?? "");
  if (!found || value === "P") return null;
  const [weeks, days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part || 0));
  return durationMs({ weeks, days, hours, minutes, seconds });
}

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

const STATUS_WORDS = {
  paused_error: "Paused by error",
  paused_balance: "Paused: balance",
  completed_partial: "Completed partly",
  partial_completed: "Completed partly",
};

export function statusWord(status) {
  const word = String(status).toLowerCase();
  return STATUS_WORDS[word] || title(word);
}

const REASONS = {
  all_failed: "every contact failed",
  all_timed_out: "no message was ever confirmed",
  address_not_ascii: "the address has letters that the provider does not take",
  answer_lost: "the provider’s answer was lost",
  bad_address: "the address is not one",
  balance: "the balance is used up",
  broke_off: "the sender stopped halfway",
  campaign_blocked: "the campaign was blocked",
  cancelled: "the flow was cancelled",
  channel_circuit: "a channel takes no messages",
  channel_fault: "the channel refuses messages",
  channel_inactive: "the channel is switched off",
  channel_not_approved: "the channel is not approved",
  channel_not_found: "the channel was deleted",
  channel_type_unknown: "this server does not know the channel’s type",
  connection_closed_error: "the connection broke before the answer",
  consent_revoked: "consent was revoked",
  contact_blocked: "the contact is blocked",
  contact_bounced: "the contact’s address bounced",
  contact_not_found: "the contact does not exist (any more)",
  contact_unsubscribed: "the contact is unsubscribed",
  daily_quota_exceeded: "the provider’s daily quota is used up",
  missing_template_parameter: "a template parameter has no value",
  no_address: "no address for this channel",
  no_address_of_host: "the provider’s host has no address",
  no_consent: "no consent",
  no_credentials: "no credentials for the provider",
  no_message_id: "the provider’s answer names no message",
  not_capable: "the phone cannot take such messages",
  operator: "an operator paused it",
  read_timeout: "the provider did not answer in time",
  render_failed: "the template could not be filled in",
  retries_exhausted: "every attempt failed",
  secret_not_found: "the channel’s secret is not there",
  secret_unavailable: "the channel’s secret cannot be read now",
  secret_unreadable: "the channel’s secret cannot be read",
  sender_not_verified: "the sender’s address is not verified",
  some_not_completed: "some contacts did not get through",
  suppressed: "the address is suppressed",
  template_rejected: "a template was rejected",
  too_many_tags: "the contact has as many tags as there may be",
  url_not_allowed: "the address may not be called",
  worker_lost: "the sender stopped before it knew the answer",
};

/** A code of the engine as a reader would say it; codes that are not known are at least readable. */
export function reasonWord(code) {
  if (!code) return "";
  const [name, detail] = String(code).split(":");
  const [, status] = /^(?:status|http)_(\d{3})$/.exec(name) ?? [];
  const known = REASONS[name] || (status ? `the provider answered ${status}` : title(name).toLowerCase());
  return detail ? `${known} (${detail.trim()})` : known;
}

/** What went wrong with a message; that an earlier attempt did is past once it is known to have arrived. */
export function whyOfMessage({ status, reason }) {
  return ["sent", "delivered", "opened", "clicked", "replied"].includes(status) ? "" : reasonWord(reason);
}
