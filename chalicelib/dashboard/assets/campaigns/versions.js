// The published versions of a campaign, and what changed between them.
import { html, useState } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useLoad, usePages } from "../lib/load.js";
import { Differences } from "../components/differences.js";
import { Button, Choice, Empty, Loaded, More, say, Table, Time } from "../components/parts.js";

export function Versions({ draft }) {
  const versions = usePages(`/v1/campaigns/${draft.uid}/versions`, { limit: 50 });
  return html`<section class="versions" aria-label="Versions and differences"><${Loaded} from=${versions} what="The list of versions">${(all) =>
    all.length
      ? html`<${Comparison} draft=${draft} versions=${all} />
        <${Table} label="Versions" rows=${all} keyOf=${(row) => row.version} columns=${[
          { name: "Version", cell: (row) => html`<b>v${row.version}</b>` },
          { name: "Name", cell: (row) => row.name },
          { name: "Published", cell: (row) => html`<${Time} at=${row.publishedAt} plain />` },
          { name: "", class: "num", cell: (row) => html`<${Button} onClick=${() => restore(draft, row.version)}>Take into the draft<//>` },
        ]} /><${More} from=${versions} />`
      : html`<${Empty} name="Never published">Each launch publishes the draft as the next version, which never changes again.<//>`}<//></section>`;
}

const readVersion = (draft, version, signal) => get(`/v1/campaigns/${draft.uid}/versions/${version}`, {}, signal);

async function restore(draft, number) {
  const { steps, configuration, name } = await readVersion(draft, number);
  draft.edit({ steps, configuration, name });
  say(`The draft is v${number} again; Undo takes that back`);
}

function Comparison({ draft, versions }) {
  const [[from, to], choose] = useState([String(versions[0].version), "draft"]);
  const options = [["draft", "The draft"], ...versions.map((each) => [String(each.version), `v${each.version}`])];
  const shown = useLoad(
    async (signal) => Promise.all([from, to].map((each) => (each === "draft" ? draft.parts.value : readVersion(draft, each, signal)))),
    [from, to, draft.parts.value],
  );
  return html`<div class="row"><${Choice} name="From" value=${from} options=${options} onChange=${(next) => choose([next, to])} />
      <${Choice} name="To" value=${to} options=${options} onChange=${(next) => choose([from, next])} /></div>
    <${Loaded} from=${shown}>${([before, after]) => html`<${Differences} before=${part(before)} after=${part(after)} />`}<//>`;
}

const part = ({ name, trigger, entry, configuration, steps }) => ({ name, trigger, entry, configuration, steps });
