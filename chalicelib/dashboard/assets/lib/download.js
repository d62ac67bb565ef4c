// @ts-check
// Saves a text of the page as a file.

/**
 * @param {string} text
 * @param {string} name file name without its extension; other characters than letters, digits and "-" become "-"
 */
export function download(text, name, type = "application/json", extension = "json") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const fileName = `${name.replace(/[^\w-]+/g, "-").toLowerCase()}.${extension}`;
  const link = Object.assign(document.createElement("a"), { href: url, download: fileName });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
