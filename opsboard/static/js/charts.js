// The chart of a path: four rows that share a clock. Without this file the page shows a drawing.
(function () {
  "use strict";
  const box = document.querySelector("[data-chart]");
  const readout = document.querySelector("[data-chart-read]");
  const whole = document.querySelector("[data-chart-whole]");
  if (!box || !window.uPlot) return;
  const read = () => {
    const place = document.getElementById("chart-data");
    return place ? JSON.parse(place.textContent) : null;
  };
  let data = read();
  if (!data) return;

  const narrow = matchMedia("(max-width: 48rem)").matches;
  const LEFT = 48;
  const FONT = "12px 'Plex Sans', system-ui, sans-serif";
  const dpr = () => window.devicePixelRatio || 1;
  const charts = [];

  // light-dark() tokens resolve only where they are used: read them back from an element.
  const swatch = document.createElement("i");
  swatch.hidden = true;
  box.append(swatch);
  const ink = (token) => {
    swatch.style.color = `var(${token})`;
    return getComputedStyle(swatch).color;
  };

  /* Words */
  const pad = (value) => String(value).padStart(2, "0");
  const hasDays = () => data.t[data.t.length - 1] - data.t[0] > 86_400;
  function clock(seconds) {
    const at = new Date(seconds * 1000);
    const time = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`;
    if (!hasDays()) return time;
    const isOtherYear = at.getUTCFullYear() !== new Date(data.t[data.t.length - 1] * 1000).getUTCFullYear();
    const day = at.toLocaleDateString("en-GB", {
      day: "numeric", month: "short", timeZone: "UTC", ...(isOtherYear && { year: "numeric" }),
    });
    return data.step >= 86_400 || time === "00:00" ? day : `${day} ${time}`;
  }
  const milliseconds = (value) => `${Math.round(value).toLocaleString("en-GB")} ms`;
  function tick(row, value) {
    if (row === "calls") return String(value);
    if (row !== "time") return `${value}%`;
    if (value === 0) return "0";
    return value < 1000 ? `${value} ms` : `${value / 1000} s`;
  }
  // As the server says it: of fewer than 20 the counts.
  function share(part, whole) {
    if (whole < 20) return `${part} of ${whole}`;
    const tenths = Math.floor((1000 * part) / whole);
    if (part && !tenths) return "under 0.1%";
    return `${tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)}%`;
  }
  function phaseWords(index) {
    const parts = data.hasDatabase ? [`database ${Math.round(data.database[index])}`] : [];
    parts.push(`${data.hasDatabase ? "application" : "waiting"} ${Math.round(data.application[index])}`);
    parts.push(`connect ${Math.round(data.connect[index])}`, `download ${Math.round(data.download[index])}`);
    return parts.join(" + ");
  }
  function wordsAt(index) {
    const words = [["", clock(data.t[index])]];
    const meanwhile = (data.marks || []).filter((mark) => mark.at >= data.t[index] && mark.at < data.t[index] + data.step);
    words.push(...meanwhile.map((mark) => ["", mark.words]));
    if (!data.probes[index]) return [...words, ["", "no data"]];
    for (const name of ["p50", "p95", "p99"]) {
      if (data[name][index] !== null) words.push([name, milliseconds(data[name][index])]);
    }
    if (data.database[index] !== null) words.push(["mean", `${phaseWords(index)} ms`]);
    if (data.cached[index]) words.push(["hits", share(...data.cached[index])]);
    if (data.calls[index] !== null) words.push(["calls", String(Math.round(data.calls[index]))]);
    return [...words, ["wrong", `${data.wrong[index]} of ${data.probes[index]}`]];
  }
  const rest = readout.textContent;
  function show(index) {
    readout.replaceChildren();
    if (index === null || index === undefined) {
      readout.textContent = rest;
      return;
    }
    for (const [label, value] of wordsAt(index)) {
      const span = document.createElement("span");
      const bold = document.createElement("b");
      bold.textContent = value;
      span.append(label ? `${label} ` : "", bold);
      readout.append(span);
    }
  }

  /* Drawing */
  function wash(u) {
    u.ctx.save();
    u.ctx.fillStyle = ink("--fail-wash");
    for (const [begin, end] of data.failing) {
      const from = Math.max(u.valToPos(begin, "x", true), u.bbox.left);
      const to = Math.min(u.valToPos(end, "x", true), u.bbox.left + u.bbox.width);
      if (to > from) u.ctx.fillRect(from, u.bbox.top, to - from, u.bbox.height);
    }
    u.ctx.restore();
  }
  function limitLine(u, row) {
    const limit = data.limits[row];
    if (!limit || limit.value > data.scales[row].top) return;
    const y = Math.round(u.valToPos(limit.value, "y", true)) + 0.5;
    const { ctx, bbox } = u;
    const scale = dpr();
    ctx.save();
    ctx.setLineDash([4 * scale, 3 * scale]);
    ctx.strokeStyle = ctx.fillStyle = ink("--ink-2");
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = `${12 * scale}px 'Plex Sans', system-ui`;
    ctx.textAlign = "left";
    // Above the line, or below it where there is no room.
    const above = y - bbox.top > 16 * scale;
    ctx.textBaseline = above ? "bottom" : "top";
    ctx.fillText(limit.words, bbox.left + 4 * scale, y + (above ? -3 : 3) * scale);
    ctx.restore();
  }
  // A rollback is a firm line, a version that began to run a thin one, a step of the way back dashed.
  const MARKS = { rollback: ["--ink", 2, []], step: ["--ink-2", 1, [2, 3]], deploy: ["--ink-2", 1, []] };
  const nameWidth = 100;
  function marks(u, row) {
    const { ctx, bbox } = u;
    const scale = dpr();
    const named = [];
    const seen = (data.marks || []).map((mark) => ({ ...mark, x: Math.round(u.valToPos(mark.at, "x", true)) }))
      .filter((mark) => mark.x >= bbox.left && mark.x <= bbox.left + bbox.width);
    // A rollback is named before a release, and each where there is room.
    seen.sort((one, other) => (one.kind !== "rollback") - (other.kind !== "rollback"));
    ctx.save();
    ctx.font = `${12 * scale}px 'Plex Sans', system-ui`;
    ctx.textBaseline = "top";
    for (const mark of seen) {
      const [token, width, dash] = MARKS[mark.kind];
      ctx.strokeStyle = ctx.fillStyle = ink(token);
      ctx.lineWidth = width * scale;
      ctx.setLineDash(dash.map((part) => part * scale));
      ctx.beginPath();
      ctx.moveTo(mark.x + 0.5, bbox.top);
      ctx.lineTo(mark.x + 0.5, bbox.top + bbox.height);
      ctx.stroke();
      const isFree = named.every((x) => Math.abs(x - mark.x) > nameWidth * scale);
      if (row !== "time" || mark.kind === "step" || !isFree) continue;
      named.push(mark.x);
      const isLate = mark.x > bbox.left + bbox.width - 110 * scale;
      ctx.textAlign = isLate ? "right" : "left";
      ctx.fillStyle = ink("--ink");
      ctx.fillText(mark.words, mark.x + (isLate ? -4 : 4) * scale, bbox.top + 2 * scale);
    }
    ctx.restore();
  }
  function hatch(u) {
    const tile = document.createElement("canvas");
    const size = (tile.width = tile.height = 6 * dpr());
    const pen = tile.getContext("2d");
    pen.strokeStyle = ink("--data-2");
    pen.lineWidth = 1.1 * dpr();
    pen.beginPath();
    for (const shift of [-size, 0, size]) {
      pen.moveTo(shift, size);
      pen.lineTo(shift + size, 0);
    }
    pen.stroke();
    return u.ctx.createPattern(tile, "repeat");
  }
  // A step alone between two gaps would be no line: it is drawn as a dot.
  const alone = (values) => (u, series, index) =>
    values()[index] !== null && (values()[index - 1] ?? null) === null && (values()[index + 1] ?? null) === null;
  const dots = (values) => ({
    show: (u) => values().some((_, index) => alone(values)(u, 1, index)),
    filter: () => values().map((_, index) => index).filter((index) => alone(values)(null, 1, index)),
    size: 4,
    fill: () => ink("--data-1"),
  });
  const area = (token) => ({
    stroke: "transparent", width: 0, fill: () => ink(token), points: { show: false }, spanGaps: false,
  });
  const line = (token, values, width = 1.5) => ({
    stroke: () => ink(token), width, points: dots(values), spanGaps: false,
  });

  const sum = (...names) => data.t.map((_, index) =>
    data[names[0]][index] === null ? null : names.reduce((total, name) => total + data[name][index], 0));
  const ROWS = {
    time: {
      height: narrow ? 162 : 218,
      series: () => [area("--data-4"), area("--data-3"), area("--data-2"), area("--data-1"), line("--ink", () => data.p95, 1.25)],
      values: () => [
        sum("database", "application", "connect", "download"), sum("database", "application", "connect"),
        sum("database", "application"), data.database, data.p95,
      ],
    },
    cache: {
      height: 76,
      series: () => [
        { stroke: "transparent", width: 0, fill: hatch, points: { show: false }, spanGaps: false },
        { ...line("--data-1", () => data.hits, 1.25), fill: () => ink("--data-4") },
      ],
      values: () => [data.hits.map((value) => (value === null ? null : 100)), data.hits],
    },
    calls: { height: 76, series: () => [line("--data-1", () => data.calls)], values: () => [data.calls] },
    errors: { height: 92, hasClock: true, series: () => [line("--data-1", () => data.errors)], values: () => [data.errors] },
  };
  const grid = () => ({ stroke: () => ink("--data-grid"), width: 1 });
  const axis = () => ({ font: FONT, stroke: () => ink("--ink-3"), grid: grid(), ticks: { show: false } });

  function make(element, name) {
    const row = ROWS[name];
    const chart = new uPlot({
      width: element.clientWidth,
      height: row.height,
      padding: [10, 8, row.hasClock ? 0 : 8, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { show: false },
      cursor: { sync: { key: "path" }, y: false, drag: { x: true, y: false, setScale: true }, points: { show: false } },
      scales: { x: { time: true }, y: { range: () => [0, data.scales[name].top] } },
      axes: [
        { ...axis(), size: row.hasClock ? 22 : 0, gap: 4, space: narrow ? 60 : 80, values: (u, ticks) => ticks.map((at) => (row.hasClock ? clock(at) : "")) },
        { ...axis(), size: LEFT, gap: 6, splits: () => data.scales[name].ticks, values: (u, ticks) => ticks.map((value) => tick(name, value)) },
      ],
      series: [{}, ...row.series()],
      hooks: {
        drawClear: [wash],
        draw: [(u) => limitLine(u, name), (u) => marks(u, name)],
        setScale: [(u, key) => { if (key === "x" && name === "time") noteZoom(u); }],
        setCursor: [(u) => { if (name === "time") show(u.cursor.idx); }],
      },
    }, [data.t, ...row.values()], element);
    chart.row = row;
    charts.push(chart);
  }
  function noteZoom(u) {
    const { min, max } = u.scales.x;
    whole.hidden = min <= data.t[0] && max >= data.t[data.t.length - 1];
  }
  document.querySelectorAll("[data-chart] [data-row]").forEach((element) => make(element, element.dataset.row));

  /* Keeping up */
  const redraw = () => charts.forEach((chart) => chart.redraw());
  document.addEventListener("opsboard:theme", redraw);
  if (document.fonts) document.fonts.ready.then(redraw);
  new ResizeObserver(() => charts.forEach((chart) => {
    const width = chart.root.parentNode.clientWidth;
    if (width && width !== chart.width) chart.setSize({ width, height: chart.height });
  })).observe(box);
  document.addEventListener("htmx:after:swap", () => {
    const news = read();
    if (!news) return;
    data = news;
    const isZoomed = !whole.hidden;
    charts.forEach((chart) => {
      chart.setData([data.t, ...chart.row.values()], !isZoomed);
      if (isZoomed) chart.redraw();
    });
  });

  /* Looking closer: dragging, or the keys. The button and a double click lead back. */
  const LEAST = 3;
  function lookAt(min, max) {
    charts.forEach((chart) => chart.setScale("x", { min, max }));
  }
  function closer(factor) {
    const { min, max } = charts[0].scales.x;
    const middle = at === null ? (min + max) / 2 : data.t[at];
    const half = Math.max(((max - min) * factor) / 2, (LEAST * data.step) / 2);
    const first = data.t[0], last = data.t[data.t.length - 1];
    // Clear of the edges, so that no key is spent on what is not there.
    const begin = Math.max(first, Math.min(middle - half, last - 2 * half));
    lookAt(begin, Math.min(last, begin + 2 * half));
  }
  const showAll = () => lookAt(data.t[0], data.t[data.t.length - 1]);
  whole.addEventListener("click", () => {
    showAll();
    box.focus();
  });
  const ZOOMS = { "+": () => closer(0.5), "=": () => closer(0.5), "-": () => closer(2), Escape: showAll };

  // Arrow keys move the same cursor that the pointer moves.
  const MOVES = { ArrowLeft: -1, ArrowRight: 1, PageUp: -15, PageDown: 15, Home: -Infinity, End: Infinity };
  let at = null;
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = MOVES[event.key];
    const zoom = ZOOMS[event.key];
    if (move === undefined && !zoom) return;
    event.preventDefault();
    if (zoom) {
      zoom();
      return;
    }
    const { min, max } = charts[0].scales.x;
    const first = data.t.findIndex((moment) => moment >= min);
    const last = data.t.findLastIndex((moment) => moment <= max);
    at = Math.max(first, Math.min(last, (at ?? last + 1) + move));
    charts.forEach((chart) => chart.setCursor({ left: chart.valToPos(data.t[at], "x"), top: 10 }, false));
    show(at);
    window.opsboard.say(readout.textContent);
  });
})();
