// The workspace, its keys, webhooks, balance, suppressions and audit log.
import { html, useState } from "../vendor/preact.js";
import { get, patch } from "../lib/api.js";
import { useAction } from "../lib/load.js";
import { to } from "../lib/router.js";
import { workspace } from "../lib/session.js";
import { Button, Card, Check, Choice, Facts, Page, Problem, say, Tabs, Text } from "../components/parts.js";
import { Balance } from "./balance.js";
import { Audit, Keys, Suppressions } from "./settings-lists.js";
import { Webhooks } from "./webhooks.js";

const VIEWS = {
  workspace: ["Workspace", WorkspaceForm],
  keys: ["Keys", Keys],
  webhooks: ["Webhooks", Webhooks],
  balance: ["Balance", Balance],
  suppressions: ["Suppressions", Suppressions],
  audit: ["Audit", Audit],
};

export function Screen({ path: [view = "workspace"] }) {
  const [, View] = VIEWS[view] ?? VIEWS.workspace;
  const tabs = Object.entries(VIEWS).map(([id, [name]]) => ({ id, name, href: id === "workspace" ? to("settings") : to("settings", id) }));
  return html`<${Page} name="Settings"><${Tabs} label="Settings" of=${tabs} chosen=${view} /><${View} /><//>`;
}

const CURRENCIES = ["EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "AUD", "CAD", "JPY"];

function WorkspaceForm() {
  const [changes, setChanges] = useState({});
  const now = { ...workspace.value, ...changes };
  const set = (name, value) => setChanges({ ...changes, [name]: value });
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    await patch("/v1/workspace", changes);
    workspace.value = await get("/v1/workspace");
    setChanges({});
    say("Saved");
  });
  const problem = (name) => error?.at?.(name);
  const currencies = CURRENCIES.includes(now.currency) ? CURRENCIES : [now.currency, ...CURRENCIES];
  return html`<div class="columns"><${Card} name="Workspace"><form class="form" onSubmit=${save}>
      <${Text} name="Name" value=${now.name} problem=${problem("name")} onInput=${(next) => set("name", next)} />
      <${Text} name="Time zone" value=${now.timezone} problem=${problem("timezone")} help="For contacts without one of their own; IANA name, e.g. Europe/Berlin" onInput=${(next) => set("timezone", next)} />
      <${Choice} name="Currency" value=${now.currency} problem=${problem("currency")} options=${currencies.map((each) => [each, each])} onChange=${(next) => set("currency", next)} />
      <${Text} name="Region of phone numbers" value=${now.region} problem=${problem("region")} maxlength="2" help="Two letters; for numbers without a country code" onInput=${(next) => set("region", next.toUpperCase())} />
      <${Check} name="Consent is needed for every message" value=${now.strictConsent} help="Without it only newsletters need consent." onChange=${(next) => set("strictConsent", next)} />
      ${error && !error.details.length && html`<${Problem} of=${error} />`}
      <div class="row"><${Button} primary type="submit" busy=${busy} disabled=${!Object.keys(changes).length}>Save<//></div>
    </form><//>
    <${Card} name="Record"><${Facts} of=${[["Id", html`<code>${now.uid}</code>`]]} /><//></div>`;
}
