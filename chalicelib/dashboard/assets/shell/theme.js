// @ts-check
// A classic script that runs before the first paint; without a stored choice, the theme of the system applies.
try {
  const chosen = localStorage.getItem("carillon.theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
  // If storage is forbidden, the theme of the system applies.
}
