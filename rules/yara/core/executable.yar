import "pe"

rule pe_packed_upx : packer
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "Windows program packed with UPX: harmless in itself, and common among malware"
    reference = "https://upx.github.io/"
    attack = "T1027.002"
    severity = 30
  condition:
    pe.is_pe and pe.number_of_sections >= 2 and pe.sections[0].name == "UPX0" and pe.sections[1].name == "UPX1"
}

rule credential_dumper_strings : credentials
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "Commands and messages of tools that read passwords from Windows' memory"
    reference = "https://attack.mitre.org/software/S0002/"
    attack = "T1003.001"
    severity = 90
  strings:
    $command1 = "sekurlsa::logonpasswords" ascii wide nocase
    $command2 = "sekurlsa::minidump" ascii wide nocase
    $command3 = "lsadump::sam" ascii wide nocase
    $command4 = "lsadump::dcsync" ascii wide nocase
    $command5 = "kerberos::golden" ascii wide nocase
    $command6 = "privilege::debug" ascii wide nocase
    $inside1 = "KiwiAndRegistryTools" ascii wide
    $inside2 = "wdigest.dll" ascii wide nocase
    $inside3 = "SamEnumerateUsersInDomain" ascii wide
    $inside4 = "lsasrv.dll" ascii wide nocase
    $inside5 = "gentilkiwi" ascii wide
  condition:
    // In a program: the names it works with. Elsewhere (a script, a log, a command history): two of the commands.
    (uint16(0) == 0x5a4d and filesize < 20MB and (2 of ($command*) or 4 of ($inside*))) or
    (filesize < 1MB and 2 of ($command*))
}

rule remote_access_trojan_strings : rat
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "Windows program with the words of several functions of remote access trojans"
    reference = "https://attack.mitre.org/techniques/T1219/"
    attack = "T1219, T1056.001, T1113"
    severity = 75
  strings:
    $key1 = "[ENTER]" ascii wide nocase
    $key2 = "[BACKSPACE]" ascii wide nocase
    $key3 = "keylogger" ascii wide nocase
    $key4 = "[CAPSLOCK]" ascii wide nocase
    $see1 = "capCreateCaptureWindow" ascii wide
    $see2 = "RemoteDesktop" ascii wide fullword
    $see3 = "screenshot" ascii wide nocase
    $see4 = "webcam" ascii wide nocase fullword
    $hold1 = "Software\\Microsoft\\Windows\\CurrentVersion\\Run" ascii wide nocase
    $hold2 = "schtasks /create" ascii wide nocase
    $call1 = "reverse_proxy" ascii wide nocase
    $call2 = "DownloadAndExecute" ascii wide nocase
    $call3 = "UninstallClient" ascii wide nocase
    $call4 = "no-ip.org" ascii wide nocase
    $call5 = "duckdns.org" ascii wide nocase
  condition:
    uint16(0) == 0x5a4d and filesize < 20MB and 2 of ($key*) and any of ($see*) and any of ($hold*) and any of ($call*)
}
