// @ts-check
// A test run: the journey that one contact would take. Nothing is sent.
import { html } from "../vendor/preact.js";
import { get, post } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { names } from "../lib/names.js";
import { stepNames } from "../lib/outline.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { common } from "../lib/texts/en/common.js";
import { msBetween, span } from "../lib/times.js";
import { reasonWord } from "../lib/words.js";
import { chooseContacts, contactName } from "../components/contact-picker.js";
import { ask } from "../components/dialog.js";
import { Button, Loaded, Status, Time } from "../components/parts.js";

const text = campaigns.testRun;

/**
 * @param {ReturnType<typeof import("./draft.js").openDraft>} draft
 * @param {string} [contactUid] asks for a contact if it is missing
 */
export async function askTestRun(draft, contactUid) {
  const [chosen] = contactUid ? [contactUid] : ((await chooseContacts([], { single: true })) ?? []);
  if (chosen) await ask(TestRun, { label: text.title, draft, contactUid: chosen });
}

function TestRun({ draft, contactUid, close }) {
  const found = useLoad(
    async (signal) => {
      await draft.saveAll();
      const contact = await get(`/v1/contacts/${contactUid}`, {}, signal);
      return { contact, run: await post(`/v1/campaigns/${draft.uid}/test-run`, { contactUid }, { signal }) };
    },
    [contactUid],
  );
  const nameOf = stepNames(draft.parts.value.steps, names.value);
  return html`<h2>${text.title}</h2>
    <${Loaded} from=${found} what=${text.what}>${({ contact, run }) => html`
      <p>${text.lead(html`<b>${contactName(contact)}</b>`)}</p>
      <ol class="story">${run.path.map((each) => html`<${Visit} of=${each} nameOf=${nameOf} />`)}</ol>
      <p><${Status} of=${run.status} /> <span class="muted">${text.after(span(msBetween(run.path[0]?.enteredAt ?? run.endsAt, run.endsAt)))}</span></p>`}<//>
    <div class="dialog-foot">
      <${Button} onClick=${() => { close(); askTestRun(draft); }}>${text.another}<//>
      <${Button} primary onClick=${() => close()}>${common.done}<//></div>`;
}

function Visit({ of, nameOf }) {
  const waited = msBetween(of.enteredAt, of.leftAt);
  return html`<li>
    <p class="between"><b>${nameOf(of.nodeId)}</b><span class="muted"><${Time} at=${of.enteredAt} plain />${waited > 999 ? text.waited(span(waited)) : ""}</span></p>
    ${of.exit && of.exit !== "next" && html`<p>${text.exit(of.exit)}${of.why ? html`<span class="muted">${text.reason(of.why)}</span>` : ""}</p>`}
    ${of.skipped && html`<p class="warning">${text.skipped(reasonWord(of.skipped))}</p>`}
    ${of.message && html`<details><summary>${text.to(of.message.to, of.message.subject ?? of.message.text?.slice(0, 60) ?? text.message)}</summary>
      <pre tabindex="0" class="mail-text">${of.message.text ?? JSON.stringify(of.message, null, 2)}</pre></details>`}
  </li>`;
}
