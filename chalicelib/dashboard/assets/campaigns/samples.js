// @ts-check
// Sample campaigns. They use a channel with a published template; the page marks what is missing.
import { names, readNames } from "../lib/names.js";
import { campaigns } from "../lib/texts/en/campaigns.js";

const text = campaigns.samples;

/** @type {Record<string, (send: (id: string, name: string) => import("../lib/steps.js").Step) => import("../lib/steps.js").Step[]>} */
const STEPS = {
  empty: () => [],
  remind: (send) => [
    send("hello", text.remind.steps.first),
    { id: "pause", type: "WAIT", for: "P2D" },
    {
      id: "opened",
      type: "CONDITION",
      name: text.remind.steps.opened,
      lanes: [
        { label: "yes", when: { message: "hello", is: "opened" }, steps: [{ id: "mark", type: "TAG", add: ["engaged"] }] },
        { label: "no", steps: [send("remind", text.remind.steps.reminder)] },
      ],
    },
  ],
  compare: (send) => [
    {
      id: "which",
      type: "AB_TEST",
      name: text.compare.steps.test,
      lanes: [
        { label: "A", weight: 50, steps: [send("text-a", text.compare.steps.a)] },
        { label: "B", weight: 50, steps: [send("text-b", text.compare.steps.b)] },
      ],
    },
  ],
  welcome: (send) => [
    send("day-1", text.welcome.steps.first),
    { id: "two-days", type: "WAIT", for: "P2D" },
    { id: "morning", type: "WAIT", localTime: "09:00" },
    send("day-3", text.welcome.steps.second),
    { id: "four-days", type: "WAIT", for: "P4D" },
    { id: "next-morning", type: "WAIT", localTime: "09:00" },
    send("day-7", text.welcome.steps.third),
  ],
};

export const SAMPLES = Object.keys(STEPS);

/**
 * Return the body of `POST /v1/campaigns`.
 * @param {string} id
 * @param {string} name
 */
export async function buildSample(id, name) {
  await readNames("channels", "templates");
  const templates = [...names.value.templates.values()].filter((each) => each.status === "PUBLISHED");
  const channels = [...names.value.channels.values()].filter((each) => each.active);
  const fits = (channel) => templates.some((each) => each.channelType === channel.type);
  const channel = channels.findLast(fits) ?? channels[0];
  const template = templates.find((each) => each.channelType === channel?.type);
  const send = (stepId, stepName) => ({ id: stepId, type: "SEND", name: stepName, channelUid: channel?.uid, templateUid: template?.uid });
  return { name, steps: STEPS[id](send) };
}
