#!/usr/bin/env python3
"""inert: what evidence says stays words (S6), what is exported stays where it belongs (S7), evidence stays as it is (R12), and the programs are
built as hard as the compiler can (S8). --count hostile strings, as names, as contents and as what features and keywords show: script,
formulas, escape sequences, characters that turn or hide text, paths that climb, names of 255 bytes. Reports are read by a parser of HTML,
one of CSV and by Chromium where that is there; the terminal's output by its bytes. strace, where it is there, sees every call that opens."""
import csv
import hashlib
import html.parser
import os
import pty
import re
import shutil
import subprocess
import zipfile

from common import *

ROUND = 250  # names in an image
BROWSER = TOP + "/tests/integration/browser.mjs"
PIECES = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'-alert(1)-'", "<svg onload=alert(1)>", "javascript:alert(1)", "</title><script>", "]]>", "<!--", "&lt;b&gt;",
          "{{7*7}}", "${jndi:x}", "`id`", "$(id)", "=1+1", "=cmd|' -C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\uff1d1+1", "|", ";", ",", "\"", "'", "\\", "%s%n", "%00", "..%2f..%2f",
          "..", "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\x07", "\x08\x08", "\r", "\n", "\t", "\x7f", "\u202egpj.exe", "\u2066x\u2069", "\u200b", "\ufeff", "\u00ad", "\u2028", "\u0301", "\U000e0041",
          "CON", "aux.txt", "name ", "NAME", "name.", "საქართველო", "עברית", "文書", "😀", "\udcff\udcfe", "\udcc0\udcaf"]
# What turns or hides text, and what a terminal takes for more than a letter.
HIDDEN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
FORMULA = re.compile("^[=+@\t\r\uff1d\uff0b\uff20-]")
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
NUMBER = re.compile(r"^-?[0-9]+(\.[0-9]+)?$")


