// The theme button and Copy. Every page reads and works without scripts.
(function () {
  "use strict";
  const root = document.documentElement;
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) {
      try {
        if (value === null) localStorage.removeItem(key); else localStorage.setItem(key, value);
      } catch { /* storage is off: the choice lasts for this page */ }
    },
  };
  // One announcement at a time, for those who do not see the page.
  function say(text) {
    const place = document.getElementById("say");
    if (place) place.textContent = text;
  }
  window.opsboard = { say, store };

  /* Theme: system, light, dark. Charts redraw on the event. */
  const button = document.querySelector("[data-theme-toggle]");
  const word = document.querySelector("[data-theme-word]");
  const NEXT = { system: "light", light: "dark", dark: "system" };
  const theme = () => root.dataset.theme || "system";
  const themed = () => document.dispatchEvent(new CustomEvent("opsboard:theme"));
  function showTheme() { word.textContent = theme()[0].toUpperCase() + theme().slice(1); }
  if (button) {
    button.hidden = false;
    showTheme();
    button.addEventListener("click", () => {
      const next = NEXT[theme()];
      if (next === "system") delete root.dataset.theme; else root.dataset.theme = next;
      store.set("opsboard-theme", next === "system" ? null : next);
      showTheme();
      say(`${word.textContent} theme`);
      themed();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themed);

  /* A reason of at least so many characters: the hint counts what is still missing. */
  document.querySelectorAll("[data-least]").forEach((field) => {
    const hint = document.getElementById(`${field.id}_helptext`);
    const least = Number(field.dataset.least);
    if (!hint || least < 2) return;
    const words = hint.textContent;
    field.addEventListener("input", () => {
      const written = field.value.trim().length;
      hint.textContent = written && written < least ? `${written} of at least ${least} characters. Everyone can read it.` : words;
    });
  });

  /* Copy the code beside the button. */
  const showCopy = () => document.querySelectorAll("[data-copy][hidden]").forEach((b) => { b.hidden = false; });
  showCopy();
  document.addEventListener("htmx:after:swap", showCopy);
  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (!copy) return;
    const text = copy.parentNode.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      say("Could not copy: select the text and copy it by hand");
      return;
    }
    say("Copied");
    const label = copy.querySelector("[data-copy-word]");
    if (!label) return;
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = "Copy"; }, 1600);
  });
})();
