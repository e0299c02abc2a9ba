/*
  Web shells for .NET, classic ASP, Java and CGI.
*/
rule aspx_webshell_process : webshell aspx
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "ASP.NET page that starts a process with what a visitor sends"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
    severity = 80
  strings:
    $page1 = "<%@" ascii
    $page2 = "runat=\"server\"" ascii nocase
    $in1 = /Request(\[|\.(Form|QueryString|Params|Item|Headers|Cookies)\b)/ ascii
    $in2 = "<asp:TextBox" ascii nocase
    $run1 = "ProcessStartInfo" ascii
    $run2 = "Process.Start(" ascii
    $run3 = "new Process(" ascii
    $what1 = "cmd.exe" ascii nocase
    $what2 = "/bin/sh" ascii
    $what3 = "powershell" ascii nocase
  condition:
    filesize < 500KB and any of ($page*) and any of ($in*) and any of ($run*) and any of ($what*)
}

rule aspx_webshell_eval : webshell aspx asp
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "ASP or ASP.NET page that gives a request's parameter to an interpreter"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
    severity = 90
  strings:
    $page1 = /<%(@|=|!| |\r\n|\n|e)/ ascii nocase
    $page2 = "<script" ascii nocase
    $1 = /\beval ?\(? ?Request(\.Item|\.Form|\.QueryString|\.Headers)? ?[\[(] ?["']/ nocase
    $2 = /\bexecute(global)? ?\(? ?request(\.form|\.querystring|\.item)? ?\( ?["']/ nocase
    $3 = /System\.Convert\.FromBase64String\(Request[^\r\n]{0,60}\)[^\r\n]{0,80}unsafe/ nocase
  condition:
    filesize < 1MB and any of ($page*) and any of ($1, $2, $3)
}

rule aspx_webshell_loads_code : webshell aspx
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "ASP.NET page that loads a program from a request's body or key"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003, T1620"
    severity = 90
  strings:
    $page1 = "<%@" ascii
    $load1 = /Assembly"?\)?\.(GetMethod\("Load"|Load ?\()/ ascii
    $load2 = "Assembly.Load(" ascii
    $from1 = "Request.BinaryRead(" ascii
    $from2 = "Request.InputStream" ascii
    $from3 = /FromBase64String\( ?(Context\.)?Request/ ascii
    $make1 = "CreateInstance(" ascii
    $make2 = "CreateDecryptor(" ascii
    $make3 = "GetMethod(" ascii
  condition:
    filesize < 500KB and $page1 and any of ($load*) and any of ($from*) and any of ($make*)
}

rule asp_webshell_classic : webshell asp
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Classic ASP page that runs commands of a visitor through a system object"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
    severity = 80
  strings:
    $page = /<%(@|=|!| |\r\n|\n|e)/ ascii nocase
    $object1 = "WScript.Shell" ascii nocase
    $object2 = "Shell.Application" ascii nocase
    $object3 = "72C24DD5-D70A-438B-8A42-98424B88AFB8" ascii nocase
    $in = /\bRequest(\.Form|\.QueryString|\.Item)? ?\(/ nocase
    $run1 = /\.(Exec|Run) ?\(/ nocase
    $run2 = "ShellExecute" ascii nocase
    $server = /Server\.CreateObject|CreateObject ?\(|<object runat/ nocase
  condition:
    filesize < 500KB and $page and any of ($object*) and $in and any of ($run*) and $server
}

rule jsp_webshell_process : webshell jsp
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Java page that starts a process with a request's parameter"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
    severity = 85
  strings:
    $page1 = /<%(@|=|!| |\r\n|\n|e)/ ascii nocase
    $page2 = "<jsp:" ascii nocase
    $1 = /getRuntime\(\)\s?\.exec\(\s?request\.getParameter\(/ ascii
    $run1 = "getRuntime().exec(" ascii
    $run2 = "new ProcessBuilder(" ascii
    $in = "request.getParameter(" ascii
    $sh1 = "cmd.exe" ascii nocase
    $sh2 = "/bin/sh" ascii
    $sh3 = "/bin/bash" ascii
  condition:
    filesize < 500KB and any of ($page*) and ($1 or (any of ($run*) and $in and any of ($sh*)))
}

rule jsp_webshell_loads_class : webshell jsp
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Java page that makes a class of what a visitor sends"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003, T1620"
    severity = 90
  strings:
    $page1 = /<%(@|=|!| |\r\n|\n|e)/ ascii nocase
    $page2 = "<jsp:" ascii nocase
    $define1 = "defineClass(" ascii
    $define2 = "\"defineClass\"" ascii
    $from1 = "request.getReader()" ascii
    $from2 = "request.getInputStream()" ascii
    $from3 = "request.getParameter(" ascii
    $how1 = "Cipher.getInstance(" ascii
    $how2 = "BASE64Decoder" ascii
    $how3 = "Base64" ascii
    $how4 = "ClassLoader" ascii
  condition:
    filesize < 500KB and any of ($page*) and any of ($define*) and any of ($from*) and any of ($how*)
}

rule cgi_webshell : webshell perl python
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "CGI script (Perl, Python, shell) that runs a request's parameter"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
    severity = 80
  strings:
    $head1 = /^#![^\r\n]{0,40}(perl|python|sh)/
    $cgi1 = "QUERY_STRING" ascii
    $cgi2 = "cgi.FieldStorage" ascii
    $cgi3 = "use CGI" ascii
    $out = "Content-type:" ascii nocase
    $1 = /\b(system|exec|qx|open)\b ?[({ ]{1,3}(param\(|\$(in|form|q|query|input|FORM|cmd|command)\b)/ nocase
    $2 = /(os\.system|os\.popen|subprocess\.(Popen|check_output|call))\( ?(form|fs|cgi|params?|data)\b/ ascii
    $3 = /\beval ["']?\$\{?QUERY_STRING/ ascii
    $4 = /`\$(in|form|q|query|FORM|cmd|command)\b/ nocase
  condition:
    filesize < 500KB and $head1 at 0 and any of ($cgi*) and $out and any of ($1, $2, $3, $4)
}

rule web_tunnel_script : webshell tunnel
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Page (PHP, ASP.NET, JSP) that carries connections through a web server"
    reference = "https://attack.mitre.org/techniques/T1572/"
    attack = "T1572, T1505.003"
    severity = 85
  strings:
    $page1 = "<?php" ascii nocase
    $page2 = "<%@" ascii
    $page3 = /<%(@|=|!| |\r\n|\n|e)/ ascii nocase
    $head1 = "X-CMD" ascii
    $head2 = "X-STATUS" ascii
    $head3 = "X-TARGET" ascii
    $head4 = "X-PORT" ascii
    $do1 = "fsockopen(" ascii
    $do2 = "AddressFamily.InterNetwork" ascii
    $do3 = "SocketChannel.open(" ascii
    $do4 = "socket_create(" ascii
  condition:
    filesize < 500KB and any of ($page*) and 2 of ($head*) and any of ($do*)
}
