// Channels, templates and segments by uid, read once and shared by the screens that name them.
import { signal } from "../vendor/preact.js";
import { call, getAll } from "./api.js";

const EMPTY = { channels: new Map(), templates: new Map(), segments: new Map(), nodeTypes: new Map(), channelTypes: new Map() };

export const names = signal(EMPTY);
/** Which of them could not be read, and why. */
export const namesError = signal(null);

const SOURCES = {
  channels: () => getAll("/v1/channels").then(byUid),
  templates: () => getAll("/v1/templates").then(byUid),
  segments: () => getAll("/v1/segments").then(byUid),
  nodeTypes: () => call("GET", "/v1/node-types").then((found) => new Map(found.data.map((each) => [each.type, each.schema]))),
  channelTypes: () => call("GET", "/v1/channel-types").then((found) => new Map(found.data.map((each) => [each.name, each]))),
};

const byUid = (list) => new Map(list.map((each) => [each.uid, each]));

/** Reads what is asked for, again if it was there; a kind that this server does not have stays empty. */
export async function readNames(...kinds) {
  await Promise.all(
    kinds.map(async (kind) => {
      try {
        const found = await SOURCES[kind]();
        names.value = { ...names.value, [kind]: found };
      } catch (error) {
        if (!error.isMissingRoute) namesError.value = error;
      }
    }),
  );
}
