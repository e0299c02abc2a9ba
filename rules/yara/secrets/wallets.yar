/*
  Wallets of crypto currencies and what opens them, beside Bitcoin Core's own file in core.
*/
rule seed_phrase_written_down : wallet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Text with twelve or more words under a heading like seed phrase: whoever has them has the wallet"
    reference = "https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki"
    attack = "T1552.001"
    severity = 60
  strings:
    // Words of the list have three to eight letters; ordinary sentences have shorter ones among twelve.
    $line = /(seed|recovery|secret|mnemonic|backup)[ _-]?(recovery )?(phrases?|words|seed|keys?)[^a-z\r\n]{0,6}[\s:="'>-]{1,10}([a-z]{3,8}[ ,]{1,2}){11}[a-z]{3,8}\b/ ascii wide nocase
    $json = /"(mnemonic|seed|seedPhrase|seed_phrase|recoveryPhrase)"\s{0,2}:\s{0,2}"([a-z]{3,8} ){11}/ ascii wide nocase
  condition:
    filesize < 5MB and any of them
}

rule seed_phrase_written_down_local : wallet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Text with twelve or more English words under a Georgian or Russian heading for a seed phrase"
    reference = "https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki"
    attack = "T1552.001"
    severity = 60
  strings:
    // სიდ ფრაზ, საიდუმლო ფრაზ, აღდგენის ფრაზ; сид фраз, ид-фраз
    // სიდ ფრაზ
    $head8_1 = { E1 83 A1 E1 83 98 E1 83 93 20 E1 83 A4 E1 83 A0 E1 83 90 E1 83 96 }
    $head16_1 = { E1 10 D8 10 D3 10 20 00 E4 10 E0 10 D0 10 D6 10 }
    // საიდუმლო ფრაზ
    $head8_2 = { E1 83 A1 E1 83 90 E1 83 98 E1 83 93 E1 83 A3 E1 83 9B E1 83 9A E1 83 9D 20 E1 83 A4 E1 83 A0 E1 83
                 90 E1 83 96 }
    $head16_2 = { E1 10 D0 10 D8 10 D3 10 E3 10 DB 10 DA 10 DD 10 20 00 E4 10 E0 10 D0 10 D6 10 }
    // აღდგენის ფრაზ
    $head8_3 = { E1 83 90 E1 83 A6 E1 83 93 E1 83 92 E1 83 94 E1 83 9C E1 83 98 E1 83 A1 20 E1 83 A4 E1 83 A0 E1 83
                 90 E1 83 96 }
    $head16_3 = { D0 10 E6 10 D3 10 D2 10 D4 10 DC 10 D8 10 E1 10 20 00 E4 10 E0 10 D0 10 D6 10 }
    // ид фраз
    $head8_4 = { D0 B8 D0 B4 20 D1 84 D1 80 D0 B0 D0 B7 }
    $head16_4 = { 38 04 34 04 20 00 44 04 40 04 30 04 37 04 }
    $headcp_4 = { E8 E4 20 F4 F0 E0 E7 }
    // ид-фраз
    $head8_5 = { D0 B8 D0 B4 2D D1 84 D1 80 D0 B0 D0 B7 }
    $head16_5 = { 38 04 34 04 2D 00 44 04 40 04 30 04 37 04 }
    $headcp_5 = { E8 E4 2D F4 F0 E0 E7 }
    // екретная фраза
    $head8_6 = { D0 B5 D0 BA D1 80 D0 B5 D1 82 D0 BD D0 B0 D1 8F 20 D1 84 D1 80 D0 B0 D0 B7 D0 B0 }
    $head16_6 = { 35 04 3A 04 40 04 35 04 42 04 3D 04 30 04 4F 04 20 00 44 04 40 04 30 04 37 04 30 04 }
    $headcp_6 = { E5 EA F0 E5 F2 ED E0 FF 20 F4 F0 E0 E7 E0 }
    $words = /[\s:\-"']([a-z]{3,8} ){5}(abandon|ability|able|about|above|absent|accident|account|acid|across|action|adapt|again|album|alone|animal|apple|arrow|badge|basic|beach|bench|bread|bridge|candy|casual|chair|child|cloud|coral|crime|dance|deer|dinner|dragon|eagle|early|energy|exile|fabric|famous|fence|flame|fruit|galaxy|ghost|glass|globe|grape|habit|honey|horse|humor|island|jacket|jelly|knife|ladder|laptop|lemon|lion|magic|mango|marble|mirror|moral|nature|ocean|olive|orange|panda|piano|pizza|planet|quick|rabbit|radar|river|robot|salad|scale|shell|silver|snake|spider|stone|sugar|table|tiger|tomato|travel|uncle|valley|violin|whale|window|winter|zebra|zoo)[ \r\n]/ ascii wide
  condition:
    filesize < 1MB and any of ($head8_*, $head16_*, $headcp_*) and $words
}

