// The same campaign as JSON: editable, and to be taken along.
import { html, useState } from "../vendor/preact.js";
import { download } from "../lib/download.js";
import { Button, say } from "../components/parts.js";

const PARTS = ["name", "description", "trigger", "entry", "startGrace", "audience", "configuration", "steps"];

export function JsonView({ draft }) {
  const shown = JSON.stringify(Object.fromEntries(PARTS.map((part) => [part, draft.parts.value[part]])), null, 2);
  const [typed, setTyped] = useState(null);
  const [wrong, setWrong] = useState("");
  function write(text) {
    setTyped(text);
    try {
      const read = JSON.parse(text);
      const problem = check(read);
      setWrong(problem);
      if (!problem) draft.edit(read, "json");
    } catch (error) {
      setWrong(error.message);
    }
  }
  async function copy() {
    try {
      await navigator.clipboard.writeText(typed ?? shown);
      say("Copied");
    } catch {
      say("The browser does not let the page copy; select the text instead");
    }
  }
  return html`<section class="json-view" aria-label="JSON">
    <div class="between">
      <p class="muted">What you write here is the draft; the timeline shows the same.</p>
      <span class="row"><${Button} onClick=${copy}>Copy<//><${Button} onClick=${() => download(typed ?? shown, draft.parts.value.name)}>Download<//></span>
    </div>
    ${wrong && html`<p class="notice bad" role="alert">${wrong}</p>`}
    <textarea class="code" aria-label="Campaign as JSON" spellcheck=${false} value=${typed ?? shown} onInput=${(event) => write(event.target.value)}
      onBlur=${() => !wrong && setTyped(null)}></textarea>
  </section>`;
}

/** Only what the page itself stands on; all else is the API's to judge. */
function check(read) {
  if (!read || typeof read !== "object" || Array.isArray(read)) return "A campaign is written as an object";
  const unknown = Object.keys(read).filter((name) => !PARTS.includes(name));
  if (unknown.length) return `${unknown.join(", ")}: not a part of a campaign that can be written here`;
  const broken = "steps" in read && (!Array.isArray(read.steps) || !read.steps.every(isStep));
  return broken ? "steps must be a list of objects, and the lanes of a split too" : "";
}

function isStep(step) {
  if (!step || typeof step !== "object" || Array.isArray(step)) return false;
  if (step.lanes === undefined) return true;
  return Array.isArray(step.lanes) && step.lanes.every((lane) => lane && typeof lane === "object" && (lane.steps === undefined || (Array.isArray(lane.steps) && lane.steps.every(isStep))));
}
