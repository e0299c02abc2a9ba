#!/usr/bin/env bash
# seal: what is sealed can be checked by kvali and, with the case's own VERIFY.txt, by sha256sum, openssl and sqlite3 alone; both
# see every change; and what neither can see is said. `tamper.py` beside this does the same a thousand times over.
. "$(dirname "$0")/lib.sh"
export XDG_CONFIG_HOME=$WORK/config
keys=$WORK/keys case=$WORK/case ca=$WORK/keys/lab-root.pem
mkdir -p "$WORK/folder"
for i in 1 2 3 4 5 6; do echo "content $i" >"$WORK/folder/$i.txt"; done
truncate -s 2M "$WORK/disk.raw"
mke2fs -q -F -t ext4 -d "$WORK/folder" "$WORK/disk.raw"
done_well() { # with faults or without
  "$KVALI" "$@" --quiet
  [ $? -le 1 ]
}
done_well process "$WORK/disk.raw" --case "$case" >"$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }

seal() { "$KVALI" seal "$case" --key "$keys/examiner.p12" "$@"; }
verify() { "$KVALI" verify "$1" --ca "$ca" --tsa-ca "$ca" "${@:2}"; }
# The commands of the page, taken from the page.
page() { (cd "$1" && sed -n 's/^    //p' VERIFY.txt | CA=$ca TSA=$ca EXPECT=${2:-} sh); }
sound() { exits 0 verify "$case" --quiet && page "$case" >"$WORK/page" && ! grep BAD "$WORK/page"; }
paper() { sha256sum "$case/seals/$1.json" | cut -c1-64; }

# ---- the digest

digest() { is "$("$KVALI" digest "$case")" "$("$KVALI" digest --sql "$case" | sqlite3 -batch -init /dev/null -readonly "$case/case.db" | sha256sum | cut -c1-64)"; }
promise "sqlite3 and sha256sum alone give the findings' digest" digest
lines() { "$KVALI" digest --sql "$case" | sqlite3 -batch -init /dev/null -readonly "$case/case.db" | cmp - <("$KVALI" digest --lines "$case"); }
promise "… from the same lines, to the byte" lines

# ---- keys

promise "keys for a lab that has none" exits 0 "$KVALI" keys init "$keys" --lab 'ლაბორატორია' --examiner 'ნინო ბერიძე' --no-passphrase
promise "… never over others" exits 2 "$KVALI" keys init "$keys" --no-passphrase
chain() { openssl verify -CAfile "$ca" "$keys/examiner.pem" && openssl verify -purpose timestampsign -CAfile "$ca" "$keys/tsa.pem"; }
promise "… openssl follows their certificates to the root" chain
private() { is "600 600 600" "$(stat -c %a "$keys/lab-root.key" "$keys/examiner.p12" "$keys/tsa.key" | xargs)"; }
promise "… private keys are for their owner alone" private
secret() {
  echo 'a secret word' >"$WORK/word"
  echo 'another word' >"$WORK/other"
  exits 0 "$KVALI" keys init "$WORK/keys2" --passphrase-file "$WORK/word" && cp -r "$case" "$WORK/secret" &&
    exits 2 "$KVALI" seal "$WORK/secret" --key "$WORK/keys2/examiner.p12" --passphrase-file "$WORK/other" &&
    exits 0 "$KVALI" seal "$WORK/secret" --key "$WORK/keys2/examiner.p12" --passphrase-file "$WORK/word"
}
promise "a key with a passphrase opens with that one alone" secret
weak() {
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/weak.key" -out "$WORK/weak.pem" -subj /CN=weak -days 9 2>/dev/null
  exits 2 "$KVALI" seal "$case" --key "$WORK/weak.key" --cert "$WORK/weak.pem" && contains "$(cat "$WORK/out")" "from 3072 bits on"
}
promise "RSA of 2048 bits is refused" weak
mixed() { exits 2 "$KVALI" seal "$case" --key "$keys/tsa.key" --cert "$keys/examiner.pem" && contains "$(cat "$WORK/out")" "do not belong together"; }
promise "a key with the certificate of another is refused" mixed
promise "none of these left a seal" test ! -e "$case/seals/0001.json"
strict() { exits 4 seal --strict && contains "$(cat "$WORK/out")" gaps && [ ! -e "$case/seals/0001.json" ]; }
promise "--strict makes no seal while custody has gaps" strict

