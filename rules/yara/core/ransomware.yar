/*
  Notes that ransomware leaves behind: what was done to the files, what is asked for, and how to get in touch. All three must
  be there; each alone is ordinary text.
*/
rule ransom_note_english : ransomware note
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "Text that reads like a ransom note: files encrypted, payment or key, and a hidden way of contact"
    reference = "https://www.cisa.gov/stopransomware"
    attack = "T1486"
    severity = 80
  strings:
    $done1 = "files have been encrypted" ascii wide nocase
    $done2 = "files are encrypted" ascii wide nocase
    $done3 = "files were encrypted" ascii wide nocase
    $done4 = "your network has been encrypted" ascii wide nocase
    $done5 = "your data has been stolen" ascii wide nocase
    $done6 = "all of your files are currently encrypted" ascii wide nocase
    $ask1 = "decryption key" ascii wide nocase
    $ask2 = "private key" ascii wide nocase
    $ask3 = "decryptor" ascii wide nocase
    $ask4 = "bitcoin" ascii wide nocase
    $ask5 = "ransom" ascii wide nocase
    $ask6 = "decrypt your files" ascii wide nocase
    $way1 = ".onion" ascii wide nocase
    $way2 = "tor browser" ascii wide nocase
    $way3 = "protonmail" ascii wide nocase
    $way4 = "tutanota" ascii wide nocase
    $way5 = "your personal id" ascii wide nocase
    $way6 = "onionmail" ascii wide nocase
  condition:
    filesize < 64KB and any of ($done*) and any of ($ask*) and any of ($way*)
}

rule ransom_note_georgian : ransomware note
{
  meta:
    author = "kvali"
    date = "2026-01-15"
    description = "Georgian text that reads like a ransom note: files encrypted (ფაილები დაშიფრულია), and payment or contact"
    reference = "https://www.cisa.gov/stopransomware"
    attack = "T1486"
    severity = 80
  strings:
    // Each in UTF-8 and in UTF-16LE, which `wide` does not make of anything but ASCII.
    // ფაილები
    $files8 = { E1 83 A4 E1 83 90 E1 83 98 E1 83 9A E1 83 94 E1 83 91 E1 83 98 }
    $files16 = { E4 10 D0 10 D8 10 DA 10 D4 10 D1 10 D8 10 }
    // დაშიფრ: the stem of დაშიფრულია, დაშიფრული, დაშიფრა
    $done8 = { E1 83 93 E1 83 90 E1 83 A8 E1 83 98 E1 83 A4 E1 83 A0 }
    $done16 = { D3 10 D0 10 E8 10 D8 10 E4 10 E0 10 }
    // გადაიხად: the stem of გადაიხადოთ, გადაიხადეთ
    $ask8_1 = { E1 83 92 E1 83 90 E1 83 93 E1 83 90 E1 83 98 E1 83 AE E1 83 90 E1 83 93 }
    $ask16_1 = { D2 10 D0 10 D3 10 D0 10 D8 10 EE 10 D0 10 D3 10 }
    // ბიტკოინ
    $ask8_2 = { E1 83 91 E1 83 98 E1 83 A2 E1 83 99 E1 83 9D E1 83 98 E1 83 9C }
    $ask16_2 = { D1 10 D8 10 E2 10 D9 10 DD 10 D8 10 DC 10 }
    // გამოსასყიდ: the stem of გამოსასყიდი, ransom
    $ask8_3 = { E1 83 92 E1 83 90 E1 83 9B E1 83 9D E1 83 A1 E1 83 90 E1 83 A1 E1 83 A7 E1 83 98 E1 83 93 }
    $ask16_3 = { D2 10 D0 10 DB 10 DD 10 E1 10 D0 10 E1 10 E7 10 D8 10 D3 10 }
    $way1 = ".onion" ascii wide nocase
    $way2 = "tor browser" ascii wide nocase
    $way3 = "protonmail" ascii wide nocase
    $way4 = "bitcoin" ascii wide nocase
    $way5 = "BTC" ascii wide fullword
  condition:
    filesize < 64KB and
    (($files8 and $done8 and any of ($ask8_*)) or ($files16 and $done16 and any of ($ask16_*))) and any of ($way*)
}
