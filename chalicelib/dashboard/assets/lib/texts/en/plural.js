// @ts-check
// Counted nouns in English.
import { count } from "../../numbers.js";

const rules = new Intl.PluralRules("en");

/**
 * `plural(3, { one: "contact", other: "contacts" })` → "3 contacts".
 * @param {number} amount
 * @param {{one: string, other: string}} forms
 */
export const plural = (amount, forms) => `${count(amount)} ${forms[rules.select(amount)] ?? forms.other}`;

export const ATTEMPT = { one: "attempt", other: "attempts" };
export const CHARACTER = { one: "character", other: "characters" };
export const CONTACT = { one: "contact", other: "contacts" };
export const ERROR = { one: "error", other: "errors" };
export const MESSAGE = { one: "message", other: "messages" };
export const PARAMETER = { one: "parameter", other: "parameters" };
export const ISSUE = { one: "issue", other: "issues" };
export const ROW = { one: "row", other: "rows" };
export const SMS = { one: "SMS", other: "SMS" };
export const WARNING = { one: "warning", other: "warnings" };
