// What went wrong, by its cause, and how to try those again.
import { html } from "../vendor/preact.js";
import { useOnce } from "../lib/load.js";
import { count } from "../lib/numbers.js";
import { go, to } from "../lib/router.js";
import { CONTACT, ERROR, plural } from "../lib/texts/en/plural.js";
import { reasonWord } from "../lib/words.js";
import { confirm } from "../components/dialog.js";
import { Button, Card, say, Time } from "../components/parts.js";
import { ContactName } from "../components/uid-name.js";

/** A flow that runs cannot be retried; the API says 409 then, and the buttons are not offered. */
const RUNNING = ["draft", "queued", "running"];

const KINDS = {
  failed: { title: "Failed", text: "They go on from the step that failed, in a new flow." },
  skipped: { title: "Skipped", text: "One step is run again for them, in a new flow; the rest of their walk went on. Where several were skipped it is the first; try again for the next." },
  unknown: { title: "Unknown", text: "Nobody knows whether these messages went out. Trying again may send some of them twice. Who has several gets the first of them; try again for the next." },
};

export function Failures({ flow }) {
  const { failureReasons, skipReasons, errors } = flow.metadata;
  const groups = [
    ...Object.entries(failureReasons).map(([reason, many]) => ({ of: "failed", reason, many })),
    ...Object.entries(skipReasons).map(([reason, many]) => ({ of: "skipped", reason, many })),
    ...(flow.stats.unknown ? [{ of: "unknown", many: flow.stats.unknown }] : []),
  ].sort((one, other) => other.many - one.many);
  if (!groups.length) return null;
  return html`<${Card} name="Did not get through">
    <ul class="plain-rows">${groups.map((each) => html`<li key=${`${each.of} ${each.reason}`}><${Group} flow=${flow} group=${each} /></li>`)}</ul>
    ${errors.length > 0 && html`<details class="raw"><summary>Latest ${plural(errors.length, ERROR)}</summary>
      <ul class="plain-rows">${errors.map((each) => html`<li><span><a href=${to("flows", flow.uid, each.contactUid)}><${ContactName} uid=${each.contactUid} /></a> ${each.message || reasonWord(each.code)}</span><span class="muted"><${Time} at=${each.at} /></span></li>`)}</ul></details>`}
  <//>`;
}

function Group({ flow, group: { of, reason, many } }) {
  const canRetry = !RUNNING.includes(flow.status) && reason !== "cancelled";
  const send = useOnce();
  async function retry() {
    const made = await confirm({
      label: `Try ${plural(many, CONTACT)} again?`,
      text: KINDS[of].text,
      action: "Start the retry",
      danger: of === "unknown",
      act: () => send(`/v1/flows/${flow.uid}/retry`, reason ? { of, reason } : { of }),
    });
    if (!made) return;
    say("The retry is a flow of its own");
    go("flows", made.uid);
  }
  return html`<span class="grow"><b class=${of === "failed" ? "is-bad" : ""}>${count(many)}</b> ${KINDS[of].title.toLowerCase()}${reason ? `: ${reasonWord(reason)}` : ""}</span>
    <a href=${of === "unknown" ? to("messages", { flowUid: flow.uid, status: of }) : to("flows", flow.uid, { status: of, reason })}>Who</a>
    ${canRetry && html`<${Button} onClick=${retry}>Try again …<//>`}`;
}
