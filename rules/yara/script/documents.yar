/*
  Documents that start something: Office, RTF, PDF, OneNote, archives. The streams of a file are scanned as well, so a rule may
  name the part that it looks at.
*/
rule rtf_equation_object : document exploit
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "RTF with an object of the Equation Editor, whose flaws (CVE-2017-11882, CVE-2018-0802) were used for years"
    reference = "https://nvd.nist.gov/vuln/detail/CVE-2017-11882"
    attack = "T1203"
    severity = 80
  strings:
    $object1 = "\\objdata" ascii
    $object2 = "\\objocx" ascii
    $object3 = "\\object" ascii
    // Equation.3 in hex digits, as an object's data has it; its class identifier {0002CE02-0000-0000-C000-000000000046}
    $class1 = "4571756174696f6e2e33" ascii nocase
    $class2 = "02ce020000000000c000000000000046" ascii nocase
    $class3 = "Equation.3" ascii nocase
  condition:
    uint32be(0) == 0x7B5C7274 and filesize < 20MB and any of ($object*) and any of ($class*)
}

rule document_remote_template : document
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Document that fetches its template or an object from an address when it is opened (part of an Office file, or RTF)"
    reference = "https://attack.mitre.org/techniques/T1221/"
    attack = "T1221"
    severity = 70
  strings:
    $xml1 = /relationships\/(attachedTemplate|oleObject|frame|subDocument)"[^>]{0,40}Target="https?:[^"]{3,300}"[^>]{0,40}TargetMode="External"/ ascii
    $xml2 = /Target="https?:[^"]{3,300}"[^>]{0,40}TargetMode="External"[^>]{0,200}relationships\/(attachedTemplate|oleObject|frame|subDocument)"/ ascii
    $rtf = /\\\*\\template {1,4}\{?(https?|\\\\u-?\d)/ ascii
  condition:
    filesize < 20MB and (any of ($xml*) or (uint32be(0) == 0x7B5C7274 and $rtf))
}

rule document_dde_command : document
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Document with a field that starts a command (DDE)"
    reference = "https://attack.mitre.org/techniques/T1559/002/"
    attack = "T1559.002"
    severity = 75
  strings:
    $1 = /DDE(AUTO)? {1,4}"?[^"<\r\n]{0,60}(cmd|powershell|mshta|rundll32|regsvr32|certutil)(\.exe)?\b/ ascii wide nocase
    $2 = /[=+@-](cmd|powershell|mshta|rundll32|msexcel|regsvr32)\|['"][^\r\n]{1,200}['"]![A-Z0-9]/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 20MB and any of them
}

rule excel_hidden_macro_sheet : document macro
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Excel workbook (97–2003) with a macro sheet that is hidden"
    reference = "https://learn.microsoft.com/openspecs/office_file_formats/ms-xls/"
    attack = "T1564.007, T1059.005"
    severity = 70
  strings:
    // BoundSheet8 [MS-XLS] 2.4.28: type 0x0085, size, offset of the sheet, hidden (1) or very hidden (2), macro sheet (1)
    $sheet = { 85 00 ?? 00 ?? ?? ?? ?? ( 01 | 02 ) 01 ?? ( 00 | 01 ) }
    $bof = { 09 08 10 00 00 06 05 00 }
  condition:
    uint32(0) == 0xE011CFD0 and filesize < 20MB and $bof and $sheet
}

rule onenote_holds_program : document
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "OneNote section with a script or program embedded"
    reference = "https://attack.mitre.org/techniques/T1566/001/"
    attack = "T1566.001, T1204.002"
    severity = 75
  strings:
    // FileDataStoreObject {BDE316E7-2665-4511-A4C4-8D4D0B7A9EAC} [MS-ONESTORE] 2.6.13, 20 bytes, and what programs begin with
    $pe = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] 4D 5A }
    $lnk = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] 4C 00 00 00 01 14 02 00 }
    $batch = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] 40 ( 65 | 45 ) ( 63 | 43 ) ( 68 | 48 ) ( 6F | 4F ) }
    $html = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20-24] 3C ( 21 | 68 | 48 | 73 | 53 | 6A ) }
  condition:
    uint32be(0) == 0xE4525C7B and any of them
}

