/* The table of files of the report: filters, order, folders, years. The policy of the page lets this script run, and
 * what it loads itself, and nothing else. The words are in the page, in both languages; names are set as text only. */
(function () {
  "use strict";
  var root = document.getElementById("explorer");
  if (!root || !window.DecompressionStream) return; /* an older browser shows the first rows, as without scripts */
  var total = Number(root.dataset.rows), chunks = Number(root.dataset.chunks), per = Number(root.dataset.per), perDetails = Number(root.dataset.details);
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
  function said(name) { /* the same as text, in the language that is chosen; "" when the page does not have it */
    var from = root.querySelector("[data-word='" + name + "']"), part = from && from.querySelector(georgian() ? ".ka" : ".en");
    return from ? (part || from).textContent : "";
  }
  function typeText(name) { return name.indexOf("/") < 0 && said("type-" + name.replace(/\W/g, "")) || name; }
  function georgian() { var box = by("lang-ka"); return box !== null && box.checked; }

  /* ---- what is loaded ---- */
  var parts = [];
  var folderOf = new Uint32Array(total), size = new Float64Array(total), modified = new Float64Array(total);
  var type = new Uint16Array(total), state = new Uint8Array(total), types = [], details = {};
  var folderName = [], folderParent = [], folderLast = [], folderRows = [], lowerPath = [], childrenOf = null;

  function lines(text, count) {
    var at = new Uint32Array(count + 1), next = 0;
    for (var i = 1; i <= count; i++) { next = text.indexOf("/", next) + 1; at[i] = next; }
    return at;
  }
  var utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  function Reader(bytes) { this.bytes = bytes; this.at = 0; }
  Reader.prototype.number = function () {
    var bytes = this.bytes, byte = bytes[this.at++], value = byte & 127;
    for (var scale = 128; byte > 127; scale *= 128) { byte = bytes[this.at++]; value += (byte & 127) * scale; }
    return value;
  };
  Reader.prototype.take = function (size) { this.at += size; return this.bytes.subarray(this.at - size, this.at); };
  Reader.prototype.text = function () { return utf8.decode(this.take(this.number())); };
  Reader.prototype.step = function () { var n = this.number() - 1; return n < 0 ? NaN : n % 2 ? -(n + 1) / 2 : n / 2; };
  Reader.prototype.runs = function (to, first) {
    for (var count = this.number(); count > 0; count--)
      for (var value = this.number(), end = first + this.number(); first < end; first++) to[first] = value;
  };
  Reader.prototype.column = function (to, first, count) {
    var wide = this.take(1)[0] === 8, bytes = this.take(count * (wide ? 8 : 4)).slice();
    var numbers = wide ? new Float64Array(bytes.buffer) : new Int32Array(bytes.buffer);
    for (var i = 0; i < count; i++) to[first + i] = wide || numbers[i] !== -2147483648 ? numbers[i] : NaN;
  };
  /* The names of a part stand one after the other, with a "/" behind each: as bytes, where an alphabet has room for their
   * letters (`table`: for each byte that of its small letter), otherwise as a text, and as one in small letters. */
  function lowered(text) { return text.toLowerCase().replace(/\u03c2/g, "\u03c3"); } /* a sigma is one letter, wherever it stands */
  function byteOf(letter) { return letter < 96 ? 160 + letter : letter - 95; }
  function fillNames(reader, count) {
    var heads = new Uint32Array(2 * count), i, all = count;
    for (i = 0; i < count; i++) {
      heads[2 * i] = reader.number();
      heads[2 * i + 1] = reader.number();
      all += heads[2 * i] + heads[2 * i + 1];
    }
    var bytes = reader.bytes, from = reader.at, text = new Uint8Array(all), at = new Uint32Array(count + 1), to = 0, j;
    for (i = 0; i < count; i++) {
      var last = i ? at[i - 1] : 0, same = heads[2 * i], more = heads[2 * i + 1];
      at[i] = to;
      for (j = 0; j < same; j++) text[to++] = text[last + j];
      for (j = 0; j < more; j++) text[to++] = bytes[from++];
      text[to++] = 47;
    }
    at[count] = to;
    return { bytes: text, starts: at };
  }
  function smallLetters(letters) { /* for each byte that of its small letter; null when these have no room */
    var all = letters.slice(), table = new Uint8Array(256), i;
    for (i = 0; i < 256; i++) table[i] = i > 64 && i < 91 ? i + 32 : i;
    for (i = 0; i < letters.length; i++) {
      var small = Array.from(lowered(letters[i])), known = all.indexOf(small[0]);
      if (small.length !== 1) return null;
      if (small[0].charCodeAt(0) < 128) { table[byteOf(i)] = small[0].charCodeAt(0); continue; }
      if (known < 0) known = all.push(small[0]) - 1;
      if (known > 126) return null;
      table[byteOf(i)] = byteOf(known);
    }
    return { letters: all, table: table };
  }
  function takeNames(reader, count) {
    var letters = Array.from(reader.text()), single = letters[0] !== "/", names = fillNames(reader, count);
    var small = single ? smallLetters(letters) : null;
    if (small) return { bytes: names.bytes, starts: names.starts, table: small.table, letters: small.letters };
    var text = single ? spelled(names.bytes, letters) : utf8.decode(names.bytes), lower = lowered(text);
    return { text: text, starts: lines(text, count), small: lower, smallStarts: lines(lower, count) };
  }
  function spelled(bytes, letters) {
    return Array.from(bytes, function (one) { return one > 31 && one < 127 ? String.fromCharCode(one) : letters[one < 32 ? one + 95 : one - 160]; }).join("");
  }
  function spelling(text, part) { /* what to look for: bytes, or the text; null when the part has not all letters */
    if (!part.bytes) return text;
    var all = Array.from(text).map(function (one) {
      if (one >= " " && one <= "~") return one.charCodeAt(0);
      var known = part.letters.indexOf(one);
      return known < 0 ? -1 : byteOf(known);
    });
    return all.indexOf(-1) < 0 ? Uint8Array.from(all) : null;
  }
  function standsAt(part, wanted, at) {
    if (!part.bytes) return part.small.startsWith(wanted, at);
    for (var i = 0; i < wanted.length; i++) if (part.table[part.bytes[at + i]] !== wanted[i]) return false;
    return true;
  }
  function take(number, reader) {
    var first = (number - 1) * per, count = reader.number(), i;
    if (count !== Math.min(per, total - first)) throw new Error("these are the data of another page");
    for (i = reader.number(); i > 0; i--) { folderParent.push(reader.number() - 1); folderName.push(reader.text()); }
    for (i = reader.number(); i > 0; i--) types.push(reader.text());
    reader.runs(folderOf, first);
    reader.runs(type, first);
    state.set(reader.take(count), first);
    reader.column(size, first, count);
    reader.column(modified, first, count);
    parts[number - 1] = takeNames(reader, count);
  }
  function hex(bytes) { return Array.from(bytes, function (one) { return (one < 16 ? "0" : "") + one.toString(16); }).join(""); }
  function takeDetails(number, reader) {
    var rows = details[number] = [];
    for (var count = reader.number(); count > 0; count--) {
      var row = [reader.take(1)[0] ? hex(reader.take(32)) : ""], last = 0;
      for (var i = 0; i < 3; i++) { var step = reader.step(); row.push(step === step ? (last += step) : NaN); }
      row.push(reader.text());
      rows.push(row);
    }
  }
  function fromBase64(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    var letters = atob(text), bytes = new Uint8Array(letters.length);
    for (var i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
    return bytes;
  }
  /* The data come as scripts, for a page from a disc may load nothing else: each is a call of this. */
  var arrived = {};
  window.kvali = function (kind, number, text) {
    arrived[kind + number] = new Response(new Blob([fromBase64(text)]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  };
  function four(number) { return ("0000" + number).slice(-Math.max(4, String(number).length)); }
  function load(kind, number) { /* a promise of a Reader */
    return new Promise(function (done, fail) {
      var script = make("script");
      script.async = false;
      script.src = base + kind + "-" + four(number) + ".js";
      script.onload = function () { /* it may be cut, and then it said nothing */
        script.remove();
        if (arrived[kind + number]) done(arrived[kind + number]);
        else fail(new Error(script.src));
        delete arrived[kind + number];
      };
      script.onerror = fail;
      document.head.appendChild(script);
    }).then(function (data) { return new Reader(new Uint8Array(data)); });
  }

  function nameOf(row) {
    var part = parts[Math.floor(row / per)], begin = part.starts[row % per], end = part.starts[row % per + 1] - 1;
    return part.bytes ? spelled(part.bytes.subarray(begin, end), part.letters) : part.text.slice(begin, end);
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
    if (bytes < 1024) return numberText(bytes) + " " + said("bytes");
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

  function markBytes(mask, first, part, wanted) { /* [Horspool 1980], by small letters */
    var bytes = part.bytes, table = part.table, starts = part.starts, length = bytes.length, last = wanted.length - 1, end = wanted[last];
    var skip = new Int32Array(256).fill(last + 1), row = 0, b, known, i, at = last;
    for (b = 0; last > 0 && b < 256; b++) if ((known = wanted.lastIndexOf(table[b], last - 1)) >= 0) skip[b] = last - known;
    while (at < length) {
      if (table[bytes[at]] === end) {
        for (i = 0; i < last && table[bytes[at - last + i]] === wanted[i]; i++);
        if (i === last) {
          while (starts[row + 1] <= at) row++;
          mask[first + row++] = 1;
          at = starts[row] + last;
          continue;
        }
      }
      at += skip[bytes[at]];
    }
  }
  function markText(mask, first, part, wanted) {
    var text = part.small, starts = part.smallStarts, row = 0;
    for (var at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, starts[row])) {
      while (starts[row + 1] <= at) row++;
      mask[first + row++] = 1;
    }
  }
  function markNames(mask, needle) {
    parts.forEach(function (part, number) {
      var wanted = spelling(needle, part);
      if (wanted !== null) (part.bytes ? markBytes : markText)(mask, number * per, part, wanted);
    });
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
    var tails = parts.map(function (part) { return spelling(tail, part); });
    for (i = 0; any && i < total; i++)
      if (inside[folderOf[i]] === 1) mask[i] = 1;
      else if (inside[folderOf[i]] === 2 && !mask[i]) {
        var c = Math.floor(i / per);
        if (tails[c] !== null && standsAt(parts[c], tails[c], (parts[c].smallStarts || parts[c].starts)[i - c * per])) mask[i] = 1;
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
    var mask = new Uint8Array(total), needle = lowered(by("x-text").value);
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
      make("span", "", typeText(types[type[row]])), make("span", "")];
    cells[4].appendChild(stateWord(row));
    cells.forEach(function (one) { one.setAttribute("role", "cell"); node.appendChild(one); });
    node.onclick = function () { choose(at); };
    return node;
  }
  function choose(at) {
    if (at < 0 || at >= shown.length) return;
    current = at;
    draw();
    var row = shown[at], part = Math.floor(row / perDetails) + 1;
    if (details[part]) detail(row);
    else load("details", part).then(function (reader) { takeDetails(part, reader); detail(row); }).catch(missing);
  }
  function detail(row) {
    var more = details[Math.floor(row / perDetails) + 1][row % perDetails], box = by("x-detail"), list = make("dl", "pairs");
    function pair(name, value) {
      if (value === "" || value === null || value === undefined) return;
      var head = make("dt");
      head.appendChild(word(name));
      list.append(head, make("dd", "code", value));
    }
    pair("path", pathOf(folderOf[row]) + "/" + nameOf(row));
    pair("size", (size[row] > Number.MAX_SAFE_INTEGER ? "\u2248 " : "") + numberText(size[row]));
    pair("type", typeText(types[type[row]]));
    ["modified", "accessed", "changed", "born"].forEach(function (name, i) {
      var text = timeText(i ? more[i] : modified[row]);
      pair(name, text && text + " UTC");
    });
    pair("sha256", more[0]);
    pair("grade", said("grade-" + more[4].replace(/\W/g, "")) || more[4]);
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
      lowerPath.push((folderParent[i] >= 0 ? lowerPath[folderParent[i]] : "") + lowered(name) + "/");
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
    list.forEach(function (one) { var option = make("option", "", typeText(one[0])); option.value = one[1]; if (one[0]) by("x-type").appendChild(option); });
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
    document.querySelectorAll("input[name=lang]").forEach(function (box) { box.addEventListener("change", again); });
    window.addEventListener("resize", draw);
  }
  function again() { /* in the other language */
    by("x-type").querySelectorAll("option").forEach(function (option) { if (option.value) option.textContent = typeText(types[option.value]); });
    draw();
    if (by("x-detail").firstChild) choose(current);
  }
  function first() { /* something to read while the rest comes */
    shown = new Uint32Array(Math.min(per, total)).map(function (zero, i) { return i; });
    by("x-shown").textContent = numberText(shown.length);
    by("x-total").textContent = numberText(total);
    draw();
    root.dataset.first = performance.now().toFixed(0);
  }
  function missing() { /* what is there without scripts is shown again */
    by("x-missing").hidden = false;
    by("x-loading").hidden = true;
    document.documentElement.classList.remove("with-script");
  }
  function one(number, reader) {
    take(number, reader);
    by("x-done").textContent = numberText(Math.min(number * per, total));
    if (number === 1) first();
    if (number === chunks) ready();
  }
  document.documentElement.classList.add("with-script");
  root.hidden = false;
  listen();
  function begin() {
    var before = Promise.resolve(); /* each takes up the folders and types of those before it */
    for (var chunk = 1; chunk <= chunks; chunk++) (function (number) {
      var reader = load("files", number);
      before = before.then(function () { return reader; }).then(function (data) { one(number, data); });
    })(chunk);
    before.catch(missing);
  }
  /* The first screen is painted before anything is read. */
  if (document.hidden) begin();
  else requestAnimationFrame(function () { setTimeout(begin, 0); });
})();
