// Single-key shortcuts, with their list and an off switch kept on this device (WCAG 2.1.4).
(function () {
  "use strict";
  const { store } = window.opsboard;
  const list = document.getElementById("keys");
  const opener = document.querySelector("[data-keys-open]");
  const isOn = document.querySelector("[data-keys-on]");
  if (!list || !opener || !isOn) return;
  opener.hidden = false;
  opener.addEventListener("click", () => list.showModal());
  isOn.checked = store.get("opsboard-keys") !== "off";
  isOn.addEventListener("change", () => store.set("opsboard-keys", isOn.checked ? null : "off"));

  function toNote() {
    const note = document.getElementById("note");
    if (!note) return false;
    note.scrollIntoView();
    (note.querySelector("a, button, h2") || note).focus({ preventScroll: true });
    return true;
  }
  function toFind() {
    const find = document.getElementById("find");
    if (find) find.focus(); else location.assign("/search");
    return true;
  }
  // Enter opens, so it is never a button that acts: a row in which nothing opens is passed over.
  const linkOf = (row) => [...row.querySelectorAll("a")].find((link) => link.checkVisibility());
  function toRow(step) {
    const rows = [...document.querySelectorAll("[data-rows] tbody tr")].filter((row) => !row.hidden && linkOf(row));
    if (!rows.length) return false;
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))];
    const link = linkOf(next);
    link.focus();
    link.scrollIntoView({ block: "nearest" });
    return true;
  }
  const KEYS = {
    "?": () => { list.showModal(); return true; },
    "/": toFind,
    n: toNote,
    j: () => toRow(1),
    k: () => toRow(-1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || list.open || !isOn.checked) return;
    if (/^(input|textarea|select)$/i.test(event.target.tagName) || event.target.isContentEditable) return;
    const act = KEYS[event.key];
    if (act && act()) event.preventDefault();
  });

  const mark = (element, is) => {
    const row = element && element.closest("[data-rows] tbody tr");
    if (row) row.classList.toggle("is-at", is);
  };
  document.addEventListener("focusin", (event) => mark(event.target, true));
  document.addEventListener("focusout", (event) => mark(event.target, false));
  document.addEventListener("htmx:after:swap", () => mark(document.activeElement, true));
})();
