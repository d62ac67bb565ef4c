// What a step is in a few words, and when a walk comes to it.
import { isSplit, walk } from "./steps.js";
import { durationMs, moment, span } from "./times.js";
import { title } from "./words.js";

const DAY = 86_400_000;
const NAMES = { SEND: "Send", WAIT: "Wait", CONDITION: "Condition", AB_TEST: "A/B test", TAG: "Tag", END: "End" };
const WEEKDAYS = { MO: "Mon", TU: "Tue", WE: "Wed", TH: "Thu", FR: "Fri", SA: "Sat", SU: "Sun" };

/** What a node type does, for the menu; others are described by their schema. */
export const HINTS = {
  SEND: "One message by a channel and a template",
  WAIT: "For a duration, until a moment, or until a time of day",
  CONDITION: "Lanes by what the contact is or did",
  AB_TEST: "Lanes by chance, with weights",
  TAG: "Adds or removes tags of the contact",
  END: "The walk ends here",
};

export const typeName = (type) => NAMES[type] || title(type || "Step");

/** `names.templates` and `names.channels` tell uids' names. */
export function headline(step, names) {
  if (step?.name) return step.name;
  if (step?.type === "SEND") return names.templates.get(step.templateUid)?.name || "Send a message";
  if (step?.type === "WAIT") return waitWords(step);
  if (step?.type === "TAG") return "Change tags";
  return typeName(step?.type);
}

function waitWords(step) {
  const ms = durationMs(step.for);
  if (ms) return `Wait ${span(ms)}`;
  if (step.until) return `Wait until ${moment(step.until)}`;
  if (step.localTime) return `Until ${step.localTime} in the contact’s time zone`;
  return "Wait";
}

export function subline(step, names) {
  switch (step?.type) {
    case "SEND": {
      const channel = names.channels.get(step.channelUid);
      const template = names.templates.get(step.templateUid);
      const by = channel ? channel.name : step.channelUid ? "channel not found" : "the flow’s channel";
      return step.name && template ? `${by} · ${template.name}` : by;
    }
    case "WAIT":
      return step.weekdays?.length ? step.weekdays.map((day) => WEEKDAYS[day]).join(", ") : step.name ? waitWords(step) : "";
    case "TAG":
      return [...(step.add ?? []).map((tag) => `+ ${tag}`), ...(step.remove ?? []).map((tag) => `− ${tag}`)].join(" · ");
    case "CONDITION":
    case "AB_TEST":
      return `${step.lanes?.length ?? 0} ${step.type === "AB_TEST" ? "variants" : "lanes"}`;
    default:
      return "";
  }
}

const OPS = {
  eq: "is", ne: "is not", gt: ">", gte: "≥", lt: "<", lte: "≤", in: "is one of", contains: "contains",
  startsWith: "starts with", exists: "is there", before: "before", after: "after", within: "within",
}; // prettier-ignore
export const opWord = (op) => OPS[op] || op;

/** A condition in words. */
export function whenWords(when, stepName = (id) => id) {
  if (!when || typeof when !== "object") return "everybody else";
  const inside = (each) => (each.all ?? each.any)?.length > 1 ? `(${whenWords(each, stepName)})` : whenWords(each, stepName);
  if (when.all) return when.all.map(inside).join(" and ");
  if (when.any) return when.any.map(inside).join(" or ");
  if (when.not) return `not (${whenWords(when.not, stepName)})`;
  const within = when.within ? ` within ${span(durationMs(when.within) ?? 0)}` : "";
  if ("message" in when) return `“${stepName(when.message)}” ${when.is || `went by ${when.channelUsed}`}${when.is ? within : ""}`;
  if ("tag" in when) return `${when.is === false ? "without" : "with"} the tag ${when.tag}`;
  if ("consent" in when) return `consent to ${when.consent} is ${(when.is ?? "open").toLowerCase()}`;
  if ("event" in when) return `${when.is === false ? "did not" : "did"} ${when.event}${when.times > 1 ? ` ${when.times} times` : ""}${within}`;
  const looked = when.field ?? `event.${when.property}`;
  if (when.op === "within") return `${looked}${within}`;
  return `${looked} ${opWord(when.op || "eq")} ${when.value ?? ""}`.trim();
}

/** Path as field → {min, max} ms since the start of the walk; a local time may be up to a day, or a week, away. */
export function elapsed(steps) {
  const at = new Map();
  pass(steps, { min: 0, max: 0 }, at, "");
  return at;
}

function pass(steps, from, at, above) {
  let now = from;
  (steps ?? []).forEach((step, index) => {
    const here = `${above}steps[${index}]`;
    at.set(here, now);
    if (!now || step?.type === "END") {
      now = null;
      return;
    }
    now = isSplit(step) ? afterLanes(step, now, at, here) : after(step, now);
  });
  return now;
}

function after(step, now) {
  if (step?.type !== "WAIT") return now;
  const ms = durationMs(step.for);
  if (ms) return { min: now.min + ms, max: now.max + ms, until: now.until };
  if (step.localTime) return { ...now, max: now.max + (step.weekdays?.length ? 7 * DAY : DAY) };
  if (step.until) return { min: 0, max: 0, until: step.until };
  return now;
}

/** Lanes gather when the last one arrives; those that end do not come back. */
function afterLanes(step, now, at, here) {
  const ends = step.lanes.map((lane, index) => pass(lane?.steps, now, at, `${here}.lanes[${index}].`)).filter(Boolean);
  const hasOtherwise = step.type === "CONDITION" && step.lanes.at(-1)?.when;
  if (hasOtherwise) ends.push(now);
  if (!ends.length) return null;
  const until = ends.find((end) => end.until)?.until;
  return { min: Math.min(...ends.map((end) => end.min)), max: Math.max(...ends.map((end) => end.max)), until };
}

/** "day 3", "2 hours in", "day 3–5"; nothing at the start. */
export function elapsedWords(when) {
  if (!when) return "";
  const base = when.until ? `${moment(when.until)}` : "";
  const words = when.max >= DAY ? days(when) : when.max ? `${when.min === when.max ? "" : "up to "}${span(when.max)} in` : "";
  return [base, words].filter(Boolean).join(" + ");
}

function days({ min, max }) {
  const [first, last] = [Math.floor(min / DAY) + 1, Math.floor(max / DAY) + 1];
  return first === last ? `day ${first}` : `day ${first}–${last}`;
}

/** Step id → its headline, for conditions that look at messages. */
export function stepNames(steps, names) {
  const found = new Map(walk(steps).map(({ step }) => [step?.id, headline(step, names)]));
  return (id) => found.get(id) || id;
}
