// @ts-check
// The overview: what needs attention, what is running, how much was sent, and the balance.
import { html, useEffect, useState } from "../vendor/preact.js";
import { get, getPage, post } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { readNames } from "../lib/names.js";
import { money, share } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { shell } from "../lib/texts/en/shell.js";
import { soon } from "../lib/times.js";
import { reasonWord } from "../lib/words.js";
import { Bar, Card, Facts, Loaded, Page, Status, Time } from "../components/parts.js";
import { isByOperator, pauseOfFlow, pauseWords } from "../components/pause.js";

const text = shell.overview;
const POLL_MS = 8_000;
/** Drafts and flows that are read one by one. */
const MAX_DRAFTS = 6;
const MAX_FLOWS = 8;

export function Screen() {
  const work = useLoad(readWork, [], { every: POLL_MS });
  return html`<${Page} name=${text.title}>
    <${Loaded} from=${work} what=${text.what}>${(of) => (of.isEmpty ? html`<${FirstSteps} />` : html`
      <div class="columns overview">
        <div class="stack"><${Needs} of=${of.needs} /><${Running} flows=${of.running} /></div>
        <div class="stack"><${Balance} /><${Chart} flows=${of.flows} /></div>
      </div>`)}<//>
  <//>`;
}

/** The chart is loaded after the rest, so that the list of what needs attention appears first. */
function Chart({ flows }) {
  const [Drawn, setDrawn] = useState(/** @type {any} */ (null));
  useEffect(() => {
    import("./daily-sends.js").then(({ DailySends }) => setDrawn(() => DailySends), () => {});
  }, []);
  return Drawn && html`<${Drawn} flows=${flows} />`;
}

async function readWork(signal) {
  const [campaigns, flows] = await Promise.all([getPage("/v1/campaigns", { limit: 50 }, signal), getPage("/v1/flows", { limit: 50 }, signal)]);
  const nameOf = new Map(campaigns.data.map((each) => [each.uid, each.name]));
  const open = flows.data.filter((each) => ["running", "queued", "paused", "error"].includes(each.status)).slice(0, MAX_FLOWS);
  const detailed = await Promise.all(open.map((each) => get(`/v1/flows/${each.uid}`, {}, signal)));
  if (detailed.some((each) => each.metadata.pausedBy)) await readNames("channels");
  const named = detailed.map((flow) => ({ ...flow, name: nameOf.get(flow.campaignUid) ?? flow.campaignUid }));
  const drafts = campaigns.data.filter((each) => each.state === "DRAFT" && !each.latestVersion).slice(0, MAX_DRAFTS);
  const checked = await Promise.all(drafts.map((each) => check(each, signal)));
  return {
    isEmpty: !campaigns.data.length && !flows.data.length,
    flows: flows.data,
    running: named.filter((each) => ["running", "queued"].includes(each.status)),
    needs: [...named.map(needOf), ...checked].filter(Boolean),
  };
}

async function check(campaign, signal) {
  // If the validation fails, the page of the draft shows the reason.
  const found = await post(`/v1/campaigns/${campaign.uid}/validate`, {}, { signal }).catch(() => null);
  if (!found?.errors.length) return null;
  return { key: campaign.uid, level: "warn", href: to("campaigns", campaign.uid), name: campaign.name, words: text.needs.draft(found.errors.length, found.errors[0].message) };
}

function needOf(flow) {
  const need = { key: flow.uid, href: to("flows", flow.uid), name: flow.name };
  const { stats, metadata } = flow;
  if (["paused", "error"].includes(flow.status)) {
    const pause = pauseOfFlow(flow);
    if (isByOperator(pause)) return { ...need, level: "", words: text.needs.paused(stats.pending), at: flow.pausedAt };
    return { ...need, level: "bad", words: text.needs.pausedBecause(pauseWords(pause), stats.pending), at: flow.pausedAt };
  }
  const worst = Object.entries(metadata.failureReasons).sort(([, one], [, other]) => other - one)[0];
  return worst ? { ...need, level: "bad", words: text.needs.failed(stats.failed, reasonWord(worst[0])) } : null;
}

function Needs({ of }) {
  return html`<${Card} name=${text.needs.title}>${of.length
    ? html`<ul class="needs">${of.map((each) => html`<li key=${each.key}><i class="dot ${each.level}"></i><div class="grow"><a class="title" href=${each.href}>${each.name}</a><p class="muted">${each.words}</p></div>
        ${each.at && html`<span class="muted"><${Time} at=${each.at} /></span>`}</li>`)}</ul>`
    : html`<p class="status whole"><i class="dot good"></i>${text.needs.none}</p>`}<//>`;
}

function Running({ flows }) {
  return html`<${Card} name=${text.running.title} actions=${html`<a href=${to("flows")}>${text.running.all}</a>`}>${flows.length
    ? html`<ul class="needs">${flows.map((flow) => html`<li key=${flow.uid}><${Run} flow=${flow} /></li>`)}</ul>`
    : html`<p class="muted">${text.running.none(html`<a href=${to("campaigns")}>${text.running.launch}</a>`)}</p>`}<//>`;
}

function Run({ flow: { uid, name, status, stats } }) {
  const finished = share(stats.completed + stats.failed + stats.skipped, stats.total);
  const end = stats.estimatedCompletionAt && soon(stats.estimatedCompletionAt);
  return html`<div class="grow form tight-form"><div class="between"><a class="title" href=${to("flows", uid)}>${name}</a><${Status} of=${status} /></div>
    <${Bar} of=${stats.total} parts=${[[stats.completed, "completed"], [stats.failed, "failed"], [stats.skipped, "skipped"]]} />
    <p class="muted">${text.running.progress({ finished, total: stats.total, sent: stats.sent, perMinute: Math.round(stats.messagesPerMinute), end })}</p></div>`;
}

function Balance() {
  const balance = useLoad((signal) => get("/v1/balance", {}, signal), []);
  if (balance.error?.isMissingRoute) return null;
  return html`<${Card} name=${text.balance.title} actions=${html`<a href=${to("settings", "balance")}>${text.balance.open}</a>`}><${Loaded} from=${balance} what=${text.balance.what}>${(of) => html`
    ${of.isLow && html`<p class="status whole"><i class="dot warn"></i>${text.balance.low(money(of.alerts.lowBalance, of.currency))}</p>`}
    <${Facts} of=${[[text.balance.available, money(of.free, of.currency)], [text.balance.reserved, money(of.reserved, of.currency)], [text.balance.total, money(of.total, of.currency)]]} />`}<//><//>`;
}

const STEPS = ["channels", "templates", "import", "campaigns"];

function FirstSteps() {
  return html`<${Card} name=${text.start.title}><ol class="story">${STEPS.map((id) => html`<li><a class="title" href=${to(id)}>${text.start[id][0]}</a><p class="muted">${text.start[id][1]}</p></li>`)}</ol><//>`;
}
