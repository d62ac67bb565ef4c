// Times and durations in words, in the reader's own locale and time zone.
import { serverNow } from "./clock.js";
import { common } from "./texts/en/common.js";

const text = common.times;
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const moment = (at) => (at ? dayAndTime.format(new Date(at)) : "–");
export const momentInFull = (at) => (at ? `${exact.format(new Date(at))} (${at})` : "");
/** The time alone where it is today. */
export function soon(at) {
  if (!at) return "–";
  return new Date(at).toDateString() === new Date(serverNow()).toDateString() ? clock.format(new Date(at)) : dayAndTime.format(new Date(at));
}
export const timeOfDay = (at) => clock.format(new Date(at));

/** "3 minutes ago", "in 2 days". */
export function relative(at, now = serverNow()) {
  if (!at) return "–";
  const away = new Date(at).getTime() - now;
  const size = Math.abs(away);
  if (size < 5_000) return away > 0 ? text.inAMoment : text.justNow;
  if (size < MINUTE) return ago.format(Math.round(away / 1000), "second");
  if (size < HOUR) return ago.format(Math.round(away / MINUTE), "minute");
  if (size < DAY) return ago.format(Math.round(away / HOUR), "hour");
  if (size < 30 * DAY) return ago.format(Math.round(away / DAY), "day");
  return dayAndTime.format(new Date(at));
}

const UNITS = [
  ["day", DAY],
  ["hour", HOUR],
  ["minute", MINUTE],
  ["second", 1000],
];

/** "2 days 3 hours": the two largest units that are not zero. */
export const span = (ms) => spanIn(text.units, ms);

/** "22 min 21 s", where there is little room. */
export const shortSpan = (ms) => spanIn(text.shortUnits, ms);

function spanIn(units, ms) {
  if (ms < 1000) return ms > 0 ? text.milliseconds(Math.round(ms)) : text.atOnce;
  const parts = [];
  let left = ms;
  for (const [name, size] of UNITS) {
    const amount = Math.floor(left / size);
    left -= amount * size;
    if (amount) parts.push(units[name](amount));
  }
  return parts.slice(0, 2).join(" ");
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
