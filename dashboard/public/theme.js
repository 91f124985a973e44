// Runs before the first paint, as a file of its own because the content security policy allows no inline script.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("mave.theme") || choice;
  } catch {
    // Storage may be forbidden; the system's theme is a fine response.
  }
  const dark = choice === "dark" || (choice === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
