/*
  PowerShell that fetches, hides or switches protection off. What an administrator does too is left out, or has a low severity.
*/
rule powershell_download_and_run : script powershell
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PowerShell that runs what it fetches without keeping it as a file"
    reference = "https://attack.mitre.org/techniques/T1059/001/"
    attack = "T1059.001, T1105"
    severity = 70
  strings:
    $1 = /\b(iex|invoke-expression)\b[ ("'&{]{1,8}\(?new-object ("|')?(system\.)?net\.webclient("|')?\)\.download(string|data)/ ascii wide nocase
    $2 = /\b(iex|invoke-expression)\b[ ("'&{]{1,8}(iwr|irm|invoke-webrequest|invoke-restmethod|curl|wget)\b[^\r\n]{0,20}https?:/ ascii wide nocase
    $3 = /\.downloadstring\(["'][^"'\r\n]{6,200}["']\)\)? ?\| ?(iex|invoke-expression)/ ascii wide nocase
    $4 = /\b(iwr|irm|invoke-webrequest|invoke-restmethod)\b[^\r\n|]{0,20}https?:[^\r\n|]{6,160}\| ?(iex|invoke-expression)\b/ ascii wide nocase
  condition:
    filesize < 5MB and any of them
}

rule powershell_hidden_and_unrestricted : script powershell
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Command line that starts PowerShell without window, profile and policy at once"
    reference = "https://attack.mitre.org/techniques/T1564/003/"
    attack = "T1059.001, T1564.003"
    severity = 60
  strings:
    $1 = /powershell[^\r\n]{0,160}-w[indowstyle]{0,10} +("|')?(hidden|1\b)[^\r\n]{0,160}-(ep|ex[ecutionpolicy]{0,13}) +("|')?(bypass|unrestricted)/ ascii wide nocase
    $2 = /powershell[^\r\n]{0,160}-(ep|ex[ecutionpolicy]{0,13}) +("|')?(bypass|unrestricted)[^\r\n]{0,160}-w[indowstyle]{0,10} +("|')?(hidden|1\b)/ ascii wide nocase
  condition:
    filesize < 5MB and any of them
}

rule powershell_amsi_off : script powershell evasion
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PowerShell that switches off the check of scripts by security programs"
    reference = "https://attack.mitre.org/techniques/T1562/001/"
    attack = "T1562.001"
    severity = 85
  strings:
    $class1 = "AmsiUtils" ascii wide nocase
    $class2 = /A["']\s?\+\s?["']?msiUt/ ascii wide nocase
    $class3 = /Amsi["']\s?\+\s?["']Ut/ ascii wide nocase
    $field1 = "amsiInitFailed" ascii wide nocase
    $field2 = "amsiContext" ascii wide nocase
    $field3 = /amsi["']\s?\+\s?["']Init/ ascii wide nocase
    $field4 = "amsiSession" ascii wide nocase
    $how1 = "GetField(" ascii wide nocase
    $how2 = "SetValue(" ascii wide nocase
    $how3 = "NonPublic,Static" ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 5MB and any of ($class*) and any of ($field*) and any of ($how*)
}

rule powershell_loads_program : script powershell
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PowerShell that unpacks a .NET program from text and starts it in memory"
    reference = "https://attack.mitre.org/techniques/T1620/"
    attack = "T1620, T1059.001"
    severity = 75
  strings:
    $load1 = "Reflection.Assembly]::Load(" ascii wide nocase
    $load2 = "AppDomain]::CurrentDomain.Load(" ascii wide nocase
    $from1 = "FromBase64String(" ascii wide nocase
    $from2 = "IO.Compression.GzipStream" ascii wide nocase
    $from3 = "IO.Compression.DeflateStream" ascii wide nocase
    $from4 = ".DownloadData(" ascii wide nocase
    $run1 = "EntryPoint.Invoke(" ascii wide nocase
    $run2 = ".GetMethod(" ascii wide nocase
    $run3 = ".InvokeMember(" ascii wide nocase
    $run4 = "]::Main(" ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 20MB and any of ($load*) and any of ($from*) and any of ($run*)
}

rule powershell_injects_code : script powershell
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PowerShell that writes machine code into memory and starts it"
    reference = "https://attack.mitre.org/techniques/T1055/"
    attack = "T1055, T1059.001"
    severity = 80
  strings:
    $alloc1 = "VirtualAlloc" ascii wide nocase
    $alloc2 = "VirtualProtect" ascii wide nocase
    $copy1 = "Marshal]::Copy(" ascii wide nocase
    $copy2 = "WriteProcessMemory" ascii wide nocase
    $start1 = "CreateThread" ascii wide nocase
    $start2 = "GetDelegateForFunctionPointer" ascii wide nocase
    $start3 = "CreateRemoteThread" ascii wide nocase
    $ps1 = "DllImport(" ascii wide nocase
    $ps2 = "GetProcAddress" ascii wide nocase
    $ps3 = "Add-Type" ascii wide nocase
    $ps4 = "$env:" ascii wide nocase
    $ps5 = "[Byte[]]" ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and uint32(0) != 0x464C457F and filesize < 5MB and any of ($alloc*) and any of ($copy*) and any of ($start*) and
    2 of ($ps*)
}

rule powershell_built_from_characters : script powershell obfuscation
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PowerShell that puts its commands together from single characters or by arithmetic, so that they cannot be read"
    reference = "https://attack.mitre.org/techniques/T1027/010/"
    attack = "T1027.010"
    severity = 60
  strings:
    $char = "[char]" ascii wide nocase
    $join1 = "-join" ascii wide nocase
    $join2 = "-bxor" ascii wide nocase
    $join3 = "iex" ascii wide fullword nocase
    $join4 = "invoke-expression" ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 1MB and #char > 25 and any of ($join*)
}

rule powershell_defender_off : script powershell evasion
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Script or command history that switches off Microsoft Defender or tells it what not to look at"
    reference = "https://attack.mitre.org/techniques/T1562/001/"
    attack = "T1562.001"
    severity = 75
  strings:
    $off = /Set-MpPreference [^\r\n]{0,200}-Disable(RealtimeMonitoring|BehaviorMonitoring|IOAVProtection|ScriptScanning|BlockAtFirstSeen) +(\$true|1)/ ascii wide nocase
    $not = /(Add|Set)-MpPreference [^\r\n]{0,60}-Exclusion(Path|Process|Extension) +["']?(C:\\["']?[\r\n\s;]|\$env:|%|C:\\(Users|ProgramData|Windows|Temp)|\.?exe)/ ascii wide nocase
  condition:
    filesize < 10MB and any of them
}
