/*
  Frameworks for taking machines over and keeping them: parts of their agents, settings and scripts that do not change with each build.
*/
rule cobalt_strike_settings : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Block of settings of a Cobalt Strike agent: its first fields, plain or under the keys that it is built with"
    reference = "https://attack.mitre.org/software/S0154/"
    attack = "T1071.001, T1573"
    severity = 90
  strings:
    // Fields of (number, type, length, value): 1 short 2 = kind, 2 short 2 = port, 3 int 4 = pause; plain, XOR 69, XOR 2E
    $plain = { 00 01 00 01 00 02 00 ?? 00 02 00 01 00 02 ?? ?? 00 03 00 02 00 04 }
    $xor69 = { 69 68 69 68 69 6B 69 ?? 69 6B 69 68 69 6B ?? ?? 69 6A 69 6B 69 6D }
    $xor2e = { 2E 2F 2E 2F 2E 2C 2E ?? 2E 2C 2E 2F 2E 2C ?? ?? 2E 2D 2E 2C 2E 2A }
  condition:
    any of them
}

rule cobalt_strike_agent_words : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program or memory with several of the messages of a Cobalt Strike agent"
    reference = "https://attack.mitre.org/software/S0154/"
    attack = "T1059, T1055"
    severity = 90
  strings:
    $1 = "could not spawn %s (token): %d" ascii
    $2 = "beacon.x64.dll" ascii
    $3 = "beacon.dll" ascii
    $4 = "%s as %s\\%s: %d" ascii
    $5 = "Could not open process token: %d (%u)" ascii
    $6 = "I'm already in SMB mode" ascii
    $7 = "could not adjust permissions in process: %d" ascii
    $8 = "%02d/%02d/%02d %02d:%02d:%02d" ascii
    $9 = "(admin)" ascii
    $10 = "Failed to impersonate logged on user %d" ascii
  condition:
    filesize < 100MB and 4 of them
}

rule cobalt_strike_pipes : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program or script with the names of pipes that Cobalt Strike uses as it comes"
    reference = "https://attack.mitre.org/software/S0154/"
    attack = "T1559, T1570"
    severity = 80
  strings:
    $1 = /pipe\\{1,2}MSSE-(\d{1,5}|%d)-server/ ascii wide
    $2 = /pipe\\{1,2}msagent_[0-9a-f%]{2}/ ascii wide
    $3 = /pipe\\{1,2}postex_(ssh_)?[0-9a-f%]{4}/ ascii wide
    $4 = /pipe\\{1,2}status_[0-9a-f%]{2}/ ascii wide
    $5 = "%c%c%c%c%c%c%c%c%cMSSE-%d-server" ascii
  condition:
    uint32(0) != 0x464C457F and filesize < 20MB and 1 of them
}

rule c2_profile : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Profile that tells a Cobalt Strike server how its traffic shall look"
    reference = "https://attack.mitre.org/techniques/T1001/003/"
    attack = "T1001.003"
    severity = 85
  strings:
    $1 = /http-get(\s"\w{1,20}")?\s{0,4}\{/ ascii
    $2 = /http-post(\s"\w{1,20}")?\s{0,4}\{/ ascii
    $3 = /metadata\s{0,4}\{/ ascii
    $4 = "set sleeptime" ascii
    $5 = "process-inject" ascii
    $6 = "set pipename" ascii
    $7 = "http-stager" ascii
    $8 = "post-ex" ascii
  condition:
    filesize < 1MB and all of ($1, $2, $3) and any of ($4, $5, $6, $7, $8)
}

rule meterpreter_words : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program or memory with several of the commands of a Meterpreter agent"
    reference = "https://docs.metasploit.com/docs/using-metasploit/advanced/meterpreter/"
    attack = "T1059, T1105"
    severity = 90
  strings:
    $1 = "metsrv" ascii fullword
    $2 = "stdapi_sys_config_getuid" ascii
    $3 = "stdapi_fs_" ascii
    $4 = "core_channel_open" ascii
    $5 = "core_loadlib" ascii
    $6 = "priv_passwd_get_sam_hashes" ascii
    $7 = "core_negotiate_tlv_encryption" ascii
    $8 = "core_transport_" ascii
    $9 = "stdapi_net_" ascii
    $10 = "ext_server_stdapi" ascii nocase
  condition:
    filesize < 100MB and 3 of them
}

rule metasploit_stager : framework shellcode
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Machine code that fetches the rest of a Metasploit agent: its way to find functions, and the functions' hashes"
    reference = "https://docs.metasploit.com/docs/using-metasploit/basics/how-to-use-msfvenom.html"
    attack = "T1105, T1027.007"
    severity = 90
  strings:
    // cld, call over the function that finds functions; 32 and 64 bits
    $start32 = { FC E8 ( 82 | 86 | 89 | 8F ) 00 00 00 60 ( 89 E5 31 | 31 D2 89 E5 ) }
    $start64 = { FC 48 83 E4 F0 E8 ( C0 | C8 | CC ) 00 00 00 41 51 41 50 52 }
    // push or mov of the hashes of LoadLibraryA, WSASocketA, InternetOpenA, VirtualAlloc
    $hash1 = { ( 68 | BA ) 4C 77 26 07 }
    $hash2 = { ( 68 | BA ) EA 0F DF E0 }
    $hash3 = { ( 68 | BA ) 3A 56 79 A7 }
    $hash4 = { ( 68 | BA ) 58 A4 53 E5 }
  condition:
    filesize < 20MB and any of ($start*) and any of ($hash*)
}

