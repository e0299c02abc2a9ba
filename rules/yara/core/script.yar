rule powershell_encoded_command : script
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "PowerShell started with a command in base64 of UTF-16, as scripts and malware do to hide or to quote it"
    reference = "https://attack.mitre.org/techniques/T1059/001/"
    attack = "T1059.001, T1027.010"
    severity = 60
  strings:
    // In base64 every third byte of UTF-16 text is zero: of six letters at least one is an A.
    $ascii = /powershell(\.exe)?["']?\s[^\r\n]{0,200}[\/-](e|ec|en|enc|enco|encod|encode|encoded|encodedc|encodedco|encodedcom|encodedcomm|encodedcomma|encodedcomman|encodedcommand)\s{1,8}["']?[A-Za-z0-9+\/]{40}/ ascii wide nocase
  condition:
    filesize < 50MB and $ascii
}

rule office_macro_runs_at_opening : macro
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "VBA project with a procedure that runs when the document is opened, and the means to start something"
    reference = "https://attack.mitre.org/techniques/T1204/002/"
    attack = "T1204.002, T1059.005"
    severity = 60
  strings:
    // Compressed VBA keeps most words whole. [MS-OVBA] 2.4.1; a module's source begins with Attribute VB_Name.
    $vba1 = "Attribut\x00e VB_Nam" ascii
    $vba2 = "VBAProject" ascii wide
    $vba3 = "_VBA_PROJECT" ascii wide
    $open1 = "AutoOpen" ascii nocase
    $open2 = "Auto_Open" ascii nocase
    $open3 = "Document_Open" ascii nocase
    $open4 = "Workbook_Open" ascii nocase
    $open5 = "AutoExec" ascii nocase
    $do1 = "WScript.Shell" ascii nocase
    $do2 = "CreateObject" ascii nocase
    $do3 = "URLDownloadToFile" ascii nocase
    $do4 = "powershell" ascii nocase
    $do5 = "ShellExecute" ascii nocase
    $do6 = "Shell(" ascii nocase
  condition:
    uint32(0) == 0xe011cfd0 and filesize < 50MB and any of ($vba*) and any of ($open*) and any of ($do*)
}

rule shortcut_starts_interpreter : lnk
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "Windows shortcut that starts a script interpreter with a hidden, downloading or encoded command"
    reference = "https://learn.microsoft.com/openspecs/windows_protocols/ms-shllink/"
    attack = "T1204.002, T1547.009"
    severity = 75
  strings:
    $program1 = "powershell" ascii wide nocase
    $program2 = "cmd.exe" ascii wide nocase
    $program3 = "mshta" ascii wide nocase
    $program4 = "wscript" ascii wide nocase
    $program5 = "rundll32" ascii wide nocase
    $how1 = / [-\/]enc(odedcommand)? / ascii wide nocase
    $how2 = / -w[indowstyle]{0,10} {1,4}["']?hidden/ ascii wide nocase
    // An address only behind a program: alone it stands everywhere.
    $how3 = /(powershell|cmd|mshta|wscript|rundll32|start|curl)(\.exe)?["']? [^\r\n\x00]{0,100}https?:\/\// ascii wide nocase
    $how4 = "DownloadString" ascii wide nocase
    $how5 = "FromBase64String" ascii wide nocase
    $how6 = /(mshta|rundll32)(\.exe)?["']? ["']?javascript:/ ascii wide nocase
  condition:
    // HeaderSize and LinkCLSID [MS-SHLLINK] 2.1
    uint32(0) == 0x4c and uint32(4) == 0x00021401 and uint32be(12) == 0xc0000000 and uint32be(16) == 0x00000046 and filesize < 1MB and
    any of ($program*) and any of ($how*)
}

rule pdf_javascript_at_opening : pdf
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "PDF that runs JavaScript when it is opened"
    reference = "ISO 32000-1:2008, 12.6.4.16 and 7.7.2"
    attack = "T1204.002, T1059.007"
    severity = 50
  strings:
    $pdf = "%PDF-"
    $open1 = "/OpenAction"
    $open2 = /\/AA\s{0,8}<</
    $script1 = /\/S\s{0,8}\/JavaScript/
    $script2 = /\/JS\s{0,8}[(<]/
    $script3 = /\/JS\s{1,8}\d{1,8}\s{1,4}\d{1,5}\s{1,4}R/
  condition:
    $pdf in (0..1024) and any of ($open*) and any of ($script*)
}

rule zip_member_double_extension : disguise
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "ZIP archive with a program whose name pretends to be a document: invoice.pdf.exe"
    reference = "https://attack.mitre.org/techniques/T1036/007/"
    attack = "T1036.007"
    severity = 70
  strings:
    // A name in a central directory header: signature, 42 bytes, name (APPNOTE 4.3.12).
    $name = /PK\x01\x02.{42}[^\x00\r\n]{1,120}\.(pdf|docx?|xlsx?|pptx?|jpe?g|png|txt|mp[34]|avi|rtf)[ _]{0,60}\.(exe|scr|com|pif|bat|cmd|js|jse|vbs|vbe|hta|lnk|ps1)(PK\x01\x02|PK\x05\x06|[^a-z0-9])/s nocase
  condition:
    uint32(0) == 0x04034b50 and $name
}
