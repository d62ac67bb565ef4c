// @ts-check
// Addresses inside the page: the part of the URL after "#".

/**
 * Split `#/flows?status=running` into its path and its query.
 * @param {string} hash
 */
export function readAddress(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

/**
 * Build an address: `to("campaigns", uid)`, `to("flows", {status: "running"})`. Empty filters are left out.
 * @param {...(string | Record<string, string | null | undefined>)} parts path segments, then optionally a query
 */
export function to(...parts) {
  const last = parts.at(-1);
  const query = typeof last === "object" ? last : {};
  const path = parts.filter((each) => typeof each === "string");
  const filters = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const search = new URLSearchParams(filters).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

/**
 * Name the screen of a path: its first part, and one slash for each further part. `["flows", uid]` is "flows/".
 * @param {string[]} path
 */
export const screenOf = (path) => (path.length ? path[0] + "/".repeat(path.length - 1) : "overview");