rule metasploit_script : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Orders for the Metasploit console, as a script or in its history"
    reference = "https://docs.metasploit.com/"
    attack = "T1587, T1588.002"
    severity = 70
  strings:
    $1 = /\buse (exploit|auxiliary|post)\/[a-z0-9_]{2,20}\// ascii nocase
    $2 = /\bset payload [a-z0-9_]{2,20}\// ascii nocase
    $3 = /\bset lhost \S/ ascii nocase
    $4 = /\bmsfvenom [^\r\n]{0,20}-p [a-z0-9_]{2,20}\// ascii nocase
    $5 = /\bset rhosts? \S/ ascii nocase
  condition:
    filesize < 1MB and ($4 or 2 of ($1, $2, $3, $5))
}

rule sliver_agent : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program that is an agent of the Sliver framework"
    reference = "https://sliver.sh/"
    attack = "T1071.001"
    severity = 90
  strings:
    $1 = "github.com/bishopfox/sliver" ascii
    $2 = "sliverpb" ascii
    $3 = "BeaconRegister" ascii
    $4 = "InvokeSpawnDllReq" ascii
    $5 = "ExecuteAssemblyReq" ascii
    $6 = "PivotListener" ascii
    $7 = "ProcessDumpReq" ascii
    $8 = "ImpersonateReq" ascii
  condition:
    (uint16(0) == 0x5A4D or uint32(0) == 0x464C457F or uint32(0) == 0xFEEDFACF) and filesize < 60MB and 3 of them
}

rule mythic_agent : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program or script that is an agent of the Mythic framework: the actions and fields of its messages"
    reference = "https://docs.mythic-c2.net/"
    attack = "T1071.001"
    severity = 85
  strings:
    $1 = "get_tasking" ascii wide
    $2 = "post_response" ascii wide
    $3 = "staging_rsa" ascii wide
    $4 = "tasking_size" ascii wide
    $5 = "callback_interval" ascii wide nocase
    $6 = "payload_uuid" ascii wide nocase
    $7 = "delegates" ascii wide fullword
    $8 = "AESPSK" ascii wide
    $9 = "integrity_level" ascii wide
  condition:
    filesize < 60MB and 4 of them
}

