#!/usr/bin/env bash
# inside: what lies in Outlook's stores and packages and in PDF files opens under its name, letters of all programs stand in one view,
# what is encrypted is named, and the findings are the same at any number of workers and after a kill.
# Usage: KVALI=... inside.sh
. "$(dirname "$0")/lib.sh"
for tool in qpdf gpg openssl xz zip; do
  command -v $tool >"$WORK/null" || { skip "there is no $tool"; finish; }
done

mkdir "$WORK/evidence"
for plugin in pst tnef pdf ole mail encrypted; do
  for file in "$TOP/tests/plugins/$plugin"/*.in; do
    base=${file##*/}
    cp "$file" "$WORK/evidence/$plugin-${base%.in}"
  done
done
cd "$WORK/evidence" || exit 1
# Real programs beside what is made by the book.
printf 'attached by qpdf\n' >"$WORK/note.txt"
qpdf --add-attachment "$WORK/note.txt" --filename=note.txt -- pdf-files.pdf qpdf.pdf || exit 1
qpdf --encrypt "" owner 256 -- qpdf.pdf open.pdf && qpdf --encrypt user owner 256 -- qpdf.pdf closed.pdf || exit 1
export GNUPGHOME="$WORK/gnupg"
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase x --pinentry-mode loopback --cipher-algo AES256 -c -o letter.gpg "$WORK/note.txt" 2>"$WORK/null" || exit 1
gpgconf --kill gpg-agent
openssl enc -aes-256-cbc -pbkdf2 -k x -in "$WORK/note.txt" -out note.enc
openssl genrsa -aes128 -passout pass:x -out key.pem 2048 2>"$WORK/null"
zip -q -P x secret.zip "$WORK/note.txt"
# Random by design, and what is nearly so.
openssl enc -aes-256-ctr -K "$(printf %064d 1)" -iv "$(printf %032d 1)" -in /dev/zero 2>"$WORK/null" | head -c 1048576 >volume
{ printf '\x84\x20\x03'; tail -c +4 volume; } >volume.pgp # begins like a message of OpenPGP, and is none
{ cat volume; printf x; } >volume.odd
head -c 786432 volume | { printf 'ID3'; cat; } | head -c 786432 >volume.mp3
seq 900000 | xz -9 >"$WORK/packed" && size=$(stat -c %s "$WORK/packed") && head -c $((size / 512 * 512)) "$WORK/packed" >packed.xz
seq 900000 | gzip -9 | tail -c +20 | head -c $((1024 * 1024)) >packed.part
head -c 1048576 /dev/zero >zeros
cd "$TOP" || exit 1

PLUGINS=archive,digest,encrypted,mail,ole,pdf,pst,tnef
process() { # case option...
  local case=$1 code=0
  shift
  "$KVALI" process "$WORK/evidence" --case "$WORK/$case" --quiet --plugins $PLUGINS "$@" || code=$?
  [ $code -le 1 ]
}
promise "what is inside of files is looked at" process one --jobs 1
# The LUKS2 samples are a header without a checksum: no volume opens.
promise "nothing of it fails" is 'encrypted-luks2-cut.img encrypted-luks2.img' "$(sql "$WORK/one" "SELECT group_concat(replace(path, 'evidence/', ''), ' ') FROM (SELECT path FROM fault WHERE kind NOT IN ('limit', 'encrypted') ORDER BY path)")"
promise "… and by two workers" process two --jobs 2
promise "… gives the same findings" is "$("$KVALI" digest "$WORK/one")" "$("$KVALI" digest "$WORK/two")"
killed() {
  local pid
  "$KVALI" new "$WORK/three" >"$WORK/null" && "$KVALI" add "$WORK/three" "$WORK/evidence" >"$WORK/null" || return 1
  for pause in 0.1 0.2 0.4; do
    "$KVALI" run "$WORK/three" --jobs 2 --quiet --plugins $PLUGINS >"$WORK/null" 2>&1 &
    pid=$!
    sleep $pause
    kill -9 $pid 2>"$WORK/null"
    wait $pid 2>"$WORK/null"
  done
  "$KVALI" run "$WORK/three" --jobs 2 --quiet --plugins $PLUGINS || [ $? -eq 1 ] || return 1
  is "$("$KVALI" digest "$WORK/one")" "$("$KVALI" digest "$WORK/three")"
}
promise "… and so it is after kill -9" killed

