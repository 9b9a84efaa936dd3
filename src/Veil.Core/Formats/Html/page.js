// SPDX-License-Identifier: GPL-3.0-only
"use strict";
(async () => {
  const id = (name) => document.getElementById(name);
  const rowHeight = 24;
  const tableRows = 200;
  const treeRows = 2000;
  const printedRows = 500;

  let data;
  try {
    if (typeof DecompressionStream === "undefined") throw new Error("it is too old to unpack what it holds (2023 or later is needed)");
    const packed = atob(id("data").textContent);
    const bytes = new Uint8Array(packed.length);
    for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
    data = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
    id("data").remove();
  } catch (cause) {
    id("trouble").textContent = "This browser cannot show the page: " + cause.message;
    id("trouble").hidden = false;
    return;
  }

  // ---- the data, column by column

  const names = data.names;
  const count = data.rows.time.length;
  const rows = {
    time: Float64Array.from(data.rows.time), duration: Float64Array.from(data.rows.duration), process: Int32Array.from(data.rows.process),
    tid: Uint32Array.from(data.rows.tid), module: Int32Array.from(data.rows.module), name: Int32Array.from(data.rows.name),
    error: Int32Array.from(data.rows.error), path: Int32Array.from(data.rows.path), peer: Int32Array.from(data.rows.peer), text: data.rows.text,
  };
  for (let i = 1; i < count; i++) rows.time[i] += rows.time[i - 1];
  const processes = data.processes.map(([pid, parent, name, executed, ended, first, last, events, errors]) =>
    ({ pid, parent, name: names[name], executed: commandOf(executed), ended, first, last, events, errors, children: [] }));
  // Of a call its array of arguments.
  function commandOf(text) {
    const found = /^execve(?:at)?\(.*?\[(.*)\]/.exec(text);
    return found ? found[1].replaceAll('", "', '" "') : text;
  }
  const who = (place) => place < 0 ? "(others)" : processes[place].name + " (" + processes[place].pid + ")";
  const whole = Math.max(data.last_ns, 1);
  const modules = [...new Set(rows.module)].sort((a, b) => a - b);
  if (data.totals) for (const [module] of data.totals.density.rows) if (!modules.includes(module)) modules.push(module);
  let lower = null;

  const state = { from: 0, to: whole, search: "", process: -1, module: -1, name: -1, least: 0, failed: false, file: -1, peer: -1, error: -1, byDuration: false };
  let view = new Int32Array(0);
  let chosen = -1;
  let tab = "calls";
  let order = null;

  // ---- how values are written

  const number = (value) => value.toLocaleString("en-US");
  const plural = (value, one, several) => number(value) + " " + (value === 1 ? one : several);
  function span(ns) {
    if (ns < 0) return "";
    for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["\u00b5s", 1e3]])
      if (ns >= size) return trim(ns / size) + " " + unit;
    return ns + " ns";
  }
  const trim = (value) => value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
  const since = (ns) => "+" + (ns / 1e9).toFixed(6) + " s";
  const clock = (ns) => new Date(data.first_ms + ns / 1e6).toISOString();
  function make(tag, text, type) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (type) element.className = type;
    return element;
  }
  const colour = (module) => getComputedStyle(document.documentElement).getPropertyValue("--m" + (modules.indexOf(module) % 8)).trim();
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // ---- filters

  function isFiltered() {
    return state.search !== "" || state.process >= 0 || state.module >= 0 || state.name >= 0 || state.least > 0 || state.failed ||
      state.file >= 0 || state.peer >= 0 || state.error >= 0;
  }
  const isZoomed = () => state.from > 0 || state.to < whole;
  const usesTotals = () => data.totals && !isFiltered() && !isZoomed();

  function select() {
    const found = new Int32Array(count);
    let length = 0;
    const search = state.search.toLowerCase();
    if (search && !lower) lower = rows.text.map((text, i) => (text + " " + processes[rows.process[i]].name).toLowerCase());
    for (let i = 0; i < count; i++) {
      if (rows.time[i] < state.from || rows.time[i] > state.to) continue;
      if (state.process >= 0 && rows.process[i] !== state.process) continue;
      if (state.module >= 0 && rows.module[i] !== state.module) continue;
      if (state.name >= 0 && rows.name[i] !== state.name) continue;
      if (state.least > 0 && rows.duration[i] < state.least) continue;
      if (state.failed && rows.error[i] === 0) continue;
      if (state.error >= 0 && rows.error[i] !== state.error) continue;
      if (state.file >= 0 && rows.path[i] !== state.file) continue;
      if (state.peer >= 0 && rows.peer[i] !== state.peer) continue;
      if (search && !lower[i].includes(search)) continue;
      found[length++] = i;
    }
    view = found.slice(0, length);
    if (state.byDuration) view.sort((a, b) => rows.duration[b] - rows.duration[a] || a - b);
  }

  function refresh() {
    select();
    chosen = -1;
    id("detail").hidden = true;
    const also = [];
    if (state.file >= 0) also.push("file " + names[state.file]);
    if (state.peer >= 0) also.push("peer " + names[state.peer]);
    if (state.error >= 0) also.push("error " + names[state.error]);
    id("shown").textContent = number(view.length) + " of " + plural(count, "event", "events") +
      (data.totals ? " on this page" : "") + (also.length ? "; " + also.join(", ") : "") +
      (isZoomed() ? "; from " + since(state.from) + " to " + since(state.to) : "");
    drawTime();
    drawHeat();
    drawTable();
    drawTree();
    id("list").scrollTop = 0;
    id("space").style.height = view.length * rowHeight + "px";
    drawList();
  }

  function change(values) {
    Object.assign(state, values);
    id("search").value = state.search;
    id("process").value = state.process;
    id("module").value = state.module;
    id("name").value = state.name;
    id("least").value = state.least;
    if (id("least").selectedIndex < 0) id("least").value = 0;
    id("failed").checked = state.failed;
    refresh();
  }

  function clear() {
    change({ from: 0, to: whole, search: "", process: -1, module: -1, name: -1, least: 0, failed: false, file: -1, peer: -1, error: -1 });
  }

  function fill(select, all, entries) {
    for (const [value, text] of [[-1, all], ...entries]) {
      const option = make("option", text);
      option.value = value;
      select.append(option);
    }
  }

  // ---- the time line

  let drag = null;

  function prepare(canvas, height) {
    const scale = window.devicePixelRatio || 1;
    const width = Math.max(canvas.clientWidth, 50);
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    return [context, width];
  }

  // Counts by row and bin of what is in view.
  function bins(number, rowOf, totals) {
    const found = new Map();
    const length = state.to - state.from;
    const add = (row, bin, more) => {
      if (!found.has(row)) found.set(row, new Float64Array(number));
      found.get(row)[Math.min(Math.max(bin, 0), number - 1)] += more;
    };
    if (usesTotals()) {
      for (const [row, ...counts] of totals.rows)
        counts.forEach((more, bin) => { if (more) add(row, Math.floor((bin * totals.width - state.from) / length * number), more); });
    } else {
      for (const i of view) {
        const row = rowOf(i);
        if (row >= 0) add(row, Math.floor((rows.time[i] - state.from) / length * number), 1);
      }
    }
    return found;
  }

  function drawTime() {
    const height = 130;
    const [context, width] = prepare(id("timeline"), height);
    const number = Math.max(20, Math.min(Math.floor(width / 4), usesTotals() ? 256 : 400));
    const found = bins(number, (i) => rows.module[i], data.totals && data.totals.density);
    let most = 1;
    for (let bin = 0; bin < number; bin++) {
      let sum = 0;
      for (const counts of found.values()) sum += counts[bin];
      most = Math.max(most, sum);
    }
    for (let bin = 0; bin < number; bin++) {
      let top = height;
      for (const module of modules) {
        const value = found.has(module) ? found.get(module)[bin] : 0;
        if (!value) continue;
        const part = Math.max(value / most * (height - 8), 1);
        top -= part;
        context.fillStyle = colour(module);
        context.fillRect(bin * width / number, top, Math.max(width / number - 1, 1), part);
      }
    }
    if (drag) {
      context.fillStyle = css("--accent");
      context.globalAlpha = 0.25;
      context.fillRect(Math.min(drag.from, drag.to), 0, Math.abs(drag.to - drag.from), height);
      context.globalAlpha = 1;
    }
    id("from").textContent = since(state.from) + " \u00b7 " + clock(state.from);
    id("to").textContent = since(state.to);
    id("all").hidden = !isZoomed();
    id("timeline").setAttribute("aria-label", "events over time, from " + since(state.from) + " to " + since(state.to) +
      ", at most " + most + " in " + span(Math.round((state.to - state.from) / number)));
  }

  function zoom(from, to) {
    const least = Math.min(1000, whole);
    if (to - from < least) to = from + least;
    if (to > whole) [from, to] = [Math.max(0, from - (to - whole)), whole];
    if (from < 0) [from, to] = [0, Math.min(whole, to - from)];
    change({ from, to });
  }

  const timeAt = (x) => state.from + Math.min(Math.max(x / id("timeline").clientWidth, 0), 1) * (state.to - state.from);

  function listenToTime() {
    const canvas = id("timeline");
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      drag = { from: event.offsetX, to: event.offsetX };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drag) return;
      drag.to = event.offsetX;
      requestAnimationFrame(drawTime);
    });
    canvas.addEventListener("pointerup", () => {
      const done = drag;
      drag = null;
      if (done && Math.abs(done.to - done.from) > 3) zoom(...[timeAt(done.from), timeAt(done.to)].sort((a, b) => a - b));
      else drawTime();
    });
    canvas.addEventListener("pointercancel", () => { drag = null; drawTime(); });
    canvas.addEventListener("keydown", (event) => {
      const length = state.to - state.from, step = length / 5;
      const done = {
        ArrowLeft: () => zoom(state.from - step, state.to - step), ArrowRight: () => zoom(state.from + step, state.to + step),
        "+": () => zoom(state.from + step, state.to - step), "=": () => zoom(state.from + step, state.to - step),
        "-": () => zoom(state.from - step, state.to + step), Escape: () => zoom(0, whole), 0: () => zoom(0, whole),
      }[event.key];
      if (!done) return;
      event.preventDefault();
      done();
    });
    id("all").addEventListener("click", () => { zoom(0, whole); canvas.focus(); });
  }

  // ---- the heat map

  const exponent = (ns) => Math.max(Math.floor(Math.log2(Math.max(ns, 1))), 0);
  let heat = null;

  function drawHeat() {
    const found = bins(96, (i) => rows.duration[i] < 0 ? -1 : exponent(rows.duration[i]), data.totals && data.totals.heat);
    id("heat-section").hidden = found.size === 0 && !isFiltered() && !isZoomed();
    const low = Math.min(...found.keys()), high = Math.max(...found.keys());
    const lines = found.size ? high - low + 1 : 1, line = 14;
    const [context, width] = prepare(id("heat"), lines * line);
    id("scale").replaceChildren();
    heat = { found, low, high, lines, line };
    if (!found.size) return;
    let most = 1;
    for (const counts of found.values()) for (const value of counts) most = Math.max(most, value);
    const from = css("--heat-low").split(",").map(Number), to = css("--heat-high").split(",").map(Number);
    for (const [power, counts] of found) {
      for (let bin = 0; bin < 96; bin++) {
        if (!counts[bin]) continue;
        const share = Math.log(counts[bin] + 1) / Math.log(most + 1);
        context.fillStyle = "rgb(" + from.map((value, i) => Math.round(value + (to[i] - value) * share)).join(",") + ")";
        context.fillRect(bin * width / 96, (high - power) * line, width / 96 + 0.5, line - 1);
      }
    }
    for (let power = low; power <= high; power++) {
      if ((high - power) % 3 !== 0) continue;
      const label = make("span", span(2 ** power));
      label.style.top = (high - power + 0.5) * line + "px";
      id("scale").append(label);
    }
  }

  function listenToHeat() {
    const cellAt = (event) => {
      if (!heat || !heat.found.size) return null;
      const power = heat.high - Math.floor(event.offsetY / heat.line);
      const bin = Math.floor(event.offsetX / id("heat").clientWidth * 96);
      const counts = heat.found.get(power);
      return { power, bin, value: counts ? counts[Math.min(Math.max(bin, 0), 95)] : 0 };
    };
    id("heat").addEventListener("pointermove", (event) => {
      const cell = cellAt(event);
      if (cell)
        id("cell").textContent = plural(cell.value, "event", "events") + " of " + span(2 ** cell.power) + " to " + span(2 ** (cell.power + 1)) +
          " at " + since(state.from + (cell.bin + 0.5) / 96 * (state.to - state.from));
    });
    id("heat").addEventListener("pointerleave", () => { id("cell").textContent = "\u00a0"; });
    id("heat").addEventListener("click", (event) => {
      const cell = cellAt(event);
      if (cell && cell.value) change({ least: 2 ** cell.power });
    });
  }

  // ---- tables

  // Rows of [key, key, key, count, errors, time, longest].
  function tally(keys) {
    const found = new Map();
    for (const i of view) {
      const key = keys(i);
      if (!key) continue;
      const text = key.join();
      let row = found.get(text);
      if (!row) found.set(text, row = [...key, 0, 0, 0, 0]);
      const duration = Math.max(rows.duration[i], 0);
      row[3]++;
      if (rows.error[i]) row[4]++;
      row[5] += duration;
      row[6] = Math.max(row[6], duration);
    }
    return [...found.values()];
  }

  const counted = { title: "Count", of: (row) => row[3], show: number };
  const failures = { title: "Errors", of: (row) => row[4], show: number, bad: true };
  const total = { title: "Time", of: (row) => row[5], show: (value) => value ? span(value) : "" };
  const longest = { title: "Longest", of: (row) => row[6], show: (value) => value ? span(value) : "" };
  const tables = {
    calls: {
      title: "Calls", keys: (i) => [rows.process[i], rows.name[i], 0], order: total,
      columns: [{ title: "Process", of: (row) => who(row[0]) }, { title: "Call", of: (row) => names[row[1]], text: true }, counted, failures, total, longest],
      go: (row) => ({ process: row[0], name: row[1] }),
    },
    slowest: {
      title: "Slowest", rows: () => Array.from(view).filter((i) => rows.duration[i] >= 0).sort((a, b) => rows.duration[b] - rows.duration[a]).slice(0, tableRows),
      columns: [{ title: "Took", of: (i) => rows.duration[i], show: span }, { title: "At", of: (i) => rows.time[i], show: since },
        { title: "Process", of: (i) => who(rows.process[i]) }, { title: "Event", of: (i) => rows.text[i], text: true }],
      show: (i) => reveal(i),
    },
    errors: {
      title: "Errors", keys: (i) => rows.error[i] ? [rows.process[i], rows.name[i], rows.error[i]] : null, order: counted,
      columns: [{ title: "Error", of: (row) => names[row[2]], text: true }, { title: "Call", of: (row) => names[row[1]], text: true },
        { title: "Process", of: (row) => who(row[0]) }, counted, total],
      go: (row) => ({ process: row[0], name: row[1], error: row[2] }),
    },
    files: {
      title: "Files", keys: (i) => rows.path[i] ? [rows.path[i], 0, 0] : null, order: counted,
      columns: [{ title: "File", of: (row) => row[0] < 0 ? "(others)" : names[row[0]], text: true }, counted, failures, total, longest],
      go: (row) => ({ file: row[0] }),
    },
    peers: {
      title: "Peers", keys: (i) => rows.peer[i] ? [rows.peer[i], 0, 0] : null, order: counted,
      columns: [{ title: "Peer", of: (row) => row[0] < 0 ? "(others)" : names[row[0]], text: true }, counted, failures, total, longest],
      go: (row) => ({ peer: row[0] }),
    },
  };

  function rowsOf(name) {
    const table = tables[name];
    if (table.rows) return table.rows();
    return usesTotals() ? data.totals[name].slice() : tally(table.keys);
  }

  function makeTabs() {
    for (const name of Object.keys(tables)) {
      const button = make("button", tables[name].title);
      button.type = "button";
      button.id = "tab-" + name;
      button.setAttribute("role", "tab");
      button.addEventListener("click", () => { tab = name; order = null; drawTable(); });
      button.addEventListener("keydown", (event) => {
        const all = [...id("tabs").children].filter((one) => !one.hidden), at = all.indexOf(button);
        const next = event.key === "ArrowRight" ? all[at + 1] : event.key === "ArrowLeft" ? all[at - 1] : null;
        if (next) { next.focus(); next.click(); }
      });
      id("tabs").append(button);
    }
    id("tab-peers").hidden = !data.rows.peer.some((peer) => peer) && !(data.totals && data.totals.peers.length);
    id("tab-slowest").hidden = !data.rows.duration.some((duration) => duration >= 0);
  }

  function drawTable() {
    for (const button of id("tabs").children) {
      const isOpen = button.id === "tab-" + tab;
      button.setAttribute("aria-selected", isOpen);
      button.tabIndex = isOpen ? 0 : -1;
    }
    id("table").setAttribute("aria-labelledby", "tab-" + tab);
    const table = tables[tab];
    const found = rowsOf(tab);
    let by = order || (table.order && { column: table.order, down: true });
    if (by && by.column === total && !order && !found.some((row) => row[5] > 0)) by = { column: counted, down: true };
    if (by) {
      const { of } = by.column, sign = by.down ? -1 : 1;
      found.sort((a, b) => { const x = of(a), y = of(b); return (x < y ? -1 : x > y ? 1 : 0) * sign; });
    }
    if (!found.length) {
      id("table").replaceChildren(make("p", "Nothing of that kind.", "empty"));
      return;
    }
    const element = make("table"), head = make("thead"), titles = make("tr"), body = make("tbody");
    for (const column of table.columns) {
      const title = make("th", undefined, column.show ? "number" : "");
      title.scope = "col";
      if (by && column === by.column) title.setAttribute("aria-sort", by.down ? "descending" : "ascending");
      const button = make("button", column.title + (by && column === by.column ? by.down ? " \u2193" : " \u2191" : ""));
      button.type = "button";
      button.addEventListener("click", () => {
        order = { column, down: by && by.column === column ? !by.down : Boolean(column.show) };
        drawTable();
      });
      title.append(button);
      titles.append(title);
    }
    for (const row of found.slice(0, tableRows)) {
      const line = make("tr");
      for (const column of table.columns) {
        const value = column.of(row);
        const cell = make("td", column.show ? column.show(value) : value, column.show ? "number" : column.text ? "text" : "");
        if (column.bad && value > 0) cell.classList.add("bad");
        line.append(cell);
      }
      line.tabIndex = 0;
      const act = () => table.show ? table.show(row) : row[0] >= 0 && change(table.go(row));
      line.addEventListener("click", act);
      line.addEventListener("keydown", (event) => { if (event.key === "Enter") act(); });
      body.append(line);
    }
    head.append(titles);
    element.append(head, body);
    id("table").replaceChildren(element);
    if (found.length > tableRows) id("table").append(make("p", "and " + number(found.length - tableRows) + " more; a filter shows them", "empty"));
  }

  // ---- processes

  const roots = [];

  function makeTree() {
    processes.forEach((process, place) => (process.parent >= 0 ? processes[process.parent].children : roots).push(place));
  }

  function drawTree() {
    const lines = [];
    const waiting = roots.map((place) => [place, 0]).reverse();
    while (waiting.length && lines.length < treeRows) {
      const [place, depth] = waiting.pop(), process = processes[place];
      const line = make("button", undefined, "person" + (place === state.process ? " chosen" : ""));
      line.type = "button";
      line.setAttribute("aria-pressed", place === state.process);
      const what = make("span", undefined, "what");
      what.style.paddingLeft = Math.min(depth, 20) * 18 + "px";
      what.append(make("b", process.name), make("span", " " + process.pid + "  "), make("span", process.executed, "text"));
      what.title = process.executed || process.name;
      const life = make("span", undefined, "life"), bar = make("i");
      bar.style.left = Math.max(process.first, 0) / whole * 100 + "%";
      bar.style.width = (Math.max(process.last, 0) - Math.max(process.first, 0)) / whole * 100 + "%";
      if (process.events) life.append(bar);
      else life.classList.add("none");
      const end = make("span", process.ended || (process.events ? "no end seen" : ""), "end text what");
      end.title = process.ended;
      if (process.ended && process.ended !== "exit 0") end.classList.add("bad");
      line.append(what, life, make("span", process.events ? plural(process.events, "event", "events") : "", "number"), end);
      line.addEventListener("click", () => change({ process: state.process === place ? -1 : place }));
      lines.push(line);
      for (const child of process.children.slice().reverse()) waiting.push([child, depth + 1]);
    }
    if (waiting.length) lines.push(make("p", "and more; the first " + number(treeRows) + " are shown", "empty"));
    const scroll = id("tree").scrollTop;
    id("tree").replaceChildren(...lines);
    id("tree").scrollTop = scroll;
  }

  // ---- events

  function lineOf(position) {
    const i = view[position];
    const line = make("div", undefined, "row" + (i === chosen ? " chosen" : ""));
    line.setAttribute("role", "row");
    line.setAttribute("aria-rowindex", position + 2);
    line.style.top = position * rowHeight + "px";
    for (const [text, type] of [[since(rows.time[i]), "number"], [span(rows.duration[i]), "number"], [who(rows.process[i]), "who"],
      [names[rows.module[i]], "kind"], [rows.text[i], "text" + (rows.error[i] ? " bad" : "")]]) {
      const cell = make("span", text, type);
      cell.setAttribute("role", "cell");
      line.append(cell);
    }
    line.addEventListener("click", () => choose(position));
    return line;
  }

  function drawList(all) {
    const list = id("list");
    const first = all ? 0 : Math.max(Math.floor(list.scrollTop / rowHeight) - 8, 0);
    const last = all ? Math.min(view.length, printedRows) : Math.min(Math.ceil((list.scrollTop + list.clientHeight) / rowHeight) + 8, view.length);
    const lines = [];
    for (let position = first; position < last; position++) lines.push(lineOf(position));
    if (!view.length) lines.push(make("p", "No event passes the filter.", "empty"));
    id("space").replaceChildren(...lines);
    id("events").setAttribute("aria-rowcount", view.length + 1);
  }

  function choose(position) {
    chosen = view[position];
    drawList();
    const facts = make("dl");
    const i = chosen;
    for (const [title, text] of [["when", clock(rows.time[i]) + " (" + since(rows.time[i]) + ")"], ["took", span(rows.duration[i])],
      ["process", who(rows.process[i])], ["thread", rows.tid[i]], ["module", names[rows.module[i]]], ["error", names[rows.error[i]]],
      ["file", names[rows.path[i]]], ["peer", names[rows.peer[i]]]]) {
      if (text === "") continue;
      const pair = make("div");
      pair.append(make("dt", title), make("dd", text));
      facts.append(pair);
    }
    id("detail").replaceChildren(facts, make("pre", rows.text[i]));
    id("detail").hidden = false;
  }

  function reveal(i) {
    const position = view.indexOf(i);
    if (position < 0) return;
    id("list").scrollTop = Math.max(position * rowHeight - 100, 0);
    choose(position);
    id("list").focus({ preventScroll: true });
    id("events").scrollIntoView({ block: "nearest" });
  }

  function listenToList() {
    const head = id("head");
    for (const [title, type, byDuration] of [["Time", "number", false], ["Took", "number", true], ["Process", "who"], ["Module", "kind"], ["Event", ""]]) {
      const cell = make("span", byDuration === undefined ? title : undefined, type);
      cell.setAttribute("role", "columnheader");
      if (byDuration !== undefined) {
        const button = make("button", title);
        button.type = "button";
        button.title = byDuration ? "the slowest first" : "in the order of time";
        button.addEventListener("click", () => change({ byDuration }));
        cell.append(button);
      }
      head.append(cell);
    }
    let drawn = false;
    id("list").addEventListener("scroll", () => {
      if (drawn) return;
      drawn = true;
      requestAnimationFrame(() => { drawn = false; drawList(); });
    });
    id("list").addEventListener("keydown", (event) => {
      const list = id("list"), page = Math.max(Math.floor(list.clientHeight / rowHeight) - 1, 1);
      const at = chosen < 0 ? -1 : view.indexOf(chosen);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: view.length - 1, Enter: Math.max(at, 0) }[event.key];
      if (to === undefined || !view.length) return;
      event.preventDefault();
      const position = Math.min(Math.max(to, 0), view.length - 1);
      if (position * rowHeight < list.scrollTop) list.scrollTop = position * rowHeight;
      else if ((position + 1) * rowHeight > list.scrollTop + list.clientHeight) list.scrollTop = (position + 1) * rowHeight - list.clientHeight;
      choose(position);
    });
  }

  // ---- all together

  function about() {
    document.title = "veil: " + data.command;
    id("command").textContent = data.command;
    const facts = [["host", data.host], ["kernel", data.kernel + ", " + data.arch], ["recorded", data.started], ["lasted", span(data.last_ns)],
      ["events", number(data.events)], ["processes", number(processes.filter((process) => process.events).length)],
      ["modules", data.modules.join("; ")], ["lost", number(data.lost.reduce((sum, [, , lost]) => sum + lost, 0))]];
    for (const [title, text] of facts) {
      const pair = make("div");
      pair.append(make("dt", title), make("dd", text));
      id("about").append(pair);
    }
    if (data.lost.length) {
      id("losses").textContent = "Events were lost, so this is not all: " +
        data.lost.map(([module, cause, lost]) => number(lost) + " of " + module + " (" + cause + ")").join(", ") + ".";
      id("losses").hidden = false;
    }
    if (data.totals) {
      id("held").textContent = "The recording has " + number(data.events) + " events. This page holds " + number(count) +
        " of them: the newest, and of the others the slowest. Until something is filtered, time line, durations and tables are of all.";
      id("held").hidden = false;
    }
    id("made").textContent = "Made by " + data.veil + ". This page is whole: it loads nothing.";
  }

  about();
  id("main").hidden = false;
  for (const module of modules) {
    const entry = make("span"), mark = make("i");
    mark.style.background = colour(module);
    entry.append(mark, document.createTextNode(names[module]));
    id("legend").append(entry);
  }
  const withEvents = processes.map((process, place) => [place, process]).filter(([, process]) => process.events);
  fill(id("process"), "all", withEvents.sort((a, b) => b[1].events - a[1].events).slice(0, 500).map(([place]) => [place, who(place)]));
  fill(id("module"), "all", modules.map((module) => [module, names[module]]));
  fill(id("name"), "all", [...new Set(rows.name)].map((name) => [name, names[name]]).sort((a, b) => a[1] < b[1] ? -1 : 1));
  for (const [value, text] of [[0, "any time"], [1e3, "1 \u00b5s"], [1e4, "10 \u00b5s"], [1e5, "100 \u00b5s"], [1e6, "1 ms"], [1e7, "10 ms"], [1e8, "100 ms"], [1e9, "1 s"]]) {
    const option = make("option", text);
    option.value = value;
    id("least").append(option);
  }
  let typed = 0;
  id("search").addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(() => change({ search: id("search").value }), 120);
  });
  id("filter").addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["process", "module", "name", "least"]) id(name).addEventListener("change", () => change({ [name]: Number(id(name).value) }));
  id("failed").addEventListener("change", () => change({ failed: id("failed").checked }));
  id("clear").addEventListener("click", clear);
  makeTabs();
  makeTree();
  listenToTime();
  listenToHeat();
  listenToList();
  refresh();
  let resized = 0;
  const redraw = () => { drawTime(); drawHeat(); drawList(); };
  window.addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(redraw, 100); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    [...id("legend").querySelectorAll("i")].forEach((mark, i) => { mark.style.background = colour(modules[i]); });
    redraw();
  });
  window.addEventListener("beforeprint", () => drawList(true));
  window.addEventListener("afterprint", () => drawList());
  document.documentElement.dataset.ready = "yes";
})();