rule havoc_profile : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Profile of a Havoc server, or an agent of it"
    reference = "https://havocframework.com/docs/profiles"
    attack = "T1071.001"
    severity = 85
  strings:
    $1 = /\bTeamserver\s{0,4}\{/ ascii
    $2 = /\bDemon\s{0,4}\{/ ascii
    $3 = /\bOperators\s{0,4}\{/ ascii
    $4 = /\bListeners\s{0,4}\{/ ascii
    $5 = "demon.x64.dll" ascii nocase
    $6 = "DemonMain" ascii
  condition:
    filesize < 20MB and (3 of ($1, $2, $3, $4) or all of ($5, $6))
}

rule powershell_empire_stager : framework powershell
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Script that fetches a PowerShell agent over the web with an own cipher, as Empire does"
    reference = "https://attack.mitre.org/software/S0363/"
    attack = "T1059.001, T1071.001"
    severity = 85
  strings:
    $page1 = "/admin/get.php" ascii wide nocase
    $page2 = "/login/process.php" ascii wide nocase
    $page3 = "/news.php" ascii wide nocase
    $cookie = "\"Cookie\"" ascii wide nocase
    $rc1 = "$S[$_],$S[$J]" ascii wide nocase
    $rc2 = "-bxor" ascii wide nocase
    $agent = "System.Net.WebClient" ascii wide nocase
    $agent2 = "Net.WebClient" ascii wide nocase
    $log = "ScriptBlockLogging" ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 2MB and any of ($page*) and any of ($rc*) and any of ($agent*) and any of ($cookie, $log)
}

rule domain_map_collected : framework loot
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Map of a Windows domain (users, computers, groups, sessions) as SharpHound collects it"
    reference = "https://attack.mitre.org/software/S0521/"
    attack = "T1087.002, T1069.002, T1482"
    severity = 75
  strings:
    $meta = /"meta"\s{0,2}:\s{0,2}\{[^}]{0,120}"type"\s{0,2}:\s{0,2}"(users|computers|groups|domains|sessions|ous|gpos|containers)"/ ascii nocase
    $1 = "\"ObjectIdentifier\"" ascii nocase
    $2 = "\"Aces\"" ascii nocase
    $3 = "\"PrimaryGroupSID\"" ascii nocase
    $4 = "\"LocalAdmins\"" ascii nocase
  condition:
    filesize < 500MB and $meta and 2 of ($1, $2, $3, $4)
}

rule domain_queries : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Commands that list a domain's computers, users and trusts with a tool that Windows does not have"
    reference = "https://attack.mitre.org/software/S0552/"
    attack = "T1087.002, T1482"
    severity = 70
  strings:
    $1 = /adfind(\.exe)? [^\r\n]{0,40}-f ["']?\(?(&\()?objectcategory=/ ascii wide nocase
    $2 = /adfind(\.exe)? [^\r\n]{0,20}-(sc|subnets|gcb|schemadn)[ \r\n]/ ascii wide nocase
    $3 = /(SharpHound|Invoke-BloodHound)(\.exe)? [^\r\n]{0,20}(-c|--CollectionMethods?|-CollectionMethod) / ascii wide nocase
    $4 = /nltest(\.exe)? +\/domain_trusts +\/all_trusts/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and filesize < 5MB and any of them
}

rule remote_execution_traces : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Commands as they arrive when a machine is operated through WMI, services or tasks from another (Impacket)"
    reference = "https://attack.mitre.org/software/S0357/"
    attack = "T1047, T1021.002, T1569.002"
    severity = 85
  strings:
    $1 = /cmd(\.exe)? \/Q \/c [^\r\n]{1,400}1> ?\\\\127\.0\.0\.1\\(ADMIN|C)\$\\__?\d{6,12}/ ascii wide nocase
    $2 = /%COMSPEC% \/Q \/c echo [^\r\n]{1,200}\^> \\\\(127\.0\.0\.1|%COMPUTERNAME%)\\C\$\\__output/ ascii wide nocase
    $3 = /cmd\.exe \/C [^\r\n]{1,200} > %windir%\\Temp\\[A-Za-z]{8}\.tmp 2>&1/ ascii wide nocase
  condition:
    any of them
}

rule psexec_service : framework
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PsExec's service, or a program like it, which runs commands that come from another machine"
    reference = "https://learn.microsoft.com/sysinternals/downloads/psexec"
    attack = "T1569.002, T1570"
    severity = 45
  strings:
    $1 = "PSEXESVC" ascii wide
    $2 = "Sysinternals PsExec" ascii wide nocase
    $3 = "PsExec Service" ascii wide nocase
    $4 = "PAExec" ascii wide
    $5 = "RemComSvc" ascii wide
    $6 = "RemCom_communicaton" ascii wide
  condition:
    uint16(0) == 0x5A4D and filesize < 10MB and any of them
}

rule scan_report : framework loot
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Report of a network scanner: hosts and their open ports"
    reference = "https://nmap.org/book/output.html"
    attack = "T1046"
    severity = 40
  strings:
    $1 = /^# Nmap \d{1,2}\.[^\r\n]{1,20} scan initiated / 
    $2 = "<!DOCTYPE nmaprun>" ascii
    $3 = "#masscan" ascii
    $4 = "<nmaprun scanner=\"" ascii
    $5 = "<network-scanner-result" ascii
  condition:
    filesize < 500MB and ($1 at 0 or any of ($2, $4, $5) in (0..1024) or $3 at 0)
}

rule data_copied_to_cloud : exfiltration
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Command or settings of a tool that copies folders to a cloud store, as it is used to take data away"
    reference = "https://attack.mitre.org/software/S1040/"
    attack = "T1567.002"
    severity = 55
  strings:
    $1 = /rclone(\.exe)? [^\r\n]{0,120}(copy|sync|move) [^\r\n]{0,200} (mega|ftp|sftp|remote|pcloud|dropbox|gdrive|s3|backblaze|b2|[a-z]{2,12}):/ ascii wide nocase
    $2 = /\n\[[^\]\r\n]{1,40}\]\r?\ntype = (mega|ftp|sftp|pcloud|dropbox|drive|s3|b2|webdav)\r?\n/ ascii
    $3 = /\n(pass|token|access_key_id|user) = / ascii
  condition:
    uint16(0) != 0x5A4D and filesize < 2MB and ($1 or all of ($2, $3))
}