letter() { # file, what of it: sender|recipients|subject|time|Message-ID
  is "$2" "$(sql "$WORK/one" "SELECT sender || '|' || coalesce(recipients, '') || '|' || subject || '|' || coalesce(sent, '') || '|' || coalesce(message_id, '') FROM message WHERE path LIKE '%/$1%' ORDER BY path LIMIT 1")"
}
promise "a letter in a store is in the view of letters" letter "pst-mail.pst!/Inbox/item@0x200024/properties.txt" "Ana <ana@example.ge>|ბექა <beka@example.ge>|წერილი|2024-01-02T03:04:05Z|<1@example.ge>"
promise "one in Outlook's package, too" letter "tnef-winmail.dat" "Ana <ana@example.ge>|ბექა <beka@example.ge>|წერილი|2024-01-02T03:04:05Z|<1@example.ge>"
promise "one in a file MSG, too" letter "ole-letter.msg" "Ana <ana@example.ge>|b@example.com|წერილი|2024-01-02T03:04:05Z|"
promise "a letter's stations are those of its headers" is 2 \
  "$(sql "$WORK/one" "SELECT json_array_length(received) FROM message WHERE path LIKE '%pst-mail.pst!/Inbox/item@0x200024/properties.txt'")"
promise "items that Outlook hides are told" is hidden "$(sql "$WORK/one" "SELECT state FROM message WHERE subject = 'rule'")"

content() { # path behind the evidence, its bytes
  is "$(printf "$2" | sha256sum | cut -d' ' -f1)" "$(sql "$WORK/one" "SELECT sha256 FROM file WHERE path LIKE '%/$1'")" &&
    is "$(printf "$2" | sha256sum | cut -d' ' -f1)" "$("$KVALI" show "$WORK/one" "evidence/$1" --bytes | sha256sum | cut -d' ' -f1)"
}
promise "an attachment in a store has its name and bytes, and show gives it back" content "pst-mail.pst!/Inbox/item@0x200024/ფაილი გრძელი.txt" 'attached\n'
promise "so it is of a letter in a letter" content "pst-mail.pst!/Inbox/item@0x200024/item@0x200064/body.txt" 'inner words'
promise "so it is in Outlook's package, two levels deep" content "tnef-winmail.dat!/inner!/deep.txt" 'deep\n'
promise "so it is of text that Outlook compressed" content "tnef-winmail.dat!/body.rtf" '{\\rtf1\\ansi Words in RTF}'
promise "so it is in a PDF file" content "qpdf.pdf!/note.txt" 'attached by qpdf\n'
promise "so it is in one that is encrypted, and opens without a password" content "open.pdf!/note.txt" 'attached by qpdf\n'
promise "so it is in one without its end" content "pdf-broken.pdf!/b.txt" 'the second, not packed\n'

named() { # name, kind|method
  is "$2" "$(sql "$WORK/one" "SELECT kind || '|' || coalesce(method, '') FROM encrypted WHERE path LIKE '%/$1%' LIMIT 1")"
}
promise "a PDF file that wants a password is named" is "AES 256 (revision 6)|a password is needed" "$(sql "$WORK/one" "SELECT method || '|' || reason FROM encrypted WHERE path LIKE '%/closed.pdf'")"
promise "gpg's message" named letter.gpg "OpenPGP message|password, AES 256"
promise "openssl's file" named note.enc "OpenSSL enc|password, with salt; the cipher is not said"
promise "a private key" named key.pem "private key|PKCS #8"
promise "a member of an archive" named 'secret.zip!/' "member of an archive|ZipCrypto"
promise "an Office document" named ole-closed.xlsx "encrypted Office document|ECMA-376 (EncryptedPackage)"
promise "a KeePass database" named encrypted-vault.kdbx "KeePass database|KDBX 4.1, AES 256, Argon2id"
promise "what is random in whole sectors is a suspect, whatever it begins with, and nothing else is" is "evidence/volume evidence/volume.pgp" \
  "$(sql "$WORK/one" "SELECT path FROM encrypted WHERE certainty = 'suspect' ORDER BY path" | tr '\n' ' ' | sed 's/ $//')"

finish
