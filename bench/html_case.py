#!/usr/bin/env python3
"""html_case: puts N files into a case that kvali has made, as if it had found them: for measuring reports, not findings.
   bench/html_case.py CASE N
Half of the rows' names are Georgian, one in twenty is deleted; hash values are SHA-256 of the row's number. The case has one
exhibit, a folder that was processed with the plugins digest and filetype."""
import hashlib, sqlite3, sys

case, count = sys.argv[1], int(sys.argv[2])
db = sqlite3.connect(case + "/case.db")
db.execute("PRAGMA synchronous = OFF")
exhibit, root = db.execute("SELECT id, name FROM t_exhibit").fetchone()
columns = [r[1] for r in db.execute("PRAGMA table_info(t_entry)")]
model_entry = dict(zip(columns, db.execute("SELECT * FROM t_entry WHERE stream IS NOT NULL LIMIT 1").fetchone()))
stream_columns = [r[1] for r in db.execute("PRAGMA table_info(t_stream)")]
model_stream = dict(zip(stream_columns, db.execute("SELECT * FROM t_stream WHERE id = ?", (model_entry["stream"],)).fetchone()))
first = db.execute("SELECT max(id) + 1 FROM t_stream").fetchone()[0]
attempt = db.execute("SELECT max(id) + 1 FROM t_attempt").fetchone()[0]
entry = db.execute("SELECT max(id) + 1 FROM t_entry").fetchone()[0]
words = ["report", "contract", "photo", "invoice", "letter", "ანგარიში", "ხელშეკრულება", "ფოტოსურათი", "წერილი", "ჩანაწერი"]
kinds = [("txt", "text/plain"), ("jpg", "image/jpeg"), ("doc", "application/msword"), ("log", "text/plain"), ("xml", "text/xml"),
         ("html", "text/html"), ("dat", "application/octet-stream"), ("pdf", "application/pdf")]


def insert(table, names, rows):
    db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", rows)


def path_of(n):
    return f"{root}/Users/person{n // 20000:02}/Documents/year{2010 + n // 1000 % 15}/{words[n % 10]}-{n:06}.{kinds[n % 8][0]}"


def entries():
    for n in range(count):
        path = path_of(n)
        when = (1262304000 + n * 7919 % 500000000) * 10**9
        yield list(dict(model_entry, id=entry + n, exhibit=exhibit, path=path, name=path.rsplit("/", 1)[1].encode(), inode=1000 + n,
                        size=n * 37 % 5000000, flags=3 if n % 20 == 0 else model_entry["flags"], modified=when, accessed=when + 10**12,
                        changed=when, born=when - 10**12, stream=first + n).values())


def streams():
    for n in range(count):
        yield list(dict(model_stream, id=first + n, locator=f"folder/bench{n}", path=path_of(n), extension=kinds[n % 8][0],
                        deleted=1 if n % 20 == 0 else 0, size=n * 37 % 5000000, read=n * 37 % 5000000, attempt=attempt + n).values())


run = db.execute("SELECT max(id) FROM t_run").fetchone()[0]
insert("t_entry", columns, entries())
insert("t_stream", stream_columns, streams())
insert("t_attempt", ["id", "run", "stream", "worker", "status"], ((attempt + n, run, first + n, 0, "done") for n in range(count)))
insert("rec_digest", ["stream", "attempt", "ordinal", "md5", "sha1", "sha256", "size", "unread"],
       ((first + n, attempt + n, 0, hashlib.md5(b"%d" % n).digest(), hashlib.sha1(b"%d" % n).digest(), hashlib.sha256(b"%d" % n).digest(),
         n * 37 % 5000000, 0) for n in range(count)))
insert("rec_filetype", ["stream", "attempt", "ordinal", "mime", "description", "mismatch"],
       ((first + n, attempt + n, 0, kinds[n % 8][1], "", 0) for n in range(count)))
db.commit()
