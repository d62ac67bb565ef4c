// Saves a text that the page has made as a file.

export function download(text, name, type = "application/json", ending = "json") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement("a"), { href: url, download: `${name.replace(/[^\w-]+/g, "-").toLowerCase()}.${ending}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
