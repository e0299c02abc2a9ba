/*
  Passwords and hashes that somebody has collected or exported.
*/
rule password_export_browser : credentials loot
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Passwords that a browser or password manager has exported as a table"
    reference = "https://support.google.com/chrome/answer/95606"
    attack = "T1555"
    severity = 55
  strings:
    $1 = "name,url,username,password"
    $2 = "\"url\",\"username\",\"password\",\"httpRealm\""
    $3 = "url,username,password,totp,extra,name,grouping,fav"
    $4 = "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password"
    $5 = "\"Group\",\"Title\",\"Username\",\"Password\",\"URL\",\"Notes\""
    $6 = "Title,URL,Username,Password,Notes,OTPAuth"
    $7 = "url,username,password,httpRealm,formActionOrigin,guid"
  condition:
    // The first line, behind a byte order mark at most
    filesize < 20MB and (any of ($1, $2, $3, $4, $5, $6, $7) in (0..3))
}

rule password_hashes_windows : credentials loot
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Password hashes of Windows accounts, one a line, as dumping tools write them"
    reference = "https://attack.mitre.org/techniques/T1003/002/"
    attack = "T1003.002"
    severity = 80
  strings:
    $line = /:\d{3,10}:[a-f0-9]{32}:[a-f0-9]{32}:::/ ascii wide nocase
    $empty = "aad3b435b51404eeaad3b435b51404ee" ascii wide nocase
  condition:
    // The hash of no LAN Manager password is in nearly every such list; without it there must be several lines.
    filesize < 50MB and (($line and $empty) or #line > 4)
}

rule kerberos_hashes : credentials loot
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Hashes of Kerberos tickets or network logons, as tools write them for guessing passwords"
    reference = "https://attack.mitre.org/techniques/T1558/003/"
    attack = "T1558.003, T1558.004"
    severity = 80
  strings:
    $1 = /\$krb5tgs\$(23|17|18)\$\*?[^\s$]{1,100}\$[^\r\n]{32}/ ascii wide
    $2 = /\$krb5asrep\$(23|17|18)?\$?[^\s:]{1,100}:[a-f0-9]{32}/ ascii wide nocase
    $3 = /::[A-Za-z0-9._-]{1,40}:[a-f0-9]{16}:[a-f0-9]{32}:0101000000000000/ ascii wide nocase
  condition:
    filesize < 50MB and any of them
}

rule kerberos_ticket_file : credentials loot
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Kerberos ticket in a file of its own (KRB-CRED), as it is taken from a machine to be used on another"
    reference = "https://www.rfc-editor.org/rfc/rfc4120"
    attack = "T1550.003, T1558"
    severity = 70
  strings:
    // [APPLICATION 22] SEQUENCE { pvno [0] 5, msg-type [1] 22 }
    $head = { 76 82 ?? ?? 30 82 ?? ?? A0 03 02 01 05 A1 03 02 01 16 }
  condition:
    filesize < 64KB and $head at 0
}

rule wifi_password_export : credentials loot
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Wireless network's profile with its password in the clear"
    reference = "https://learn.microsoft.com/windows/win32/nativewifi/wlan-profileschema-schema"
    attack = "T1552.001"
    severity = 40
  strings:
    $1 = "<WLANProfile" ascii wide
    $2 = "<protected>false</protected>" ascii wide
    $3 = "<keyMaterial>" ascii wide
  condition:
    filesize < 64KB and all of them
}
