// @ts-check
// A rendered template for one contact. HTML is shown in a sandboxed frame, which a route with its own policy serves.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { get, post } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { content } from "../lib/texts/en/content.js";
import { chooseContacts, contactName } from "../components/contact-picker.js";
import { Button, Card, Loaded } from "../components/parts.js";

const text = content.preview;
const [MIN_HEIGHT, MAX_HEIGHT] = [120, 900];

/** @param {{template: Api["Template"]}} props */
export function Preview({ template }) {
  const [contact, setContact] = useState(/** @type {Api["Contact"] | null} */ (null));
  const [width, setWidth] = useState("phone");
  const shown = useLoad((signal) => post(`/v1/templates/${template.uid}/preview`, contact ? { contactUid: contact.uid } : {}, { signal }), [template.updatedAt, contact?.uid]);
  async function choose() {
    const [uid] = (await chooseContacts([], { single: true })) ?? [];
    if (uid) setContact(await get(`/v1/contacts/${uid}`));
  }
  const switches = html`<span class="row"><span role="group" aria-label=${text.width} class="switch">${Object.entries(text.widths).map(([id, words]) => html`<button type="button"
      aria-pressed=${id === width ? "true" : "false"} onClick=${() => setWidth(id)}>${words}</button>`)}</span>
    <${Button} onClick=${choose}>${contact ? text.as(contactName(contact)) : text.asContact}<//></span>`;
  return html`<${Card} name=${text.title} actions=${switches}>
    <${Loaded} from=${shown} what=${text.what}>${(of) => html`
      ${of.missingParameters.length > 0 && html`<${Missing} of=${of.missingParameters} contact=${contact} />`}
      ${of.content && html`<${Mail} of=${of} width=${width} />`}
      ${of.variables.length > 0 && html`<p class="help">${text.uses(of.variables)}</p>`}`}<//>
  <//>`;
}

function Missing({ of, contact }) {
  return html`<p class="notice warn">${text.missing(of.length)}${of.map((name) => html`<code>${name}</code> `)}.
    ${contact ? text.skipped(html`<a href=${to("contacts", contact.uid)}>${contactName(contact)}</a>`) : text.setDefaults}${text.checkSpelling}</p>`;
}

function Mail({ of, width }) {
  const { html: page, text: body, subject, ...rest } = of.content;
  const isText = (name) => name === "text" && subject === undefined;
  const sizes = Object.entries(of.sizes).map(([name, { characters, smsSegments, smsEncoding }]) =>
    text.size({ name: nameOf(name), characters, segments: isText(name) ? smsSegments : 0, encoding: smsEncoding }));
  return html`<div class="mail-frame ${width}">
    ${subject !== undefined && html`<p class="subject"><span class="unseen">${text.subject}</span><b>${subject}</b></p>`}
    ${page ? html`<${Frame} content=${page} />` : html`<pre class="mail-text" tabindex="0">${body}</pre>`}
  </div>
  <ul class="legend">${sizes.map((each) => html`<li>${each}</li>`)}
    ${Object.entries(rest).filter(([, value]) => value).map(([name, value]) => html`<li>${text.field(nameOf(name), value)}</li>`)}
    ${page && body && html`<li>${text.textPart(body.length)}</li>`}</ul>`;
}

/** A srcdoc would inherit this page's policy. Therefore the frame has an address and gets its HTML in a message. */
function Frame({ content: mail }) {
  const frame = useRef(/** @type {HTMLIFrameElement | null} */ (null));
  const [height, setHeight] = useState(320);
  const latest = useRef(mail);
  latest.current = mail;
  const send = () => frame.current?.contentWindow?.postMessage({ html: latest.current }, "*");
  useEffect(() => {
    function onMessage(event) {
      if (event.source !== frame.current?.contentWindow) return;
      if (event.data.ready) send();
      else if (Number.isFinite(event.data.height)) setHeight(Math.min(MAX_HEIGHT, Math.max(MIN_HEIGHT, event.data.height)));
    }
    addEventListener("message", onMessage);
    return () => removeEventListener("message", onMessage);
  }, []);
  useEffect(send, [mail]);
  return html`<iframe ref=${frame} title=${text.frame} src="preview" sandbox="allow-scripts" style=${{ height: `${height}px` }}></iframe>`;
}
