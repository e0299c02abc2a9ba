/*
  Notes that ransomware leaves behind, beside those of core: theft instead of encryption, other languages, other forms.
  As there, what was done, what is asked for and a way of contact must come together; each alone is ordinary text.
*/
rule ransom_note_leak_threat : ransomware note
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Text that says data was stolen and will be published unless somebody pays or writes"
    reference = "https://www.cisa.gov/stopransomware"
    attack = "T1657, T1486"
    severity = 80
  strings:
    $took1 = "have been exfiltrated" ascii wide nocase
    $took2 = "has been exfiltrated" ascii wide nocase
    $took3 = "we have stolen" ascii wide nocase
    $took4 = "downloaded your data" ascii wide nocase
    $took5 = "copied from your network" ascii wide nocase
    $took6 = "files were stolen" ascii wide nocase
    $tell1 = "will be published" ascii wide nocase
    $tell2 = "our leak site" ascii wide nocase
    $tell3 = "sell your data" ascii wide nocase
    $tell4 = "our blog" ascii wide nocase
    $tell5 = "notify your customers" ascii wide nocase
    $way1 = ".onion" ascii wide nocase
    $way2 = "tox id" ascii wide nocase
    $way3 = "qtox" ascii wide nocase
    $way4 = "negotiat" ascii wide nocase
    $way5 = "session id" ascii wide nocase
  condition:
    filesize < 64KB and any of ($took*) and any of ($tell*) and any of ($way*)
}

rule ransom_note_html : ransomware note
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Ransom note as a page (HTML or HTA): encrypted files, an address in the hidden network or a Bitcoin address"
    reference = "https://attack.mitre.org/techniques/T1486/"
    attack = "T1486"
    severity = 75
  strings:
    $html1 = "<html" ascii nocase
    $html2 = "<hta:application" ascii nocase
    $done1 = /files (have been|are|were) (\w{1,12} )?encrypted/ ascii nocase
    $done2 = "files are locked" ascii nocase
    $pay1 = /[a-z2-7]{16,56}\.onion/ ascii
    $pay2 = /(address|wallet|send to|bitcoins?)[^\r\n]{0,80}[\s>:"](bc1[a-z0-9]{39}|[13][1-9A-HJ-NP-Za-km-z]{30,33})[\s<"]/ ascii nocase
  condition:
    // A page begins with its first tag, and a note is short.
    filesize < 512KB and any of ($html*) in (0..2048) and any of ($done*) and any of ($pay*)
}

rule ransom_note_russian : ransomware note
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Russian text that reads like a ransom note: files encrypted (файлы зашифрованы), payment and a way of contact"
    reference = "https://www.cisa.gov/stopransomware"
    attack = "T1486"
    severity = 80
  strings:
    // Without the first letter, which may be a capital; in UTF-8, UTF-16LE and Windows-1251.
    // айлы
    $files8 = { D0 B0 D0 B9 D0 BB D1 8B }
    $files16 = { 30 04 39 04 3B 04 4B 04 }
    $filescp = { E0 E9 EB FB }
    // ашифрован
    $done8 = { D0 B0 D1 88 D0 B8 D1 84 D1 80 D0 BE D0 B2 D0 B0 D0 BD }
    $done16 = { 30 04 48 04 38 04 44 04 40 04 3E 04 32 04 30 04 3D 04 }
    $donecp = { E0 F8 E8 F4 F0 EE E2 E0 ED }
    // асшифров
    $ask8_1 = { D0 B0 D1 81 D1 88 D0 B8 D1 84 D1 80 D0 BE D0 B2 }
    $ask16_1 = { 30 04 41 04 48 04 38 04 44 04 40 04 3E 04 32 04 }
    $askcp_1 = { E0 F1 F8 E8 F4 F0 EE E2 }
    // ыкуп
    $ask8_2 = { D1 8B D0 BA D1 83 D0 BF }
    $ask16_2 = { 4B 04 3A 04 43 04 3F 04 }
    $askcp_2 = { FB EA F3 EF }
    // плат
    $ask8_3 = { D0 BF D0 BB D0 B0 D1 82 }
    $ask16_3 = { 3F 04 3B 04 30 04 42 04 }
    $askcp_3 = { EF EB E0 F2 }
    // биткоин
    $ask8_4 = { D0 B1 D0 B8 D1 82 D0 BA D0 BE D0 B8 D0 BD }
    $ask16_4 = { 31 04 38 04 42 04 3A 04 3E 04 38 04 3D 04 }
    $askcp_4 = { E1 E8 F2 EA EE E8 ED }
    $way1 = ".onion" ascii wide nocase
    $way2 = "protonmail" ascii wide nocase
    $way3 = "bitcoin" ascii wide nocase
    $way4 = "BTC" ascii wide fullword
    $way5 = "telegram" ascii wide nocase
    $way6 = "tor browser" ascii wide nocase
    $way7 = "jabber" ascii wide nocase
  condition:
    filesize < 64KB and any of ($way*) and
    (($files8 and $done8 and any of ($ask8_*)) or ($files16 and $done16 and any of ($ask16_*)) or
     ($filescp and $donecp and any of ($askcp_*)))
}

rule ransom_note_georgian_latin : ransomware note
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian ransom note in Latin letters: typed for an AcadNusx font, or as people write on a keyboard without Georgian"
    reference = "https://www.cisa.gov/stopransomware"
    attack = "T1486"
    severity = 75
  strings:
    // Case matters: in AcadNusx S is შ and s is ს. ფაილები დაშიფრულია, გადაიხადეთ, გამოსასყიდი
    $files1 = "failebi" ascii wide
    $files2 = "Failebi" ascii wide
    $done1 = "daSifr" ascii wide
    $done2 = "dashifr" ascii wide nocase
    $ask1 = "gadaixad" ascii wide
    $ask2 = "gadaikhad" ascii wide nocase
    $ask3 = "gamosasyid" ascii wide nocase
    $ask4 = "gamosaskid" ascii wide nocase
    $ask5 = "gasaSifr" ascii wide
    $ask6 = "gashifvra" ascii wide nocase
  condition:
    filesize < 64KB and any of ($files*) and any of ($done*) and any of ($ask*)
}

rule ransom_note_victim_key : ransomware note
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Text with a long key or id of a victim and an address in the hidden network to bring it to"
    reference = "https://attack.mitre.org/techniques/T1486/"
    attack = "T1486"
    severity = 65
  strings:
    $onion = /[a-z2-7]{56}\.onion/ ascii
    $key = /(personal|your|unique|client|company|decryption|machine)[ _-](id|key|identifier|code)[^A-Za-z0-9]{1,40}[A-Za-z0-9+\/=]{128}/ ascii nocase
    $word1 = "decrypt" ascii nocase
    $word2 = "recover" ascii nocase
  condition:
    filesize < 64KB and all of ($onion, $key) and any of ($word*)
}
