/*
  PHP that runs what a visitor sends it.
*/
rule php_webshell_direct : webshell
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "PHP that gives a request's parameter straight to an interpreter or a shell"
    reference = "https://www.nsa.gov/portals/75/documents/resources/everyone/CSI-DETECT-AND-PREVENT-WEB-SHELL-MALWARE.pdf"
    attack = "T1505.003"
    severity = 85
  strings:
    $php = "<?php" nocase
    $php_short = "<?="
    $run = /\b(eval|assert|system|shell_exec|passthru|popen|proc_open|pcntl_exec)\s{0,8}\(\s{0,8}@?\$_(GET|POST|REQUEST|COOKIE|SERVER)\s{0,4}\[/ nocase
    $tick = /`\s{0,4}\$_(GET|POST|REQUEST|COOKIE)\s{0,4}\[/
  condition:
    filesize < 2MB and any of ($php*) and any of ($run, $tick)
}

rule php_webshell_unpacking : webshell
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "PHP that evaluates what it first has to unpack"
    reference = "https://www.nsa.gov/portals/75/documents/resources/everyone/CSI-DETECT-AND-PREVENT-WEB-SHELL-MALWARE.pdf"
    attack = "T1505.003, T1027"
    severity = 70
  strings:
    $php = "<?php" nocase
    $unpack = /\b(eval|assert)\s{0,8}\(\s{0,8}@?(gzinflate|gzuncompress|str_rot13|base64_decode|strrev)\s{0,8}\(\s{0,8}(base64_decode|str_rot13|gzinflate|strrev|\$|['"])/ nocase
  condition:
    filesize < 2MB and $php and $unpack
}
