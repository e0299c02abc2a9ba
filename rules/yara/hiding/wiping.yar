/*
  Programs, settings and commands that remove data or traces.
*/
rule wiping_program : wiping
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program that overwrites files or cleans traces: SDelete, Eraser, BleachBit, CCleaner, PrivaZer, Wise, Hardwipe …"
    reference = "https://attack.mitre.org/techniques/T1485/"
    attack = "T1485, T1070.004"
    severity = 50
  strings:
    $1 = "Sysinternals SDelete" ascii wide nocase
    $2 = "SDelete is set for" ascii wide
    $3 = "Heidi Computers" ascii wide
    $4 = "The Eraser Project" ascii wide
    $5 = "BleachBit" ascii wide fullword
    $6 = "PrivaZer" ascii wide
    $7 = "Goversoft" ascii wide
    $8 = "Hardwipe" ascii wide
    $9 = "Evidence Eliminator" ascii wide
    $10 = "CyberScrub" ascii wide
    $11 = "WipeFile" ascii wide fullword
    $12 = "Active@ KillDisk" ascii wide
    $13 = "File Shredder" ascii wide fullword
    $14 = "Privacy Eraser" ascii wide
    $15 = "Gutmann" ascii wide
    $16 = "DoD 5220.22-M" ascii wide
    $17 = "CCleaner" ascii wide
    $18 = "East-Tec" ascii wide
  condition:
    (uint16(0) == 0x5A4D or uint32(0) == 0x464C457F) and filesize < 100MB and any of them
}

