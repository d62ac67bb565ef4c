// Style sheets that come with the screens that need them.

const wanted = new Map();

/** Resolves once the sheet applies; `url` is what import.meta.resolve gives. */
export function useSheet(url) {
  if (!wanted.has(url)) {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url });
    wanted.set(
      url,
      new Promise((done) => {
        link.onload = link.onerror = done;
      }),
    );
    document.head.append(link);
  }
  return wanted.get(url);
}
