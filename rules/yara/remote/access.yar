/*
  Programs for remote access, their settings and logs. They are sold and used honestly; an examiner wants to know that they were
  there, and who came in.
*/
rule anydesk_program : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "AnyDesk: program or installer"
    reference = "https://anydesk.com/"
    attack = "T1219.002"
    severity = 25
  strings:
    $1 = "AnyDesk Software GmbH" ascii wide
    $2 = "philandro Software GmbH" ascii wide
    $3 = "anynet.relay_connector" ascii
  condition:
    uint16(0) == 0x5A4D and filesize < 50MB and any of them
}

rule anydesk_settings : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "AnyDesk's settings: the machine's number, the password for access without anybody there"
    reference = "https://support.anydesk.com/"
    attack = "T1219.002"
    severity = 45
  strings:
    $1 = /\bad\.anynet\.(id|alias|cid|fpr|cert|pkey)=/ ascii
    $2 = /\bad\.security\.[a-z_.]{3,40}=/ ascii
    $3 = /\bad\.roster\.[a-z_.]{3,40}=/ ascii
  condition:
    filesize < 2MB and (#1 > 1 or ($1 and any of ($2, $3)))
}

rule anydesk_log : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "AnyDesk's log with sessions: who came in, from where"
    reference = "https://attack.mitre.org/techniques/T1219/"
    attack = "T1219.002"
    severity = 45
  strings:
    $1 = /anynet\.[a-z_]{3,30} +- / ascii
    $2 = "app.backend_session" ascii
    $3 = "Incoming session request" ascii
    $4 = /Logged in from \d{1,3}\./ ascii
    $5 = "app.session" ascii
    $6 = /Incoming +\d{4}-\d\d-\d\d, \d\d:\d\d +(User|Token|Passwd|REJECTED) +\d{6,10}/ ascii wide
  condition:
    filesize < 200MB and ((2 of ($1, $2, $5) and any of ($3, $4)) or $6)
}

rule teamviewer_program : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "TeamViewer: program or installer"
    reference = "https://www.teamviewer.com/"
    attack = "T1219.002"
    severity = 20
  strings:
    $1 = "TeamViewer Germany GmbH" ascii wide
    $2 = "TeamViewer GmbH" ascii wide
    $3 = "TeamViewer_Service" ascii wide
    $4 = "\\TeamViewer\\Connections" ascii wide nocase
  condition:
    uint16(0) == 0x5A4D and any of them
}

rule teamviewer_connections : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "TeamViewer's list of connections: the other side's number and name, begin and end"
    reference = "https://community.teamviewer.com/"
    attack = "T1219.002"
    severity = 45
  strings:
    $line = /\d{9,10}\t[^\t\r\n]{0,120}\t\d\d-\d\d-\d{4} \d\d:\d\d:\d\d\t[^\r\n]{10,200}\t(RemoteControl|FileTransfer|Meeting|VPN|RemoteSupport)\t\{[0-9A-Fa-f-]{36}\}/ ascii wide
    $line2 = /\d{9,10}\t\d\d-\d\d-\d{4} \d\d:\d\d:\d\d\t\d\d-\d\d-\d{4} \d\d:\d\d:\d\d\t[^\t\r\n]{1,100}\t(RemoteControl|FileTransfer|Meeting|VPN|RemoteSupport)\t\{/ ascii wide
  condition:
    filesize < 50MB and any of them
}

rule rustdesk_settings : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "RustDesk's settings: its number, key pair or own server"
    reference = "https://rustdesk.com/docs/"
    attack = "T1219.002"
    severity = 45
  strings:
    $1 = /\benc_id = ['"]/ ascii
    $2 = "key_pair = [" ascii
    $3 = /\brendezvous_server = ['"]/ ascii
    $4 = "nat_type = " ascii
    $5 = "custom-rendezvous-server" ascii
    $6 = "key_confirmed = " ascii
    $7 = "verification-method" ascii
  condition:
    filesize < 256KB and ((all of ($1, $2)) or ($3 and any of ($4, $5, $7)) or all of ($2, $6))
}

rule netsupport_client_settings : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Settings of a NetSupport client that calls a gateway and shows nothing to the user"
    reference = "https://attack.mitre.org/techniques/T1219/"
    attack = "T1219.002"
    severity = 75
  strings:
    $client = "[Client]" ascii nocase
    $gateway = /GatewayAddress=[^\r\n]{3,100}/ ascii nocase
    $key = /\bGSK=\S{8}/ ascii nocase
    $quiet1 = "silent=1" ascii nocase
    $quiet2 = "SysTray=0" ascii nocase
    $quiet3 = "DisableChat=1" ascii nocase
    $quiet4 = "HideWhenIdle=1" ascii nocase
  condition:
    filesize < 64KB and $client and $gateway and ($key or 1 of ($quiet*))
}

rule netsupport_licence : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "NetSupport licence file: whom a client belongs to; stolen ones are used again and again"
    reference = "https://attack.mitre.org/techniques/T1219/"
    attack = "T1219.002"
    severity = 60
  strings:
    $1 = "licensee=" ascii nocase
    $2 = "maxslaves=" ascii nocase
    $3 = "serial_no=" ascii nocase
  condition:
    filesize < 16KB and all of them
}

