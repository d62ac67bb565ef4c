// @ts-check
// The published versions of a campaign, and what changed between them.
import { html, useState } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useLoad, usePages } from "../lib/load.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { common } from "../lib/texts/en/common.js";
import { Differences } from "../components/differences.js";
import { Button, Choice, Empty, Loaded, More, say, Table, Time } from "../components/parts.js";

const text = campaigns.versions;

/** @param {{draft: ReturnType<typeof import("./draft.js").openDraft>}} props */
export function Versions({ draft }) {
  const versions = usePages(`/v1/campaigns/${draft.uid}/versions`, { limit: 50 });
  return html`<section class="versions" aria-label=${text.label}><${Loaded} from=${versions} what=${text.what}>${(all) =>
    all.length
      ? html`<${Comparison} draft=${draft} versions=${all} />
        <${Table} label=${text.title} rows=${all} keyOf=${(row) => row.version} columns=${[
          { name: text.columns.version, cell: (row) => html`<b>${common.version(row.version)}</b>` },
          { name: text.columns.name, cell: (row) => row.name },
          { name: text.columns.published, cell: (row) => html`<${Time} at=${row.publishedAt} plain />` },
          { name: "", class: "num", cell: (row) => html`<${Button} onClick=${() => restore(draft, row.version)}>${text.restore}<//>` },
        ]} /><${More} from=${versions} />`
      : html`<${Empty} name=${text.empty.title}>${text.empty.text}<//>`}<//></section>`;
}

const readVersion = (draft, version, signal) => get(`/v1/campaigns/${draft.uid}/versions/${version}`, {}, signal);

async function restore(draft, number) {
  const { steps, configuration, name } = await readVersion(draft, number);
  draft.edit({ steps, configuration, name });
  say(text.restored(number));
}

function Comparison({ draft, versions }) {
  const [[from, to], choose] = useState([String(versions[0].version), "draft"]);
  const options = [["draft", text.draft], ...versions.map((each) => [String(each.version), common.version(each.version)])];
  const shown = useLoad(
    async (signal) => Promise.all([from, to].map((each) => (each === "draft" ? draft.parts.value : readVersion(draft, each, signal)))),
    [from, to, draft.parts.value],
  );
  return html`<div class="row"><${Choice} name=${text.from} value=${from} options=${options} onChange=${(next) => choose([next, to])} />
      <${Choice} name=${text.to} value=${to} options=${options} onChange=${(next) => choose([from, next])} /></div>
    <${Loaded} from=${shown}>${([before, after]) => html`<${Differences} before=${part(before)} after=${part(after)} />`}<//>`;
}

/** The parts of a version that are compared. */
const part = ({ name, trigger, entry, configuration, steps }) => ({ name, trigger, entry, configuration, steps });
