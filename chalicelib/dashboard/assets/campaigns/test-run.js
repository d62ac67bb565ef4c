// A test run: the way that one contact would take, with nothing sent.
import { html } from "../vendor/preact.js";
import { get, post } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { names } from "../lib/names.js";
import { stepNames } from "../lib/outline.js";
import { span } from "../lib/times.js";
import { reasonWord } from "../lib/words.js";
import { chooseContacts, contactName } from "../components/contact-picker.js";
import { ask } from "../components/dialog.js";
import { Button, Loaded, Status, Time } from "../components/parts.js";

export async function askTestRun(draft, contactUid) {
  const [chosen] = contactUid ? [contactUid] : ((await chooseContacts([], { single: true })) ?? []);
  if (chosen) await ask(TestRun, { label: "Test run", draft, contactUid: chosen });
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
  return html`<h2>Test run</h2>
    <${Loaded} from=${found} what="The test run">${({ contact, run }) => html`
      <p>If <b>${contactName(contact)}</b> started now. Nothing is sent.</p>
      <ol class="story">${run.path.map((each) => html`<${Station} of=${each} nameOf=${nameOf} />`)}</ol>
      <p><${Status} of=${run.status} /> <span class="muted">after ${span(new Date(run.endsAt) - new Date(run.path[0]?.enteredAt ?? run.endsAt))}</span></p>`}<//>
    <div class="dialog-foot">
      <${Button} onClick=${() => { close(); askTestRun(draft); }}>Another contact …<//>
      <${Button} primary onClick=${() => close()}>Done<//></div>`;
}

function Station({ of, nameOf }) {
  const waited = new Date(of.leftAt) - new Date(of.enteredAt);
  return html`<li>
    <p class="between"><b>${nameOf(of.nodeId)}</b><span class="muted"><${Time} at=${of.enteredAt} plain />${waited > 999 ? ` · ${span(waited)}` : ""}</span></p>
    ${of.exit && of.exit !== "next" && html`<p>→ ${of.exit}${of.why ? html` <span class="muted">(${of.why})</span>` : ""}</p>`}
    ${of.skipped && html`<p class="warning">Skipped: ${reasonWord(of.skipped)}</p>`}
    ${of.message && html`<details><summary>To ${of.message.to}: ${of.message.subject ?? of.message.text?.slice(0, 60) ?? "the message"}</summary>
      <pre tabindex="0" class="mail-text">${of.message.text ?? JSON.stringify(of.message, null, 2)}</pre></details>`}
  </li>`;
}
