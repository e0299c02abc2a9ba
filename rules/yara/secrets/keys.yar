/*
  Keys and tokens that open machines and services.
*/
rule cloud_key_amazon : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Access key for Amazon's cloud with its secret"
    reference = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"
    attack = "T1552.001"
    severity = 50
  strings:
    $id = /\b(AKIA|ASIA)[A-Z2-7]{16}\b/ ascii wide
    $secret1 = /aws_secret_access_key\s{0,3}[=:]\s{0,3}["']?[A-Za-z0-9\/+]{40}/ ascii wide nocase
    $secret2 = /(SecretAccessKey|secretKey|aws_secret|secret_key)["']?\s{0,3}[=:,]\s{0,3}["']?[A-Za-z0-9\/+]{40}\b/ ascii wide nocase
  condition:
    filesize < 50MB and $id and any of ($secret*)
}

rule cloud_key_google : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Key of a Google service account"
    reference = "https://cloud.google.com/iam/docs/keys-create-delete"
    attack = "T1552.001"
    severity = 50
  strings:
    $1 = /"type"\s{0,2}:\s{0,2}"service_account"/ ascii
    $2 = /"private_key"\s{0,2}:\s{0,2}"-----BEGIN PRIVATE KEY-----\\n[A-Za-z0-9+\/]{20}/ ascii
    $3 = "\"client_email\"" ascii
  condition:
    filesize < 64KB and all of them
}

rule service_tokens : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Token for a service: GitHub, GitLab, Slack, Stripe, SendGrid, npm, a Telegram bot, a Discord hook"
    reference = "https://docs.github.com/code-security/secret-scanning"
    attack = "T1552.001, T1528"
    severity = 45
  strings:
    $1 = /\b(ghp|gho|ghs|ghu)_[A-Za-z0-9]{36}\b/ ascii wide
    $2 = /\bgithub_pat_[A-Za-z0-9_]{82}\b/ ascii wide
    $3 = /\bglpat-[A-Za-z0-9_-]{20}\b/ ascii wide
    $4 = /\bxox[abprs]-\d{10,13}-\d{10,13}-[A-Za-z0-9-]{20,80}/ ascii wide
    $5 = /\bsk_live_[A-Za-z0-9]{24,99}\b/ ascii wide
    $6 = /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b/ ascii wide
    $7 = /\bnpm_[A-Za-z0-9]{36}\b/ ascii wide
    $8 = /api\.telegram\.org\/bot\d{8,10}:[A-Za-z0-9_-]{35}/ ascii wide
    $9 = /discord(app)?\.com\/api\/webhooks\/\d{17,20}\/[A-Za-z0-9_-]{60,80}/ ascii wide
  condition:
    filesize < 100MB and any of them
}

rule putty_private_key : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Private key of PuTTY"
    reference = "https://tartarus.org/~simon/putty-snapshots/htmldoc/AppendixC.html"
    attack = "T1552.004"
    severity = 40
  strings:
    $1 = /PuTTY-User-Key-File-[23]: (ssh|ecdsa|rsa)/ ascii
    $2 = /Private-Lines: \d/ ascii
  condition:
    filesize < 64KB and $1 at 0 and $2
}

rule vpn_settings_with_key : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Settings of a VPN with the key in them (OpenVPN, WireGuard)"
    reference = "https://openvpn.net/community-resources/reference-manual-for-openvpn-2-4/"
    attack = "T1552.001"
    severity = 35
  strings:
    $wg1 = "[Interface]" ascii
    $wg2 = /\nPrivateKey ?= ?[A-Za-z0-9+\/]{43}=/ ascii
    $wg3 = "[Peer]" ascii
    $ov1 = /<key>\s{1,4}-----BEGIN (RSA |EC |ENCRYPTED )?PRIVATE KEY-----/ ascii
    $ov2 = /\nremote [A-Za-z0-9.-]{3,100} \d{2,5}/ ascii
  condition:
    filesize < 256KB and (all of ($wg*) or all of ($ov*))
}

rule keepass_database : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Password database of KeePass or of a program that uses its format"
    reference = "https://keepass.info/help/kb/kdbx.html"
    severity = 35
  condition:
    uint32(0) == 0x9AA2D903 and (uint32(4) == 0xB54BFB65 or uint32(4) == 0xB54BFB66 or uint32(4) == 0xB54BFB67)
}

rule java_keystore_with_key : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Java keystore with a private key in it"
    reference = "https://docs.oracle.com/en/java/javase/17/docs/specs/man/keytool.html"
    attack = "T1552.004"
    severity = 30
  condition:
    // Magic, version, number of entries, and the first entry's tag: 1 is a key, 2 a certificate.
    uint32be(0) == 0xFEEDFEED and (uint32be(4) == 1 or uint32be(4) == 2) and uint32be(8) < 10000 and uint32be(12) == 1
}

rule pkcs12_store : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Key and certificate in one file (PKCS #12, .pfx, .p12)"
    reference = "https://www.rfc-editor.org/rfc/rfc7292"
    attack = "T1552.004"
    severity = 35
  strings:
    // version 3, then AuthenticatedSafe: data (1.2.840.113549.1.7.1)
    $head1 = { 30 82 ?? ?? 02 01 03 30 82 ?? ?? 06 09 2A 86 48 86 F7 0D 01 07 01 }
    $head2 = { 30 8? ?? ?? ?? 02 01 03 30 8? ?? ?? ?? 06 09 2A 86 48 86 F7 0D 01 07 01 }
    $head3 = { 30 80 02 01 03 30 80 06 09 2A 86 48 86 F7 0D 01 07 01 }
  condition:
    filesize < 10MB and any of them and ($head1 at 0 or $head2 at 0 or $head3 at 0)
}

rule tor_service_key : key anonymity
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Secret key of a hidden service: whoever has it is that service"
    reference = "https://github.com/torproject/torspec/blob/main/rend-spec-v3.txt"
    severity = 65
  strings:
    $1 = "== ed25519v1-secret: type0 =="
  condition:
    filesize < 1KB and $1 at 0
}

rule telegram_desktop_session : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "File of Telegram Desktop's data (tdata): key, map or settings; with all of them the account can be used elsewhere"
    reference = "https://github.com/telegramdesktop/tdesktop"
    attack = "T1539"
    severity = 30
  condition:
    // Magic TDF$, a version, and size: keys and maps are small.
    uint32be(0) == 0x54444624 and filesize > 24 and filesize < 4KB and uint32(4) < 100000000
}

rule age_secret_key : key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Secret key of age"
    reference = "https://age-encryption.org/v1"
    attack = "T1552.004"
    severity = 45
  strings:
    $key = /AGE-SECRET-KEY-1[A-Z0-9]{58}/ ascii
  condition:
    $key
}
