// @ts-check
// The settings of a workspace, with its keys, webhooks, balance, suppressions and audit log.
import { html, useState } from "../vendor/preact.js";
import { get, patch } from "../lib/api.js";
import { useAction } from "../lib/load.js";
import { to } from "../lib/router.js";
import { workspace } from "../lib/session.js";
import { common } from "../lib/texts/en/common.js";
import { workspaceTexts } from "../lib/texts/en/workspace.js";
import { Button, Card, Check, Choice, Facts, Page, Problem, say, Tabs, Text } from "../components/parts.js";
import { Balance } from "./balance.js";
import { Audit, Keys, Suppressions } from "./settings-lists.js";
import { Webhooks } from "./webhooks.js";

const text = workspaceTexts.settings;
/** @type {Record<string, any>} */
const VIEWS = { workspace: WorkspaceForm, keys: Keys, webhooks: Webhooks, balance: Balance, suppressions: Suppressions, audit: Audit };

/** @param {{path: string[]}} props */
export function Screen({ path: [view = "workspace"] }) {
  const View = VIEWS[view] ?? VIEWS.workspace;
  const tabs = Object.entries(text.tabs).map(([id, name]) => ({ id, name, href: id === "workspace" ? to("settings") : to("settings", id) }));
  return html`<${Page} name=${text.title}><${Tabs} label=${text.title} of=${tabs} chosen=${view} /><${View} /><//>`;
}

const CURRENCIES = ["EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "AUD", "CAD", "JPY"];

function WorkspaceForm() {
  const [changes, setChanges] = useState(/** @type {Record<string, any>} */ ({}));
  /** @type {Record<string, any>} */
  const now = { ...workspace.value, ...changes };
  const set = (name, value) => setChanges({ ...changes, [name]: value });
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    await patch("/v1/workspace", changes);
    workspace.value = await get("/v1/workspace");
    setChanges({});
    say(common.saved);
  });
  const problem = (name) => error?.at(name);
  const currencies = CURRENCIES.includes(now.currency) ? CURRENCIES : [now.currency, ...CURRENCIES];
  return html`<div class="columns"><${Card} name=${text.tabs.workspace}><form class="form" onSubmit=${save}>
      <${Text} name=${text.name} value=${now.name} problem=${problem("name")} onInput=${(next) => set("name", next)} />
      <${Text} name=${text.timezone} value=${now.timezone} problem=${problem("timezone")} help=${text.timezoneHelp} onInput=${(next) => set("timezone", next)} />
      <${Choice} name=${text.currency} value=${now.currency} problem=${problem("currency")} options=${currencies.map((each) => [each, each])} onChange=${(next) => set("currency", next)} />
      <${Text} name=${text.region} value=${now.region} problem=${problem("region")} maxlength="2" help=${text.regionHelp} onInput=${(next) => set("region", next.toUpperCase())} />
      <${Check} name=${text.strictConsent} value=${now.strictConsent} help=${text.strictConsentHelp} onChange=${(next) => set("strictConsent", next)} />
      ${error && !error.details.length && html`<${Problem} of=${error} />`}
      <div class="row"><${Button} primary type="submit" busy=${busy} disabled=${!Object.keys(changes).length}>${common.save}<//></div>
    </form><//>
    <${Card} name=${common.record.title}><${Facts} of=${[[common.record.id, html`<code>${now.uid}</code>`]]} /><//></div>`;
}