rule cleaner_settings : wiping
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Settings of BleachBit or CCleaner: what was cleaned, and that it was"
    reference = "https://docs.bleachbit.org/"
    attack = "T1070"
    severity = 50
  strings:
    $bb1 = "[bleachbit]" ascii
    $bb2 = "shred" ascii
    $bb3 = "[tree]" ascii
    $bb4 = "first_start" ascii
    $cc1 = "[Options]" ascii wide
    $cc2 = /\(App\)[^=\r\n]{2,60}=(True|False)/ ascii wide
    $cc3 = "SecureDelete" ascii wide
    $cc4 = "UpdateKey=" ascii wide
  condition:
    filesize < 1MB and ((all of ($bb1, $bb3) and any of ($bb2, $bb4)) or ($cc1 and #cc2 > 1 and any of ($cc3, $cc4)))
}

rule wiping_commands : wiping script
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Commands that overwrite files, free space or whole disks"
    reference = "https://attack.mitre.org/techniques/T1561/"
    attack = "T1561.001, T1485"
    severity = 60
  strings:
    $1 = /\bsdelete(64)?(\.exe)?["']? [^\r\n]{0,40}-(p \d|z|c|s)\b/ ascii wide nocase
    $2 = /\bcipher(\.exe)? +\/w:[a-z]:/ ascii wide nocase
    $3 = /\bshred (-[a-z]{1,8} |--[a-z]{3,12}(=\d{1,3})? |-n ?\d{1,3} ){1,4}["']?[\/~.]/ ascii
    $4 = /\bdd if=\/dev\/(zero|urandom|random) of=\/dev\/(sd|hd|nvme|mmcblk|vd)[a-z0-9]/ ascii
    $5 = /\bformat(\.com)? [a-z]: [^\r\n]{0,20}\/p:\d/ ascii wide nocase
    $6 = /\b(wipe|srm|sfill|sswap|scrub|nwipe) (-[a-zA-Z]{1,8} ){1,4}["']?\/(home|dev|root|var|mnt|media)/ ascii
    $7 = /\b(blkdiscard|wipefs -a|hdparm [^\r\n]{0,60}--security-erase) ?[^\r\n]{0,40}\/dev\// ascii
    $8 = /diskpart[^\r\n]{0,200}clean all/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and uint32(0) != 0x464C457F and filesize < 256KB and any of them
}

rule disk_wipe_log : wiping
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Log of nwipe or DBAN: disks that were wiped"
    reference = "https://github.com/martijnvanbrummelen/nwipe"
    attack = "T1561.001"
    severity = 60
  strings:
    $1 = /nwipe: (notice|info|error): / ascii
    $2 = "Starting round" ascii nocase
    $3 = "Finished pass" ascii nocase
    $4 = /dwipe: (notice|info|error): / ascii
  condition:
    uint16(0) != 0x5A4D and uint32(0) != 0x464C457F and filesize < 5MB and any of ($1, $4) and any of ($2, $3)
}

rule anti_forensic_commands : antiforensic script
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Commands that clear event logs or the journal of changes, or stop Windows from keeping traces"
    reference = "https://attack.mitre.org/techniques/T1070/001/"
    attack = "T1070.001, T1070"
    severity = 75
  strings:
    $1 = /wevtutil(\.exe)? +(cl|clear-log) +["']?[A-Z%]/ ascii wide nocase
    $2 = /Clear-EventLog +(-LogName +)?["']?[A-Z(,]/ ascii wide nocase
    $3 = /fsutil(\.exe)? +usn +deletejournal +\/[dn]/ ascii wide nocase
    $4 = /reg(\.exe)? +add [^\r\n]{0,100}PrefetchParameters[^\r\n]{0,40}EnablePrefetcher[^\r\n]{0,40}\/d +0/ ascii wide nocase
    $5 = /for +\/f [^\r\n]{0,60}wevtutil(\.exe)? +el/ ascii wide nocase
    $6 = /(del|erase|rd|rmdir) [^\r\n]{0,30}\\Windows\\Prefetch\\/ ascii wide nocase
    $7 = /NtfsDisableLastAccessUpdate[^\r\n]{0,40}\/d +["']?1/ ascii wide nocase
    $8 = /Remove-Item [^\r\n]{0,60}ConsoleHost_history\.txt/ ascii wide nocase
    $9 = /auditpol(\.exe)? +\/(clear|set [^\r\n]{0,60}\/success:disable)/ ascii wide nocase
    $10 = /Get-(WinEvent|EventLog) [^\r\n]{0,60}\|[^\r\n]{0,60}(Clear-EventLog|ClearLog)/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and uint32(0) != 0x464C457F and filesize < 5MB and any of them
}

rule linux_traces_removed : antiforensic script
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Several commands that remove a Linux user's history and the system's logs"
    reference = "https://attack.mitre.org/techniques/T1070/003/"
    attack = "T1070.003, T1070.002"
    severity = 70
  strings:
    $1 = /\bunset HISTFILE\b/ ascii
    $2 = /\bhistory -c\b/ ascii
    $3 = /(ln -sf|rm -r?f|>|cat \/dev\/null >|shred \S{1,10}) ?\/?(dev\/null )?(~|\/root|\/home\/\w{1,32})\/\.bash_history/ ascii
    $4 = /(rm -r?f|>|cat \/dev\/null >|echo ["']{0,2} ?>|shred \S{1,10}) ?\/var\/log\/(auth|secure|wtmp|btmp|lastlog|messages|syslog)/ ascii
    $5 = /export HISTFILE=\/dev\/null/ ascii
    $6 = /export HIST(FILE)?SIZE=0/ ascii
    $7 = /journalctl --(rotate|vacuum-(time|size)=1[smMK])\b/ ascii
  condition:
    uint32(0) != 0x464C457F and uint16(0) != 0x5A4D and filesize < 1MB and 2 of them
}

rule timestomp_program : antiforensic
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program that changes the times of files to those that somebody wants"
    reference = "https://attack.mitre.org/techniques/T1070/006/"
    attack = "T1070.006"
    severity = 70
  strings:
    $1 = "timestomp" ascii wide nocase
    $2 = "SetMACE" ascii wide
    $3 = "nTimestomp" ascii wide
    $4 = "NewFileTime" ascii wide fullword
    $5 = "Attribute Changer" ascii wide
    $6 = "BulkFileChanger" ascii wide
    $7 = "$STANDARD_INFORMATION" ascii wide
    $8 = "NtSetInformationFile" ascii wide
    $9 = "SetFileTime" ascii wide
  condition:
    uint16(0) == 0x5A4D and filesize < 10MB and any of ($1, $2, $3, $4, $5, $6) and any of ($7, $8, $9)
}

rule timestomp_script : antiforensic script
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Script that sets all three times of a file"
    reference = "https://attack.mitre.org/techniques/T1070/006/"
    attack = "T1070.006"
    severity = 55
  strings:
    $1 = /\.CreationTime(Utc)? ?= ?/ ascii wide nocase
    $2 = /\.LastWriteTime(Utc)? ?= ?/ ascii wide nocase
    $3 = /\.LastAccessTime(Utc)? ?= ?/ ascii wide nocase
    $4 = "Get-Item" ascii wide nocase
    $5 = "Get-ChildItem" ascii wide nocase
    $6 = "gci " ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 256KB and all of ($1, $2, $3) and any of ($4, $5, $6)
}
