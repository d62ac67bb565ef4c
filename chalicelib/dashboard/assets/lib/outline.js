// @ts-check
// Steps and conditions in a few words, and the time at which a contact reaches each step.
import { allSteps, isSplit } from "./steps.js";
import { components } from "./texts/en/components.js";
import { durationMs, moment, span } from "./times.js";
import { title } from "./words.js";

/**
 * @typedef {import("./steps.js").Step} Step
 * @typedef {import("./names.js").Names} Names
 * @typedef {{min: number, max: number, until?: string}} Elapsed ms since the start, or since `until`
 */

const text = components.steps;
const words = components.condition;
const DAY = 86_400_000;

/** @param {string | undefined} type */
export const typeName = (type) => text.types[type ?? ""] || title(type || text.unknownType);

/**
 * Return the headline of a step: its name, or words for what it does.
 * @param {Step | undefined} step
 * @param {Names} names
 */
export function headline(step, names) {
  if (step?.name) return step.name;
  if (step?.type === "SEND") return names.templates.get(step.templateUid)?.name || text.send;
  if (step?.type === "WAIT") return waitWords(step);
  if (step?.type === "TAG") return text.tag;
  return typeName(step?.type);
}

/** @param {Step} step */
function waitWords(step) {
  const ms = durationMs(step.for);
  if (ms) return text.wait.for(span(ms));
  if (step.until) return text.wait.until(moment(step.until));
  if (step.localTime) return text.wait.localTime(step.localTime);
  return text.wait.plain;
}

/**
 * Return the details of a step that its headline does not say.
 * @param {Step | undefined} step
 * @param {Names} names
 */
export function subline(step, names) {
  switch (step?.type) {
    case "SEND": {
      const channel = names.channels.get(step.channelUid);
      const template = names.templates.get(step.templateUid);
      const by = channel ? channel.name : step.channelUid ? text.channelNotFound : text.flowChannel;
      return step.name && template ? `${by} · ${template.name}` : by;
    }
    case "WAIT":
      return step.weekdays?.length ? step.weekdays.map((day) => text.weekdays[day]).join(", ") : step.name ? waitWords(step) : "";
    case "TAG":
      return [...(step.add ?? []).map((tag) => `+ ${tag}`), ...(step.remove ?? []).map((tag) => `− ${tag}`)].join(" · ");
    case "CONDITION":
      return text.lanes(step.lanes?.length ?? 0);
    case "AB_TEST":
      return text.variants(step.lanes?.length ?? 0);
    default:
      return "";
  }
}

/** @param {string} op */
export const opWord = (op) => words.operators[op] || op;

/**
 * Return a condition in words.
 * @param {any} when
 * @param {(id: string) => string} [stepName]
 * @returns {string}
 */
export function whenWords(when, stepName = (id) => id) {
  if (!when || typeof when !== "object") return words.everyoneElse;
  const inside = (each) => ((each.all ?? each.any)?.length > 1 ? `(${whenWords(each, stepName)})` : whenWords(each, stepName));
  if (when.all) return when.all.map(inside).join(words.and);
  if (when.any) return when.any.map(inside).join(words.or);
  if (when.not) return words.not(whenWords(when.not, stepName));
  const within = when.within ? words.within(span(durationMs(when.within) ?? 0)) : "";
  if ("message" in when) {
    return when.is ? `${words.message(stepName(when.message), when.is)}${within}` : words.messageChannel(stepName(when.message), when.channelUsed);
  }
  if ("tag" in when) return when.is === false ? words.hasNoTag(when.tag || "…") : words.hasTag(when.tag || "…");
  if ("consent" in when) return words.consent(when.consent, when.is?.toLowerCase() ?? words.neverAsked);
  const event = when.event || "…";
  if ("event" in when) return `${when.is === false ? words.didNot(event) : words.did(event)}${words.atLeast(when.times)}${within}`;
  return comparison(when, within);
}

function comparison(when, within) {
  const field = when.field ?? words.property(when.property);
  if (when.op === "within") return `${field}${within}`;
  if (when.op === "exists") return `${field} ${when.value === false ? words.isNotSet : words.isSet}`;
  return `${field} ${opWord(when.op || "eq")} ${when.value ?? ""}`.trim();
}

/**
 * Return for each step, by its field, the time since the start at which a contact reaches it. A step that is not reached
 * has null. A wait for a local time adds up to a day, or a week if it names weekdays.
 * @param {Step[]} steps
 * @returns {Map<string, Elapsed | null>}
 */
export function elapsed(steps) {
  const at = new Map();
  pass(steps, { min: 0, max: 0 }, at, "");
  return at;
}

/**
 * @param {Step[] | undefined} steps
 * @param {Elapsed | null} from
 * @param {Map<string, Elapsed | null>} at
 * @param {string} above
 * @returns {Elapsed | null}
 */
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

/**
 * @param {Step} step
 * @param {Elapsed} now
 * @returns {Elapsed}
 */
function after(step, now) {
  if (step?.type !== "WAIT") return now;
  const ms = durationMs(step.for);
  if (ms) return { min: now.min + ms, max: now.max + ms, until: now.until };
  if (step.localTime) return { ...now, max: now.max + (step.weekdays?.length ? 7 * DAY : DAY) };
  if (step.until) return { min: 0, max: 0, until: step.until };
  return now;
}

/**
 * Join the lanes of a split: from the fastest lane to the slowest, without lanes that end.
 * @param {Step} step
 * @param {Elapsed} now
 * @param {Map<string, Elapsed | null>} at
 * @param {string} here
 * @returns {Elapsed | null}
 */
function afterLanes(step, now, at, here) {
  const lanes = step.lanes ?? [];
  const ends = lanes.flatMap((lane, index) => pass(lane?.steps, now, at, `${here}.lanes[${index}].`) ?? []);
  const hasBypass = step.type === "CONDITION" && lanes.at(-1)?.when;
  if (hasBypass) ends.push(now);
  if (!ends.length) return null;
  const until = ends.find((end) => end.until)?.until;
  return { min: Math.min(...ends.map((end) => end.min)), max: Math.max(...ends.map((end) => end.max)), until };
}

/**
 * "day 3", "after 2 hours", "day 3–5"; nothing at the start.
 * @param {Elapsed | null | undefined} when
 */
export function elapsedWords(when) {
  if (!when) return "";
  const base = when.until ? moment(when.until) : "";
  return [base, sinceWords(when)].filter(Boolean).join(" + ");
}

/** @param {Elapsed} when */
function sinceWords({ min, max }) {
  if (!max) return "";
  if (max < DAY) return min === max ? text.elapsed.after(span(max)) : text.elapsed.upTo(span(max));
  const [first, last] = [Math.floor(min / DAY) + 1, Math.floor(max / DAY) + 1];
  return first === last ? text.elapsed.day(first) : text.elapsed.days(first, last);
}

/**
 * Return a function from the ID of a step to its headline.
 * @param {Step[]} steps
 * @param {Names} names
 */
export function stepNames(steps, names) {
  const found = new Map(allSteps(steps).map(({ step }) => [step?.id, headline(step, names)]));
  return (/** @type {string} */ id) => found.get(id) || id;
}
