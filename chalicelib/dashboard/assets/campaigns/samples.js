// Campaigns to begin with. They take the first channel and its published template; what is missing the page marks.
import { names, readNames } from "../lib/names.js";

export const SAMPLES = [
  { id: "empty", name: "An empty timeline", words: "Add the first step yourself." },
  { id: "remind", name: "Remind who did not open", words: "A message, two days, a reminder for those who did not open it." },
  { id: "compare", name: "Compare two texts", words: "An A/B test of two messages, half and half." },
  { id: "welcome", name: "Welcome in three parts", words: "Three messages over a week, in the morning where the contact lives." },
];

const STEPS = {
  empty: () => [],
  remind: (send) => [
    send("hello", "First message"),
    { id: "pause", type: "WAIT", for: "P2D" },
    {
      id: "opened",
      type: "CONDITION",
      name: "Opened?",
      lanes: [
        { label: "yes", when: { message: "hello", is: "opened" }, steps: [{ id: "mark", type: "TAG", add: ["engaged"] }] },
        { label: "no", steps: [send("remind", "Reminder")] },
      ],
    },
  ],
  compare: (send) => [
    {
      id: "which",
      type: "AB_TEST",
      name: "Which text?",
      lanes: [
        { label: "A", weight: 50, steps: [send("text-a", "Text A")] },
        { label: "B", weight: 50, steps: [send("text-b", "Text B")] },
      ],
    },
  ],
  welcome: (send) => [
    send("day-1", "Welcome"),
    { id: "two-days", type: "WAIT", for: "P2D" },
    { id: "morning", type: "WAIT", localTime: "09:00" },
    send("day-3", "How to begin"),
    { id: "four-days", type: "WAIT", for: "P4D" },
    { id: "next-morning", type: "WAIT", localTime: "09:00" },
    send("day-7", "What others do"),
  ],
};

/** The body of `POST /v1/campaigns`. */
export async function buildSample(id, name) {
  await readNames("channels", "templates");
  const templates = [...names.value.templates.values()].filter((each) => each.status === "PUBLISHED");
  const channels = [...names.value.channels.values()].filter((each) => each.active);
  const fits = (channel) => templates.some((each) => each.channelType === channel.type);
  const channel = channels.findLast(fits) ?? channels[0];
  const template = templates.find((each) => each.channelType === channel?.type);
  const send = (stepId, words) => ({ id: stepId, type: "SEND", name: words, channelUid: channel?.uid, templateUid: template?.uid });
  return { name, steps: STEPS[id](send) };
}
