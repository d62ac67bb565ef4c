// Why a flow paused, since when, what is held, and what ends it; the same words wherever it is told.
import { html } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { names } from "../lib/names.js";
import { count, money } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { CONTACT, plural } from "../lib/texts/en/plural.js";
import { relative, timeOfDay } from "../lib/times.js";
import { reasonWord } from "../lib/words.js";
import { Time } from "./parts.js";

/** What the status of a campaign and a flow both tell of a pause. */
export const pauseOfStatus = (status) => ({
  reason: status.pauseReason ?? "", by: status.pausedBy, at: status.pausedAt, held: status.executions.pending, inFlight: status.inFlight,
  toCome: status.estimatedRemainingCost, currency: status.currency,
}); // prettier-ignore

export const pauseOfFlow = ({ metadata, stats, pausedAt }) => ({
  reason: metadata.pauseReason ?? "", by: metadata.pausedBy, at: pausedAt, held: stats.pending, inFlight: metadata.inFlight,
  toCome: stats.estimatedRemainingCost, currency: stats.currency,
}); // prettier-ignore

export const isByOperator = (pause) => !pause.reason || pause.reason === "operator";

/** In a few words, for lists. */
export function pauseWords({ reason, by }) {
  if (!by) return reasonWord(reason.split(": ")[0]);
  return `${channelName(by.channelUid)} takes no messages (${reasonWord(by.cause)})`;
}

const channelName = (uid) => names.value.channels.get(uid)?.name ?? "a channel";

export function Pause({ of: pause }) {
  return html`<p><b>${isByOperator(pause) ? "Paused" : "Paused automatically"}</b>${pause.at && html` since <${Time} at=${pause.at} plain />`}${
    isByOperator(pause) ? "." : html`: <${Cause} of=${pause} />.`}
    ${" "}${plural(pause.held, CONTACT)} held${pause.inFlight ? `, ${count(pause.inFlight)} still under way` : ""}. <${Ending} of=${pause} /></p>`;
}

function Cause({ of: { reason, by } }) {
  const [code, detail] = reason.split(": ");
  if (by) return html`the circuit of <a href=${to("channels", by.channelUid)}>${channelName(by.channelUid)}</a> opened at ${timeOfDay(by.since)}, as ${reasonWord(by.cause)}`;
  if (code === "template_rejected" && detail) return html`<a href=${to("templates", detail)}>a template</a> was rejected`;
  if (code === "balance" && detail) return `the provider’s account is not paid (${detail})`;
  return reasonWord(code);
}

/** A pause is ended by somebody, always; what has to be done before differs. */
function Ending({ of: pause }) {
  const [code, detail] = pause.reason.split(": ");
  if (code === "balance" && !detail) return html`<${Missing} of=${pause} />`;
  // Circuits know the real clock only.
  const later = pause.by?.retryAfter && new Date(pause.by.retryAfter) > Date.now();
  if (later) return `It can be resumed ${relative(pause.by.retryAfter, Date.now())}; the first message is the trial.`;
  if (pause.by) return "Resume it, and the first message is the trial.";
  return "Only you can resume it.";
}

function Missing({ of: { toCome, currency } }) {
  const balance = useLoad((signal) => get("/v1/balance", {}, signal), []);
  const needed = Number(toCome) || 0;
  const free = Number(balance.data?.free ?? 0);
  const told = balance.data ? `${money(free, currency)} is free${needed > free ? `, and those who are left need about ${money(needed - free, currency)} more` : ""}. ` : "";
  return html`${told}A top-up alone does not resume: <a href=${to("settings", "balance")}>top up</a>, then resume.`;
}
