// @ts-check
// The campaign as JSON: editable, with copy and download.
import { html, useState } from "../vendor/preact.js";
import { download } from "../lib/download.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { Button, say } from "../components/parts.js";

const PARTS = ["name", "description", "trigger", "entry", "startGrace", "audience", "configuration", "steps"];

const text = campaigns.json;

/** @param {{draft: ReturnType<typeof import("./draft.js").openDraft>}} props */
export function JsonView({ draft }) {
  const shown = JSON.stringify(Object.fromEntries(PARTS.map((part) => [part, draft.parts.value[part]])), null, 2);
  const [typed, setTyped] = useState(null);
  const [wrong, setWrong] = useState("");
  function write(next) {
    setTyped(next);
    try {
      const read = JSON.parse(next);
      const problem = check(read);
      setWrong(problem);
      if (!problem) draft.edit(read, "json");
    } catch (error) {
      setWrong(text.invalid(error instanceof Error ? error.message : String(error)));
    }
  }
  async function copy() {
    try {
      await navigator.clipboard.writeText(typed ?? shown);
      say(text.copied);
    } catch {
      say(text.copyRefused);
    }
  }
  return html`<section class="json-view" aria-label=${campaigns.campaign.tabs.json}>
    <div class="between">
      <p class="muted">${text.help}</p>
      <span class="row"><${Button} onClick=${copy}>${text.copy}<//><${Button} onClick=${() => download(typed ?? shown, draft.parts.value.name)}>${text.download}<//></span>
    </div>
    ${wrong && html`<p class="notice bad" role="alert">${wrong}</p>`}
    <textarea class="code" aria-label=${text.label} spellcheck=${false} value=${typed ?? shown} onInput=${(event) => write(event.target.value)}
      onBlur=${() => !wrong && setTyped(null)}></textarea>
  </section>`;
}

/** Check the structure that the page needs. The API checks everything else. */
function check(read) {
  if (!read || typeof read !== "object" || Array.isArray(read)) return text.notObject;
  const unknown = Object.keys(read).filter((name) => !PARTS.includes(name));
  if (unknown.length) return text.unknown(unknown);
  const broken = "steps" in read && (!Array.isArray(read.steps) || !read.steps.every(isStep));
  return broken ? text.badSteps : "";
}

function isStep(step) {
  if (!step || typeof step !== "object" || Array.isArray(step)) return false;
  if (step.lanes === undefined) return true;
  return Array.isArray(step.lanes) && step.lanes.every((lane) => lane && typeof lane === "object" && (lane.steps === undefined || (Array.isArray(lane.steps) && lane.steps.every(isStep))));
}