rule ethereum_keystore : wallet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Key file of an Ethereum account, encrypted with a password"
    reference = "https://github.com/ethereum/wiki/wiki/Web3-Secret-Storage-Definition"
    attack = "T1552.004"
    severity = 50
  strings:
    $1 = "\"ciphertext\"" ascii nocase
    $2 = "\"kdfparams\"" ascii nocase
    $3 = "\"cipherparams\"" ascii nocase
    $4 = /"mac"\s{0,2}:\s{0,2}"[0-9a-f]{64}"/ ascii nocase
    $5 = /"version"\s{0,2}:\s{0,2}3\b/ ascii nocase
  condition:
    filesize < 16KB and all of them
}

rule electrum_wallet : wallet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Wallet file of Electrum or of a program made from it"
    reference = "https://electrum.readthedocs.io/"
    attack = "T1552.004"
    severity = 50
  strings:
    $1 = "\"seed_version\"" ascii
    $2 = "\"wallet_type\"" ascii
    $3 = "\"keystore\"" ascii
    $4 = "\"use_encryption\"" ascii
    $5 = "QklFM"
  condition:
    (filesize < 50MB and uint8(0) == 0x7B and $1 and $2 and any of ($3, $4)) or
    // Encrypted as a whole: base64 of BIE1 or BIE2 and a compressed key
    (filesize > 100 and filesize < 50MB and uint32be(0) == 0x516B6C46 and $5 at 0)
}

rule metamask_vault : wallet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Vault of MetaMask or a wallet like it, in a browser's store"
    reference = "https://support.metamask.io/"
    attack = "T1552.001"
    severity = 55
  strings:
    $1 = /vault"?:?\s?"?\{\\?"data\\?":\\?"[A-Za-z0-9+\/=]{40}/ ascii wide
    $2 = /\\?"iv\\?":\\?"[A-Za-z0-9+\/=]{16}/ ascii wide
    $3 = /\\?"salt\\?":\\?"[A-Za-z0-9+\/=]{16}/ ascii wide
  condition:
    filesize < 500MB and all of them
}

rule extended_private_key : wallet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Extended private key of a wallet (xprv, yprv, zprv): with it all of its accounts"
    reference = "https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki"
    attack = "T1552.004"
    severity = 55
  strings:
    $key = /\b[xyztuv]prv[1-9A-HJ-NP-Za-km-z]{107}\b/ ascii wide
  condition:
    $key
}

rule private_key_wif : wallet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Private key of a Bitcoin address, named as such"
    reference = "https://en.bitcoin.it/wiki/Wallet_import_format"
    attack = "T1552.004"
    severity = 50
  strings:
    $key = /(private[ _-]?key|priv[ _-]?key|WIF)["']?[^A-Za-z0-9]{1,12}(5[1-9A-HJ-NP-Za-km-z]{50}|[KL][1-9A-HJ-NP-Za-km-z]{51})\b/ ascii wide nocase
  condition:
    filesize < 50MB and $key
}

rule exodus_wallet : wallet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Encrypted file of the Exodus wallet"
    reference = "https://github.com/ExodusMovement/secure-container"
    attack = "T1552.004"
    severity = 50
  strings:
    $mark = "seco-v0-scrypt-aes" ascii
  condition:
    uint32be(0) == 0x5345434F and $mark in (0..512)
}
