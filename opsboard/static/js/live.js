// The live clock: the time of the last good answer. Old numbers must never look live.
// And the voice: an element with an id and data-say is read out when those words change.
(function () {
  "use strict";
  const EVERY = 15_000;
  const clock = document.getElementById("live");
  const time = clock && clock.querySelector("time");
  const isLive = () => document.querySelector("[data-live]") !== null;
  let answered = time ? Date.parse(time.dateTime) : 0;
  // How far this machine's clock is from the server's: the page was made just now.
  let ahead = answered ? Date.now() - answered : 0;

  function span(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000);
    return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
  }
  function showAnswered() {
    const at = new Date(answered).toISOString();
    clock.className = "live m-hide";
    clock.innerHTML = "Updated <time></time> UTC";
    const shown = clock.querySelector("time");
    shown.dateTime = at;
    shown.textContent = at.slice(11, 19);
  }
  function showLate(silent) {
    clock.className = "live st st-warn";
    clock.innerHTML =
      '<svg class="gl" aria-hidden="true"><use href="#g-warn"/></svg><span></span> <a>Reload</a>';
    clock.querySelector("span").textContent = `No update for ${span(silent)}`;
    clock.querySelector("a").href = location.href;
  }
  function tick() {
    const silent = Date.now() - ahead - answered;
    if (document.hidden || !isLive() || silent <= 3 * EVERY) return;
    showLate(silent);
  }

  // Whether Opsboard itself is well, as each good answer says.
  function showBanner(reason) {
    const banner = document.getElementById("banner");
    if (!banner) return;
    banner.hidden = reason === null;
    const words = banner.querySelector("[data-banner]");
    if (reason !== null && words.textContent !== reason) words.textContent = reason;
  }

  if (clock && time) {
    setInterval(tick, 5000);
    document.addEventListener("htmx:after:request", (event) => {
      const response = event.detail.ctx.response;
      if (!event.target.matches("[data-live]") || !(response.status < 300 || response.status === 304)) return;
      const tag = response.headers.get("HX-PTag");
      if (response.status === 304 && tag) event.target.dataset.tag = tag;
      answered = Date.parse(response.headers.get("Date")) || Date.now() - ahead;
      ahead = Date.now() - answered;
      showAnswered();
      showBanner(response.headers.get("Opsboard-Banner"));
    });
    // A hidden tab asks nothing; seen again, it asks at once.
    document.addEventListener("htmx:before:request", (event) => {
      if (document.hidden && event.target.matches("[data-live]")) event.preventDefault();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      document.querySelectorAll("[data-live]").forEach((part) => part.dispatchEvent(new Event("opsboard:seen")));
    });
  }

  const spoken = () => new Map(
    [...document.querySelectorAll("[data-say][id]")].map((part) => [part.id, part.dataset.say]),
  );
  let before = spoken();
  document.addEventListener("htmx:after:swap", () => {
    const now = spoken();
    const news = [...now].filter(([id, words]) => before.get(id) !== words).map(([, words]) => words);
    before = now;
    if (news.length) window.opsboard.say(news.join(". "));
  });

  htmx.registerExtension("keep", {
    // What a person has opened stays open: the server does not know about it.
    htmx_before_morph_attr: (part, detail) => !(detail.attrName === "open" && part.matches("details")),
    // A piece that is only named has not changed.
    htmx_before_morph_node: (part, detail) => !isNamed(detail.newNode),
  });
  const isNamed = (node) => node.dataset !== undefined && "same" in node.dataset;
  // What the page shows stands with it, whoever put it there: the tag of the part itself is sent.
  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    const { tag } = ctx.sourceElement.dataset;
    if (tag && !unsorted.has(ctx.sourceElement.id)) ctx.request.headers["HX-PTag"] = tag;
  });
  // A piece named that is not here: ask for all of it, at once.
  document.addEventListener("htmx:after:swap", () => {
    for (const part of document.querySelectorAll("[data-live]:has([data-same])")) {
      delete part.dataset.tag;
      part.dispatchEvent(new Event("opsboard:seen"));
    }
  });

  // Rows do not jump under the pointer or the focus: they keep their order until both have left.
  function keepOrder(list, fragment) {
    if (!list.id || !list.matches(":hover, :focus-within")) return false;
    const news = fragment.querySelector(`[id="${CSS.escape(list.id)}"]`);
    if (!news) return false;
    const rows = new Map([...news.children].map((row) => [row.id, row]));
    const kept = [...list.children].map((row) => rows.get(row.id)).filter(Boolean);
    const wanted = [...news.children];
    news.prepend(...kept);
    return wanted.some((row, place) => row !== news.children[place]);
  }
  // The order that is still to come: until it is shown, "nothing changed" is no answer.
  const unsorted = new Set();
  document.addEventListener("htmx:before:swap", (event) => {
    for (const { target, fragment } of event.detail.tasks || []) {
      if (!target || !fragment) continue;
      const lists = [...target.querySelectorAll("[data-steady]")];
      const held = lists.map((list) => keepOrder(list, fragment)).some(Boolean);
      if (held) unsorted.add(target.id); else unsorted.delete(target.id);
    }
  });
})();
