/*
  Encrypted content and the programs for it, beside LUKS and VeraCrypt in core. Not suspicious in itself; an examiner must know
  that there is something to open.
*/
rule bitlocker_volume : encryption
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Start of a volume that BitLocker has encrypted"
    reference = "https://learn.microsoft.com/windows/security/operating-system-security/data-protection/bitlocker/"
    severity = 30
  strings:
    $mark = "-FVE-FS-"
  condition:
    $mark at 3
}

rule bitlocker_recovery_key : encryption key
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Recovery key of BitLocker, as Windows saves or prints it"
    reference = "https://learn.microsoft.com/windows/security/operating-system-security/data-protection/bitlocker/recovery-overview"
    attack = "T1552.001"
    severity = 55
  strings:
    $1 = "BitLocker" ascii wide
    $key = /Recovery Key:?\s{1,12}(\d{6}-){7}\d{6}/ ascii wide nocase
  condition:
    filesize < 64KB and $1 and $key
}

rule folder_encryption_settings : encryption
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Settings of an encrypted folder: EncFS, gocryptfs, CryFS, Cryptomator"
    reference = "https://nuetzlich.net/gocryptfs/"
    severity = 40
  strings:
    $encfs1 = "<!DOCTYPE boost_serialization>" ascii
    $encfs2 = "encodedKeyData" ascii
    $go1 = "\"EncryptedKey\"" ascii
    $go2 = "\"ScryptObject\"" ascii
    $cry = "cryfs.config;"
    $cm1 = "\"scryptSalt\"" ascii
    $cm2 = "\"primaryMasterKey\"" ascii
  condition:
    filesize < 64KB and (all of ($encfs*) or all of ($go*) or $cry at 0 or all of ($cm*))
}

rule file_encrypted_by_tool : encryption
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "File encrypted by age, OpenSSL, AES Crypt, AxCrypt or ccrypt"
    reference = "https://age-encryption.org/v1"
    severity = 30
  strings:
    $age = "age-encryption.org/v1\n"
    $ssl = "Salted__"
    $aescrypt = { 41 45 53 ( 01 | 02 | 03 ) 00 }
    $axcrypt = { C0 B9 07 2E 4F 93 F1 46 A0 15 79 2C A1 D9 E8 21 }
  condition:
    $age at 0 or ($ssl at 0 and filesize % 8 == 0 and filesize >= 24) or ($aescrypt at 0 and filesize > 64) or $axcrypt at 0
}

rule pgp_encrypted_message : encryption
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Message encrypted with OpenPGP, in armour"
    reference = "https://www.rfc-editor.org/rfc/rfc9580"
    severity = 25
  strings:
    $1 = /-----BEGIN PGP MESSAGE-----\r?\n([A-Za-z-]{4,20}: [^\r\n]{0,80}\r?\n)*\r?\n[A-Za-z0-9+\/]{40}/ ascii
  condition:
    $1
}

rule archive_encrypted : encryption archive
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Archive whose content or names are encrypted (ZIP, RAR, 7z)"
    reference = "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"
    severity = 25
  strings:
    // The coder AES-256 and SHA-256 of 7z, in the header at the end
    $aes7 = { 24 06 F1 07 01 }
  condition:
    // ZIP: bit 0 of the flags. RAR 5: the second header is that of encryption. RAR 4: main header with encrypted headers.
    (uint32(0) == 0x04034B50 and (uint16(6) & 1) == 1 and (uint16(8) == 0 or uint16(8) == 8 or uint16(8) == 99)) or
    (uint32be(0) == 0x52617221 and uint32be(4) == 0x1A070100 and uint8(13) == 4) or
    (uint32be(0) == 0x52617221 and uint16be(4) == 0x1A07 and uint8(6) == 0 and uint8(9) == 0x73 and (uint16(10) & 0x80) != 0) or
    (uint32be(0) == 0x377ABCAF and filesize > 64 and $aes7 in (filesize - 64..filesize))
}

rule office_document_encrypted : encryption document
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Office document with a password to open it"
    reference = "https://learn.microsoft.com/openspecs/office_file_formats/ms-offcrypto/"
    severity = 30
  strings:
    $1 = "EncryptedPackage" wide
    $2 = "EncryptionInfo" wide
  condition:
    uint32(0) == 0xE011CFD0 and all of them
}

rule pdf_encrypted : encryption document
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PDF with a password or rights"
    reference = "ISO 32000-1:2008, 7.6"
    severity = 15
  strings:
    $pdf = "%PDF-"
    $1 = /\/Encrypt\s{0,4}(\d{1,8}\s\d{1,5}\sR|<<)/
    $2 = /\/Filter\s{0,4}\/Standard\b/
  condition:
    $pdf in (0..1024) and $1 and $2
}
