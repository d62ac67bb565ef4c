// What a campaign would do, and the one dialog that starts it.
import { html, useState } from "../vendor/preact.js";
import { post } from "../lib/api.js";
import { useAction, useLoad, useOnce } from "../lib/load.js";
import { names } from "../lib/names.js";
import { count, money } from "../lib/numbers.js";
import { stepNames } from "../lib/outline.js";
import { workspace } from "../lib/session.js";
import { allSteps } from "../lib/steps.js";
import { WARNING, plural } from "../lib/texts/en/plural.js";
import { moment } from "../lib/times.js";
import { reasonWord } from "../lib/words.js";
import { ask } from "../components/dialog.js";
import { Button, Choice, Facts, Loaded, Problem } from "../components/parts.js";

const channelName = (uid) => names.value.channels.get(uid)?.name ?? uid;

export const askEstimate = (draft) => ask(EstimateDialog, { label: "Estimate", draft });
export const askLaunch = (draft) => ask(LaunchDialog, { label: "Launch", draft });

/** Matched → each exclusion by name → reachable → cost → end. */
function Estimate({ of, draft }) {
  const nameOf = stepNames(draft.parts.value.steps, names.value);
  const cost = of.cost;
  return html`<${Facts} of=${[
      ["Matched", count(of.matched)],
      ["Not found", of.notFound ? count(of.notFound) : null],
      ["Messages", count(of.messages.total)],
      ["Cost", cost.expected === cost.worst ? money(cost.expected, cost.currency) : `${money(cost.expected, cost.currency)} – ${money(cost.worst, cost.currency)}`],
      ["Ends", of.estimatedCompletionAt ? moment(of.estimatedCompletionAt) : "as fast as the channel allows"],
    ]} />
    <div><h3>Reachable</h3><ul class="plain-rows">${Object.entries(of.reachable).map(([uid, reached]) => html`<li><span>${channelName(uid)}</span>
      <span><b>${count(reached)}</b> of ${count(of.matched)}${cost.channels?.[uid] ? ` · ${money(cost.channels[uid], cost.currency)}` : ""}</span></li>`)}
      ${!Object.keys(of.reachable).length && html`<li class="muted">Nobody</li>`}</ul></div>
    <${Exclusions} of=${of.excluded} nameOf=${nameOf} />`;
}

function Exclusions({ of, nameOf }) {
  const rows = Object.entries(of).flatMap(([node, reasons]) => Object.entries(reasons).map(([reason, many]) => ({ node, reason, many })));
  if (!rows.length) return null;
  return html`<div><h3>Left out</h3><ul class="plain-rows">${rows.map((each) => html`<li><span>${nameOf(each.node)}: ${reasonWord(each.reason)}</span><b>${count(each.many)}</b></li>`)}</ul></div>`;
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
  return html`<${Choice} name="Channel of the steps that name none" value=${value} onChange=${onChange}
    options=${[["", "The first that a step names"], ...[...names.value.channels.values()].map((each) => [each.uid, each.name])]} />`;
}

function EstimateDialog({ draft, close }) {
  const [channel, setChannel] = useState("");
  const estimate = useEstimate(draft, channel);
  return html`<h2>Estimate</h2>
    <${ChannelChoice} draft=${draft} value=${channel} onChange=${setChannel} />
    <${Loaded} from=${estimate} what="The estimate">${(of) => html`<${Estimate} of=${of} draft=${draft} />`}<//>
    <div class="dialog-foot"><${Button} primary onClick=${() => close()}>Done<//></div>`;
}

/** Repeats the numbers before it starts anything; a lost answer and a second press start one flow. */
function LaunchDialog({ draft, close }) {
  const [channel, setChannel] = useState("");
  const send = useOnce();
  const estimate = useEstimate(draft, channel);
  const [launch, busy, error] = useAction(async () =>
    close(await send(`/v1/campaigns/${draft.uid}/launch`, channel ? { channelUid: channel } : {})),
  );
  const { trigger } = draft.parts.value;
  const isLater = trigger?.type === "scheduled";
  const first = isLater ? moment(draft.found.value?.nextStarts?.[0] ?? trigger.at) : trigger?.type === "event" ? "whenever the event happens" : "now";
  const warnings = draft.problems.value.filter((each) => each.level === "warning");
  return html`<h2>Launch “${draft.parts.value.name}”</h2>
    <${ChannelChoice} draft=${draft} value=${channel} onChange=${setChannel} />
    <${Loaded} from=${estimate} what="The estimate">${(of) => html`<${Estimate} of=${of} draft=${draft} />`}<//>
    <${Facts} of=${[["First send", first], ["Time zone", trigger?.timezone ?? workspace.value?.timezone]]} />
    ${warnings.length > 0 && html`<p class="notice warn">${plural(warnings.length, WARNING)}: ${warnings[0].message}</p>`}
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Not now<//>
      <${Button} primary busy=${busy} disabled=${estimate.loading && trigger?.type !== "event"} onClick=${launch}>${isLater ? "Schedule" : trigger?.type === "event" ? "Start listening" : "Launch now"}<//></div>`;
}
