/*
  PHP web shells, beside the two of core.
*/
rule php_webshell_function_from_request : webshell php
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PHP that takes both the function and its arguments from the visitor"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
    severity = 90
  strings:
    $php = /<\?(php|=)/ ascii nocase
    $1 = /\$_(GET|POST|REQUEST|COOKIE)\s?[\[{]\s?['"]?\w{1,32}['"]?\s?[\]}]\s?\(\s?@?\$_(GET|POST|REQUEST|COOKIE)/ nocase
    $2 = /\b(call_user_func(_array)?|array_map|array_filter|usort|register_shutdown_function)\s?\(\s?@?\$_(GET|POST|REQUEST|COOKIE)/ nocase
  condition:
    filesize < 1MB and $php and any of ($1, $2)
}

rule php_webshell_by_expression : webshell php
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PHP that runs what it makes from a request through create_function or the e modifier"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
    severity = 85
  strings:
    $1 = /create_function\s?\(\s?['"]{2}\s?,\s?@?(\$_(GET|POST|REQUEST|COOKIE|SERVER)|base64_decode|gzinflate|str_rot13)/ nocase
    $2 = /preg_replace\s?\(\s?['"]([\/#~|]).{1,40}([\/#~|])[imsxu]{0,4}e[imsxu]{0,4}['"]\s?,\s?@?(\$_(GET|POST|REQUEST|COOKIE)|['"]@?eval)/ nocase
    $3 = /\b(include|require)(_once)?\s?\(?\s?@?\$_(GET|POST|REQUEST|COOKIE)\s?\[/ nocase
    $4 = /(eval|assert)\s?\(\s?@?file_get_contents\s?\(\s?['"](https?:|php:\/\/input)/ nocase
  condition:
    filesize < 1MB and any of them
}

rule php_webshell_manager : webshell php
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PHP page with the many functions of a web shell: files, commands, connections back, databases"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
    severity = 85
  strings:
    $php = /<\?(php|=)/ ascii nocase
    $1 = "disable_functions" ascii nocase
    $2 = "posix_getpwuid" ascii nocase
    $3 = /back-?connect/ nocase
    $4 = /bind[ _-]?port/ nocase
    $5 = "safe_mode" ascii nocase
    $6 = /\buname -a\b|php_uname\(/ nocase
    $7 = "/etc/passwd" ascii
    $8 = /(self|kill)[ _-]?(remove|destruct|delete|me)\b/ nocase
    $9 = /(edit|rename|delete|chmod|view) ?file/ nocase
    $10 = /(mass|auto)[ _-]?deface/ nocase
    $run1 = "shell_exec" ascii nocase
    $run2 = "passthru" ascii nocase
    $run3 = "proc_open" ascii nocase
    $run4 = "popen(" ascii nocase
    $in = /\$_(POST|GET|REQUEST|FILES)\s?\[/
  condition:
    filesize < 2MB and $php and $in and 2 of ($run*) and 5 of ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
}

rule php_webshell_upload_only : webshell php
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Very short PHP page that does nothing but store what anybody sends"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003, T1105"
    severity = 60
  strings:
    $php = "<?php" ascii
    $form = "multipart/form-data" ascii nocase
    $put1 = /move_uploaded_file\s?\(\s?\$_FILES/ nocase
    $put2 = /copy\s?\(\s?\$_FILES/ nocase
    $check1 = "$_SESSION" ascii
    $check2 = "pathinfo(" ascii nocase
    $check3 = "in_array(" ascii nocase
    $check4 = "getimagesize(" ascii nocase
  condition:
    // An honest page of that length would check who sends, or what.
    filesize < 3KB and $php and $form and any of ($put*) and none of ($check*)
}

rule php_webshell_in_pieces : webshell php obfuscation
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PHP that hides the names of functions in pieces or codes and calls what they give"
    reference = "https://attack.mitre.org/techniques/T1027/"
    attack = "T1505.003, T1027"
    severity = 75
  strings:
    $php = /<\?(php|=)/ ascii nocase
    $call = /(@?\$\w{1,32}|\$\{["'][^"'\r\n]{1,60}["']\}(\[["'][^"'\r\n]{1,40}["']\])?)\s?\(\s?@?\$_(GET|POST|REQUEST|COOKIE|SERVER)/
    $hide1 = /['"](ev|as|sys|pass|exe|cre|base|ass|str)['"]\s?\.\s?['"](al|sert|tem|thru|c|ate|64|ert|_rot)/ nocase
    $hide2 = /\\x(65|61|73|70|62|67)(\\x[0-9a-f]{2}){4}/ nocase
    $hide3 = /str_replace\s?\(\s?['"][^'"]{1,6}['"]\s?,\s?['"]{2}\s?,\s?['"][^'"]{6,60}['"]\s?\)/ nocase
    $hide4 = /strrev\s?\(\s?['"](tressa|metsys|lave|edoced_46esab|cexe)/ nocase
    $hide5 = /(chr\(\d{2,3}\)\s?\.\s?){4}/ nocase
  condition:
    filesize < 500KB and $php and $call and any of ($hide*)
}

rule picture_holds_php : webshell php
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Picture (JPEG, PNG, GIF) that holds PHP which runs something"
    reference = "https://attack.mitre.org/techniques/T1027/003/"
    attack = "T1505.003, T1027.003"
    severity = 80
  strings:
    $php = /<\?php.{0,400}(\b(eval|assert|system|exec|shell_exec|passthru|base64_decode)\s?\(|\$_(GET|POST|REQUEST|COOKIE)\[)/s
  condition:
    (uint32be(0) == 0x89504E47 or uint16be(0) == 0xFFD8 or uint32be(0) == 0x47494638) and filesize < 30MB and $php
}

rule web_server_runs_pictures : webshell
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Settings of a web server's folder that make it run pictures or text as PHP"
    reference = "https://attack.mitre.org/techniques/T1505/003/"
    attack = "T1505.003"
    severity = 75
  strings:
    $1 = /(AddType|AddHandler) {1,4}(application\/x-httpd-php\d?|php\d?-script|x-httpd-php\d?)[^\r\n]{0,40}\.(jpe?g|png|gif|ico|txt|css|pdf|bmp)\b/ nocase
    $2 = /php_value {1,4}auto_(prepend|append)_file {1,4}["']?[^\r\n]{0,100}\.(jpe?g|png|gif|ico|txt|css|bmp|log)\b/ nocase
    $3 = /auto_prepend_file {0,2}= {0,2}["']?[^\r\n]{0,100}\.(jpe?g|png|gif|ico|css|bmp)\b/ nocase
  condition:
    filesize < 64KB and any of them
}
