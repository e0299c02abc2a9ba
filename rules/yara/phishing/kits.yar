/*
  Parts of phishing kits: pages that look like a login, the scripts behind them, what they collect, and the tools that send them.
*/
rule phishing_page_login : phishing
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Page with a login that a provider of mail or payments never has: a password form of one of the big names that posts to a script"
    reference = "https://attack.mitre.org/techniques/T1566/002/"
    attack = "T1566.002, T1598.003"
    severity = 65
  strings:
    $html1 = "<html" ascii nocase
    $html2 = "<form" ascii nocase
    $pass = /type=["']?password/ ascii nocase
    $post = /action=["']?(\.\/)?(https?:\/\/[^"'\s>]{4,120}\/)?(next|post|login|process|send|check|submit|verify|action|auth|mail|go|finish|result)\d{0,2}\.php/ ascii nocase
    $brand1 = /<title>[^<]{0,40}(Sign in to (your account|Outlook)|Microsoft (account|365)|Outlook Web App|Office ?365)/ ascii nocase
    $brand2 = /<title>[^<]{0,40}(PayPal|Apple ID|iCloud|Netflix|DHL|FedEx|Amazon Sign|Facebook|Instagram|LinkedIn Login|Binance|Coinbase|Steam Community)/ ascii nocase
    $brand3 = /<title>[^<]{0,40}(Webmail|Roundcube|Zimbra|cPanel)[^<]{0,20}(Login|Sign)/ ascii nocase
  condition:
    filesize < 3MB and all of ($html*) and $pass and $post and any of ($brand*)
}

rule phishing_page_to_messenger : phishing
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Page that sends what is typed into a login or card form to a messenger's bot"
    reference = "https://attack.mitre.org/techniques/T1567/"
    attack = "T1566.002, T1567"
    severity = 85
  strings:
    $form1 = /type=["']?password/ ascii nocase
    $form2 = /(name|id|placeholder)=["']?(cvv|cvc|card_?number|cardnumber|ccnum|pin_?code)/ ascii nocase
    $bot1 = "api.telegram.org/bot" ascii nocase
    $bot2 = "/sendMessage" ascii nocase
    $hook = /discord(app)?\.com\/api\/webhooks\// ascii nocase
    $js = "<script" ascii nocase
  condition:
    filesize < 3MB and $js and any of ($form*) and (all of ($bot*) or $hook)
}

rule phishing_script_collects : phishing php
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PHP behind a phishing page: takes name and password or a card, notes the address, and mails them or gives them to a bot"
    reference = "https://attack.mitre.org/techniques/T1566/002/"
    attack = "T1566.002"
    severity = 80
  strings:
    $php = /<\?(php|=)/ ascii nocase
    $take1 = /\$_(POST|REQUEST)\s?\[\s?['"][^'"]{0,20}(pass|pwd|passwd|password|pswd)[^'"]{0,10}['"]\s?\]/ nocase
    $take2 = /\$_(POST|REQUEST)\s?\[\s?['"][^'"]{0,20}(cvv|cvc|cardnum|card_number|ccnum|otp|sms_?code|pin)[^'"]{0,10}['"]\s?\]/ nocase
    $who1 = "REMOTE_ADDR" ascii
    $who2 = "HTTP_USER_AGENT" ascii
    $who3 = "geoplugin.net" ascii nocase
    $who4 = "ip-api.com" ascii nocase
    $send1 = /\bmail\s?\(\s?\$\w{1,30}\s?,/ nocase
    $send2 = "api.telegram.org/bot" ascii
    $send3 = /fopen\s?\(\s?["'][^"']{1,60}\.(txt|log|html?)["']\s?,\s?["']a/ nocase
    $send4 = /file_put_contents\s?\(\s?["'][^"']{1,60}\.(txt|log|html?)["'][^)]{1,200}FILE_APPEND/ nocase
    $go = /header\s?\(\s?["']location:/ nocase
    $word1 = /[-=+*|_]{4,60}[^\r\n"']{0,30}(log|result|rezult|login|info|card|cc|bank|billing)[^\r\n"']{0,30}[-=+*|_]{4,60}/ nocase
    $word2 = /["'][^"'\r\n]{0,30}(new|fresh)? ?(result|rezult|log|fullz|victim)s? (from|:|\|)/ nocase
  condition:
    // A login of a real page takes the password as well: it neither sends it nor draws lines around it.
    filesize < 256KB and $php and any of ($take*) and any of ($who*) and any of ($send*) and $go and any of ($word*)
}

rule phishing_kit_keeps_scanners_out : phishing
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Script or list of a phishing kit that turns away search engines, security companies and hosts of providers"
    reference = "https://attack.mitre.org/techniques/T1205/"
    attack = "T1205, T1566.002"
    severity = 70
  strings:
    $1 = "phishtank" ascii nocase
    $2 = "cyveillance" ascii nocase
    $3 = "netcraft" ascii nocase
    $4 = "calyxinstitute" ascii nocase
    $5 = "softlayer" ascii nocase
    $6 = "messagelabs" ascii nocase
    $7 = "amazonaws" ascii nocase
    $8 = "drweb" ascii nocase
    $9 = "hostinger" ascii nocase
    $10 = "scanurl" ascii nocase
    $11 = "above.com" ascii nocase
    $12 = "fireeye" ascii nocase
    $how1 = "REMOTE_ADDR" ascii
    $how2 = "gethostbyaddr" ascii
    $how3 = /deny from \d{1,3}\./ ascii nocase
    $how4 = "HTTP_USER_AGENT" ascii
  condition:
    filesize < 1MB and 4 of ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) and any of ($how*)
}

rule phishing_results : phishing loot
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "What a phishing page has collected: cards or logins with the visitor's address and browser, between drawn lines"
    reference = "https://attack.mitre.org/techniques/T1598/"
    attack = "T1598.003"
    severity = 75
  strings:
    $line = /(Results?|Rezults?|Fullz|Victim|Login Info|Card Info|Billing)[ \]]{0,4}[-=+*|_#]{3}/ ascii nocase
    $1 = /\n[^\r\n:]{0,20}(IP|IP Address|Client IP|Visitor IP)[^\r\n:]{0,10}: ?\d{1,3}\.\d/ ascii nocase
    $2 = /\n[^\r\n:]{0,20}(User ?Agent|Browser|UA)[^\r\n:]{0,10}: ?Mozilla\/5/ ascii nocase
    $3 = /\n[^\r\n:]{0,20}(Card ?Number|CC|Card No|cc_?num)[^\r\n:]{0,10}: ?\d{4}[ -]?\d{4}/ ascii nocase
    $4 = /\n[^\r\n:]{0,20}(CVV2?|CVC2?)[^\r\n:]{0,10}: ?\d{3,4}\b/ ascii nocase
    $5 = /\n[^\r\n:]{0,20}(Pass|Password|Passwd|Pwd)[^\r\n:]{0,10}: ?\S{4}/ ascii nocase
    $6 = /\n[^\r\n:]{0,20}(E-?mail|Login|User|Username)[^\r\n:]{0,10}: ?\S{4}/ ascii nocase
  condition:
    filesize < 20MB and $line and any of ($1, $2) and ((all of ($3, $4)) or (all of ($1, $2) and all of ($5, $6)))
}

rule phishing_proxy_settings : phishing
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Description of a site for a phishing proxy that takes sessions on their way (Evilginx and the like)"
    reference = "https://attack.mitre.org/techniques/T1557/"
    attack = "T1557, T1539"
    severity = 85
  strings:
    $1 = "proxy_hosts:" ascii
    $2 = "auth_tokens:" ascii
    $3 = "sub_filters:" ascii
    $4 = "phish_sub:" ascii
    $5 = "credentials:" ascii
    $6 = "auth_urls:" ascii
  condition:
    filesize < 256KB and all of ($1, $2) and 2 of ($3, $4, $5, $6)
}

rule phishing_campaign_template : phishing
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Mail or page made for a tool that runs phishing campaigns (Gophish): marks for who opened it"
    reference = "https://docs.getgophish.com/"
    attack = "T1566.002"
    severity = 60
  strings:
    $1 = "{{.TrackingURL}}" ascii
    $2 = "{{.Tracker}}" ascii
    $3 = "{{.RId}}" ascii
    $4 = "{{.URL}}" ascii
    $5 = "X-Gophish" ascii nocase
    $6 = "{{.BaseURL}}" ascii
  condition:
    filesize < 5MB and (2 of ($1, $2, $3, $4, $6) or $5)
}

rule mass_mailer_script : phishing php
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PHP page that sends mail to a list with a sender of one's choice"
    reference = "https://attack.mitre.org/techniques/T1566/"
    attack = "T1566, T1586.002"
    severity = 60
  strings:
    $php = /<\?(php|=)/ ascii nocase
    $1 = /(leaf|inbox|mass|bulk|priv8|anon(ymous)?|php)[ _-]?mailer/ nocase
    $2 = /name=["']?(emaillist|maillist|email_list|mailist|to_list|emails)/ nocase
    $3 = /name=["']?(from|senderEmail|sendermail|realname|senderName)/ nocase
    $4 = /\bmail\s?\(\s?\$\w{1,30}/ nocase
    $5 = "fsockopen(" nocase
    $6 = /explode\s?\(\s?"(\\r)?\\n"\s?,\s?\$/ nocase
  condition:
    filesize < 1MB and $php and $2 and $3 and any of ($4, $5) and any of ($1, $6)
}

rule page_hides_login : phishing obfuscation
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Page that is nothing but coded text which it writes into itself when it is opened"
    reference = "https://attack.mitre.org/techniques/T1027/"
    attack = "T1027, T1566.001"
    severity = 55
  strings:
    $write1 = /document\.write\(\s?(unescape|atob|decodeURIComponent|decodeURI)\(\s?['"]/ ascii
    $write2 = /document\[['"]write['"]\]\(/ ascii
    $write3 = /eval\(\s?(unescape|atob|decodeURIComponent)\(\s?['"]/ ascii
    $code1 = /%3C(%[0-9A-F]{2}){40}/ ascii nocase
    $code2 = /['"]PC(FET0NUWVBF|FkT2N0eXBl|Fkb2N0eXBl|9IVE1M|hodG1s|odG1s|h0bWw)[A-Za-z0-9+\/]{80}/ ascii
    $code3 = /['"]PGh0bWw[A-Za-z0-9+\/]{80}/ ascii
    $code4 = /\\x3C(\\x[0-9A-F]{2}){40}/ ascii nocase
    $html = "<script" ascii nocase
  condition:
    filesize < 5MB and $html and any of ($write*) and any of ($code*)
}
