// @ts-check
// The screens. files.py reads this table: the page lists for each screen the files that its module imports.

/** Name of a screen (`screenOf`) → loads the module that exports it as `Screen`. */
export const SCREENS = {
  overview: () => import("./overview.js"),
  campaigns: () => import("../campaigns/campaign-list.js"),
  "campaigns/": () => import("../campaigns/campaign.js"),
  flows: () => import("../flows/flow-list.js"),
  "flows/": () => import("../flows/flow.js"),
  "flows//": () => import("../flows/execution.js"),
  contacts: () => import("../contacts/contact-list.js"),
  "contacts/": () => import("../contacts/contact.js"),
  import: () => import("../contacts/import.js"),
  segments: () => import("../contacts/segment-list.js"),
  "segments/": () => import("../contacts/segment.js"),
  templates: () => import("../content/template-list.js"),
  "templates/": () => import("../content/template.js"),
  channels: () => import("../workspace/channel-list.js"),
  "channels/": () => import("../workspace/channel.js"),
  messages: () => import("../flows/message-list.js"),
  settings: () => import("../workspace/settings.js"),
  "settings/": () => import("../workspace/settings.js"),
};
