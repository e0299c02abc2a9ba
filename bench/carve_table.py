#!/usr/bin/env python3
"""carve_table: what each carver of a run of carve.sh recovered, held against the truth of the carving set.

usage: carve_table.py FOLDER IMAGE.raw [--missed FILE]

FOLDER is what carve.sh keeps (KEEP=FOLDER). A true file is recovered when an output of the tool has its SHA-256. An output
is right when it has the SHA-256 of any true file, nested ones among them. FILE gets a line for every intact file that kvali
has not, and for every output of it that is no true file.
"""
import collections
import glob
import hashlib
import os
import sqlite3
import sys

WHOLE = ("contiguous", "unaligned", "nested")
LAYOUTS = ("contiguous", "unaligned", "nested", "two", "swapped", "braided", "truncated", "overwritten")
MENDED = ("jpeg", "png", "zip", "docx", "sqlite")


def read_truth(path):
    rows = []
    with open(path, encoding="utf-8") as file:
        names = next(file).rstrip("\n").split("\t")
        for line in file:
            rows.append(dict(zip(names, line.rstrip("\n").split("\t"))))
    return rows


def digest(data):
    return hashlib.sha256(data).hexdigest()


def hash_folder(folders):
    for folder in folders:
        for where, _, names in os.walk(folder):
            for name in names:
                if name not in ("audit.txt", "report.xml"):
                    with open(os.path.join(where, name), "rb") as file:
                        yield hashlib.file_digest(file, "sha256").hexdigest()


def hash_preview(path, image, sizes):  # an output of another size than any true file's is no true file
    with open(path, encoding="utf-8", errors="replace") as file, open(image, "rb") as medium:
        for line in file:
            words = line.split()
            if len(words) == 5 and words[1].isdigit() and words[3].isdigit():
                medium.seek(int(words[1]))
                yield digest(medium.read(int(words[3]))) if int(words[3]) in sizes else "-"


def read_case(folder):
    db = sqlite3.connect(f"file:{os.path.join(folder, 'case.db')}?mode=ro", uri=True)
    return db.execute("SELECT sha256, grade, pieces, carver, size, path, lacks FROM carved").fetchall()


def outputs(work, image, sizes):
    """{tool: list of SHA-256}, and kvali's rows."""
    rows = read_case(os.path.join(work, "kvali")) if os.path.exists(os.path.join(work, "kvali", "case.db")) else []
    found = {"kvali": [row[0] for row in rows]}
    if os.path.exists(os.path.join(work, "foremost")):
        found["foremost"] = list(hash_folder([os.path.join(work, "foremost")]))
    if os.path.exists(os.path.join(work, "scalpel", "audit.txt")):
        found["scalpel"] = list(hash_preview(os.path.join(work, "scalpel", "audit.txt"), image, sizes))
    if glob.glob(os.path.join(work, "photorec.*")):
        found["photorec"] = list(hash_folder(glob.glob(os.path.join(work, "photorec.*"))))
    return found, rows


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join("---" if k == 0 else "--:" for k in range(len(head))) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def share(part, whole):
    return f"{part}/{whole} ({100 * part / whole:.1f} %)" if whole else "-"


def recall(truth, have, chosen):
    wanted = [row for row in truth if chosen(row)]
    return share(sum(row["sha256"] in have for row in wanted), len(wanted))


def main():
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    work, image = sys.argv[1:3]
    truth = read_truth((image[:-4] if image.endswith(".raw") else image) + ".truth.tsv")
    known = {row["sha256"] for row in truth}
    found, rows = outputs(work, image, {int(row["size"]) for row in truth})
    have = {tool: set(hashes) for tool, hashes in found.items()}
    times = {}
    if os.path.exists(os.path.join(work, "times")):
        for line in open(os.path.join(work, "times"), encoding="ascii", errors="replace"):
            words = line.split()
            if len(words) == 5 and words[0] in found:
                times[words[0]] = (float(words[1]), float(words[2]) + float(words[3]), int(words[4]) // 1024)

    table(["tool", "wall s", "CPU s", "peak MiB", "outputs", "equal a true file", "intact, contiguous and unaligned"],
          [[tool, *(f"{number:.1f}" for number in times.get(tool, (0, 0, 0))), len(hashes), share(sum(h in known for h in hashes), len(hashes)),
            recall(truth, have[tool], lambda row: row["layout"] in WHOLE[:2])] for tool, hashes in found.items()])
    table(["recovered whole", *found],
          [[layout, *(recall(truth, have[tool], lambda row: row["layout"] == layout) for tool in found)]
           for layout in LAYOUTS])
    grades = collections.defaultdict(list)
    for row in rows:
        grades[row[1]].append(row[0] in known)
        if row[2] > 1:
            grades["(of these in two pieces)"].append(row[0] in known)
    table(["kvali's grade", "outputs", "equal a true file"],
          [[grade, len(right), share(sum(right), len(right))] for grade, right in sorted(grades.items(), reverse=True)])
    formats = sorted({row["format"] for row in truth})
    table(["contiguous and unaligned", *found],
          [[kind, *(recall(truth, have[tool], lambda row: row["format"] == kind and row["layout"] in WHOLE[:2])
                    for tool in found)] for kind in formats])
    table(["two fragments, in order", *found],
          [[kind, *(recall(truth, have[tool], lambda row: row["format"] == kind and row["layout"] == "two")
                    for tool in found)] for kind in MENDED if kind in formats])
    if "--missed" in sys.argv:
        tell_missed(sys.argv[sys.argv.index("--missed") + 1], truth, known, have["kvali"], rows)
    return 0


def tell_missed(path, truth, known, have, rows):
    with open(path, "w", encoding="utf-8") as out:
        for row in truth:
            if row["layout"] in WHOLE + ("two",) and row["sha256"] not in have:
                out.write("missed\t" + "\t".join(row[k] for k in ("format", "layout", "size", "runs", "variant")) + "\n")
        for sha256, grade, pieces, carver, size, place, lacks in rows:
            if sha256 not in known:
                out.write(f"wrong\t{carver}\t{grade}\t{size}\t{place}\t{lacks or ''}\n")


if __name__ == "__main__":
    sys.exit(main())