cp -r "$case" "$WORK/bare"

# ---- the first seal

promise "a case is sealed" exits 0 seal --tsa-query "$WORK/q.tsq"
promise "… and verifies, by kvali and by its own page" sound
promise "… which says how many gaps custody has" is 5 "$(jq .custody_gaps "$case/seals/0001.json")"
signer() { contains "$(verify "$case")" "CN=ნინო ბერიძე"; }
promise "… and who signed it" signer
unknown() { exits 4 "$KVALI" verify "$case" --ca "$WORK/weak.pem" && contains "$(cat "$WORK/out")" "BAD  the signatures: seal 1"; }
promise "roots to which the signer does not lead are told" unknown
still() {
  local before
  before=$(sha256sum "$case/case.db")
  "$KVALI" status "$case" >/dev/null
  "$KVALI" find "$case" >/dev/null
  "$KVALI" digest "$case" >/dev/null
  sqlite3 -readonly "$case/case.db" 'SELECT count(*) FROM file' >/dev/null
  is "$before" "$(sha256sum "$case/case.db")" && sound
}
promise "reading a sealed case changes no byte of it" still

# ---- time stamps

late() {
  (cd "$keys" && openssl ts -reply -config tsa.cnf -queryfile "$WORK/q.tsq" -out "$WORK/q.tsr" 2>/dev/null)
  exits 0 "$KVALI" seal "$case" --tsa-response "$WORK/q.tsr" --tsa-ca "$ca" && contains "$(verify "$case")" ", stamped 20" && sound &&
    grep -q 'seal 0001: the time stamp holds' "$WORK/page"
}
promise "a stamp that came later is taken, and the seal is as good as before" late
foreign() {
  openssl ts -query -data "$ca" -sha256 -cert -out "$WORK/f.tsq" 2>/dev/null
  (cd "$keys" && openssl ts -reply -config tsa.cnf -queryfile "$WORK/f.tsq" -out "$WORK/f.tsr" 2>/dev/null)
  cp -r "$case" "$WORK/foreign" && rm "$WORK/foreign/seals/0001.tsr"
  exits 2 "$KVALI" seal "$WORK/foreign" --tsa-response "$WORK/f.tsr" && [ ! -e "$WORK/foreign/seals/0001.tsr" ]
}
promise "a stamp over something else is refused" foreign

# ---- the case goes on

