/*
  Programs that hide data in others, and data behind pictures.
*/
rule steganography_program : steganography
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program that hides data in pictures or sound: Steghide, OpenStego, OpenPuff, S-Tools, SilentEye, DeepSound, OutGuess …"
    reference = "https://attack.mitre.org/techniques/T1027/003/"
    attack = "T1027.003"
    severity = 55
  strings:
    $1 = "steghide" ascii wide fullword nocase
    $2 = "OpenStego" ascii wide
    $3 = "OpenPuff" ascii wide
    $4 = "SilentEye" ascii wide
    $5 = "DeepSound" ascii wide
    $6 = "OutGuess" ascii wide fullword
    $7 = "S-Tools" ascii wide
    $8 = "Xiao Steganography" ascii wide
    $9 = "MP3Stego" ascii wide
    $10 = "net/sourceforge/openstego" ascii
    $11 = "com/openstego" ascii
    $12 = "QuickStego" ascii wide
    $13 = "Invisible Secrets" ascii wide
    $14 = "StegoSuite" ascii wide nocase
    $15 = "Our Secret" ascii wide fullword
  condition:
    (uint16(0) == 0x5A4D or uint32(0) == 0x464C457F or uint32be(0) == 0xCAFEBABE or uint32be(0) == 0x504B0304) and
    filesize < 50MB and any of them
}

rule picture_with_archive_behind : steganography
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Picture (JPEG, PNG, GIF) with an archive or a program right behind its end"
    reference = "https://attack.mitre.org/techniques/T1027/003/"
    attack = "T1027.003"
    severity = 65
  strings:
    $jpeg = { FF D9 ( 50 4B 03 04 | 52 61 72 21 1A 07 | 37 7A BC AF 27 1C ) }
    $png = { 49 45 4E 44 AE 42 60 82 ( 50 4B 03 04 | 52 61 72 21 1A 07 | 37 7A BC AF 27 1C ) }
    $pngexe = { 49 45 4E 44 AE 42 60 82 4D 5A [58] ?? ?? 00 00 }
    $gif = { 00 3B ( 50 4B 03 04 | 52 61 72 21 1A 07 | 37 7A BC AF 27 1C ) }
  condition:
    (uint16be(0) == 0xFFD8 and $jpeg) or (uint32be(0) == 0x89504E47 and any of ($png*)) or (uint32be(0) == 0x47494638 and $gif)
}