class Page(html.parser.HTMLParser):
    """What of a page could act: its elements' kinds, attributes that are scripts, addresses that lead outside."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.kinds, self.scripts, self.acts, self.shown = set(), 0, [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.kinds.add(tag)
        self.scripts += tag == "script"
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "href", "action", "formaction", "srcdoc") and re.match(r"\s*(javascript|vbscript|https?|//)", value or "", re.I):
                self.acts.append(f"{tag} {name}={value}"[:80])

    def handle_data(self, data):
        if HIDDEN.search(data):
            self.shown.append(ascii(data)[:80])


class Inert(Campaign):
    def names(self, count):
        names = set()
        while len(names) < count:
            text = "".join(self.rng.choice(PIECES) for _ in range(self.rng.choice((1, 1, 2, 3, 40))))
            data = os.fsencode(text.replace("/", "\u2215"))[:255]
            if data not in (b".", b"..", b""):
                names.add(data)
        return sorted(names)

    def evidence(self, names, name):
        """An image of files with these names, which have them as their contents, too; and an archive whose members climb."""
        folder = self.fresh(name + ".files")
        os.makedirs(folder)
        for number, words in enumerate(names):
            with open(os.path.join(os.fsencode(folder), words), "wb") as file:
                file.write(b"%s from-%d@example.ge %s\nkvaliword %s" % (words, number, words, words))
        with zipfile.ZipFile(folder + "/climb.zip", "w") as archive:
            for member in ("../../../../climbed", "/tmp/kvali-climbed", "a/../../b", "C:\\climbed", "<script>alert(2)</script>", "=1+1.txt", "x" * 300):
                archive.writestr(member, "member " + member)
        return make_ext4(self.path(name + ".raw"), folder, 8)

    @staticmethod
    def state(path):
        status = os.stat(path)
        with open(path, "rb") as file:
            data = hashlib.sha256(file.read()).hexdigest()
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # what we read just now does not count
        return status.st_size, status.st_mtime_ns, status.st_atime_ns, status.st_mode, data

    # ---- S6

    def page(self, path, plain, who):
        page = Page(open(path, encoding="utf-8").read())
        self.check(page.scripts == plain.scripts and page.kinds <= plain.kinds, who, "elements:", page.scripts, page.kinds - plain.kinds)
        self.check(not page.acts, who, "acts:", page.acts[:3])
        self.check(not page.shown, who, "hidden characters:", page.shown[:3])

    def browser(self, path, who):
        if not (shutil.which("node") and shutil.which("chromium")):
            return self.tell("pages not opened: no node or no chromium")
        run = subprocess.run(["node", BROWSER, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        try:
            seen = json.loads(run.stdout)
        except ValueError:
            return self.check(False, who, "Chromium:", run.stdout[-300:])
        self.check(not (seen["dialogs"] or seen["outside"] or seen["errors"] or seen["refused"]), who, "Chromium:", seen["dialogs"], seen["outside"], seen["errors"], seen["refused"])
        self.tell("pages in Chromium")

    def table(self, path):
        with open(path, encoding="utf-8-sig", newline="") as file:  # spreadsheets want the mark
            cells = [cell for row in csv.reader(file) for cell in row]
        formulas = [ascii(cell)[:60] for cell in cells if FORMULA.match(cell) and not NUMBER.match(cell)]
        hidden = [ascii(cell)[:60] for cell in cells if HIDDEN.search(cell.replace("\n", ""))]
        self.check(not formulas and not hidden, os.path.basename(path), "formulas:", formulas[:3], "hidden:", hidden[:3])
        self.tell("cells of tables", len(cells))

    def reports(self, case, plain, who):
        self.check(kvali("report", case, "--quiet", *(word for form in ("html", "csv", "jsonl") for word in ("--format", form))).returncode == 0, who, "report")
        self.check(kvali("report", case, "--quiet", "--lang", "ka").returncode == 0, who, "report in Georgian")
        for folder, _, files in os.walk(case + "/reports"):
            for name in files:
                if name.endswith(".html"):
                    self.page(os.path.join(folder, name), plain, who + " " + name)
                    self.browser(os.path.join(folder, name), who + " " + name)
                elif name.endswith(".csv"):
                    self.table(os.path.join(folder, name))
                elif name.endswith(".jsonl"):
                    for line in open(os.path.join(folder, name), encoding="utf-8"):
                        json.loads(line)

    def on_terminal(self, *words):
        """What a terminal of 100 columns gets, without colours."""
        said, (mine, its) = b"", pty.openpty()
        run = subprocess.Popen([KVALI, *words], stdin=subprocess.DEVNULL, stdout=its, stderr=its, env=dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm", COLUMNS="100"))
        os.close(its)
        while True:
            try:
                data = os.read(mine, 65536)
            except OSError:  # its end
                break
            if not data:
                break
            said += data
        os.close(mine)
        run.wait()
        return COLOUR.sub(b"", said).replace(b"\r\n", b"\n")

    def terminal(self, case):
        some = rows(case, "SELECT path FROM file WHERE name <> '' ORDER BY path LIMIT 3")
        for words in (("find", case), ("status", case), ("verify", case), ("find", case, "--feature", "email"), *(("show", case, row[0]) for row in some)):
            said = self.on_terminal(*words).decode("utf-8", "replace")
            bad = HIDDEN.search(said.replace("\n", ""))
            self.check(said and not bad and "\ufffd" not in said, "on a terminal:", *words[:1], ascii(said[max(0, bad.start() - 30):bad.start() + 10]) if bad else "")
            piped = kvali(*words).stdout
            self.check(not HIDDEN.search(piped.replace("\n", "")), "in a pipe:", *words[:1])

    # ---- S7

    def tree(self, *without):
        """What is in the campaign's folder, but for these."""
        found = {}
        for folder, folders, files in os.walk(self.work):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in without]
            for name in folders + files:
                status = os.lstat(os.path.join(folder, name))
                found[os.path.join(folder, name)] = (status.st_size, status.st_mode, status.st_mtime_ns)
        return found

    def exported(self, case):
        before = self.tree(case)
        self.check(kvali("export", case, "--all", "--bagit", "--quiet").returncode in DONE, "export")
        self.check(self.tree(case) == before and not os.path.lexists("/tmp/kvali-climbed"), "export wrote outside of the case")
        strange = [path for path in (os.path.relpath(os.path.join(folder, name), case + "/exports") for folder, _, files in os.walk(case + "/exports") for name in files)
                   if not re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{64}|index-[0-9]+\.jsonl|bag-[0-9]+/([a-z0-9-]+\.(txt|jsonl)|data/[0-9a-f/]+|data/[a-z0-9./-]+)", path)]
        links = [name for folder, folders, files in os.walk(case + "/exports") for name in folders + files if os.path.islink(os.path.join(folder, name))]
        self.check(not strange and not links, "export has names that are not its own:", strange[:3], links[:3])
        elsewhere = self.fresh("elsewhere")
        os.makedirs(elsewhere)
        for when in ("before", "meanwhile"):
            shutil.rmtree(case + "/exports")
            os.makedirs(case + "/exports") if when == "meanwhile" else os.symlink(elsewhere, case + "/exports")
            run = subprocess.Popen([KVALI, "export", case, "--all", "--quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if when == "meanwhile":
                os.rename(case + "/exports", case + "/exports-away")
                os.symlink(elsewhere, case + "/exports")
            run.wait()
            self.check(not os.listdir(elsewhere), f"exports was made a link {when}: written elsewhere", os.listdir(elsewhere)[:3])
            os.unlink(case + "/exports")
            os.makedirs(case + "/exports")
        self.tell("exports", 3)

    # ---- R12

    def untouched(self, image):
        if not shutil.which("strace"):
            return self.tell("calls not seen: no strace")
        trace, case = self.path("calls"), self.fresh("traced")
        run = subprocess.run(["strace", "-f", "-y", "-qq", "-e", "trace=%file,ioctl,ftruncate,fallocate,write,pwrite64", "-o", trace, KVALI, "process", image, "--case", case, "--quiet",
                              "--plugins", "digest,archive"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        calls = [line for line in open(trace, errors="replace") if image in line]
        opened = [line for line in calls if re.search(r"\bopen(at2?)?\(", line)]
        wrote = [line.strip()[:160] for line in calls if re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND", line) or re.search(r"\b(ioctl|ftruncate|fallocate|p?write(64)?)\(\d+<" + re.escape(image), line)
                 or re.search(r"\b(unlink|rename|chmod|chown|utime|truncate|setxattr|link)\w*\(", line)]
        self.check(run.returncode in DONE and opened and not wrote, "calls on evidence:", len(opened), wrote[:3])
        self.tell("opened, only to read", len(opened))

    # ---- S8

    def hardened(self):
        for program in (KVALI, os.path.join(os.path.dirname(KVALI), "../job/kvali-worker")):
            said = subprocess.run(["readelf", "-hldW", "--dyn-syms", program], stdout=subprocess.PIPE, text=True).stdout
            for what, expression in (("PIE", r"Type:\s+DYN"), ("RELRO", r"GNU_RELRO"), ("bound at its start", r"BIND_NOW|\bNOW\b"), ("stack protector", r"__stack_chk_fail"),
                                     ("fortified", r"__\w+_chk\b")):
                self.check(re.search(expression, said), os.path.basename(program), "is not:", what)
            self.check(not re.search(r"(LOAD|GNU_STACK).*\bRWE\b", said), os.path.basename(program), "has memory that is written and run")
            self.tell("programs")

    def round(self, names, plain, number):
        image = self.evidence(names, f"round-{number}")
        before, case = self.state(image), self.fresh("case")
        run = process(case, image, "--plugins", "archive,digest,features,filetype")
        self.check(run.returncode in DONE, "process:", last_words(run))
        listed = rows(case, "SELECT count(*) FROM file WHERE type = 'file' AND kind = 'file'")[0][0]
        self.check(listed >= len(names) + 1, listed, "of", len(names), "names are listed")
        self.reports(case, plain, f"round {number}:")
        self.terminal(case)
        self.exported(case)
        self.check(self.state(image) == before, "the image is not as it was")
        if number == 0:
            self.untouched(image)
        self.tell("hostile strings", len(names))
        os.unlink(image)

    def plain(self):
        """The page of evidence that nobody meant ill with."""
        case = self.fresh("plain")
        process(case, self.evidence([b"plain-%d.txt" % i for i in range(30)], "plain"), "--plugins", "archive,digest,features,filetype")
        return Page(open(case + "/reports/report-0001.html", encoding="utf-8").read())


campaign = Inert(__doc__, 100)
campaign.hardened()
plain, left = campaign.plain(), campaign.args.count
for number in range(-(-left // ROUND)):
    campaign.round(campaign.names(min(left, ROUND)), plain, number)
    left -= ROUND
campaign.end()
