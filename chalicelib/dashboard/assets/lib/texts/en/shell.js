// @ts-check
// Texts of the shell: sign-in, navigation, overview.
import { count } from "../../numbers.js";
import { CONTACT, ERROR, MESSAGE, plural } from "./plural.js";

export const shell = {
  signIn: {
    title: "Sign in",
    titleAgain: "Sign in again",
    lead: "Use an API key of your workspace. It stays in this tab and is forgotten when you close the tab.",
    leadAgain: "Your key is no longer accepted. Nothing on the page is lost: enter a key to continue.",
    key: "API key",
    keyExample: "cln_live_…",
    refused: "This key isn’t valid. It is mistyped, expired or revoked.",
    submit: "Sign in",
  },
  navigation: {
    label: "Main",
    skip: "Skip to the page",
    menu: "Menu",
    screens: {
      overview: "Overview",
      campaigns: "Campaigns",
      flows: "Flows",
      contacts: "Contacts",
      segments: "Segments",
      templates: "Templates",
      channels: "Channels",
      messages: "Messages",
      settings: "Settings",
    },
    theme: { "": "Theme: as the system", light: "Theme: light", dark: "Theme: dark" },
    signOut: "Sign out",
  },
  notFound: { title: "Page not found", link: "Go to the overview" },
  notLoaded: "This part of the dashboard could not be loaded. The dashboard may have been updated.",
  overview: {
    title: "Overview",
    what: "The overview",
    needs: {
      title: "Needs attention",
      none: "Nothing: no flow is paused or failing, and no draft has errors.",
      draft: (errors, first) => `Draft with ${plural(errors, ERROR)}: ${first}`,
      paused: (held) => `Paused by an operator. ${plural(held, CONTACT)} held`,
      pausedBecause: (cause, held) => `Paused: ${cause}. ${plural(held, CONTACT)} held`,
      failed: (amount, reason) => `${plural(amount, CONTACT)} failed. Most frequent reason: ${reason}`,
    },
    running: {
      title: "Running now",
      all: "All flows",
      none: (link) => ["Nothing is running. ", link, "."],
      launch: "Launch a campaign",
      /** `finished` is a share, `end` a time or null. */
      progress: ({ finished, total, sent, perMinute, end }) =>
        `${finished} of ${count(total)} finished · ${count(sent)} sent · ${count(perMinute)} per minute${end ? ` · ends ${end}` : ""}`,
    },
    balance: {
      title: "Balance",
      what: "The balance",
      open: "Open",
      low: (limit) => `Low: less than ${limit} is available.`,
      available: "Available",
      reserved: "Reserved",
      total: "Total",
    },
    chart: {
      title: (days) => `Sent by flows of the last ${days} days`,
      what: "The chart",
      caption: "Messages by day",
      total: (messages) => `${plural(messages, MESSAGE)}, on the day on which the flow started`,
      latest: (messages, flows) => `${plural(messages, MESSAGE)}, on the day on which the flow started; the latest ${flows} flows`,
    },
    start: {
      title: "Get started",
      channels: ["Channel", "The provider that delivers your messages."],
      templates: ["Template", "The content of a message."],
      import: ["Contacts", "Import them from a CSV file."],
      campaigns: ["Campaign", "Who gets which message, when, and under which conditions."],
    },
  },
};
