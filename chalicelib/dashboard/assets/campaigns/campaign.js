// @ts-check
// One campaign: the timeline, the JSON and the versions, below the bar.
import { computed, html, signal, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { names, namesError, readNames } from "../lib/names.js";
import { place, to } from "../lib/router.js";
import { useSheet } from "../lib/sheets.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { common } from "../lib/texts/en/common.js";
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

await useSheet(import.meta.resolve("./builder.css"));

const text = campaigns.campaign;
/** The statistics of the API are not newer than this. */
const POLL_MS = 3_000;
const IDLE_POLL_MS = 15_000;

/** @typedef {Api["CampaignStatusResponse"]} Status */

/** @param {{path: string[]}} props */
export function Screen({ path: [uid] }) {
  const loaded = useLoad(async (signal) => {
    const [campaign] = await Promise.all([
      get(`/v1/campaigns/${uid}`, {}, signal),
      readNames("channels", "templates", "segments", "nodeTypes", "channelTypes"),
    ]);
    return campaign;
  }, [uid]);
  if (!loaded.data) return html`<${Page} name=${text.title} back=${{ href: to("campaigns"), name: text.back }}><${Loaded} from=${loaded} what=${text.what} /><//>`;
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
    document.title = common.page.title(draft.parts.value.name);
  }, [draft.parts.value.name]);
  const tabs = ["timeline", "json", "versions"].map((id) => ({
    id,
    name: text.tabs[id],
    href: to("campaigns", draft.uid, { view: id === "timeline" ? "" : id }),
  }));
  const counters = useMemo(() => makeCounters(), [draft]);
  counters.set(watching ? status.data : null);
  return html`<div class="campaign">
    <${CampaignBar} draft=${draft} status=${status} watching=${watching} setWatching=${setWatching} />
    <${Tabs} label=${text.views} of=${[...tabs, { id: "flows", name: text.tabs.flows, href: to("flows", { campaignUid: draft.uid }) }]} chosen=${view} />
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

/** Read the status: every 3 seconds while the campaign runs, otherwise or without statistics every 15 seconds. */
function useStatus(draft, watching) {
  const [every, setEvery] = useState(POLL_MS);
  const status = useLoad((signal) => get(`/v1/campaigns/${draft.uid}/status`, {}, signal), [draft.uid], {
    every: watching ? every : IDLE_POLL_MS,
  });
  const isMoving = ["RUNNING", "SCHEDULED"].includes(status.data?.state ?? "");
  useEffect(() => setEvery(isMoving ? POLL_MS : IDLE_POLL_MS), [isMoving]);
  return status;
}

/** Signals of the statistics. Only the cards read them, so new statistics do not redraw the page. */
function makeCounters() {
  const all = signal(/** @type {Status | null} */ (null));
  const flow = computed(() => all.value?.flowUid ?? "");
  const nodes = computed(() => (all.value?.flowUid ? all.value.nodes : null));
  return {
    set: (/** @type {Status | null | undefined} */ status) => (all.value = status ?? null),
    flow,
    get value() {
      return nodes.value;
    },
  };
}

const ZOOMS = [50, 75, 100];

function Builder({ editor, counters, status }) {
  const [zoom, setZoom] = useState(100);
  const canvas = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    // The line starts in the middle of the canvas.
    const element = canvas.current;
    if (element) element.scrollLeft = (element.scrollWidth - element.clientWidth) / 2;
  }, [zoom]);
  const size = (value, words) => html`<button type="button" aria-pressed=${value === zoom ? "true" : "false"} onClick=${() => setZoom(value)}>${words}</button>`;
  return html`<div class="builder">
    <div class="canvas" ref=${canvas} role="region" aria-label=${text.timeline} tabindex="-1">
      <div class="zoom" role="group" aria-label=${text.size}>
        ${ZOOMS.map((each) => size(each, text.zoom(each)))}
        <button type="button" aria-pressed=${ZOOMS.includes(zoom) ? "false" : "true"} onClick=${() => setZoom(fitting(canvas.current, zoom))}>${text.fit}</button>
      </div>
      <div class="zoomed" style=${{ zoom: `${zoom}%` }}>
        <${Timeline} editor=${editor} counters=${counters} Start=${Start} />
      </div>
    </div>
    <${Inspector} editor=${editor} overview=${html`<${Overview} editor=${editor} status=${status} />`} />
    <${InsertMenu} editor=${editor} />
  </div>`;
}

/** Return the zoom at which the widest split fits into the canvas. */
function fitting(canvas, zoom) {
  const widest = Math.max(1, ...[...canvas.querySelectorAll(".lanes")].map((each) => each.getBoundingClientRect().width));
  return Math.max(10, Math.min(100, Math.floor((zoom * (canvas.clientWidth - 48)) / widest)));
}

function Start({ editor }) {
  const { trigger, audience } = editor.draft.parts.value;
  const chosen = editor.selected.value?.kind;
  const pill = (/** @type {"trigger" | "audience"} */ kind, words) => html`<button type="button" class="start-pill" aria-pressed=${chosen === kind ? "true" : "false"}
    onClick=${() => (editor.selected.value = chosen === kind ? null : { kind })}><${Icon} name=${kind} /><span>${words}</span></button>`;
  return html`<div class="starts">${pill("trigger", triggerWords(trigger))}${pill("audience", audienceWords(audience))}</div>`;
}

/** Undo, redo and save work everywhere except in a text field, which has an undo. */
function onGlobalKey(event, draft) {
  const pressed = keyName(event);
  const isTyping = event.target.closest?.("input, textarea, select, dialog");
  if (isTyping || !["Mod+z", "Mod+y", "Mod+s"].includes(pressed)) return;
  event.preventDefault();
  if (pressed === "Mod+s") draft.save();
  else if (pressed === "Mod+y" || event.shiftKey) draft.redo();
  else draft.undo();
}
