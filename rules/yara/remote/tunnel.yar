/*
  Tunnels from inside a network to outside.
*/
rule ngrok_settings : tunnel
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "ngrok's settings with the account that its tunnels belong to"
    reference = "https://ngrok.com/docs/agent/config/"
    attack = "T1572"
    severity = 50
  strings:
    $1 = /\bauthtoken: ?[A-Za-z0-9_]{20,60}/ ascii
    $2 = "tunnels:" ascii
    $3 = /\nagent:|^agent:|version: ?"?[23]/ ascii
    $4 = "proto:" ascii
  condition:
    filesize < 64KB and $1 and any of ($2, $3, $4)
}

rule frp_settings : tunnel
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Settings of an frp client: the server it calls and what it lets in"
    reference = "https://github.com/fatedier/frp"
    attack = "T1572, T1090"
    severity = 60
  strings:
    $1 = /\bserver_?addr ?= ?/ ascii nocase
    $2 = /\bserver_?port ?= ?\d/ ascii nocase
    $3 = /\blocal_?port ?= ?\d/ ascii nocase
    $4 = /\bremote_?port ?= ?\d/ ascii nocase
    $5 = /\bplugin ?= ?"?(socks5|http_proxy|static_file)/ ascii nocase
    $6 = "[[proxies]]" ascii
    $7 = "[common]" ascii
  condition:
    filesize < 64KB and $1 and $2 and any of ($6, $7) and any of ($3, $4, $5)
}

rule tunnel_program : tunnel
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program that tunnels connections: chisel, ligolo, frp, gost, ngrok, revsocks, cloudflared …"
    reference = "https://attack.mitre.org/techniques/T1572/"
    attack = "T1572, T1090.001"
    severity = 60
  strings:
    $1 = "github.com/jpillora/chisel" ascii
    $2 = "nicocha30/ligolo-ng" ascii nocase
    $3 = "sysdream/ligolo" ascii nocase
    $4 = "github.com/fatedier/frp/" ascii
    $5 = "ginuerzh/gost" ascii nocase
    $6 = "go.ngrok.com/" ascii
    $7 = "kost/revsocks" ascii nocase
    $8 = "github.com/cloudflare/cloudflared/" ascii
    $9 = "github.com/ehang-io/nps" ascii
    $10 = "github.com/p4gefau1t/trojan-go" ascii
    $11 = "github.com/esrrhs/pingtunnel" ascii
    $12 = "github.com/bore-cli" ascii
    $13 = "rathole::client" ascii
  condition:
    (uint16(0) == 0x5A4D or uint32(0) == 0x464C457F or uint32(0) == 0xFEEDFACF) and filesize < 100MB and any of them
}

rule tunnel_command : tunnel script
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Command that opens a tunnel from inside to outside (ssh, plink, chisel, ngrok, socat, cloudflared)"
    reference = "https://attack.mitre.org/techniques/T1572/"
    attack = "T1572"
    severity = 55
  strings:
    $1 = /\b(plink|ssh)(\.exe)?["']? [^\r\n]{0,100}-R ?(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}:|localhost:|\*:)?\d{2,5}:(localhost|127\.0\.0\.1|(\d{1,3}\.){3}\d{1,3}):\d{2,5} / ascii wide nocase
    $2 = /\bchisel(\.exe)? (client|server) [^\r\n]{0,80}(R:|--reverse|socks)/ ascii wide nocase
    $3 = /\bngrok(\.exe)? (tcp|http) (\d{1,3}\.){0,4}\d{2,5}/ ascii wide nocase
    $4 = /\bcloudflared(\.exe)? tunnel [^\r\n]{0,20}(run )?--(token|url) / ascii wide nocase
    $5 = /\bsocat (tcp4?|TCP4?)-l(isten)?:\d{2,5}[^\r\n]{0,40} (tcp4?|TCP4?|exec)[:-]/ ascii wide nocase
  condition:
    uint16(0) != 0x5A4D and uint32(0) != 0x464C457F and filesize < 5MB and any of them
}

rule port_forward_command : tunnel script
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Command that makes Windows pass connections on to another machine"
    reference = "https://attack.mitre.org/techniques/T1090/001/"
    attack = "T1090.001"
    severity = 55
  strings:
    $1 = /netsh(\.exe)? +(interface|int) +portproxy +add +v4tov4 [^\r\n]{0,200}connect(address|port) ?= ?/ ascii wide nocase
    $2 = /netsh(\.exe)? +i +p +a +v +l=\d{2,5} +connectaddress=/ ascii wide nocase
  condition:
    filesize < 10MB and any of them
}

rule dns_tunnel_program : tunnel
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Program that carries data in names and answers of DNS (iodine, dnscat2)"
    reference = "https://attack.mitre.org/techniques/T1071/004/"
    attack = "T1071.004, T1572"
    severity = 70
  strings:
    $1 = "dnscat2" ascii
    $2 = "Opening DNS tunnel" ascii nocase
    $3 = "iodined" ascii
    $4 = "topdomain" ascii
    $5 = "Requesting server upstream codec" ascii nocase
    $6 = "Assuming outbound DNS driver" ascii nocase
    $7 = "DNS queries tunnel" ascii nocase
    $8 = "session_data_incoming" ascii
    $9 = "command_packet_" ascii
    $10 = "Server tunnel IP is %s" ascii
    $11 = "dnstt-client" ascii
  condition:
    (uint16(0) == 0x5A4D or uint32(0) == 0x464C457F) and filesize < 20MB and 2 of them
}

rule port_scan_and_proxy_chain : tunnel
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "List of proxies for proxychains, filled in"
    reference = "https://github.com/haad/proxychains"
    attack = "T1090.003"
    severity = 40
  strings:
    $1 = "[ProxyList]" ascii
    $2 = /\n(socks[45]|http)\s{1,8}(\d{1,3}\.){3}\d{1,3}\s{1,8}\d{2,5}/ ascii
    $3 = /\n(strict|dynamic|random|round_robin)_chain/ ascii
  condition:
    filesize < 64KB and all of them
}

rule tor_state : anonymity
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Tor's state or settings: that it ran here, and when last"
    reference = "https://2019.www.torproject.org/docs/tor-manual.html"
    attack = "T1090.003"
    severity = 30
  strings:
    $1 = "# Tor state file last generated on "
    $2 = "# This file was generated by Tor; if you edit it, comments will not be preserved"
    $3 = "\nHiddenServiceDir " ascii
    $4 = "\nHiddenServicePort " ascii
  condition:
    filesize < 1MB and ($1 at 0 or $2 at 0 or all of ($3, $4))
}
