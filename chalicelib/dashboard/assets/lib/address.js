// Addresses inside the page: the part of the URL after "#".

/** Split `#/flows?status=running` into its path and its query. */
export function readAddress(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

/** Build an address: `to("campaigns", uid)`, `to("flows", {status: "running"})`. */
export function to(...parts) {
  const query = typeof parts.at(-1) === "object" ? parts.pop() : {};
  const given = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

/** Name the screen of a path: its first part, and one slash for each further part. `["flows", uid]` is "flows/". */
export const screenOf = (path) => (path.length ? path[0] + "/".repeat(path.length - 1) : "overview");
