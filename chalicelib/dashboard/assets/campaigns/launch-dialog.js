// @ts-check
// The estimate of a campaign, and the dialog that launches it.
import { html, useState } from "../vendor/preact.js";
import { post } from "../lib/api.js";
import { useAction, useLoad, useOnce } from "../lib/load.js";
import { names } from "../lib/names.js";
import { count, money } from "../lib/numbers.js";
import { stepNames } from "../lib/outline.js";
import { workspace } from "../lib/session.js";
import { allSteps } from "../lib/steps.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { common } from "../lib/texts/en/common.js";
import { moment } from "../lib/times.js";
import { reasonWord } from "../lib/words.js";
import { ask } from "../components/dialog.js";
import { Button, Choice, Facts, Loaded, Problem } from "../components/parts.js";

const text = campaigns.launch;
/** @typedef {ReturnType<typeof import("./draft.js").openDraft>} Draft */
const channelName = (uid) => names.value.channels.get(uid)?.name ?? uid;

/** @param {Draft} draft */
export const askEstimate = (draft) => ask(EstimateDialog, { label: text.estimate, draft });
/** @param {Draft} draft */
export const askLaunch = (draft) => ask(LaunchDialog, { label: text.label, draft });

/** Matched contacts, cost, end, reachable contacts by channel, and each exclusion. */
function Estimate({ of, draft }) {
  const nameOf = stepNames(draft.parts.value.steps, names.value);
  const cost = of.cost;
  return html`<${Facts} of=${[
      [text.matched, count(of.matched)],
      [text.notFound, of.notFound ? count(of.notFound) : null],
      [text.messages, count(of.messages.total)],
      [text.cost, cost.expected === cost.worst ? money(cost.expected, cost.currency) : text.range(money(cost.expected, cost.currency), money(cost.worst, cost.currency))],
      [text.ends, of.estimatedCompletionAt ? moment(of.estimatedCompletionAt) : text.unlimited],
    ]} />
    <div><h3>${text.reachable}</h3><ul class="plain-rows">${Object.entries(of.reachable).map(([uid, reached]) => html`<li><span>${channelName(uid)}</span>
      <span><b>${count(reached)}</b>${text.of(of.matched)}${cost.channels?.[uid] ? ` · ${money(cost.channels[uid], cost.currency)}` : ""}</span></li>`)}
      ${!Object.keys(of.reachable).length && html`<li class="muted">${text.nobody}</li>`}</ul></div>
    <${Exclusions} of=${of.excluded} nameOf=${nameOf} />`;
}

function Exclusions({ of, nameOf }) {
  const rows = Object.entries(of).flatMap(([node, reasons]) => Object.entries(reasons).map(([reason, amount]) => ({ node, reason, amount })));
  if (!rows.length) return null;
  return html`<div><h3>${text.excluded}</h3><ul class="plain-rows">${rows.map((each) => html`<li><span>${text.exclusion(nameOf(each.node), reasonWord(each.reason))}</span><b>${count(each.amount)}</b></li>`)}</ul></div>`;
}

function useEstimate(draft, channelUid) {
  return useLoad(async (signal) => {
    await draft.saveAll();
    return post(`/v1/campaigns/${draft.uid}/estimate`, channelUid ? { channelUid } : {}, { signal });
  }, [channelUid]);
}

const needsChannel = (draft) => allSteps(draft.parts.value.steps).some(({ step }) => step?.type === "SEND" && !step.channelUid);

function ChannelChoice({ draft, value, onChange }) {
  if (!needsChannel(draft)) return null;
  return html`<${Choice} name=${text.channel} value=${value} onChange=${onChange}
    options=${[["", text.firstChannel], ...[...names.value.channels.values()].map((each) => [each.uid, each.name])]} />`;
}

function EstimateDialog({ draft, close }) {
  const [channel, setChannel] = useState("");
  const estimate = useEstimate(draft, channel);
  return html`<h2>${text.estimate}</h2>
    <${ChannelChoice} draft=${draft} value=${channel} onChange=${setChannel} />
    <${Loaded} from=${estimate} what=${text.what}>${(of) => html`<${Estimate} of=${of} draft=${draft} />`}<//>
    <div class="dialog-foot"><${Button} primary onClick=${() => close()}>${common.done}<//></div>`;
}

/** Shows the estimate before the launch. A second press after a lost response starts one flow only. */
function LaunchDialog({ draft, close }) {
  const [channel, setChannel] = useState("");
  const send = useOnce();
  const estimate = useEstimate(draft, channel);
  const [launch, busy, error] = useAction(async () =>
    close(await send(`/v1/campaigns/${draft.uid}/launch`, channel ? { channelUid: channel } : {})),
  );
  const { trigger } = draft.parts.value;
  const isLater = trigger?.type === "scheduled";
  const first = isLater ? moment(draft.found.value?.nextStarts?.[0] ?? trigger.at) : trigger?.type === "event" ? text.onEvent : text.now;
  const warnings = draft.problems.value.filter((each) => each.level === "warning");
  return html`<h2>${text.title(draft.parts.value.name)}</h2>
    <${ChannelChoice} draft=${draft} value=${channel} onChange=${setChannel} />
    <${Loaded} from=${estimate} what=${text.what}>${(of) => html`<${Estimate} of=${of} draft=${draft} />`}<//>
    <${Facts} of=${[[text.firstSend, first], [text.timezone, trigger?.timezone ?? workspace.value?.timezone]]} />
    ${warnings.length > 0 && html`<p class="notice warn">${text.warnings(warnings.length, warnings[0].message)}</p>`}
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//>
      <${Button} primary busy=${busy} disabled=${estimate.loading && trigger?.type !== "event"} onClick=${launch}>${isLater ? text.schedule : trigger?.type === "event" ? text.listen : text.launch}<//></div>`;
}