rule screenconnect_client : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "ScreenConnect (ConnectWise Control): client, or its settings with the server that it calls"
    reference = "https://docs.connectwise.com/"
    attack = "T1219.002"
    severity = 45
  strings:
    $1 = "ScreenConnect.ClientService" ascii wide
    $2 = "ScreenConnect.WindowsClient" ascii wide
    $3 = "ScreenConnect.ApplicationSettings" ascii wide
    $4 = "ScreenConnect Client (" ascii wide
    $url = /\?e=(Access|Support)&(amp;)?y=Guest&(amp;)?h=[^&\s"]{3,120}&(amp;)?p=\d{2,5}/ ascii wide
  condition:
    filesize < 50MB and ((uint16(0) == 0x5A4D and any of ($1, $2)) or $url or (filesize < 256KB and $3 and any of ($1, $2, $4)))
}

rule mesh_agent_settings : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Settings of a MeshCentral agent: the group it belongs to and the server it calls"
    reference = "https://meshcentral.com/docs/"
    attack = "T1219.002"
    severity = 55
  strings:
    $1 = "MeshID=0x" ascii
    $2 = "MeshServer=wss://" ascii
    $3 = "ServerID=" ascii
    $4 = "MeshName=" ascii
  condition:
    $2 and any of ($1, $3, $4)
}

rule vnc_server_settings : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Settings of a VNC server with its stored password"
    reference = "https://uvnc.com/docs/"
    attack = "T1219.002, T1021.005"
    severity = 40
  strings:
    $1 = "[ultravnc]" ascii nocase
    $2 = /\bpasswd2?=[0-9A-F]{18}/ ascii nocase
    $3 = /"(Password|ControlPassword)"=hex:([0-9a-f]{2},){7}[0-9a-f]{2}/ ascii wide nocase
    $4 = /\\(TightVNC|RealVNC|WinVNC[34]|ORL)\\/ ascii wide nocase
  condition:
    filesize < 1MB and (all of ($1, $2) or all of ($3, $4))
}

rule remote_access_program : remote_access
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Other program for remote access: Ammyy, Remote Utilities, RMS, UltraViewer, Supremo, DWAgent, Splashtop, Atera, Action1, Radmin …"
    reference = "https://attack.mitre.org/techniques/T1219/"
    attack = "T1219.002"
    severity = 35
  strings:
    $1 = "Ammyy Admin" ascii wide
    $2 = "Remote Utilities LLC" ascii wide
    $3 = "Remote Manipulator System" ascii wide
    $4 = "UltraViewer" ascii wide
    $5 = "SupremoRemoteDesktop" ascii wide nocase
    $6 = "Nanosystems S.r.l." ascii wide
    $7 = "DWAgent" ascii wide
    $8 = "Splashtop Inc." ascii wide
    $9 = "AteraAgent" ascii wide
    $10 = "Action1 Corporation" ascii wide
    $11 = "LiteManager" ascii wide
    $12 = "Famatech" ascii wide
    $13 = "RustDesk" ascii wide
    $14 = "NetSupport Ltd" ascii wide
    $15 = "Zoho Assist" ascii wide
    $16 = "AeroAdmin" ascii wide
    $17 = "HopToDesk" ascii wide
    $18 = "FleetDeck" ascii wide
    $19 = "Level Software, Inc." ascii wide
    $20 = "GoTo Resolve" ascii wide
  condition:
    uint16(0) == 0x5A4D and any of them
}

rule rdp_settings_with_password : remote_access credentials
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Remote Desktop connection with a stored password"
    reference = "https://learn.microsoft.com/windows-server/remote/remote-desktop-services/clients/rdp-files"
    attack = "T1021.001, T1552.001"
    severity = 40
  strings:
    $1 = "full address:s:" ascii wide
    $2 = "password 51:b:" ascii wide
  condition:
    filesize < 64KB and all of them
}

rule rdp_made_possible : remote_access script
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Commands or a program that open Remote Desktop to more than it is meant for"
    reference = "https://attack.mitre.org/techniques/T1021/001/"
    attack = "T1021.001, T1112"
    severity = 65
  strings:
    $1 = "rdpwrap.ini" ascii wide nocase
    $2 = "RDPWInst" ascii wide
    $3 = /reg(\.exe)? +add [^\r\n]{0,100}Terminal Server[^\r\n]{0,60}fDenyTSConnections[^\r\n]{0,40}\/d +["']?0/ ascii wide nocase
    $4 = /net(1|\.exe)? +localgroup +["']?(Remote Desktop Users|Administrators)["']? +\S{1,40} +\/add/ ascii wide nocase
    $5 = /net(1|\.exe)? +user +\S{1,40} +\S{1,60} +\/add/ ascii wide nocase
  condition:
    filesize < 10MB and (any of ($1, $2) or ($3 and any of ($4, $5)))
}
