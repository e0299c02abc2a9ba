#!/usr/bin/env bash
# carve: objects on a medium without a file system, by the whole program: where they begin, what is inside them.
# Usage: KVALI=... carve.sh
. "$(dirname "$0")/lib.sh"

# A picture with a thumbnail on a cluster; a mail and a mailbox at odd places behind random bytes; and a field of a mail's
# header in the middle of text, where no mail begins.
python3 - "$WORK" <<'PY'
import base64, random, struct, sys
rng = random.Random(3)
small = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC"
    "4zNDL/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z")
entry = lambda tag, value: struct.pack("<HHII", tag, 4, 1, value)
tiff = b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHIHH", 0x112, 3, 1, 1, 0) + struct.pack("<IH", 26, 3)
tiff += struct.pack("<HHIHH", 0x103, 3, 1, 6, 0) + entry(0x201, 68) + entry(0x202, len(small)) + bytes(4)
body = b"Exif\0\0" + tiff + small
picture = small[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + small[2:]
fields = b"Received: from a by b\nFrom: a@example.org\nDate: Thu, 1 Jan 2026 10:00:00 +0400\nTo: b@example.org\n"
mail = fields + b'Content-Type: multipart/mixed; boundary="x"\n\n--x\n\ntext\n--x--\n'
mailbox = (b"From a@example.org Thu Jan  1 10:00:00 2026\n" + mail + b"\n") * 2
def noise(size):
    return rng.randbytes(size - 1) + b"\xee"
medium = bytes(4096) + picture + bytes(-len(picture) % 4096)
medium += noise(5001) + mail + noise(3333) + mailbox + noise(777) + b"some text\n" + fields + noise(4096)
medium += bytes(-len(medium) % 4096)
for name, data in (("medium", medium), ("picture", picture), ("thumbnail", small), ("mail", mail), ("mailbox", mailbox)):
    open(f"{sys.argv[1]}/{name}", "wb").write(data)
PY
run() {
  "$KVALI" process "$WORK/medium" --type raw --case "$WORK/case" --plugins carve,digest --quiet
  is 1 $? # that no file system is there is a fault
}
promise "a medium without a file system is searched" run
has() { # name grade
  is "$2" "$(sql "$WORK/case" "SELECT grade FROM carved WHERE sha256 = '$(sha256sum <"$WORK/$1" | cut -d' ' -f1)'")"
}
promise "a picture is found whole" has picture validated
promise "the thumbnail in it is an object of its own" has thumbnail complete
promise "a mail at any byte is found whole" has mail validated
promise "… and a mailbox" has mailbox validated
promise "and nothing else is said to be whole" is 4 "$(sql "$WORK/case" "SELECT count(*) FROM carved")"
finish
