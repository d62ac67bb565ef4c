// One campaign: the timeline and what stands around it.
import { computed, html, signal, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { names, namesError, readNames } from "../lib/names.js";
import { place, to } from "../lib/router.js";
import { useSheet } from "../lib/sheets.js";
import { Icon } from "../components/icons.js";
import { Loaded, Page, Problem, Tabs } from "../components/parts.js";
import { audienceWords } from "./audience-form.js";
import { CampaignBar, Conflict, PauseBanner } from "./campaign-bar.js";
import { Overview } from "./campaign-overview.js";
import { openDraft } from "./draft.js";
import { keyName, makeEditor } from "./editor.js";
import { InsertMenu } from "./insert-menu.js";
import { Inspector } from "./inspector.js";
import { JsonView } from "./json-view.js";
import { Timeline } from "./timeline.js";
import { triggerWords } from "./trigger-words.js";
import { Versions } from "./versions.js";

const sheet = useSheet(import.meta.resolve("./builder.css"));
await sheet;
/** What is asked for while somebody looks; the API's own numbers are not fresher than this. */
const POLL_MS = 3_000;
const AT_REST_MS = 15_000;

export function Screen({ path: [uid] }) {
  const loaded = useLoad(async (signal) => {
    const [campaign] = await Promise.all([
      get(`/v1/campaigns/${uid}`, {}, signal),
      readNames("channels", "templates", "segments", "nodeTypes", "channelTypes"),
    ]);
    return campaign;
  }, [uid]);
  if (!loaded.data) return html`<${Page} name="Campaign" back=${{ href: to("campaigns"), name: "Campaigns" }}><${Loaded} from=${loaded} what="This campaign" /><//>`;
  return html`<${Campaign} campaign=${loaded.data} />`;
}

function Campaign({ campaign }) {
  const draft = useMemo(() => openDraft(campaign), [campaign.uid]);
  const editor = useMemo(() => makeEditor(draft, () => names.value.nodeTypes), [draft]);
  const view = place.value.query.get("view") || "timeline";
  const [watching, setWatching] = useState(true);
  const status = useStatus(draft, watching);
  useEffect(() => () => draft.close(), [draft]);
  useEffect(() => {
    const refresh = () => !document.hidden && draft.refresh();
    const onKey = (event) => onGlobalKey(event, draft);
    document.addEventListener("visibilitychange", refresh);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("visibilitychange", refresh);
      document.removeEventListener("keydown", onKey);
    };
  }, [draft]);
  useEffect(() => {
    document.title = `${draft.parts.value.name} · Carillon`;
  }, [draft.parts.value.name]);
  const tabs = ["timeline", "json", "versions"].map((id) => ({
    id,
    name: id === "json" ? "JSON" : id.charAt(0).toUpperCase() + id.slice(1),
    href: to("campaigns", draft.uid, { view: id === "timeline" ? "" : id }),
  }));
  const counters = useMemo(() => makeCounters(), [draft]);
  counters.set(watching ? status.data : null);
  return html`<div class="campaign">
    <${CampaignBar} draft=${draft} status=${status} watching=${watching} setWatching=${setWatching} />
    <${Tabs} label="Views" of=${[...tabs, { id: "flows", name: "Flows", href: to("flows", { campaignUid: draft.uid }) }]} chosen=${view} />
    <div class="banners">
      <${PauseBanner} status=${status.data} draft=${draft} reload=${status.reload} />
      <${Conflict} draft=${draft} />
      <${Problem} of=${draft.error.value ?? namesError.value} again=${draft.state.value === "failed" ? draft.save : undefined} />
    </div>
    ${view === "json" && html`<${JsonView} draft=${draft} />`}
    ${view === "versions" && html`<${Versions} draft=${draft} />`}
    ${view === "timeline" && html`<${Builder} editor=${editor} counters=${counters} status=${status.data} />`}
  </div>`;
}

/** Often while something runs, seldom otherwise; not at all with the counters off. */
function useStatus(draft, watching) {
  const [every, setEvery] = useState(POLL_MS);
  const status = useLoad((signal) => get(`/v1/campaigns/${draft.uid}/status`, {}, signal), [draft.uid], {
    every: watching ? every : AT_REST_MS,
  });
  const isMoving = ["RUNNING", "SCHEDULED"].includes(status.data?.state);
  useEffect(() => setEvery(isMoving ? POLL_MS : AT_REST_MS), [isMoving]);
  return status;
}

/** The cards listen to this and not to the page, so that a tick of the counters redraws nothing else. */
function makeCounters() {
  const all = signal(null);
  const flow = computed(() => all.value?.flowUid ?? "");
  const nodes = computed(() => (all.value?.flowUid ? all.value.nodes : null));
  return {
    set: (status) => (all.value = status ?? null),
    flow,
    get value() {
      return nodes.value;
    },
  };
}

const ZOOMS = [50, 75, 100];

function Builder({ editor, counters, status }) {
  const [zoom, setZoom] = useState(100);
  const canvas = useRef(null);
  useEffect(() => {
    // The line begins in the middle, however wide its splits are.
    canvas.current.scrollLeft = (canvas.current.scrollWidth - canvas.current.clientWidth) / 2;
  }, [zoom]);
  const size = (value, words) => html`<button type="button" aria-pressed=${value === zoom ? "true" : "false"} onClick=${() => setZoom(value)}>${words}</button>`;
  return html`<div class="builder">
    <div class="canvas" ref=${canvas} role="region" aria-label="Timeline" tabindex="-1">
      <div class="zoom" role="group" aria-label="Size">
        ${ZOOMS.map((each) => size(each, `${each} %`))}
        <button type="button" aria-pressed=${ZOOMS.includes(zoom) ? "false" : "true"} onClick=${() => setZoom(fitting(canvas.current, zoom))}>Fit</button>
      </div>
      <div class="zoomed" style=${{ zoom: `${zoom}%` }}>
        <${Timeline} editor=${editor} counters=${counters} Start=${Start} />
      </div>
    </div>
    <${Inspector} editor=${editor} overview=${html`<${Overview} editor=${editor} status=${status} />`} />
    <${InsertMenu} editor=${editor} />
  </div>`;
}

/** So small that the widest split is seen whole. */
function fitting(canvas, zoom) {
  const widest = Math.max(1, ...[...canvas.querySelectorAll(".lanes")].map((each) => each.getBoundingClientRect().width));
  return Math.max(10, Math.min(100, Math.floor((zoom * (canvas.clientWidth - 48)) / widest)));
}

function Start({ editor }) {
  const { trigger, audience } = editor.draft.parts.value;
  const chosen = editor.selected.value?.kind;
  const pill = (kind, words) => html`<button type="button" class="start-pill" aria-pressed=${chosen === kind ? "true" : "false"}
    onClick=${() => (editor.selected.value = chosen === kind ? null : { kind })}><${Icon} name=${kind} /><span>${words}</span></button>`;
  return html`<div class="starts">${pill("trigger", triggerWords(trigger))}${pill("audience", audienceWords(audience))}</div>`;
}

/** Undo and redo work everywhere but where a text field has its own. */
function onGlobalKey(event, draft) {
  const pressed = keyName(event);
  const isTyping = event.target.closest?.("input, textarea, select, dialog");
  if (isTyping || !["Mod+z", "Mod+y", "Mod+s"].includes(pressed)) return;
  event.preventDefault();
  if (pressed === "Mod+s") draft.save();
  else if (pressed === "Mod+y" || event.shiftKey) draft.redo();
  else draft.undo();
}
