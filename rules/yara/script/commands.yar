/*
  Commands for Windows' own shell and tools. Each rule needs the whole command, not the tool's name.
*/
rule commands_protection_off : script evasion
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Script with several commands that switch off Windows' firewall, Defender or the control of accounts"
    reference = "https://attack.mitre.org/techniques/T1562/"
    attack = "T1562.001, T1562.004"
    severity = 75
  strings:
    $1 = /netsh +advfirewall +set +(allprofiles|currentprofile) +state +off/ ascii wide nocase
    $2 = /netsh +firewall +set +opmode +(mode=)?disable/ ascii wide nocase
    $3 = /(sc|net) +(stop|config|delete) +["']?(WinDefend|MpsSvc|wscsvc|SecurityHealthService|Sense)/ ascii wide nocase
    $4 = /reg +add [^\r\n]{0,80}Windows Defender[^\r\n]{0,80}Disable(AntiSpyware|RealtimeMonitoring|AntiVirus)/ ascii wide nocase
    $5 = /reg +add [^\r\n]{0,80}Policies\\System[^\r\n]{0,40}EnableLUA[^\r\n]{0,40}\/d +0/ ascii wide nocase
    $6 = /-DisableRealtimeMonitoring +(\$true|1)/ ascii wide nocase
    $7 = /taskkill [^\r\n]{0,40}(MsMpEng|avp|egui|ekrn|bdagent|NisSrv)\.exe/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 1MB and 2 of them
}

