/*
  Templates and generators of identity documents.
*/
rule identity_template_layers : forgery template
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Photoshop file whose layers are the fields of an identity document"
    reference = "https://www.adobe.com/devnet-apps/photoshop/fileformatashtml/"
    attack = "T1585"
    severity = 70
  strings:
    // Names of layers, in one byte a letter and (unicode layer names) in two, big end first, whose ASCII part `wide` finds too
    $1 = /(surname|last ?name)/ ascii wide nocase
    $2 = /(given ?names?|first ?name)/ ascii wide nocase
    $3 = /(date of birth|\bDOB\b|birth ?date)/ ascii wide nocase
    $4 = /(date of expiry|expir(y|ation) date|expires)/ ascii wide nocase
    $5 = /(passport (no|number)|document (no|number)|id (no|number)|personal (no|number))/ ascii wide nocase
    $6 = /\bMRZ\b/ ascii wide nocase
    $7 = /(place of birth|issuing authority|nationality)/ ascii wide nocase
    $8 = /(hologram|guilloche|watermark|ghost (image|photo))/ ascii wide nocase
  condition:
    uint32be(0) == 0x38425053 and filesize < 500MB and 5 of them
}

rule identity_template_offer : forgery template
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Page, text or list that offers templates of identity documents, or a generator of them"
    reference = "https://www.europol.europa.eu/crime-areas/forgery-of-administrative-documents-and-trafficking-therein"
    attack = "T1585"
    severity = 60
  strings:
    $1 = /(passport|id card|driver'?s? licen[cs]e|residence permit)[ _-](psd|template)s?/ ascii wide nocase
    $2 = /fully editable|editable (psd|template|layers)/ ascii wide nocase
    $3 = /(fake|novelty|replica) (id|passport|driver'?s? licen[cs]e|documents?)( generator| maker| psd|s for sale)?/ ascii wide nocase
    $4 = /(utility bill|bank statement|payslip|selfie with id)[ _-](psd|template|generator)s?/ ascii wide nocase
    $5 = /(KYC|verification) (bypass|pass(ed)?|template)/ ascii wide nocase
    $6 = /mrz (code )?generator/ ascii wide nocase
  condition:
    filesize < 5MB and 3 of them
}

rule identity_machine_zone_georgian : identity
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Machine-readable zone of a Georgian passport or identity card, as text"
    reference = "ICAO Doc 9303"
    severity = 35
  strings:
    // Two lines of 44 letters (passport), or three of 30 (card)
    $passport = /P[A-Z<]GEO[A-Z<]{39}\r?\n[A-Z0-9<]{9}[0-9]GEO[0-9]{7}[MFX<][0-9]{7}[A-Z0-9<]{14}[0-9<][0-9]/ ascii
    $card = /I[A-Z<]GEO[A-Z0-9<]{25}\r?\n[0-9]{7}[MFX<][0-9]{7}GEO[A-Z0-9<]{11}[0-9]\r?\n[A-Z<]{30}/ ascii
  condition:
    any of them
}

rule identity_zone_generator : forgery script
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program text that makes the machine-readable zone of passports, with its check digits"
    reference = "ICAO Doc 9303"
    attack = "T1585"
    severity = 40
  strings:
    $weights = /\[?\b7, ?3, ?1\b\]?/ ascii
    $1 = /["']P</ ascii
    $2 = /\bmrz\b/ ascii nocase
    $3 = /check_?digit/ ascii nocase
    $4 = /(generate|create|make|build)_?(mrz|passport|td[13])/ ascii nocase
    $5 = /surname/ ascii nocase
  condition:
    uint16(0) != 0x5A4D and uint32(0) != 0x464C457F and filesize < 256KB and $weights and $1 and $4 and all of ($2, $3, $5)
}
