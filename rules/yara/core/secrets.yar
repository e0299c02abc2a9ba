/*
  Keys, wallets and encrypted containers: not malware, but what an examiner wants to know of.
*/
rule pem_private_key : key
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "Private key in PEM form"
    reference = "https://www.rfc-editor.org/rfc/rfc7468"
    attack = "T1552.004"
    severity = 40
  strings:
    // The line, and base64 (or a header of an encrypted key) below it: not a program that merely knows the line.
    $key = /-----BEGIN ((RSA|DSA|EC|OPENSSH|ENCRYPTED) )?PRIVATE KEY-----\r?\n(Proc-Type:|[A-Za-z0-9+\/]{32})/
    $pgp = /-----BEGIN PGP PRIVATE KEY BLOCK-----\r?\n(Version|Comment|\r?\n|[A-Za-z0-9+\/]{32})/
  condition:
    any of them
}

rule bitcoin_core_wallet : wallet
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "Wallet file of Bitcoin Core or of a program made from it (wallet.dat), Berkeley DB or SQLite"
    reference = "https://github.com/bitcoin/bitcoin/blob/master/doc/files.md"
    severity = 50
  strings:
    // Names of rows, each with its length before it.
    $name1 = "\x07keymeta!" ascii
    $name2 = "\x04ckey!" ascii
    $name3 = "\x04mkey" ascii
    $name4 = "\x0aminversion" ascii
    $name5 = "\x09bestblock" ascii
    $name6 = "\x10walletdescriptor" ascii
    $name7 = "\x0adefaultkey" ascii
    $name8 = "\x07hdchain" ascii
    $name9 = "\x05flags" ascii
  condition:
    // Berkeley DB's magic at 12 [dbpage.h], or SQLite's
    (uint32(12) == 0x00053162 or uint32be(0) == 0x53514c69) and 3 of them
}

rule luks_header : encryption
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "Header of a LUKS volume (version 1 or 2): encrypted content"
    reference = "https://gitlab.com/cryptsetup/LUKS2-docs"
    severity = 40
  condition:
    uint32be(0) == 0x4c554b53 and uint16be(4) == 0xbabe and (uint16be(6) == 1 or uint16be(6) == 2)
}

rule veracrypt_present : encryption
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "VeraCrypt or TrueCrypt: program, installer, configuration or history of volumes"
    reference = "https://veracrypt.io/en/Documentation.html"
    severity = 30
  strings:
    $program1 = "VeraCrypt Setup" ascii wide
    $program2 = "VeraCryptExpander" ascii wide
    $program3 = "veracrypt.sys" ascii wide nocase
    $program4 = "TrueCrypt Setup" ascii wide
    $config1 = "<VeraCrypt>" ascii
    $config2 = "<TrueCrypt>" ascii
    $config3 = "<configuration>" ascii
    $history1 = "<history>" ascii
    $history2 = "<volume>" ascii
  condition:
    (uint16(0) == 0x5a4d and any of ($program*)) or
    (filesize < 1MB and any of ($config1, $config2) and any of ($config3, $history1, $history2))
}
