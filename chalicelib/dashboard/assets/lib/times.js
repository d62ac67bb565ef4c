// @ts-check
// Times and durations in words, in the reader's locale and time zone.
import { serverNow } from "./clock.js";
import { common } from "./texts/en/common.js";

const text = common.times;
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @typedef {string | null | undefined} Instant ISO 8601 with an offset */
/** @typedef {{weeks?: number, days?: number, hours?: number, minutes?: number, seconds?: number}} DurationParts */

/** @param {Instant} at */
export const moment = (at) => (at ? dayAndTime.format(new Date(at)) : common.none);
/** @param {Instant} at */
export const momentInFull = (at) => (at ? `${exact.format(new Date(at))} (${at})` : "");
/**
 * Return the time of day of today, or the date and time of another day.
 * @param {Instant} at
 */
export function soon(at) {
  if (!at) return common.none;
  return new Date(at).toDateString() === new Date(serverNow()).toDateString() ? clock.format(new Date(at)) : moment(at);
}
/** @param {string} at */
export const timeOfDay = (at) => clock.format(new Date(at));

/**
 * "3 minutes ago", "in 2 days"; beyond 30 days the date and time.
 * @param {Instant} at
 */
export function relative(at, now = serverNow()) {
  if (!at) return common.none;
  const away = new Date(at).getTime() - now;
  const size = Math.abs(away);
  if (size < 5 * SECOND) return away > 0 ? text.inAMoment : text.justNow;
  if (size < MINUTE) return ago.format(Math.round(away / SECOND), "second");
  if (size < HOUR) return ago.format(Math.round(away / MINUTE), "minute");
  if (size < DAY) return ago.format(Math.round(away / HOUR), "hour");
  if (size < 30 * DAY) return ago.format(Math.round(away / DAY), "day");
  return moment(at);
}

/**
 * Return the ms between two times.
 * @param {Instant} from
 * @param {Instant} to
 */
export const msBetween = (from, to) => new Date(to ?? NaN).getTime() - new Date(from ?? NaN).getTime();

/** @type {["day" | "hour" | "minute" | "second", number][]} */
const UNITS = [
  ["day", DAY],
  ["hour", HOUR],
  ["minute", MINUTE],
  ["second", SECOND],
];

/**
 * "2 days 3 hours": the two largest units that are not zero. Below 10 seconds a fraction is kept: "0.25 seconds".
 * @param {number} ms
 */
export const span = (ms) => spanIn(text.units, ms);

/**
 * "22 min 21 s", for narrow places.
 * @param {number} ms
 */
export const shortSpan = (ms) => spanIn(text.shortUnits, ms);

function spanIn(units, ms) {
  if (ms <= 0) return text.immediately;
  if (ms < 10 * SECOND) return units.second(secondsOf(ms));
  const parts = [];
  let left = ms;
  for (const [name, size] of UNITS) {
    const amount = Math.floor(left / size);
    left -= amount * size;
    if (amount) parts.push(units[name](amount));
  }
  return parts.slice(0, 2).join(" ");
}

/**
 * Return milliseconds as seconds with at most 3 decimals: 250 → 0.25.
 * @param {number} ms
 */
export const secondsOf = (ms) => Math.round(ms) / SECOND;

/**
 * Convert a field of the API in ms to the number that a form shows.
 * @param {number | null | undefined} ms
 * @param {"s" | "min"} unit
 */
export const fromMs = (ms, unit) => (ms === null || ms === undefined ? undefined : ms / (unit === "min" ? MINUTE : SECOND));

/**
 * Convert the text of a form's number field to ms; an empty field is null.
 * @param {string} typed
 * @param {"s" | "min"} unit
 */
export const toMs = (typed, unit) => (typed === "" ? null : Math.round(Number(typed) * (unit === "min" ? MINUTE : SECOND)));

const ISO_DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/**
 * Return an ISO 8601 duration, or the parts of one, in ms. Anything else is null.
 * @param {string | DurationParts | null | undefined} value
 * @returns {number | null}
 */
export function durationMs(value) {
  if (value && typeof value === "object") {
    const { weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0 } = value;
    return (weeks * 7 + days) * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND;
  }
  const found = ISO_DURATION.exec(value ?? "");
  if (!found || value === "P") return null;
  const [weeks, days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part || 0));
  return durationMs({ weeks, days, hours, minutes, seconds });
}
