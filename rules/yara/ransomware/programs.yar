/*
  Programs and scripts that do what ransomware does before and after it encrypts. Backup software does one of these things;
  several of them together have no such reason.
*/
rule ransomware_pe_destroys_recovery : ransomware
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Windows program that holds several commands which delete shadow copies, backups and repair"
    reference = "https://attack.mitre.org/techniques/T1490/"
    attack = "T1490"
    severity = 85
  strings:
    $do1 = /vssadmin(\.exe)?"? delete shadows/ ascii wide nocase
    $do2 = /wmic(\.exe)?"? shadowcopy delete/ ascii wide nocase
    $do3 = /bcdedit(\.exe)?"? \/set \{?(default|current)\}? recoveryenabled no/ ascii wide nocase
    $do4 = /bcdedit(\.exe)?"? \/set \{?(default|current)\}? bootstatuspolicy ignoreallfailures/ ascii wide nocase
    $do5 = /wbadmin(\.exe)?"? delete (catalog|systemstatebackup|backup)/ ascii wide nocase
    $do6 = "resize shadowstorage" ascii wide nocase
    $do7 = "Win32_ShadowCopy" ascii wide nocase
  condition:
    uint16(0) == 0x5A4D and filesize < 30MB and 2 of them
}

rule ransomware_script_destroys_recovery : ransomware script
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Script or command history with several commands that delete shadow copies, backups and repair"
    reference = "https://attack.mitre.org/techniques/T1490/"
    attack = "T1490"
    severity = 80
  strings:
    $do1 = /vssadmin(\.exe)? +delete +shadows +\/(all|for=)/ ascii wide nocase
    $do2 = /wmic(\.exe)? +shadowcopy +delete/ ascii wide nocase
    $do3 = /bcdedit(\.exe)? +\/set +\{?(default|current)\}? +recoveryenabled +no/ ascii wide nocase
    $do4 = /bcdedit(\.exe)? +\/set +\{?(default|current)\}? +bootstatuspolicy +ignoreallfailures/ ascii wide nocase
    $do5 = /wbadmin(\.exe)? +delete +(catalog|systemstatebackup|backup) +-/ ascii wide nocase
    $do6 = /Get-WmiObject +Win32_ShadowCopy[^\r\n]{0,60}Delete\(\)/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 1MB and 2 of them
}

rule ransomware_pe_stops_services : ransomware
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Windows program with a long list of the services and programs that keep databases and backups open"
    reference = "https://attack.mitre.org/techniques/T1489/"
    attack = "T1489"
    severity = 75
  strings:
    $stop1 = "net stop " ascii wide nocase
    $stop2 = "taskkill /f /im" ascii wide nocase
    $stop3 = "sc config" ascii wide nocase
    $stop4 = "ControlService" ascii wide
    $stop5 = "TerminateProcess" ascii wide
    $name1 = "veeam" ascii wide nocase
    $name2 = "MSSQLSERVER" ascii wide nocase
    $name3 = "BackupExec" ascii wide nocase
    $name4 = "QBFCService" ascii wide nocase
    $name5 = "sqlbrowser" ascii wide nocase
    $name6 = "acronis" ascii wide nocase
    $name7 = "msexchange" ascii wide nocase
    $name8 = "thebat" ascii wide nocase
    $name9 = "ocautoupds" ascii wide nocase
    $name10 = "mydesktopqos" ascii wide nocase
    $name11 = "sophos" ascii wide nocase
    $name12 = "agntsvc" ascii wide nocase
  condition:
    // A backup program knows some of these names, and not the accounting and mail programs beside them.
    uint16(0) == 0x5A4D and filesize < 20MB and any of ($stop*) and 6 of ($name*)
}

rule ransomware_elf_hypervisor : ransomware elf
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Linux program that stops virtual machines of a hypervisor and knows their disks"
    reference = "https://attack.mitre.org/techniques/T1486/"
    attack = "T1486, T1489"
    severity = 85
  strings:
    $stop1 = "esxcli" ascii
    $stop2 = "vm process kill" ascii
    $stop3 = "vim-cmd" ascii
    $stop4 = "vmsvc/power.off" ascii
    $stop5 = "vmsvc/snapshot.remove" ascii
    $disk1 = ".vmdk" ascii
    $disk2 = ".vmsn" ascii
    $disk3 = ".vswp" ascii
    $disk4 = "/vmfs/volumes" ascii
    $lock1 = /encrypt(ing|ed)? ?(%s|files?|path|failed)/ ascii nocase
    $lock2 = "chacha20" ascii nocase
    $lock3 = "sosemanuk" ascii nocase
    $lock4 = ".onion" ascii
  condition:
    uint32(0) == 0x464C457F and filesize < 20MB and 2 of ($stop*) and 2 of ($disk*) and any of ($lock*)
}

rule ransomware_program_holds_note : ransomware
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program (PE or ELF) that carries the text of a ransom note"
    reference = "https://attack.mitre.org/techniques/T1486/"
    attack = "T1486"
    severity = 85
  strings:
    $done1 = "files have been encrypted" ascii wide nocase
    $done2 = "files are encrypted" ascii wide nocase
    $done3 = "files were encrypted" ascii wide nocase
    $done4 = "network has been encrypted" ascii wide nocase
    $done5 = "your data is stolen" ascii wide nocase
    $tor1 = ".onion" ascii wide nocase
    $tor2 = "torproject.org" ascii wide nocase
    $tor3 = "tor browser" ascii wide nocase
    $back1 = "decryptor" ascii wide nocase
    $back2 = "decryption tool" ascii wide nocase
    $back3 = "decrypt your files" ascii wide nocase
    $back4 = "restore your files" ascii wide nocase
    $back5 = "private key" ascii wide nocase
  condition:
    (uint16(0) == 0x5A4D or uint32(0) == 0x464C457F) and filesize < 20MB and
    any of ($done*) and any of ($tor*) and any of ($back*)
}
