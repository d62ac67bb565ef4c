// What a template becomes for one contact. HTML is shown in a frame of its own origin, by a route with its own policy.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { get, post } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { count } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { CHARACTER, PARAMETER, SMS, plural } from "../lib/texts/en/plural.js";
import { chooseContacts, contactName } from "../components/contact-picker.js";
import { Button, Card, Loaded } from "../components/parts.js";

const WIDTHS = { phone: "Phone", desktop: "Desktop" };

export function Preview({ template }) {
  const [contact, setContact] = useState(null);
  const [width, setWidth] = useState("phone");
  const shown = useLoad((signal) => post(`/v1/templates/${template.uid}/preview`, contact ? { contactUid: contact.uid } : {}, { signal }), [template.updatedAt, contact?.uid]);
  async function choose() {
    const [uid] = (await chooseContacts([], { single: true })) ?? [];
    if (uid) setContact(await get(`/v1/contacts/${uid}`));
  }
  const switches = html`<span class="row"><span role="group" aria-label="Width" class="switch">${Object.entries(WIDTHS).map(([id, words]) => html`<button type="button"
      aria-pressed=${id === width ? "true" : "false"} onClick=${() => setWidth(id)}>${words}</button>`)}</span>
    <${Button} onClick=${choose}>${contact ? `As ${contactName(contact)}` : "As a contact …"}<//></span>`;
  return html`<${Card} name="Preview" actions=${switches}>
    <${Loaded} from=${shown} what="The preview">${(of) => html`
      ${of.missingParameters.length > 0 && html`<${Missing} of=${of.missingParameters} contact=${contact} />`}
      ${of.content && html`<${Letter} of=${of} width=${width} />`}
      ${of.variables.length > 0 && html`<p class="help">Uses ${of.variables.join(", ")}</p>`}`}<//>
  <//>`;
}

function Missing({ of, contact }) {
  return html`<p class="notice warn">${plural(of.length, PARAMETER)} without a value: ${of.map((name) => html`<code>${name}</code> `)}.
    ${contact ? html`<a href=${to("contacts", contact.uid)}>${contactName(contact)}</a> would be skipped.` : "Give defaults, or look at it as a contact."} A name that nothing fills may be mistyped.</p>`;
}

function Letter({ of, width }) {
  const { html: page, text, subject, ...rest } = of.content;
  return html`<div class="letter-frame ${width}">
    ${subject !== undefined && html`<p class="subject"><span class="unseen">Subject: </span><b>${subject}</b></p>`}
    ${page ? html`<${Frame} content=${page} />` : html`<pre class="letter" tabindex="0">${text}</pre>`}
  </div>
  <ul class="legend">${Object.entries(of.sizes).map(([name, size]) => html`<li>${nameOf(name)}: ${plural(size.characters, CHARACTER)}${size.smsSegments && name === "text" && subject === undefined ? `, ${plural(size.smsSegments, SMS)} (${size.smsEncoding})` : ""}</li>`)}
    ${Object.entries(rest).filter(([, value]) => value).map(([name, value]) => html`<li>${nameOf(name)}: ${value}</li>`)}
    ${page && text && html`<li>and a text of ${count(text.length)} characters</li>`}</ul>`;
}

/** A srcdoc would inherit this page's policy, so the frame has an address and is told what to show. */
function Frame({ content }) {
  const frame = useRef(null);
  const [height, setHeight] = useState(320);
  const latest = useRef(content);
  latest.current = content;
  const tell = () => frame.current?.contentWindow.postMessage({ html: latest.current }, "*");
  useEffect(() => {
    function onMessage(event) {
      if (event.source !== frame.current?.contentWindow) return;
      if (event.data.ready) tell();
      else if (Number.isFinite(event.data.height)) setHeight(Math.min(900, Math.max(120, event.data.height)));
    }
    addEventListener("message", onMessage);
    return () => removeEventListener("message", onMessage);
  }, []);
  useEffect(tell, [content]);
  return html`<iframe ref=${frame} title="The mail" src="preview" sandbox="allow-scripts" style=${{ height: `${height}px` }}></iframe>`;
}
