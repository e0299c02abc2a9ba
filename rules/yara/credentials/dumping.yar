/*
  Commands that take passwords out of Windows, and what they leave. The commands count in scripts and histories; the same words
  in a program that knows them (a security product) do not.
*/
rule lsass_dump_command : credentials
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Command that writes the memory of the process with Windows' passwords to a file"
    reference = "https://attack.mitre.org/techniques/T1003/001/"
    attack = "T1003.001"
    severity = 85
  strings:
    $1 = /comsvcs(\.dll)?["']?[, ]{1,3}(MiniDump|#-?24|#\+0*24)/ ascii wide nocase
    $2 = /procdump(64)?(\.exe)?["']? [^\r\n]{0,60}-(ma|mm)[^\r\n]{0,20} lsass/ ascii wide nocase
    $3 = /(Get-Process|gps|ps) ["']?lsass["']?[^\r\n]{0,80}(MiniDump|Out-Minidump|\.Handle)/ ascii wide nocase
    $4 = /(sqldumper|createdump|rdrleakdiag)(\.exe)?["']? [^\r\n]{0,60}lsass/ ascii wide nocase
    $5 = "Out-Minidump" ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 10MB and any of them
}

rule lsass_memory_dump : credentials
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Memory dump of the process that holds Windows' passwords"
    reference = "https://learn.microsoft.com/windows/win32/api/minidumpapiset/"
    attack = "T1003.001"
    severity = 85
  strings:
    $1 = "lsass.exe" wide nocase
    $2 = "lsasrv.dll" wide nocase
    $3 = "samsrv.dll" wide nocase
  condition:
    // MINIDUMP_HEADER; the list of modules begins with the program itself.
    uint32(0) == 0x504D444D and all of them
}

rule registry_secrets_saved : credentials
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Commands that save the parts of Windows' registry with password hashes"
    reference = "https://attack.mitre.org/techniques/T1003/002/"
    attack = "T1003.002, T1003.004"
    severity = 80
  strings:
    $sam = /reg(\.exe)?["']? +(save|export) +["']?(HKLM|HKEY_LOCAL_MACHINE)\\sam\b/ ascii wide nocase
    $system = /reg(\.exe)?["']? +(save|export) +["']?(HKLM|HKEY_LOCAL_MACHINE)\\system["' ]/ ascii wide nocase
    $security = /reg(\.exe)?["']? +(save|export) +["']?(HKLM|HKEY_LOCAL_MACHINE)\\security\b/ ascii wide nocase
    $copy = /copy[^\r\n]{0,20} [^\r\n]{0,20}GLOBALROOT\\Device\\HarddiskVolumeShadowCopy\d{1,3}\\Windows\\System32\\config\\(sam|system|security)/ ascii wide nocase
  condition:
    filesize < 10MB and (2 of ($sam, $system, $security) or $copy)
}

rule domain_database_copied : credentials
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Commands that copy the password database of a Windows domain"
    reference = "https://attack.mitre.org/techniques/T1003/003/"
    attack = "T1003.003"
    severity = 85
  strings:
    $1 = /ntdsutil(\.exe)?["']? [^\r\n]{0,60}(ac(tivate)? i(nstance)? ntds|ifm)/ ascii wide nocase
    $2 = /HarddiskVolumeShadowCopy\d{1,3}\\Windows\\NTDS\\ntds\.dit/ ascii wide nocase
    $3 = /esentutl(\.exe)?["']? [^\r\n]{0,40}ntds\.dit/ ascii wide nocase
    $5 = /wbadmin start backup [^\r\n]{0,80}ntds\.dit/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 10MB and any of them
}

rule password_recovery_program : credentials
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Windows program that shows stored passwords of browsers, mail or networks"
    reference = "https://attack.mitre.org/techniques/T1555/"
    attack = "T1555"
    severity = 65
  strings:
    $1 = "WebBrowserPassView" ascii wide nocase
    $2 = "MailPassView" ascii wide nocase
    $3 = "Mail PassView" ascii wide nocase
    $4 = "Network Password Recovery" ascii wide nocase
    $5 = "ChromePass" ascii wide fullword
    $6 = "PasswordFox" ascii wide fullword
    $7 = "WirelessKeyView" ascii wide nocase
    $8 = "Protected Storage PassView" ascii wide nocase
    $9 = "VaultPasswordView" ascii wide nocase
    $10 = "laZagne" ascii wide
    $11 = "Dialupass" ascii wide
    $12 = "SharpChrome" ascii wide
    $13 = "SharpWeb" ascii wide
    $14 = "Elcomsoft" ascii wide nocase
  condition:
    uint16(0) == 0x5A4D and filesize < 30MB and any of them
}

rule credential_tools_dotnet : credentials dotnet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = ".NET program with the commands of tools for tickets and secrets of Windows domains"
    reference = "https://attack.mitre.org/techniques/T1558/"
    attack = "T1558, T1558.003"
    severity = 85
  strings:
    $net = "mscoree.dll" ascii nocase
    $1 = "asktgt" ascii wide
    $2 = "asreproast" ascii wide nocase
    $3 = "kerberoast" ascii wide nocase
    $4 = "s4u2self" ascii wide nocase
    $5 = "/ptt" ascii wide
    $6 = "tgtdeleg" ascii wide
    $7 = "createnetonly" ascii wide
    $8 = "dcsync" ascii wide nocase
    $9 = "masterkeys" ascii wide fullword
    $10 = "pvkbackup" ascii wide nocase
    $11 = "ForgeGolden" ascii wide nocase
  condition:
    uint16(0) == 0x5A4D and filesize < 10MB and $net and 4 of ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
}

rule credential_tools_powershell : credentials powershell
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PowerShell with several of the well-known functions for passwords and tickets"
    reference = "https://attack.mitre.org/techniques/T1003/"
    attack = "T1003, T1059.001"
    severity = 85
  strings:
    $1 = "Invoke-Mimikatz" ascii wide nocase
    $2 = "Invoke-Kerberoast" ascii wide nocase
    $3 = "Get-GPPPassword" ascii wide nocase
    $4 = "Invoke-ReflectivePEInjection" ascii wide nocase
    $5 = "Invoke-NinjaCopy" ascii wide nocase
    $6 = "Invoke-TokenManipulation" ascii wide nocase
    $7 = "Invoke-CredentialInjection" ascii wide nocase
    $8 = "Get-VaultCredential" ascii wide nocase
    $9 = "Invoke-SMBExec" ascii wide nocase
    $10 = "Invoke-DCSync" ascii wide nocase
    $11 = "Find-LocalAdminAccess" ascii wide nocase
    $12 = "Invoke-ShareFinder" ascii wide nocase
    $13 = "Invoke-UserHunter" ascii wide nocase
    $14 = "Get-DomainController" ascii wide nocase
    $15 = "Invoke-PowerDump" ascii wide nocase
    $16 = "Invoke-SharpSecDump" ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 20MB and 2 of them
}
