// @ts-check
// Why a flow is paused, since when, how many contacts are held, and how it continues. Every screen uses these words.
import { html } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { names } from "../lib/names.js";
import { count, money } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { common } from "../lib/texts/en/common.js";
import { relative, timeOfDay } from "../lib/times.js";
import { reasonWord } from "../lib/words.js";
import { Time } from "./parts.js";

const text = common.pause;

/**
 * @typedef {object} PauseFacts what the status of a campaign and a flow both say about a pause
 * @property {string} reason a code, or a code and a detail: `template_rejected: UID`
 * @property {Api["PausedBy"] | null} by the channel whose circuit opened
 * @property {string | null} at
 * @property {number} held contacts that wait
 * @property {number} inFlight messages that are still being sent
 * @property {string} toCome expected cost of the remaining messages
 * @property {string | null} currency
 */

/**
 * @param {Api["CampaignStatusResponse"]} status
 * @returns {PauseFacts}
 */
export const pauseOfStatus = (status) => ({
  reason: status.pauseReason ?? "", by: status.pausedBy, at: status.pausedAt, held: status.executions.pending, inFlight: status.inFlight,
  toCome: status.estimatedRemainingCost, currency: status.currency,
}); // prettier-ignore

/**
 * @param {Api["FlowResponse"]} flow
 * @returns {PauseFacts}
 */
export const pauseOfFlow = ({ metadata, stats, pausedAt }) => ({
  reason: metadata.pauseReason ?? "", by: metadata.pausedBy, at: pausedAt, held: stats.pending, inFlight: metadata.inFlight,
  toCome: stats.estimatedRemainingCost, currency: stats.currency,
}); // prettier-ignore

/** @param {PauseFacts} pause */
export const isByOperator = (pause) => !pause.reason || pause.reason === "operator";

/**
 * Return the cause in a few words, for lists.
 * @param {PauseFacts} pause
 */
export function pauseWords({ reason, by }) {
  if (!by) return reasonWord(reason.split(": ")[0]);
  return text.channelCause(channelName(by.channelUid), reasonWord(by.cause));
}

const channelName = (uid) => names.value.channels.get(uid)?.name ?? text.unknownChannel;

/** @param {{of: PauseFacts}} props */
export function Pause({ of: pause }) {
  const isManual = isByOperator(pause);
  return html`<p><b>${isManual ? text.byOperator : text.automatic}</b>${pause.at && text.since(html`<${Time} at=${pause.at} plain />`)}${
    isManual ? "." : html`: <${Cause} of=${pause} />.`}
    ${" "}${text.held(pause.held)}${pause.inFlight ? text.inFlight(count(pause.inFlight)) : ""}. <${Ending} of=${pause} /></p>`;
}

function Cause({ of: { reason, by } }) {
  const [code, detail] = reason.split(": ");
  if (by) {
    const channel = html`<a href=${to("channels", by.channelUid)}>${channelName(by.channelUid)}</a>`;
    return text.circuit({ channel, time: timeOfDay(by.since), cause: reasonWord(by.cause) });
  }
  if (code === "template_rejected" && detail) return text.rejected(html`<a href=${to("templates", detail)}>${text.template}</a>`);
  if (code === "balance" && detail) return text.account(detail);
  return reasonWord(code);
}

/** What an operator does to continue. No pause ends by itself. */
function Ending({ of: pause }) {
  const [code, detail] = pause.reason.split(": ");
  if (code === "balance" && !detail) return html`<${Missing} of=${pause} />`;
  if (!pause.by) return text.resume;
  // Circuits use the real clock, even on a local stack with a faster clock.
  const isLater = pause.by.retryAfter && new Date(pause.by.retryAfter).getTime() > Date.now();
  return isLater ? text.later(relative(pause.by.retryAfter, Date.now())) : text.test;
}

function Missing({ of: { toCome, currency } }) {
  const balance = useLoad((signal) => get("/v1/balance", {}, signal), []);
  const needed = Number(toCome) || 0;
  const available = Number(balance.data?.free ?? 0);
  const isShort = needed > available;
  const amounts = isShort ? text.missing(money(available, currency), money(needed - available, currency)) : text.available(money(available, currency));
  return html`${balance.data ? amounts : ""}${text.topUp(html`<a href=${to("settings", "balance")}>${text.topUpLink}</a>`)}`;
}
