// 90-day strips: one line of text says the day under the pointer or the arrow keys.
(function () {
  "use strict";
  const WORDS = { p: "passing", s: "warning", f: "failing", n: "no data", o: "paused", m: "in maintenance", "-": "not watched yet" };
  const days = (strip) => strip.dataset.strip.split(",");

  function dayAt(strip, index) {
    const day = new Date(`${strip.dataset.until}T00:00:00Z`);
    day.setUTCDate(day.getUTCDate() - (days(strip).length - 1 - index));
    return day;
  }
  function dayName(strip, index) {
    return dayAt(strip, index).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
  }
  function span(minutes) {
    if (minutes < 60) return `${minutes} min`;
    const rest = minutes % 60;
    return `${Math.floor(minutes / 60)} h${rest ? ` ${rest} min` : ""}`;
  }
  function dayText(strip, index) {
    const codes = days(strip);
    const minutes = Number.parseInt(codes[index].slice(1), 10);
    const example = codes[index].endsWith("e") ? ", an example" : "";
    return `${dayName(strip, index)}: ${WORDS[codes[index][0]]}${minutes ? ` for ${span(minutes)}` : ""}${example}`;
  }
  function indexAt(strip, x) {
    const box = strip.getBoundingClientRect();
    const count = days(strip).length;
    return Math.max(0, Math.min(count - 1, Math.floor(((x - box.left) / box.width) * count)));
  }
  const slider = (strip) => strip.closest("[data-strip-nav]");
  function output(strip) {
    const nav = slider(strip);
    return nav ? document.getElementById(nav.dataset.stripNav) : document.querySelector("[data-strip-read]");
  }
  function write(strip, text) {
    const place = output(strip);
    if (!place) return;
    if (place.dataset.rest === undefined) place.dataset.rest = place.textContent;
    place.textContent = text === null ? place.dataset.rest : text;
  }
  function show(strip, index) {
    const row = strip.closest("tr");
    const nav = slider(strip);
    const who = row && !nav ? `${row.querySelector("a").textContent.trim()}, ` : "";
    const way = nav && days(strip)[index] !== "-" ? ". Enter or a click opens its incidents" : "";
    write(strip, who + dayText(strip, index) + way);
    if (nav) point(nav, strip, index);
  }
  function point(nav, strip, index) {
    nav.dataset.index = index;
    nav.setAttribute("aria-valuenow", index);
    nav.setAttribute("aria-valuetext", dayText(strip, index));
    const cursor = strip.querySelector(".strip-cursor");
    const step = strip.viewBox.baseVal.width / days(strip).length;
    if (cursor) cursor.setAttribute("x", index * step);
  }
  const MOVES = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: -7, PageDown: 7, Home: -Infinity, End: Infinity };

  const listening = new WeakSet();

  // Also after a swap, which takes away what the server did not write.
  function makeSlider(nav) {
    const strip = nav.querySelector("[data-strip]");
    if (!strip || nav.getAttribute("role") === "slider") return;
    const last = days(strip).length - 1;
    nav.tabIndex = 0;
    nav.setAttribute("role", "slider");
    nav.setAttribute("aria-label", nav.dataset.label || "Day");
    nav.setAttribute("aria-valuemin", 0);
    nav.setAttribute("aria-valuemax", last);
    strip.setAttribute("aria-hidden", "true");
    point(nav, strip, Number(nav.dataset.index || last));
    if (!listening.has(nav)) listen(nav);
  }
  // The incidents of the day; one that was not watched yet has none.
  function openDay(nav, index) {
    const strip = nav.querySelector("[data-strip]");
    if (days(strip)[index] === "-") return;
    location.assign(nav.dataset.days + dayAt(strip, index).toISOString().slice(0, 10));
  }
  function listen(nav) {
    listening.add(nav);
    const strip = () => nav.querySelector("[data-strip]");
    nav.addEventListener("keydown", (event) => {
      if (event.key === "Enter") openDay(nav, Number(nav.dataset.index));
      const move = MOVES[event.key];
      if (move === undefined) return;
      event.preventDefault();
      const last = days(strip()).length - 1;
      show(strip(), Math.max(0, Math.min(last, Number(nav.dataset.index) + move)));
    });
    nav.addEventListener("click", (event) => openDay(nav, indexAt(strip(), event.clientX)));
    nav.addEventListener("focus", () => show(strip(), Number(nav.dataset.index)));
    nav.addEventListener("blur", () => write(strip(), null));
  }
  const makeSliders = () => document.querySelectorAll("[data-strip-nav]").forEach(makeSlider);
  makeSliders();
  document.addEventListener("htmx:after:swap", makeSliders);

  document.addEventListener("pointermove", (event) => {
    const strip = event.target.closest("[data-strip]");
    if (!strip) return;
    if (slider(strip)) slider(strip).classList.add("on");
    show(strip, indexAt(strip, event.clientX));
  });
  document.addEventListener("pointerout", (event) => {
    const strip = event.target.closest("[data-strip]");
    if (!strip || strip.contains(event.relatedTarget)) return;
    const nav = slider(strip);
    if (nav) nav.classList.remove("on");
    if (document.activeElement !== nav) write(strip, null);
  });
})();
