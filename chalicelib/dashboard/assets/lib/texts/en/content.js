// @ts-check
// Texts of the screens of templates.
import { count } from "../../numbers.js";
import { CHARACTER, PARAMETER, SMS, plural } from "./plural.js";

export const content = {
  list: {
    title: "Templates",
    create: "New template",
    name: "Name",
    status: "Status",
    channelType: "Channel type",
    what: "The list of templates",
    noMatch: "No templates match the filters.",
    empty: { title: "No templates yet", text: "A template is the content of a message. Placeholders stand for the data of the contact." },
    columns: { name: "Name", status: "Status", channelType: "Channel type", messageType: "Message type", version: "Version", changed: "Changed" },
  },
  create: {
    messageType: "Message type",
    help: "A newsletter is sent only to contacts with consent.",
    /** @type {[string, string][]} */
    messageTypes: [["MESSAGE", "Transactional"], ["NEWSLETTER", "Newsletter"], ["CONVERSATION", "Conversation"]],
    /** The API requires a value in every required field. */
    firstSubject: "Hello {{ first_name }}",
    firstText: "Hello {{ first_name }},\n\nwrite your message here.\n",
  },
  template: {
    title: "Template",
    back: "Templates",
    what: "This template",
    saving: "Saving …",
    notSaved: "Not saved",
    test: "Send a test …",
    more: "More …",
    publish: (version) => (version ? `Publish v${version}` : "Publish"),
    published: (version) => `Version ${version} is published`,
    rejected: (reason) => `Rejected: ${reason}`,
    content: "Message content",
    name: "Name",
    defaults: "Default values",
    help: "Placeholders are written {{ first_name }}. A contact is skipped if a placeholder has neither a value nor a default value.",
  },
  versions: {
    title: "Versions",
    label: "Published versions",
    what: "The list of versions",
    none: "Never published. Campaigns send published versions only.",
    version: "Version",
    published: "Published",
    compare: "Compare",
    compareWithDraft: (version) => `Compare v${version} with the draft`,
    changes: (version) => `From v${version} to the draft:`,
  },
  more: {
    reason: "Reason to reject this template",
    help: "A campaign with a rejected template cannot be launched, and flows that send it pause.",
    reject: "Reject",
    delete: "Delete …",
    deletion: {
      label: (name) => `Delete “${name}”?`,
      text: "This deletes its versions. Campaigns that send it can no longer be launched.",
      action: "Delete the template",
    },
  },
  preview: {
    title: "Preview",
    what: "The preview",
    width: "Width",
    /** @type {Record<string, string>} */
    widths: { phone: "Phone", desktop: "Desktop" },
    as: (name) => `As ${name}`,
    asContact: "Preview as a contact …",
    uses: (names) => `Uses ${names.join(", ")}`,
    missing: (amount) => `${plural(amount, PARAMETER)} without a value: `,
    skipped: (contact) => [contact, " would be skipped."],
    setDefaults: "Set default values, or preview as a contact.",
    checkSpelling: " Check the spelling of the names.",
    subject: "Subject: ",
    /** Sizes of one part; `segments` is the number of SMS, or 0 for other content. */
    size: ({ name, characters, segments, encoding }) => `${name}: ${plural(characters, CHARACTER)}${segments ? `, ${plural(segments, SMS)} (${encoding})` : ""}`,
    field: (name, value) => `${name}: ${value}`,
    textPart: (characters) => `Text part: ${count(characters)} characters`,
    frame: "Rendered mail",
  },
};
