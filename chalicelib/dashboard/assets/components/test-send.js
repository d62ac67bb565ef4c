// One message outside of every flow, to see whether a channel and a template work.
import { html, useState } from "../vendor/preact.js";
import { post } from "../lib/api.js";
import { useAction } from "../lib/load.js";
import { names } from "../lib/names.js";
import { reasonWord } from "../lib/words.js";
import { Button, Choice, Problem, Text } from "./parts.js";

const VERDICTS = {
  accepted: ["good", "The provider took it."],
  throttled: ["warn", "Too fast for the provider; try again in a moment."],
  retryable: ["warn", "Not taken now, perhaps later."],
  permanent: ["bad", "The provider will never take this message."],
  suppress: ["bad", "This address is not to be written to."],
  channel: ["bad", "The channel itself is refused: look at its settings and its account."],
  unknown: ["warn", "The answer was lost: perhaps it was sent."],
};

/** Of a template, by any channel of its type; or of a channel, with any published template of its type. */
export function TestSend({ template, channel, close }) {
  const type = template?.channelType ?? channel.type;
  const channels = channel ? [channel] : [...names.value.channels.values()].filter((each) => each.type === type);
  const templates = template ? [template] : [...names.value.templates.values()].filter((each) => each.channelType === type);
  const [by, setBy] = useState(channels[0]?.uid ?? "");
  const [what, setWhat] = useState(templates[0]?.uid ?? "");
  const [recipient, setTo] = useState("");
  const [result, setResult] = useState(null);
  const [send, busy, error] = useAction(async (event) => {
    event.preventDefault();
    setResult(null);
    setResult(await post(`/v1/templates/${what}/test`, { channelUid: by, to: recipient.trim() }));
  });
  return html`<form class="form" onSubmit=${send}><h2>Send a test</h2>
    ${!channel && html`<${Choice} name="Channel" value=${by} options=${channels.map((each) => [each.uid, each.name])} onChange=${setBy} help=${channels.length ? "" : `There is no channel of type ${type} yet.`} />`}
    ${!template && html`<${Choice} name="Template" value=${what} options=${templates.map((each) => [each.uid, each.name])} onChange=${setWhat} help=${templates.length ? "" : `There is no template for ${type} yet.`} />`}
    <${Text} name="To" value=${recipient} onInput=${setTo} required autofocus problem=${error?.at?.("to")} help="An address of your own, e.g. an e-mail address or a phone number" />
    ${result && html`<${Verdict} of=${result} />`}
    ${!error?.at?.("to") && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Done<//><${Button} primary type="submit" busy=${busy} disabled=${!by || !what || !recipient.trim()}>Send<//></div></form>`;
}

function Verdict({ of }) {
  const [kind, words] = VERDICTS[of.verdict] ?? ["", of.verdict];
  return html`<p class="notice ${kind}" role="status">${words}${of.code ? ` (${reasonWord(of.code)})` : ""}${of.providerId ? html` <code>${of.providerId}</code>` : ""}</p>`;
}
