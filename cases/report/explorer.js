/* The table of files of the report: filters, order, folders, years. The policy of the page lets this script run, and
 * what it loads itself, and nothing else. The words are in the page, in both languages; names are set as text only. */
(function () {
  "use strict";
  var root = document.getElementById("explorer");
  if (!root) return;
  var total = Number(root.dataset.rows), chunks = Number(root.dataset.chunks), per = Number(root.dataset.per);
  var base = location.href.replace(/[?#].*$/, "").replace(/\.html?$/, "") + "-files/";
  var ROW = 26, TALLEST = 8000000;

  function by(id) { return document.getElementById(id); }
  function make(tag, name, text) {
    var node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  }
  function word(name) { /* a copy of what the page has in both languages */
    var copy = make("span");
    var from = root.querySelector("[data-word='" + name + "']");
    for (var node = from.firstChild; node; node = node.nextSibling) copy.appendChild(node.cloneNode(true));
    return copy;
  }
  function georgian() { var box = by("lang-ka"); return box !== null && box.checked; }

  /* ---- what is loaded ---- */
  var names = [], lower = [], starts = [], lowerStarts = [], loaded = 0;
  var folderOf = new Uint32Array(total), size = new Float64Array(total), modified = new Float64Array(total);
  var type = new Uint16Array(total), state = new Uint8Array(total), types = [], details = {};
  var folderName = [], folderParent = [], folderLast = [], folderRows = [], lowerPath = [], childrenOf = null;

  function lines(text, count) {
    var at = new Uint32Array(count + 1), next = 0;
    for (var i = 1; i <= count; i++) { next = text.indexOf("/", next) + 1; at[i] = next; }
    return at;
  }
  function spread(to, first, runs) {
    for (var i = 0; i < runs.length; i += 2) { to.fill(runs[i], first, first + runs[i + 1]); first += runs[i + 1]; }
  }
  function take(number, chunk) {
    var first = (number - 1) * per, count = chunk.size.length, i;
    names[number - 1] = chunk.names;
    starts[number - 1] = lines(chunk.names, count);
    lower[number - 1] = chunk.names.toLowerCase();
    lowerStarts[number - 1] = lines(lower[number - 1], count);
    for (i = 0; i < chunk.folders.length; i += 2) { folderParent.push(chunk.folders[i]); folderName.push(chunk.folders[i + 1]); }
    for (i = 0; i < chunk.types.length; i++) types.push(chunk.types[i]);
    spread(folderOf, first, chunk.folder);
    spread(type, first, chunk.type);
    size.set(chunk.size, first);
    for (i = 0; i < count; i++) modified[first + i] = chunk.modified[i] === null ? NaN : chunk.modified[i];
    for (i = 0; i < count; i++) state[first + i] = chunk.state.charCodeAt(i);
  }
  window.kvali = function (kind, number, text) {
    var value = JSON.parse(text);
    if (kind === "rows") take(number, value);
    else details[number] = value;
  };
  function load(file, then) {
    var script = make("script");
    script.async = false;
    script.src = base + file;
    script.onload = function () { then(true); };
    script.onerror = function () { then(false); };
    document.head.appendChild(script);
  }
  function four(number) { return ("0000" + number).slice(-Math.max(4, String(number).length)); }

  function nameOf(row) {
    var chunk = Math.floor(row / per), at = row - chunk * per;
    return names[chunk].slice(starts[chunk][at], starts[chunk][at + 1] - 1);
  }
  function pathOf(folder) {
    var path = "";
    for (; folder >= 0; folder = folderParent[folder]) path = folderName[folder] + (path ? "/" + path : "");
    return path;
  }

  /* ---- how it is shown ---- */
  function numberText(number) { return String(number).replace(/\B(?=(\d{3})+$)/g, "\u00a0"); }
  function sizeText(bytes) {
    var units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], unit = -1;
    if (bytes < 1024) return numberText(bytes) + " B";
    while (bytes >= 1024 && unit < 5) { bytes /= 1024; unit++; }
    var text = bytes >= 100 ? String(Math.floor(bytes)) : String(Math.floor(bytes * 10) / 10);
    return (georgian() ? text.replace(".", ",") : text) + " " + units[unit];
  }
  function timeText(seconds) {
    if (seconds === null || seconds !== seconds) return "";
    var when = new Date(seconds * 1000);
    if (isNaN(when)) return "";
    var text = when.toISOString(), day = text.slice(0, -14), clock = text.slice(-13, -5);
    if (georgian()) { var part = day.split("-"); day = part.slice(-1) + "." + part.slice(-2, -1) + "." + part.slice(0, -2).join("-"); }
    return day + " " + clock;
  }
  var STATES = { l: "live", d: "deleted", r: "reused", i: "inside", c: "carved" };
  function stateWord(row) { return word(STATES[String.fromCharCode(state[row])] || "live"); }

  /* ---- filters ---- */
  var shown = new Uint32Array(0), order = null, folder = -1, from = -Infinity, until = Infinity, year = "";

  function markNames(mask, needle) {
    for (var c = 0; c < lower.length; c++) {
      var text = lower[c], at = lowerStarts[c], row = 0, last = at.length - 2;
      for (var hit = text.indexOf(needle); hit >= 0; hit = row > last ? -1 : text.indexOf(needle, at[row])) {
        var high = last;
        while (row < high) { var middle = (row + high + 1) >> 1; if (at[middle] <= hit) row = middle; else high = middle - 1; }
        mask[c * per + row] = 1;
        row++;
      }
    }
  }
  function markFolders(mask, needle) {
    var cut = needle.lastIndexOf("/"), head = needle.slice(0, cut + 1), tail = needle.slice(cut + 1);
    var inside = new Uint8Array(folderName.length), any = false, i;
    for (i = 0; i < inside.length; i++) {
      var path = lowerPath[i], parent = folderParent[i];
      if ((parent >= 0 && inside[parent] === 1) || path.indexOf(needle) >= 0) inside[i] = 1;
      else if (cut >= 0 && tail && path.slice(-head.length) === head) inside[i] = 2;
      any = any || inside[i] > 0;
    }
    for (i = 0; any && i < total; i++)
      if (inside[folderOf[i]] === 1) mask[i] = 1;
      else if (inside[folderOf[i]] === 2 && !mask[i]) {
        var c = Math.floor(i / per);
        if (lower[c].startsWith(tail, lowerStarts[c][i - c * per])) mask[i] = 1;
      }
  }
  function chosenStates() {
    var wanted = new Uint8Array(128);
    Object.keys(STATES).forEach(function (key) { wanted[key.charCodeAt(0)] = by("x-" + STATES[key]).checked ? 1 : 0; });
    return wanted;
  }
  function day(id, otherwise, more) {
    var value = by(id).value;
    return value ? Date.parse(value + "T00:00:00Z") / 1000 + more : otherwise;
  }
  function filter() {
    var mask = new Uint8Array(total), needle = by("x-text").value.toLowerCase();
    if (needle) {
      if (needle.indexOf("/") < 0) markNames(mask, needle);
      markFolders(mask, needle);
    } else mask.fill(1);
    var states = chosenStates(), kind = by("x-type").value === "" ? -1 : Number(by("x-type").value);
    var lowest = Math.max(day("x-from", -Infinity, 0), from), highest = Math.min(day("x-to", Infinity, 86400), until);
    var timed = lowest > -Infinity || highest < Infinity;
    var first = folder, last = folder < 0 ? 0 : folderLast[folder], found = new Uint32Array(total), count = 0;
    for (var i = 0; i < total; i++) {
      var row = order ? order[i] : i;
      if (!mask[row] || !states[state[row]] || (kind >= 0 && type[row] !== kind)) continue;
      if (first >= 0 && (folderOf[row] < first || folderOf[row] > last)) continue;
      if (timed && !(modified[row] >= lowest && modified[row] < highest)) continue;
      found[count++] = row;
    }
    shown = found.subarray(0, count);
  }
  function apply() {
    var began = performance.now();
    filter();
    by("x-shown").textContent = numberText(shown.length);
    by("x-total").textContent = numberText(total);
    by("x-where").textContent = (folder >= 0 ? pathOf(folder) + "/" : "") + (year ? " " + year : "");
    view.scrollTop = 0;
    draw();
    root.dataset.filter = (performance.now() - began).toFixed(1);
  }
  function sortBy(column, down) {
    var sign = down ? -1 : 1, value = column === "size" ? size : column === "modified" ? modified : column === "type" ? type : state;
    if (column === "path") { order = null; if (down) { order = new Uint32Array(total); for (var p = 0; p < total; p++) order[p] = total - 1 - p; } return; }
    order = new Uint32Array(total);
    for (var i = 0; i < total; i++) order[i] = i;
    order.sort(function (a, b) {
      var x = value[a], y = value[b];
      if (x !== x) return y !== y ? a - b : 1;
      if (y !== y) return -1;
      return x < y ? -sign : x > y ? sign : a - b;
    });
  }

  /* ---- the part that is seen ---- */
  var view = by("x-view"), space = by("x-space"), layer = by("x-layer"), current = -1;
  function draw() {
    var all = shown.length * ROW, tall = Math.min(all, TALLEST), room = view.clientHeight;
    space.style.height = tall + "px";
    var share = tall > room ? view.scrollTop / (tall - room) : 0;
    var top = all > room ? Math.min(share, 1) * (all - room) : 0, first = Math.floor(top / ROW);
    layer.style.transform = "translateY(" + (view.scrollTop - (top - first * ROW)) + "px)";
    layer.textContent = "";
    for (var i = first; i < shown.length && i <= first + room / ROW + 1; i++) layer.appendChild(rowNode(i));
  }
  function rowNode(at) {
    var row = shown[at], node = make("div", "x-row" + (at === current ? " now" : ""));
    node.setAttribute("role", "row");
    node.setAttribute("aria-rowindex", at + 2);
    var path = make("bdi", "code", nameOf(row)), where = make("bdi", "soft code", pathOf(folderOf[row]) + "/");
    var cell = make("span");
    cell.append(path, " ", where);
    cell.title = pathOf(folderOf[row]) + "/" + nameOf(row);
    var cells = [cell, make("span", "n", sizeText(size[row])), make("span", "n", timeText(modified[row])),
      make("span", "", types[type[row]]), make("span", "")];
    cells[4].appendChild(stateWord(row));
    cells.forEach(function (one) { one.setAttribute("role", "cell"); node.appendChild(one); });
    node.onclick = function () { choose(at); };
    return node;
  }
  function choose(at) {
    if (at < 0 || at >= shown.length) return;
    current = at;
    draw();
    var row = shown[at], chunk = Math.floor(row / per) + 1;
    if (details[chunk]) detail(row);
    else load("details-" + four(chunk) + ".js", function (good) { if (good) detail(row); else by("x-missing").hidden = false; });
  }
  function detail(row) {
    var more = details[Math.floor(row / per) + 1][row % per], box = by("x-detail"), list = make("dl", "pairs");
    function pair(name, value) {
      if (value === "" || value === null || value === undefined) return;
      var head = make("dt");
      head.appendChild(word(name));
      list.append(head, make("dd", "code", value));
    }
    pair("path", pathOf(folderOf[row]) + "/" + nameOf(row));
    pair("size", numberText(size[row]));
    pair("type", types[type[row]]);
    ["modified", "accessed", "changed", "born"].forEach(function (name, i) {
      var text = timeText(i ? more[i] : modified[row]);
      pair(name, text && text + " UTC");
    });
    pair("sha256", more[0]);
    pair("grade", more[4]);
    box.textContent = "";
    box.appendChild(list);
  }

  /* ---- folders ---- */
  /* A folder may come more than once: in a file system, and around what was found inside its files. Once merged, folders are
   * numbered so that all below one follow it. */
  function merge() {
    var known = new Map(), merged = new Uint32Array(folderName.length), children = [], top = [], names = [], parents = [];
    folderName.forEach(function (name, f) {
      var parent = folderParent[f] < 0 ? -1 : merged[folderParent[f]], key = parent + "/" + name, id = known.get(key);
      if (id === undefined) {
        id = names.length;
        known.set(key, id);
        names.push(name); parents.push(parent); children.push([]);
        (parent < 0 ? top : children[parent]).push(id);
      }
      merged[f] = id;
    });
    var rank = new Uint32Array(names.length), sorted = [], stack = top.slice().reverse(), next = 0;
    function byName(a, b) { return names[a] < names[b] ? 1 : -1; }
    while (stack.length) {
      var id = stack.pop();
      rank[id] = next++;
      sorted.push(id);
      children[id].sort(byName).forEach(function (child) { stack.push(child); });
    }
    folderName = sorted.map(function (one) { return names[one]; });
    folderParent = sorted.map(function (one) { return parents[one] < 0 ? -1 : rank[parents[one]]; });
    for (var r = 0; r < total; r++) folderOf[r] = rank[merged[folderOf[r]]];
  }
  function gather() {
    merge();
    childrenOf = folderName.map(function () { return []; });
    folderRows = new Float64Array(folderName.length);
    folderLast = new Int32Array(folderName.length);
    for (var r = 0; r < total; r++) folderRows[folderOf[r]]++;
    for (var f = folderName.length - 1; f >= 0; f--) {
      var parent = folderParent[f];
      folderLast[f] = Math.max(folderLast[f], f);
      if (parent < 0) continue;
      folderRows[parent] += folderRows[f];
      folderLast[parent] = Math.max(folderLast[parent], folderLast[f]);
      childrenOf[parent].push(f);
    }
    childrenOf.forEach(function (list) { list.reverse(); });
    folderName.forEach(function (name, i) {
      lowerPath.push((folderParent[i] >= 0 ? lowerPath[folderParent[i]] : "") + name.toLowerCase() + "/");
    });
  }
  var MANY = 500;
  function branch(list, children, begin) {
    children.slice(begin, begin + MANY).forEach(function (f) {
      var item = make("li"), open = make("button", "x-open", childrenOf[f].length ? "+" : "\u00b7"), name = make("button", "x-name");
      open.type = name.type = "button";
      open.setAttribute("aria-expanded", "false");
      open.setAttribute("aria-label", "+");
      open.disabled = !childrenOf[f].length;
      name.append(make("bdi", "code", folderName[f]), " ", make("small", "soft", numberText(folderRows[f])));
      name.onclick = function () {
        var old = by("x-tree").querySelector(".now");
        if (old) old.classList.remove("now");
        folder = folder === f ? -1 : f;
        if (folder === f) name.classList.add("now");
        apply();
      };
      open.onclick = function () {
        var inner = item.querySelector("ul");
        if (inner) inner.remove();
        else { inner = make("ul"); branch(inner, childrenOf[f], 0); item.appendChild(inner); }
        open.textContent = item.querySelector("ul") ? "\u2212" : "+";
        open.setAttribute("aria-expanded", open.textContent === "+" ? "false" : "true");
      };
      item.append(open, name);
      list.appendChild(item);
    });
    if (children.length > begin + MANY) {
      var rest = make("li"), more = make("button", "x-name", "\u2026 " + numberText(children.length - begin - MANY));
      more.type = "button";
      more.onclick = function () { rest.remove(); branch(list, children, begin + MANY); };
      rest.appendChild(more);
      list.appendChild(rest);
    }
  }

  /* ---- years and months ---- */
  function span(text, low, high) {
    year = year === text ? "" : text;
    from = year ? low : -Infinity;
    until = year ? high : Infinity;
    apply();
  }
  function months(number) {
    var counts = new Float64Array(12), box = by("x-months"), most = 1, low = Date.UTC(number, 0) / 1000, high = Date.UTC(number + 1, 0) / 1000;
    for (var i = 0; i < total; i++)
      if (modified[i] >= low && modified[i] < high) counts[new Date(modified[i] * 1000).getUTCMonth()]++;
    counts.forEach(function (count) { most = Math.max(most, count); });
    box.textContent = "";
    counts.forEach(function (count, month) {
      var item = make("li"), button = make("button", "x-bar"), bar = make("span", "x-column");
      var text = (month < 9 ? "0" : "") + (month + 1), label = georgian() ? text + "." + number : number + "-" + text;
      button.type = "button";
      bar.style.height = (count ? Math.max(1, 60 * count / most) : 0) + "px";
      button.append(bar, make("small", "", text));
      button.title = label + ": " + numberText(count);
      button.onclick = function () { span(label, Date.UTC(number, month) / 1000, Date.UTC(number, month + 1) / 1000); };
      item.appendChild(button);
      box.appendChild(item);
    });
  }
  function years() {
    document.querySelectorAll(".years [data-year]").forEach(function (item) {
      var number = Number(item.dataset.year), button = make("button", "x-bar");
      button.type = "button";
      button.title = item.title;
      while (item.firstChild) button.appendChild(item.firstChild);
      item.appendChild(button);
      button.onclick = function () { months(number); span(String(number), Date.UTC(number, 0) / 1000, Date.UTC(number + 1, 0) / 1000); };
    });
  }

  /* ---- beginning ---- */
  function ready() {
    gather();
    var list = types.map(function (name, i) { return [name, i]; }).sort(function (a, b) { return a[0] < b[0] ? -1 : 1; });
    list.forEach(function (one) { var option = make("option", "", one[0]); option.value = one[1]; if (one[0]) by("x-type").appendChild(option); });
    branch(by("x-tree"), folderParent.map(function (p, i) { return p < 0 ? i : -1; }).filter(function (i) { return i >= 0; }), 0);
    years();
    apply();
    by("x-loading").hidden = true;
    root.dataset.ready = performance.now().toFixed(0);
  }
  function listen() {
    ["x-text", "x-type", "x-from", "x-to"].concat(Object.keys(STATES).map(function (key) { return "x-" + STATES[key]; }))
      .forEach(function (id) { by(id).oninput = apply; });
    by("x-reset").onclick = function () {
      root.querySelectorAll("input").forEach(function (input) { if (input.type === "checkbox") input.checked = true; else input.value = ""; });
      by("x-type").value = "";
      folder = -1; year = ""; from = -Infinity; until = Infinity;
      var old = by("x-tree").querySelector(".now");
      if (old) old.classList.remove("now");
      apply();
    };
    view.onscroll = function () { requestAnimationFrame(draw); };
    view.onkeydown = function (event) {
      var step = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 }[event.key];
      if (!step || !shown.length) return;
      event.preventDefault();
      var to = Math.max(0, Math.min(shown.length - 1, current + step));
      if (to * ROW < TALLEST) { if (to * ROW < view.scrollTop) view.scrollTop = to * ROW; else if ((to + 1) * ROW > view.scrollTop + view.clientHeight) view.scrollTop = (to + 1) * ROW - view.clientHeight; }
      choose(to);
    };
    root.querySelectorAll("[data-sort]").forEach(function (button) {
      button.onclick = function () {
        var down = button.dataset.down !== "1";
        if (button.parentNode.getAttribute("aria-sort") === null && button.dataset.sort === "path") down = false;
        root.querySelectorAll("[data-sort]").forEach(function (other) { other.parentNode.removeAttribute("aria-sort"); other.dataset.down = ""; });
        button.dataset.down = down ? "1" : "";
        button.parentNode.setAttribute("aria-sort", down ? "descending" : "ascending");
        sortBy(button.dataset.sort, down);
        apply();
      };
    });
    document.querySelectorAll("input[name=lang]").forEach(function (box) { box.addEventListener("change", draw); });
    window.addEventListener("resize", draw);
  }
  function first() { /* something to read while the rest comes */
    shown = new Uint32Array(Math.min(per, total)).map(function (zero, i) { return i; });
    by("x-shown").textContent = numberText(shown.length);
    by("x-total").textContent = numberText(total);
    draw();
    root.dataset.first = performance.now().toFixed(0);
  }
  function one(good) {
    if (!good) { by("x-missing").hidden = false; by("x-loading").hidden = true; return; }
    by("x-done").textContent = numberText(Math.min(++loaded * per, total));
    if (loaded === 1) first();
    if (loaded === chunks) ready();
  }
  document.documentElement.classList.add("with-script");
  root.hidden = false;
  listen();
  for (var chunk = 1; chunk <= chunks; chunk++) load("files-" + four(chunk) + ".js", one);
})();
