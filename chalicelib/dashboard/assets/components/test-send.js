// @ts-check
// Sends one message outside every flow, to check a channel and a template.
import { html, useState } from "../vendor/preact.js";
import { post } from "../lib/api.js";
import { useAction } from "../lib/load.js";
import { names } from "../lib/names.js";
import { nameOf } from "../lib/schema.js";
import { common } from "../lib/texts/en/common.js";
import { components } from "../lib/texts/en/components.js";
import { reasonWord } from "../lib/words.js";
import { ask } from "./dialog.js";
import { Button, Choice, Problem, Text } from "./parts.js";

const text = components.testSend;

/**
 * Test a template by any channel of its type, or a channel with any template of its type.
 * @param {{template?: Api["Template"], channel?: Api["ChannelResponse"]}} subject
 */
export const askTestSend = (subject) => ask(TestSend, { label: text.title, ...subject });

function TestSend({ template, channel, close }) {
  const type = template?.channelType ?? channel.type;
  const channels = channel ? [channel] : [...names.value.channels.values()].filter((each) => each.type === type);
  const templates = template ? [template] : [...names.value.templates.values()].filter((each) => each.channelType === type);
  const [channelUid, setChannelUid] = useState(channels[0]?.uid ?? "");
  const [templateUid, setTemplateUid] = useState(templates[0]?.uid ?? "");
  const [recipient, setRecipient] = useState("");
  const [result, setResult] = useState(null);
  const [send, busy, error] = useAction(async (event) => {
    event.preventDefault();
    setResult(null);
    setResult(await post(`/v1/templates/${templateUid}/test`, { channelUid, to: recipient.trim() }));
  });
  const options = (list) => list.map((each) => [each.uid, each.name]);
  return html`<form class="form" onSubmit=${send}><h2>${text.title}</h2>
    ${!channel && html`<${Choice} name=${text.channel} value=${channelUid} options=${options(channels)} onChange=${setChannelUid} help=${channels.length ? "" : text.noChannel(nameOf(type))} />`}
    ${!template && html`<${Choice} name=${text.template} value=${templateUid} options=${options(templates)} onChange=${setTemplateUid} help=${templates.length ? "" : text.noTemplate(nameOf(type))} />`}
    <${Text} name=${text.to} value=${recipient} onInput=${setRecipient} required autofocus problem=${error?.at("to")} help=${text.toHelp} />
    ${result && html`<${Result} of=${result} />`}
    ${!error?.at("to") && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.done}<//><${Button} primary type="submit" busy=${busy} disabled=${!channelUid || !templateUid || !recipient.trim()}>${text.send}<//></div></form>`;
}

function Result({ of }) {
  const [kind, words] = text.results[of.verdict] ?? ["", of.verdict];
  return html`<p class="notice ${kind}" role="status">${words}${of.code ? ` (${reasonWord(of.code)})` : ""}${of.providerId ? html` <code>${of.providerId}</code>` : ""}</p>`;
}
