/*
  Marks of packers, protectors and program makers: harmless in themselves, and what hides most malware.
*/
import "pe"

rule elf_packed_upx : packer elf
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Linux program packed with UPX"
    reference = "https://upx.github.io/"
    attack = "T1027.002"
    severity = 30
  strings:
    $mark = "UPX!" ascii
    $info = "$Info: This file is packed with the UPX" ascii
  condition:
    uint32(0) == 0x464C457F and $mark and ($info or $mark in (0..512))
}

rule elf_packed_upx_hidden : packer elf
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Linux program that was packed with UPX and whose mark was changed so that it cannot be unpacked"
    reference = "https://attack.mitre.org/techniques/T1027/002/"
    attack = "T1027.002"
    severity = 65
  strings:
    $mark = "UPX!" ascii
    $prot = "PROT_EXEC|PROT_WRITE failed." ascii
    $id = "$Id: UPX " ascii
  condition:
    uint32(0) == 0x464C457F and filesize < 20MB and ($prot or $id) and not $mark
}

rule pe_packed_by_section_name : packer
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Windows program with sections as a packer or protector names them (VMProtect, Themida, ASPack, MPRESS, Enigma, PECompact …)"
    reference = "https://attack.mitre.org/techniques/T1027/002/"
    attack = "T1027.002"
    severity = 45
  condition:
    // The bound of the loop is the format's: 96 sections.
    uint16(0) == 0x5A4D and pe.is_pe and pe.number_of_sections <= 96 and
    for any i in (0..pe.number_of_sections - 1) : (
      pe.sections[i].name == ".vmp0" or pe.sections[i].name == ".vmp1" or pe.sections[i].name == ".themida" or
      pe.sections[i].name == ".winlice" or pe.sections[i].name == ".aspack" or pe.sections[i].name == ".adata" or
      pe.sections[i].name == ".MPRESS1" or pe.sections[i].name == ".enigma1" or pe.sections[i].name == "PEC2TO" or
      pe.sections[i].name == "PECompact2" or pe.sections[i].name == ".petite" or pe.sections[i].name == ".nsp0" or
      pe.sections[i].name == ".yP" or pe.sections[i].name == ".svmp1" or pe.sections[i].name == "FSG!")
}

rule dotnet_obfuscated : packer dotnet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = ".NET program treated by an obfuscator or protector"
    reference = "https://attack.mitre.org/techniques/T1027/"
    attack = "T1027"
    severity = 40
  strings:
    $net = "mscoree.dll" ascii nocase
    $1 = "ConfusedByAttribute" ascii
    $2 = "ConfuserEx v" ascii
    $3 = "SmartAssembly.Attributes" ascii
    $4 = "PoweredByAttribute" ascii
    $5 = "DotfuscatorAttribute" ascii
    $6 = "ObfuscatedByGoliath" ascii
    $7 = "BabelObfuscatorAttribute" ascii
    $8 = "YanoAttribute" ascii
    $9 = "NETGuard" ascii
    $10 = "CryptoObfuscator" ascii
  condition:
    uint16(0) == 0x5A4D and filesize < 50MB and $net and any of ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
}

rule python_frozen : packer python
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Python program packed into one file (PyInstaller)"
    reference = "https://pyinstaller.org/en/stable/advanced-topics.html"
    severity = 20
  strings:
    // The cookie in front of the archive's table, near the end
    $cookie = { 4D 45 49 0C 0B 0A 0B 0E }
    $lib = "pyi-" ascii
  condition:
    (uint16(0) == 0x5A4D or uint32(0) == 0x464C457F) and $cookie and $lib
}

rule autoit_compiled : packer autoit
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Windows program made of an AutoIt script"
    reference = "https://www.autoitscript.com/autoit3/docs/intro/compiler.htm"
    attack = "T1059.010"
    severity = 30
  strings:
    $mark = "AU3!EA06" ascii
    $text1 = "This is a third-party compiled AutoIt script" ascii wide
    $text2 = ">>>AUTOIT NO CMDEXECUTE<<<" ascii wide
  condition:
    uint16(0) == 0x5A4D and filesize < 100MB and ($mark or all of ($text*))
}

rule sfx_runs_silently : packer dropper
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Self-extracting archive that unpacks without a word and starts a program"
    reference = "https://attack.mitre.org/techniques/T1027/"
    attack = "T1027, T1204.002"
    severity = 50
  strings:
    $rar1 = "Silent=1" ascii wide nocase
    $rar2 = "Setup=" ascii wide nocase
    $rar3 = /Path=(%temp%|%appdata%|%programdata%|%tmp%)/ ascii wide nocase
    $rar4 = "TempMode" ascii wide nocase
    $seven1 = ";!@Install@!UTF-8!" ascii
    $seven2 = /GUIMode="[12]"/ ascii
    $seven3 = /(RunProgram|ExecuteFile)="/ ascii
  condition:
    uint16(0) == 0x5A4D and ((all of ($rar1, $rar2) and any of ($rar3, $rar4)) or all of ($seven*))
}