rule commands_fetch_by_system_tool : script download
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Command that fetches a file with a tool of Windows which is not made for it"
    reference = "https://attack.mitre.org/techniques/T1105/"
    attack = "T1105, T1218"
    severity = 65
  strings:
    $1 = /certutil(\.exe)? [^\r\n]{0,60}[-\/](urlcache|verifyctl) [^\r\n]{0,40}https?:\/\// ascii wide nocase
    $2 = /bitsadmin(\.exe)? [^\r\n]{0,40}\/transfer [^\r\n]{0,80}https?:\/\// ascii wide nocase
    $3 = /regsvr32(\.exe)? [^\r\n]{0,40}\/i:https?:\/\/[^\r\n]{0,120}scrobj/ ascii wide nocase
    $4 = /mshta(\.exe)?["']? ["']?(https?:\/\/|javascript:|vbscript:)/ ascii wide nocase
    $5 = /rundll32(\.exe)?["']? javascript:/ ascii wide nocase
    $6 = /msiexec(\.exe)? [^\r\n]{0,30}\/(i|package) ["']?https?:\/\// ascii wide nocase
    $7 = /desktopimgdownldr(\.exe)? [^\r\n]{0,40}\/lockscreenurl:https?:/ ascii wide nocase
    $8 = /MpCmdRun(\.exe)?["']? [^\r\n]{0,20}-DownloadFile [^\r\n]{0,20}https?:\/\// ascii wide nocase
  condition:
    filesize < 5MB and any of them
}

rule commands_start_with_windows : script persistence
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Command that makes an interpreter or a program of the user's folders start with Windows"
    reference = "https://attack.mitre.org/techniques/T1547/001/"
    attack = "T1547.001, T1053.005"
    severity = 60
  strings:
    $run = /reg(\.exe)? +add +["']?HK(LM|CU|EY_\w{10,20})\\[^\r\n]{0,80}CurrentVersion\\(Run|RunOnce)\b[^\r\n]{0,160}(powershell|wscript|cscript|mshta|rundll32|\\AppData\\|\\Temp\\|%temp%|%appdata%|\\Users\\Public\\)/ ascii wide nocase
    $task = /schtasks(\.exe)? [^\r\n]{0,20}\/create [^\r\n]{0,200}\/tr [^\r\n]{0,60}(powershell|wscript|cscript|mshta|rundll32|\\AppData\\|\\Temp\\|%temp%|%appdata%|\\Users\\Public\\)/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 5MB and any of them
}

rule batch_cut_from_variables : script obfuscation
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Batch file that cuts its commands out of variables letter by letter"
    reference = "https://attack.mitre.org/techniques/T1027/010/"
    attack = "T1027.010"
    severity = 65
  strings:
    $cut = /%[^%\r\n :]{1,40}:~\d{1,3},1%/ ascii
  condition:
    filesize < 2MB and #cut > 40
}

rule wsh_fetches_and_runs : script vbs js
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Script for Windows Script Host (VBScript, JScript, HTA) that fetches a file, saves it and starts it"
    reference = "https://attack.mitre.org/techniques/T1059/005/"
    attack = "T1059.005, T1059.007, T1105"
    severity = 75
  strings:
    $get1 = "MSXML2.XMLHTTP" ascii wide nocase
    $get2 = "MSXML2.ServerXMLHTTP" ascii wide nocase
    $get3 = "WinHttp.WinHttpRequest" ascii wide nocase
    $get4 = "Microsoft.XMLHTTP" ascii wide nocase
    $save1 = "ADODB.Stream" ascii wide nocase
    $save2 = "SaveToFile" ascii wide nocase
    $run1 = "WScript.Shell" ascii wide nocase
    $run2 = "Shell.Application" ascii wide nocase
    $start1 = ".Run" ascii wide nocase
    $start2 = ".Exec(" ascii wide nocase
    $start3 = "ShellExecute" ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 1MB and any of ($get*) and all of ($save*) and any of ($run*) and any of ($start*)
}

rule vbs_built_from_characters : script vbs obfuscation
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "VBScript that puts its commands together from character codes and runs them"
    reference = "https://attack.mitre.org/techniques/T1027/010/"
    attack = "T1027.010, T1059.005"
    severity = 65
  strings:
    $chr = /\bchrw?\( ?(\d{1,5}|&h[0-9a-f]{2})/ ascii wide nocase
    $run1 = "executeglobal" ascii wide nocase
    $run2 = /\bexecute[ (]/ ascii wide nocase
    $run3 = /\beval ?\(/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 2MB and #chr > 60 and any of ($run*)
}

rule js_wsh_obfuscated : script js obfuscation
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "JScript for Windows Script Host that decodes itself and reaches for objects of the system"
    reference = "https://attack.mitre.org/techniques/T1059/007/"
    attack = "T1059.007, T1027.010"
    severity = 65
  strings:
    $object1 = /new ActiveXObject\(/ ascii wide nocase
    $object2 = "WScript.CreateObject(" ascii wide nocase
    $decode1 = "fromCharCode" ascii wide nocase
    $decode2 = "unescape(" ascii wide nocase
    $decode3 = /parseInt\([^,)]{1,40}, ?(16|36)\)/ ascii wide nocase
    $run1 = /\beval\(/ ascii wide nocase
    $run2 = /new Function\(/ ascii wide nocase
    $sys1 = "WScript.Shell" ascii wide nocase
    $sys2 = "Scripting.FileSystemObject" ascii wide nocase
    $sys3 = "WScript.Sleep" ascii wide nocase
    $sys4 = "WScript.ScriptFullName" ascii wide nocase
  condition:
    filesize < 1MB and any of ($object*) and any of ($decode*) and any of ($run*) and any of ($sys*)
}

rule scriptlet_starts_program : script scriptlet
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Scriptlet or HTML application that starts an interpreter"
    reference = "https://attack.mitre.org/techniques/T1218/005/"
    attack = "T1218.005, T1218.010"
    severity = 70
  strings:
    $kind1 = "<scriptlet" ascii nocase
    $kind2 = "<hta:application" ascii nocase
    $kind3 = "<registration" ascii nocase
    $run1 = /\.Run ?\(? ?["'][^"'\r\n]{0,80}(powershell|cmd|mshta|rundll32|regsvr32|certutil)/ ascii nocase
    $run2 = /\.Exec ?\( ?["'][^"'\r\n]{0,80}(powershell|cmd|mshta|rundll32|regsvr32|certutil)/ ascii nocase
    $run3 = /ShellExecute ?\(? ?["'](powershell|cmd|mshta|rundll32|regsvr32|certutil)/ ascii nocase
  condition:
    filesize < 1MB and any of ($kind*) and any of ($run*)
}

rule page_copies_command : script phishing
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Web page that puts a command on the clipboard and tells the visitor to run it, as false checks for robots do"
    reference = "https://attack.mitre.org/techniques/T1204/004/"
    attack = "T1204.004"
    severity = 85
  strings:
    $copy1 = "clipboard.writeText" ascii
    $copy2 = /execCommand\(["']copy["']\)/ ascii
    $run1 = /powershell(\.exe)? +-/ ascii nocase
    $run2 = /mshta(\.exe)? +https?:/ ascii nocase
    $run3 = /cmd(\.exe)? +\/c +/ ascii nocase
    $run4 = /curl [^\r\n<]{0,80}\| ?(bash|sh|zsh)/ ascii nocase
    $tell1 = /(Win|Windows)( key| Button|<\/b>|<\/kbd>)? ?(\+|and|&plus;) ?(<b>|<kbd>)?R\b/ ascii nocase
    $tell2 = /Ctrl(<\/b>|<\/kbd>)? ?(\+|&plus;) ?(<b>|<kbd>)?V\b/ ascii nocase
    $tell3 = "Verification Steps" ascii nocase
    $tell4 = "open Terminal" ascii nocase
  condition:
    filesize < 2MB and any of ($copy*) and any of ($run*) and any of ($tell*)
}

rule page_builds_file : script smuggling
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Web page that builds a program or archive from its own text and gives it to the visitor as a download"
    reference = "https://attack.mitre.org/techniques/T1027/006/"
    attack = "T1027.006"
    severity = 70
  strings:
    $blob1 = "new Blob(" ascii
    $blob2 = "msSaveOrOpenBlob" ascii
    $blob3 = "new File([" ascii
    $give1 = "createObjectURL" ascii
    $give2 = "msSaveBlob" ascii
    $give3 = ".download" ascii
    $decode1 = "atob(" ascii
    $decode2 = "charCodeAt(" ascii
    // Base64 of MZ, PK\x03\x04, Rar!, an ISO's empty sectors, 7z
    $what1 = /["'`](TVqQAA|TVpQAA|TVoAAA)[A-Za-z0-9+\/]{100}/ ascii
    $what2 = /["'`]UEsDB[A-Za-z0-9+\/]{100}/ ascii
    $what3 = /["'`]UmFyIR[A-Za-z0-9+\/]{100}/ ascii
    $what4 = /["'`]N3q8ry[A-Za-z0-9+\/]{100}/ ascii
  condition:
    filesize < 30MB and any of ($blob*) and any of ($give*) and any of ($decode*) and any of ($what*)
}