"$KVALI" report "$case" --quiet
on() { exits 0 verify "$case" && contains "$(cat "$WORK/out")" "case.db was written after seal 1" && page "$case" >"$WORK/page" && grep -q '^note the ledger has' "$WORK/page"; }
promise "the case goes on after a seal, and both say what is not sealed now" on
cat >"$WORK/tsa.py" <<'END'
import http.server, subprocess, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        open(sys.argv[2] + "/in.tsq", "wb").write(self.rfile.read(int(self.headers["Content-Length"])))
        subprocess.run(["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", sys.argv[2] + "/in.tsq", "-out", sys.argv[2] + "/out.tsr"],
                       cwd=sys.argv[1], check=True, capture_output=True)
        answer = open(sys.argv[2] + "/out.tsr", "rb").read()
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *words): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
open(sys.argv[2] + "/port", "w").write(str(server.server_port) + "\n")
server.handle_request()
END
asked() {
  python3 "$WORK/tsa.py" "$keys" "$WORK" &
  local server=$!
  until [ -s "$WORK/port" ]; do sleep 0.1; done
  http_proxy='' exits 0 seal --crl "$keys/lab-root.crl" --tsa "http://127.0.0.1:$(cat "$WORK/port")/" && contains "$(cat "$WORK/out")" "It is stamped" && sound
  local code=$?
  kill "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  return "$code"
}
promise "a second seal, stamped over the network, covers the rest" asked
second() { is "$(paper 0001)" "$(jq -r .prev_seal_sha256 "$case/seals/0002.json")" && grep -q ' seals/0001.p7s$' "$case/seals/0002.manifest"; }
promise "… and the first" second
cp -r "$case" "$WORK/older"
nobody_there() { http_proxy='' exits 5 "$KVALI" seal "$WORK/older" --key "$keys/examiner.p12" --tsa http://127.0.0.1:9/ && contains "$(cat "$WORK/out")" "made without a stamp" && exits 0 verify "$WORK/older" --quiet; }
promise "without an authority the seal is made all the same: exit 5" nobody_there
rm -rf "$WORK/older"

report() { is "[2,\"$(paper 0002)\"]" "$("$KVALI" report "$case" --format json --stdout | jq -c '.custody | [.seal, .seal_sha256]')" && contains "$("$KVALI" report "$case" --format html --stdout)" "$(paper 0002)"; }
promise "a report names the newest seal and its SHA-256" report

# ---- what the folder alone cannot show, and what paper does

paper2=$(paper 0002)
taken_away() {
  rm -rf "$WORK/back" && cp -r "$case" "$WORK/back" && rm -r "$WORK/back/seals/"0002.* "$WORK/back/reports/"*0002* &&
    head -c "$(jq .ledger_bytes "$case/seals/0001.json")" "$case/ledger.jsonl" >"$WORK/back/ledger.jsonl" &&
    sed -n "$(($(jq .ledger_records "$case/seals/0001.json") + 1)),+1p" "$case/ledger.jsonl" >>"$WORK/back/ledger.jsonl"
}
taken_away
said() { contains "$(verify "$case")" "shows only with --expect-seal" && grep -q "put back to an" "$case/VERIFY.txt"; }
promise "that newer seals were taken away shows only with paper: verify and the page say so" said
expected() {
  exits 0 verify "$case" --expect-seal "2:$paper2" --quiet && exits 4 verify "$WORK/back" --expect-seal "2:$paper2" &&
    contains "$(cat "$WORK/out")" "BAD  expected seal: seal 2" && ! page "$WORK/back" "$paper2" >"$WORK/page" && grep -q "^BAD  the newest seal is the one" "$WORK/page" &&
    page "$case" "$paper2" >"$WORK/page"
}
promise "… with the value from paper both see it" expected

# ---- tampering beside single bits

tampered() { # words-of-verify words-of-the-page
  exits 4 verify "$WORK/bad" && contains "$(cat "$WORK/out")" "$1" && ! page "$WORK/bad" >"$WORK/page" && grep -F -- "$2" "$WORK/page" | grep -q BAD
}
bad() { rm -rf "$WORK/bad" && cp -r "$case" "$WORK/bad" && (cd "$WORK/bad" && "$@"); }
swap_db() { sqlite3 case.db "UPDATE t_exhibit SET md5 = 'x'"; }
bad swap_db
promise "a database that somebody wrote to" tampered "case.db: it was changed since seal 2" "every file of the manifest"
wal() { sqlite3 case.db ".dbconfig no_ckpt_on_close on" "UPDATE t_exhibit SET md5 = 'x'" >/dev/null && [ -s case.db-wal ]; }
bad wal
promise "changes that wait in the database's log" tampered "case.db-wal: there are changes" "nothing waits"
bad rm reports/report-0001.html
promise "a report that is gone" tampered "reports/report-0001.html: it is gone since seal 2 (records 1 to" "every file of the manifest"
bad rm seals/0001.json
promise "a seal that is gone" tampered "seal 2 is there, and seal 1 is missing" "has the number that follows"
resign() {
  sed -i 's/"custody_gaps":5/"custody_gaps":0/' seals/0002.json
  "$KVALI" keys init "$WORK/rogue" --no-passphrase --quiet
  openssl cms -sign -binary -md sha384 -cades -nosmimecap -in seals/0002.json -signer "$WORK/rogue/examiner.pem" \
    -inkey <(openssl pkcs12 -in "$WORK/rogue/examiner.p12" -nodes -passin pass: 2>/dev/null) -outform DER -out seals/0002.p7s
}
bad resign
promise "a seal that somebody else signed anew" tampered "BAD  the signatures: seal 2" "the signature holds"
partial() { printf '{"half' >>ledger.jsonl; }
bad partial
promise "a last line of the ledger that is cut off" tampered "BAD  the ledger's chain" "of the ledger does not follow"
bits() { nice -n 5 "$TOP/tests/integration/tamper.py" "$case" "$ca" --flips "${FLIPS:-3}" --third "${THIRD:-1}" --records "${RECORDS:-3}"; }
promise "single bits of everything that is sealed, and records edited, deleted, swapped, cut off" bits

# ---- certificates that end, are taken back, and change

authority() { # a small authority of the lab's root: openssl ca
  mkdir -p "$WORK/authority" && cd "$WORK/authority" || return 1
  : >index.txt
  echo 77 >serial
  echo 01 >crlnumber
  printf '%s\n' '[ca]' 'default_ca=lab' '[lab]' 'database=index.txt' 'serial=serial' 'crlnumber=crlnumber' 'new_certs_dir=.' \
    "certificate=$keys/lab-root.pem" "private_key=$keys/lab-root.key" 'default_md=sha384' 'policy=any' 'default_crl_days=30' 'unique_subject=no' \
    '[any]' 'commonName=supplied' >ca.cnf
}
issue() { # NAME SECONDS: a key, and a certificate that ends so soon
  openssl ecparam -name secp384r1 -genkey -noout -out "$1.key" && openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr" &&
    openssl ca -batch -notext -config ca.cnf -in "$1.csr" -out "$1.pem" -startdate "$(date -u -d '-1 day' +%y%m%d%H%M%SZ)" \
      -enddate "$(date -u -d "+$2 seconds" +%y%m%d%H%M%SZ)" 2>>openssl.log
}
ended() {
  (authority && issue brief 8) || { cat "$WORK/authority/openssl.log"; return 1; }
  cp -r "$case" "$WORK/ended"
  exits 0 "$KVALI" seal "$WORK/ended" --key "$WORK/authority/brief.key" --cert "$WORK/authority/brief.pem" --tsa-query "$WORK/b.tsq" || return 1
  (cd "$keys" && openssl ts -reply -config tsa.cnf -queryfile "$WORK/b.tsq" -out "$WORK/b.tsr" 2>/dev/null)
  sleep 9
  exits 4 verify "$WORK/ended" && contains "$(cat "$WORK/out")" "certificate has expired" || return 1
  exits 0 "$KVALI" seal "$WORK/ended" --tsa-response "$WORK/b.tsr" --tsa-ca "$ca" && exits 0 verify "$WORK/ended"
}
promise "a seal whose certificate has ended is bad, unless a trusted stamp says that it was made before" ended
changed() { contains "$(verify "$WORK/ended")" "signed with another certificate than the seal before it: now CN=brief"; }
promise "another certificate than that of the seal before is told" changed
revoked() {
  (cd "$WORK/authority" && issue taken 90000 && openssl ca -config ca.cnf -gencrl -out empty.crl 2>>openssl.log) || return 1
  cp -r "$WORK/bare" "$WORK/revoked"
  exits 0 "$KVALI" seal "$WORK/revoked" --key "$WORK/authority/taken.key" --cert "$WORK/authority/taken.pem" --tsa-query "$WORK/r.tsq" || return 1
  (cd "$keys" && openssl ts -reply -config tsa.cnf -queryfile "$WORK/r.tsq" -out "$WORK/r.tsr" 2>/dev/null)
  exits 0 verify "$WORK/revoked" --crl "$WORK/authority/empty.crl" && ! contains "$(cat "$WORK/out")" "no revocation list" || return 1
  (cd "$WORK/authority" && openssl ca -config ca.cnf -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 20210101000000Z -out old.crl 2>>openssl.log) || return 1
  exits 0 verify "$WORK/revoked" --crl "$WORK/authority/old.crl" && contains "$(cat "$WORK/out")" "no revocation list by the issuer of its signer's certificate that was in date when it was made" || return 1
  (LISTS=$WORK/authority/old.crl page "$WORK/revoked") | grep -q 'note seal 0001: that list was out of date when the seal was made: it ended on Jan  1' || return 1
  sleep 2
  (cd "$WORK/authority" && openssl ca -config ca.cnf -revoke taken.pem && openssl ca -config ca.cnf -gencrl -out taken.crl) 2>>"$WORK/authority/openssl.log" || return 1
  exits 4 verify "$WORK/revoked" --crl "$WORK/authority/taken.crl" && contains "$(cat "$WORK/out")" "the signer's certificate was revoked on 20" || return 1
  exits 0 "$KVALI" seal "$WORK/revoked" --tsa-response "$WORK/r.tsr" --tsa-ca "$ca" && exits 0 verify "$WORK/revoked" --crl "$WORK/authority/taken.crl"
}
promise "a seal whose certificate was revoked is bad, unless a trusted stamp says that it was made before" revoked
kept() { # what a later seal keeps tells of an older one, without any list from elsewhere, by kvali and by the page
  rm -rf "$WORK/kept" "$WORK/keys3"
  "$KVALI" keys init "$WORK/keys3" --lab L --examiner E --no-passphrase --quiet && cp -r "$WORK/bare" "$WORK/kept" || return 1
  local ca=$WORK/keys3/lab-root.pem lists=$WORK/keys3/lab-root.crl
  exits 0 "$KVALI" seal "$WORK/kept" --key "$WORK/keys3/examiner.p12" --crl "$lists" --tsa-query "$WORK/k.tsq" || return 1
  (cd "$WORK/keys3" && openssl ts -reply -config tsa.cnf -queryfile "$WORK/k.tsq" -out "$WORK/k.tsr" 2>/dev/null)
  cmp "$lists" "$WORK/kept/seals/0001.crl" && grep -q 'seals/0001.crl' "$WORK/kept/seals/0001.manifest" && exits 0 verify "$WORK/kept" || return 1
  page "$WORK/kept" >"$WORK/page" && grep -q 'ok   seal 0001: the revocation list seals/0001.crl (1) is signed' "$WORK/page" || return 1
  sleep 2
  (cd "$WORK/keys3" && openssl ca -config ca.cnf -revoke examiner.pem && openssl ca -config ca.cnf -gencrl -out lab-root.crl) 2>>"$WORK/authority/openssl.log" || return 1
  exits 2 "$KVALI" seal "$WORK/kept" --key "$WORK/keys3/examiner.p12" --crl "$lists" && contains "$(cat "$WORK/out")" "certificate was revoked" || return 1
  (cd "$WORK/keys3" && openssl req -new -key tsa.key -subj /CN=second -out second.csr && openssl ca -batch -notext -config ca.cnf -in second.csr -days 9 -out second.pem) 2>>"$WORK/authority/openssl.log" || return 1
  exits 0 "$KVALI" seal "$WORK/kept" --key "$WORK/keys3/tsa.key" --cert "$WORK/keys3/second.pem" --crl "$lists" || return 1
  exits 4 verify "$WORK/kept" && contains "$(cat "$WORK/out")" "BAD  the signatures: seal 1: the signer's certificate was revoked on 20" || return 1
  ! page "$WORK/kept" >"$WORK/page" && grep -q 'BAD  seal 0001: its certificate was revoked on' "$WORK/page" || return 1
  exits 0 "$KVALI" seal "$WORK/kept" --seal 1 --tsa-response "$WORK/k.tsr" --tsa-ca "$ca" && exits 0 verify "$WORK/kept" &&
    page "$WORK/kept" >"$WORK/page" && grep -q 'ok   seal 0001: its certificate was revoked on' "$WORK/page" || return 1
  flip "$WORK/kept/seals/0002.crl" 300
  exits 4 verify "$WORK/kept" && contains "$(cat "$WORK/out")" "seals/0002.crl" && ! page "$WORK/kept" >"$WORK/page"
}
promise "a seal keeps the revocation lists, and these tell of older seals without a network, by kvali and by the page" kept
forged_list() { # by one who calls himself as the issuer does
  "$KVALI" keys init "$WORK/forger" --lab 'ლაბორატორია' --examiner 'ნინო ბერიძე' --no-passphrase --quiet
  (cd "$WORK/authority" && sed "s#$keys#$WORK/forger#" ca.cnf >rogue.cnf && openssl ca -config rogue.cnf -gencrl -out rogue.crl 2>>openssl.log) || return 1
  exits 4 verify "$WORK/revoked" --crl "$WORK/authority/rogue.crl" && contains "$(cat "$WORK/out")" "and not its signature"
}
promise "a revocation list that the issuer did not sign is told" forged_list

# ---- evidence

promise "the evidence is read again: its hash and a sample of its files" exits 0 verify "$case" --evidence "$WORK/disk.raw" --sample 4 --quiet
other() {
  cp "$WORK/disk.raw" "$WORK/changed.raw"
  printf X | dd of="$WORK/changed.raw" bs=1 seek="$(grep -abo 'content 3' "$WORK/disk.raw" | head -n 1 | cut -d: -f1)" conv=notrunc 2>/dev/null
  exits 3 verify "$case" --evidence "$WORK/changed.raw" && contains "$(cat "$WORK/out")" "the image: its SHA-256 is" && contains "$(cat "$WORK/out")" "3.txt: its SHA-256 is"
}
promise "… other evidence is told, and which file of the sample it is: exit 3" other
record() {
  exits 0 verify "$case" --evidence "$WORK/disk.raw" --record --quiet &&
    is '["verification","match"]' "$(tail -n 1 "$case/ledger.jsonl" | jq -c '[.type, .result]')"
}
promise "… --record writes it into the ledger" record

# ---- comparing

compare() { done_well process "$WORK/$1" --case "$WORK/$2" "${@:3}" >/dev/null; }
compare disk.raw same
promise "two cases of the same evidence compare as the same: exit 0" exits 0 "$KVALI" compare "$case" "$WORK/same"
compare changed.raw changed
because() { exits 1 "$KVALI" compare "$case" "$WORK/$1" && contains "$(cat "$WORK/out")" "$2" && ! grep "not explained" "$WORK/out"; }
promise "other evidence is the cause of every difference" because changed "(evidence)"
compare disk.raw less --plugins digest
promise "fewer plugins: the configuration is" because less "(configuration)"
sqlite3 "$WORK/same/case.db" "UPDATE t_entry SET size = size + 1 WHERE path LIKE '%/3.txt'"
forged() { exits 1 "$KVALI" compare "$case" "$WORK/same" && contains "$(cat "$WORK/out")" "size: 10 | 11 (not explained)"; }
promise "a finding that nothing explains is told as that, with its values" forged

# ---- a key on a token

token() {
  local module=/usr/lib/softhsm/libsofthsm2.so
  export SOFTHSM2_CONF=$WORK/softhsm.conf PKCS11_MODULE_PATH=$module
  mkdir -p "$WORK/tokens" && echo "directories.tokendir = $WORK/tokens" >"$SOFTHSM2_CONF"
  softhsm2-util --init-token --free --label kvali --pin 1234 --so-pin 1234 >/dev/null &&
    openssl pkcs12 -in "$keys/examiner.p12" -nodes -nocerts -passin pass: 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out "$WORK/token.key" &&
    softhsm2-util --import "$WORK/token.key" --token kvali --label examiner --id 01 --pin 1234 >/dev/null || return 1
  rm "$WORK/token.key"
  echo 1234 >"$WORK/pin"
  exits 0 "$KVALI" seal "$case" --key 'pkcs11:token=kvali;object=examiner;type=private' --cert "$keys/examiner.pem" --passphrase-file "$WORK/pin" && sound
}
if command -v softhsm2-util >/dev/null && ls /usr/lib/*/engines-3/pkcs11.so >/dev/null 2>&1; then
  promise "a key that never leaves its token seals as well" token
else
  skip "a key on a token: softhsm2 and libengine-pkcs11-openssl are not installed"
fi
finish
