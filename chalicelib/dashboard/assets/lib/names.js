// @ts-check
// Channels, templates and segments by uid. They are read once and shared by the screens that show their names.
import { signal } from "../vendor/preact.js";
import { call, getAll, toApiError } from "./api.js";

/**
 * @typedef {object} Names
 * @property {Map<string, Api["ChannelResponse"]>} channels
 * @property {Map<string, Api["Template"]>} templates
 * @property {Map<string, Api["SegmentSummary"]>} segments
 * @property {Map<string, any>} nodeTypes JSON Schema of each step type
 * @property {Map<string, any>} channelTypes JSON Schemas of the settings and the content of each channel type
 */

/** @type {Names} */
const EMPTY = { channels: new Map(), templates: new Map(), segments: new Map(), nodeTypes: new Map(), channelTypes: new Map() };

export const names = signal(EMPTY);
/** @type {import("../vendor/preact.js").Signal<import("./api.js").ApiError | null>} Why the last read failed. */
export const namesError = signal(null);

/** @type {Record<keyof Names, () => Promise<Map<string, any>>>} */
const SOURCES = {
  channels: () => getAll("/v1/channels").then(byUid),
  templates: () => getAll("/v1/templates").then(byUid),
  segments: () => getAll("/v1/segments").then(byUid),
  nodeTypes: () => call("GET", "/v1/node-types").then((found) => new Map(found.data.map((each) => [each.type, each.schema]))),
  channelTypes: () => call("GET", "/v1/channel-types").then((found) => new Map(found.data.map((each) => [each.name, each]))),
};

const byUid = (list) => new Map(list.map((each) => [each.uid, each]));

/**
 * Read these kinds, also when they were read before. A kind that this server does not have stays empty.
 * @param {...keyof Names} kinds
 */
export async function readNames(...kinds) {
  await Promise.all(
    kinds.map(async (kind) => {
      try {
        const found = await SOURCES[kind]();
        names.value = { ...names.value, [kind]: found };
      } catch (failure) {
        const error = toApiError(failure);
        if (!error.isMissingRoute) namesError.value = error;
      }
    }),
  );
}