rule pdf_starts_program : document pdf
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PDF with an action that starts a program"
    reference = "ISO 32000-1:2008, 12.6.4.5"
    attack = "T1204.002"
    severity = 70
  strings:
    $pdf = "%PDF-"
    $launch = /\/S\s{0,4}\/Launch\b/
    $what1 = /\/F\s{0,4}\([^)\r\n]{0,80}(cmd|powershell|mshta|rundll32|\.exe|\.vbs|\.js|\.bat|\.hta)/ nocase
    $what2 = /\/Win\s{0,4}<<[^>]{0,200}\/F/
  condition:
    $pdf in (0..1024) and $launch and any of ($what*)
}

rule pdf_embedded_program : document pdf
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PDF that carries a file whose name is that of a program, script, disk image or page"
    reference = "ISO 32000-1:2008, 7.11.4"
    attack = "T1204.002"
    severity = 60
  strings:
    $pdf = "%PDF-"
    $file = "/EmbeddedFile"
    $name = /\/U?F\s{0,4}\([^)\r\n]{1,120}\.(exe|scr|js|jse|vbs|vbe|hta|bat|cmd|lnk|iso|img|vhdx?|ps1|wsf|docm|xlsm|html?)\)/ nocase
  condition:
    $pdf in (0..1024) and $file and $name
}

rule zip_member_climbs_out : archive
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "ZIP archive with a name that leads out of the folder that it is unpacked to"
    reference = "https://cwe.mitre.org/data/definitions/22.html"
    severity = 65
  strings:
    // A name in a central directory header: signature, 42 bytes, name (APPNOTE 4.3.12).
    $name = /PK\x01\x02.{42}([^\x00\r\n]{0,80}[\/\\])?\.\.[\/\\][^\x00\r\n]{0,80}/s
  condition:
    uint32(0) == 0x04034B50 and $name
}

rule shortcut_runs_from_share : lnk
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Windows shortcut that runs a program or script from a share or web folder of another machine"
    reference = "https://learn.microsoft.com/openspecs/windows_protocols/ms-shllink/"
    attack = "T1204.002, T1105"
    severity = 65
  strings:
    $1 = /\\\\[a-z0-9.-]{3,60}@(ssl|\d{2,5})(@\d{2,5})?\\/ ascii wide nocase
    $2 = /\\\\(\d{1,3}\.){3}\d{1,3}\\[^\x00\r\n]{1,120}\.(exe|dll|js|vbs|hta|bat|cmd|ps1)/ ascii wide nocase
  condition:
    // HeaderSize and LinkCLSID [MS-SHLLINK] 2.1
    uint32(0) == 0x4c and uint32(4) == 0x00021401 and filesize < 1MB and any of them
}

rule macro_source_fetches_and_runs : macro
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Source of an Office macro that runs at opening, fetches something and starts it"
    reference = "https://attack.mitre.org/techniques/T1204/002/"
    attack = "T1204.002, T1059.005"
    severity = 75
  strings:
    $vba = "Attribute VB_Name" ascii
    $open1 = /Sub (Auto_?Open|Document_Open|Workbook_Open|AutoExec|Auto_?Close|Document_Close)\(/ ascii nocase
    $get1 = "URLDownloadToFile" ascii nocase
    $get2 = "XMLHTTP" ascii nocase
    $get3 = "WinHttpRequest" ascii nocase
    $get4 = "DownloadFile" ascii nocase
    $get5 = "DownloadString" ascii nocase
    $run1 = "Shell" ascii fullword nocase
    $run2 = "WScript.Shell" ascii nocase
    $run3 = "CreateProcess" ascii nocase
    $run4 = "Win32_Process" ascii nocase
  condition:
    filesize < 5MB and $vba and $open1 and any of ($get*) and any of ($run*)
}
