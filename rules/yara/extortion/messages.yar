/*
  Messages that extort or threaten somebody, in English, Russian and Georgian. What is held over the person, what is asked for, and
  that it will be made public or come true: all must be there.
*/
rule extortion_message_english : extortion
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Message that threatens to publish recordings or pictures unless somebody pays"
    reference = "https://www.ic3.gov/"
    attack = "T1657"
    severity = 70
  strings:
    $have1 = /recorded (you|a video)/ ascii wide nocase
    $have2 = /(through|using|from) (your|the) (web ?cam|camera)/ ascii wide nocase
    $have3 = /(I have|I've got|we have) (access to|your) (all )?(your )?(contacts|photos|nudes|videos|device)/ ascii wide nocase
    $have4 = "while you were watching" ascii wide nocase
    $have5 = "full access to your" ascii wide nocase
    $pay1 = "bitcoin" ascii wide nocase
    $pay2 = /(pay|send|transfer) (me|us) [^\r\n]{0,20}(\$|usd|eur|gel|btc|\d)/ ascii wide nocase
    $pay3 = "BTC wallet" ascii wide nocase
    $or1 = /(send|share|publish|post|release|leak)[^\r\n.]{0,60}(to|with) (all )?(of )?your (friends|contacts|family|colleagues|relatives|wife|husband)/ ascii wide nocase
    $or2 = "will be sent to all" ascii wide nocase
    $or3 = "you have 48 hours" ascii wide nocase
    $or4 = "you have 24 hours" ascii wide nocase
    $or5 = "ruin your" ascii wide nocase
  condition:
    filesize < 256KB and any of ($have*) and any of ($pay*) and any of ($or*)
}

rule extortion_message_russian : extortion
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Russian message that threatens to publish recordings or pictures unless somebody pays"
    reference = "https://www.ic3.gov/"
    attack = "T1657"
    severity = 70
  strings:
    // видео, фото, переписк; переведи, заплати, биткоин, оплат; разошлю, отправлю, опубликую, узнают, контактам
    // видео
    $have8_1 = { D0 B2 D0 B8 D0 B4 D0 B5 D0 BE }
    $have16_1 = { 32 04 38 04 34 04 35 04 3E 04 }
    $havecp_1 = { E2 E8 E4 E5 EE }
    // фотограф
    $have8_2 = { D1 84 D0 BE D1 82 D0 BE D0 B3 D1 80 D0 B0 D1 84 }
    $have16_2 = { 44 04 3E 04 42 04 3E 04 33 04 40 04 30 04 44 04 }
    $havecp_2 = { F4 EE F2 EE E3 F0 E0 F4 }
    // интимн
    $have8_3 = { D0 B8 D0 BD D1 82 D0 B8 D0 BC D0 BD }
    $have16_3 = { 38 04 3D 04 42 04 38 04 3C 04 3D 04 }
    $havecp_3 = { E8 ED F2 E8 EC ED }
    // переписк
    $have8_4 = { D0 BF D0 B5 D1 80 D0 B5 D0 BF D0 B8 D1 81 D0 BA }
    $have16_4 = { 3F 04 35 04 40 04 35 04 3F 04 38 04 41 04 3A 04 }
    $havecp_4 = { EF E5 F0 E5 EF E8 F1 EA }
    // переведи
    $pay8_1 = { D0 BF D0 B5 D1 80 D0 B5 D0 B2 D0 B5 D0 B4 D0 B8 }
    $pay16_1 = { 3F 04 35 04 40 04 35 04 32 04 35 04 34 04 38 04 }
    $paycp_1 = { EF E5 F0 E5 E2 E5 E4 E8 }
    // аплати
    $pay8_2 = { D0 B0 D0 BF D0 BB D0 B0 D1 82 D0 B8 }
    $pay16_2 = { 30 04 3F 04 3B 04 30 04 42 04 38 04 }
    $paycp_2 = { E0 EF EB E0 F2 E8 }
    // биткоин
    $pay8_3 = { D0 B1 D0 B8 D1 82 D0 BA D0 BE D0 B8 D0 BD }
    $pay16_3 = { 31 04 38 04 42 04 3A 04 3E 04 38 04 3D 04 }
    $paycp_3 = { E1 E8 F2 EA EE E8 ED }
    // азошлю
    $or8_1 = { D0 B0 D0 B7 D0 BE D1 88 D0 BB D1 8E }
    $or16_1 = { 30 04 37 04 3E 04 48 04 3B 04 4E 04 }
    $orcp_1 = { E0 E7 EE F8 EB FE }
    // тправлю всем
    $or8_2 = { D1 82 D0 BF D1 80 D0 B0 D0 B2 D0 BB D1 8E 20 D0 B2 D1 81 D0 B5 D0 BC }
    $or16_2 = { 42 04 3F 04 40 04 30 04 32 04 3B 04 4E 04 20 00 32 04 41 04 35 04 3C 04 }
    $orcp_2 = { F2 EF F0 E0 E2 EB FE 20 E2 F1 E5 EC }
    // публикую
    $or8_3 = { D0 BF D1 83 D0 B1 D0 BB D0 B8 D0 BA D1 83 D1 8E }
    $or16_3 = { 3F 04 43 04 31 04 3B 04 38 04 3A 04 43 04 4E 04 }
    $orcp_3 = { EF F3 E1 EB E8 EA F3 FE }
    // сем твоим
    $or8_4 = { D1 81 D0 B5 D0 BC 20 D1 82 D0 B2 D0 BE D0 B8 D0 BC }
    $or16_4 = { 41 04 35 04 3C 04 20 00 42 04 32 04 3E 04 38 04 3C 04 }
    $orcp_4 = { F1 E5 EC 20 F2 E2 EE E8 EC }
    // сем вашим контактам
    $or8_5 = { D1 81 D0 B5 D0 BC 20 D0 B2 D0 B0 D1 88 D0 B8 D0 BC 20 D0 BA D0 BE D0 BD D1 82 D0 B0 D0 BA D1 82 D0
               B0 D0 BC }
    $or16_5 = { 41 04 35 04 3C 04 20 00 32 04 30 04 48 04 38 04 3C 04 20 00 3A 04 3E 04 3D 04 42 04 30 04 3A 04 42
                04 30 04 3C 04 }
    $orcp_5 = { F1 E5 EC 20 E2 E0 F8 E8 EC 20 EA EE ED F2 E0 EA F2 E0 EC }
  condition:
    filesize < 64KB and
    ((any of ($have8_*) and any of ($pay8_*) and any of ($or8_*)) or (any of ($have16_*) and any of ($pay16_*) and any of ($or16_*)) or
     (any of ($havecp_*) and any of ($paycp_*) and any of ($orcp_*)))
}

rule extortion_message_georgian : extortion georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian message that threatens to publish pictures or recordings unless somebody pays (გავავრცელებ, გადარიცხე)"
    reference = "https://www.ic3.gov/"
    attack = "T1657"
    severity = 70
  strings:
    // ვიდეო
    $have8_1 = { E1 83 95 E1 83 98 E1 83 93 E1 83 94 E1 83 9D }
    $have16_1 = { D5 10 D8 10 D3 10 D4 10 DD 10 }
    // ფოტო
    $have8_2 = { E1 83 A4 E1 83 9D E1 83 A2 E1 83 9D }
    $have16_2 = { E4 10 DD 10 E2 10 DD 10 }
    // სურათ
    $have8_3 = { E1 83 A1 E1 83 A3 E1 83 A0 E1 83 90 E1 83 97 }
    $have16_3 = { E1 10 E3 10 E0 10 D0 10 D7 10 }
    // ჩანაწერ
    $have8_4 = { E1 83 A9 E1 83 90 E1 83 9C E1 83 90 E1 83 AC E1 83 94 E1 83 A0 }
    $have16_4 = { E9 10 D0 10 DC 10 D0 10 EC 10 D4 10 E0 10 }
    // მიმოწერ
    $have8_5 = { E1 83 9B E1 83 98 E1 83 9B E1 83 9D E1 83 AC E1 83 94 E1 83 A0 }
    $have16_5 = { DB 10 D8 10 DB 10 DD 10 EC 10 D4 10 E0 10 }
    // კადრებ
    $have8_6 = { E1 83 99 E1 83 90 E1 83 93 E1 83 A0 E1 83 94 E1 83 91 }
    $have16_6 = { D9 10 D0 10 D3 10 E0 10 D4 10 D1 10 }
    // გადმორიცხ
    $pay8_1 = { E1 83 92 E1 83 90 E1 83 93 E1 83 9B E1 83 9D E1 83 A0 E1 83 98 E1 83 AA E1 83 AE }
    $pay16_1 = { D2 10 D0 10 D3 10 DB 10 DD 10 E0 10 D8 10 EA 10 EE 10 }
    // გადარიცხ
    $pay8_2 = { E1 83 92 E1 83 90 E1 83 93 E1 83 90 E1 83 A0 E1 83 98 E1 83 AA E1 83 AE }
    $pay16_2 = { D2 10 D0 10 D3 10 D0 10 E0 10 D8 10 EA 10 EE 10 }
    // ჩარიცხ
    $pay8_3 = { E1 83 A9 E1 83 90 E1 83 A0 E1 83 98 E1 83 AA E1 83 AE }
    $pay16_3 = { E9 10 D0 10 E0 10 D8 10 EA 10 EE 10 }
    // გადამიხად
    $pay8_4 = { E1 83 92 E1 83 90 E1 83 93 E1 83 90 E1 83 9B E1 83 98 E1 83 AE E1 83 90 E1 83 93 }
    $pay16_4 = { D2 10 D0 10 D3 10 D0 10 DB 10 D8 10 EE 10 D0 10 D3 10 }
    // ბიტკოინ
    $pay8_5 = { E1 83 91 E1 83 98 E1 83 A2 E1 83 99 E1 83 9D E1 83 98 E1 83 9C }
    $pay16_5 = { D1 10 D8 10 E2 10 D9 10 DD 10 D8 10 DC 10 }
    // გადაიხად
    $pay8_6 = { E1 83 92 E1 83 90 E1 83 93 E1 83 90 E1 83 98 E1 83 AE E1 83 90 E1 83 93 }
    $pay16_6 = { D2 10 D0 10 D3 10 D0 10 D8 10 EE 10 D0 10 D3 10 }
    // გავავრცელებ
    $or8_1 = { E1 83 92 E1 83 90 E1 83 95 E1 83 90 E1 83 95 E1 83 A0 E1 83 AA E1 83 94 E1 83 9A E1 83 94 E1 83 91 }
    $or16_1 = { D2 10 D0 10 D5 10 D0 10 D5 10 E0 10 EA 10 D4 10 DA 10 D4 10 D1 10 }
    // გამოვაქვეყნებ
    $or8_2 = { E1 83 92 E1 83 90 E1 83 9B E1 83 9D E1 83 95 E1 83 90 E1 83 A5 E1 83 95 E1 83 94 E1 83 A7 E1 83 9C
               E1 83 94 E1 83 91 }
    $or16_2 = { D2 10 D0 10 DB 10 DD 10 D5 10 D0 10 E5 10 D5 10 D4 10 E7 10 DC 10 D4 10 D1 10 }
    // გავასაჯაროებ
    $or8_3 = { E1 83 92 E1 83 90 E1 83 95 E1 83 90 E1 83 A1 E1 83 90 E1 83 AF E1 83 90 E1 83 A0 E1 83 9D E1 83 94
               E1 83 91 }
    $or16_3 = { D2 10 D0 10 D5 10 D0 10 E1 10 D0 10 EF 10 D0 10 E0 10 DD 10 D4 10 D1 10 }
    // დავდებ
    $or8_4 = { E1 83 93 E1 83 90 E1 83 95 E1 83 93 E1 83 94 E1 83 91 }
    $or16_4 = { D3 10 D0 10 D5 10 D3 10 D4 10 D1 10 }
    // გავუგზავნი
    $or8_5 = { E1 83 92 E1 83 90 E1 83 95 E1 83 A3 E1 83 92 E1 83 96 E1 83 90 E1 83 95 E1 83 9C E1 83 98 }
    $or16_5 = { D2 10 D0 10 D5 10 E3 10 D2 10 D6 10 D0 10 D5 10 DC 10 D8 10 }
    // ყველა ნახავს
    $or8_6 = { E1 83 A7 E1 83 95 E1 83 94 E1 83 9A E1 83 90 20 E1 83 9C E1 83 90 E1 83 AE E1 83 90 E1 83 95 E1 83 A1 }
    $or16_6 = { E7 10 D5 10 D4 10 DA 10 D0 10 20 00 DC 10 D0 10 EE 10 D0 10 D5 10 E1 10 }
    // ყველა გაიგებს
    $or8_7 = { E1 83 A7 E1 83 95 E1 83 94 E1 83 9A E1 83 90 20 E1 83 92 E1 83 90 E1 83 98 E1 83 92 E1 83 94 E1 83
               91 E1 83 A1 }
    $or16_7 = { E7 10 D5 10 D4 10 DA 10 D0 10 20 00 D2 10 D0 10 D8 10 D2 10 D4 10 D1 10 E1 10 }
  condition:
    filesize < 64KB and
    ((any of ($have8_*) and any of ($pay8_*) and any of ($or8_*)) or (any of ($have16_*) and any of ($pay16_*) and any of ($or16_*)))
}

rule extortion_message_georgian_latin : extortion georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian message in Latin letters that threatens to publish pictures or recordings unless somebody pays"
    reference = "https://www.ic3.gov/"
    attack = "T1657"
    severity = 65
  strings:
    // As people type and as AcadNusx has it: ვიდეო, ფოტო, სურათ; ჩარიცხ, გადარიცხ; გავავრცელებ, გამოვაქვეყნებ, დავდებ
    $have1 = /(shen[is]?|tkveni|tqveni|Seni|piradi|intimuri) {1,2}(video|foto|surat|kadr|mimower)/ ascii wide nocase
    $have2 = "CanaWer" ascii wide
    $pay1 = "charicx" ascii wide nocase
    $pay2 = "charitskh" ascii wide nocase
    $pay3 = "Caricx" ascii wide
    $pay4 = "gadaricx" ascii wide nocase
    $pay5 = "gadmoricx" ascii wide nocase
    $pay6 = "gadaritskh" ascii wide nocase
    $pay7 = "gadaixad" ascii wide nocase
    $or1 = "gavavrceleb" ascii wide nocase
    $or2 = "gavavrtseleb" ascii wide nocase
    $or3 = "gamovaqveyneb" ascii wide nocase
    $or4 = "gamovakveyneb" ascii wide nocase
    $or5 = "gavasajaroeb" ascii wide nocase
    $or6 = "gavugzavni" ascii wide nocase
  condition:
    filesize < 64KB and any of ($have*) and any of ($pay*) and any of ($or*)
}

rule threat_of_violence_georgian : extortion georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian message that threatens life or family over money (მოგკლავ, ფული)"
    reference = "https://www.ic3.gov/"
    severity = 60
  strings:
    // მოგკლავ
    $harm8_1 = { E1 83 9B E1 83 9D E1 83 92 E1 83 99 E1 83 9A E1 83 90 E1 83 95 }
    $harm16_1 = { DB 10 DD 10 D2 10 D9 10 DA 10 D0 10 D5 10 }
    // დაგწვავ
    $harm8_3 = { E1 83 93 E1 83 90 E1 83 92 E1 83 AC E1 83 95 E1 83 90 E1 83 95 }
    $harm16_3 = { D3 10 D0 10 D2 10 EC 10 D5 10 D0 10 D5 10 }
    // ოჯახს ამოგიწყვეტ
    $harm8_4 = { E1 83 9D E1 83 AF E1 83 90 E1 83 AE E1 83 A1 20 E1 83 90 E1 83 9B E1 83 9D E1 83 92 E1 83 98 E1 83
                 AC E1 83 A7 E1 83 95 E1 83 94 E1 83 A2 }
    $harm16_4 = { DD 10 EF 10 D0 10 EE 10 E1 10 20 00 D0 10 DB 10 DD 10 D2 10 D8 10 EC 10 E7 10 D5 10 D4 10 E2 10 }
    // ამოგხოცავ
    $harm8_5 = { E1 83 90 E1 83 9B E1 83 9D E1 83 92 E1 83 AE E1 83 9D E1 83 AA E1 83 90 E1 83 95 }
    $harm16_5 = { D0 10 DB 10 DD 10 D2 10 EE 10 DD 10 EA 10 D0 10 D5 10 }
    // ცოცხალი აღარ
    $harm8_6 = { E1 83 AA E1 83 9D E1 83 AA E1 83 AE E1 83 90 E1 83 9A E1 83 98 20 E1 83 90 E1 83 A6 E1 83 90 E1 83
                 A0 }
    $harm16_6 = { EA 10 DD 10 EA 10 EE 10 D0 10 DA 10 D8 10 20 00 D0 10 E6 10 D0 10 E0 10 }
    // ფულ
    $money8_1 = { E1 83 A4 E1 83 A3 E1 83 9A }
    $money16_1 = { E4 10 E3 10 DA 10 }
    // თანხ
    $money8_2 = { E1 83 97 E1 83 90 E1 83 9C E1 83 AE }
    $money16_2 = { D7 10 D0 10 DC 10 EE 10 }
    // ვალი
    $money8_3 = { E1 83 95 E1 83 90 E1 83 9A E1 83 98 }
    $money16_3 = { D5 10 D0 10 DA 10 D8 10 }
    // გადაიხად
    $money8_4 = { E1 83 92 E1 83 90 E1 83 93 E1 83 90 E1 83 98 E1 83 AE E1 83 90 E1 83 93 }
    $money16_4 = { D2 10 D0 10 D3 10 D0 10 D8 10 EE 10 D0 10 D3 10 }
    // დოლარ
    $money8_5 = { E1 83 93 E1 83 9D E1 83 9A E1 83 90 E1 83 A0 }
    $money16_5 = { D3 10 DD 10 DA 10 D0 10 E0 10 }
    // ლარს
    $money8_6 = { E1 83 9A E1 83 90 E1 83 A0 E1 83 A1 }
    $money16_6 = { DA 10 D0 10 E0 10 E1 10 }
  condition:
    filesize < 64KB and ((any of ($harm8_*) and any of ($money8_*)) or (any of ($harm16_*) and any of ($money16_*)))
}

rule false_investment_georgian : fraud georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian text that promises sure income from an investment (გარანტირებული შემოსავალი)"
    reference = "https://www.ic3.gov/"
    severity = 45
  strings:
    // ინვესტიცი
    $what8_1 = { E1 83 98 E1 83 9C E1 83 95 E1 83 94 E1 83 A1 E1 83 A2 E1 83 98 E1 83 AA E1 83 98 }
    $what16_1 = { D8 10 DC 10 D5 10 D4 10 E1 10 E2 10 D8 10 EA 10 D8 10 }
    // ინვესტირ
    $what8_2 = { E1 83 98 E1 83 9C E1 83 95 E1 83 94 E1 83 A1 E1 83 A2 E1 83 98 E1 83 A0 }
    $what16_2 = { D8 10 DC 10 D5 10 D4 10 E1 10 E2 10 D8 10 E0 10 }
    // ტრეიდინგ
    $what8_3 = { E1 83 A2 E1 83 A0 E1 83 94 E1 83 98 E1 83 93 E1 83 98 E1 83 9C E1 83 92 }
    $what16_3 = { E2 10 E0 10 D4 10 D8 10 D3 10 D8 10 DC 10 D2 10 }
    // კრიპტოვალუტ
    $what8_4 = { E1 83 99 E1 83 A0 E1 83 98 E1 83 9E E1 83 A2 E1 83 9D E1 83 95 E1 83 90 E1 83 9A E1 83 A3 E1 83 A2 }
    $what16_4 = { D9 10 E0 10 D8 10 DE 10 E2 10 DD 10 D5 10 D0 10 DA 10 E3 10 E2 10 }
    // გარანტირებულ
    $sure8_1 = { E1 83 92 E1 83 90 E1 83 A0 E1 83 90 E1 83 9C E1 83 A2 E1 83 98 E1 83 A0 E1 83 94 E1 83 91 E1 83 A3
                 E1 83 9A }
    $sure16_1 = { D2 10 D0 10 E0 10 D0 10 DC 10 E2 10 D8 10 E0 10 D4 10 D1 10 E3 10 DA 10 }
    // რისკის გარეშე
    $sure8_2 = { E1 83 A0 E1 83 98 E1 83 A1 E1 83 99 E1 83 98 E1 83 A1 20 E1 83 92 E1 83 90 E1 83 A0 E1 83 94 E1 83
                 A8 E1 83 94 }
    $sure16_2 = { E0 10 D8 10 E1 10 D9 10 D8 10 E1 10 20 00 D2 10 D0 10 E0 10 D4 10 E8 10 D4 10 }
    // 100% გარანტი
    $sure8_3 = { 31 30 30 25 20 E1 83 92 E1 83 90 E1 83 A0 E1 83 90 E1 83 9C E1 83 A2 E1 83 98 }
    $sure16_3 = { 31 00 30 00 30 00 25 00 20 00 D2 10 D0 10 E0 10 D0 10 DC 10 E2 10 D8 10 }
    // შემოსავალ
    $gain8_1 = { E1 83 A8 E1 83 94 E1 83 9B E1 83 9D E1 83 A1 E1 83 90 E1 83 95 E1 83 90 E1 83 9A }
    $gain16_1 = { E8 10 D4 10 DB 10 DD 10 E1 10 D0 10 D5 10 D0 10 DA 10 }
    // მოგება
    $gain8_2 = { E1 83 9B E1 83 9D E1 83 92 E1 83 94 E1 83 91 E1 83 90 }
    $gain16_2 = { DB 10 DD 10 D2 10 D4 10 D1 10 D0 10 }
    // გაორმაგ
    $gain8_4 = { E1 83 92 E1 83 90 E1 83 9D E1 83 A0 E1 83 9B E1 83 90 E1 83 92 }
    $gain16_4 = { D2 10 D0 10 DD 10 E0 10 DB 10 D0 10 D2 10 }
    // ჩარიცხ
    $act8_1 = { E1 83 A9 E1 83 90 E1 83 A0 E1 83 98 E1 83 AA E1 83 AE }
    $act16_1 = { E9 10 D0 10 E0 10 D8 10 EA 10 EE 10 }
    // დარეგისტრირ
    $act8_2 = { E1 83 93 E1 83 90 E1 83 A0 E1 83 94 E1 83 92 E1 83 98 E1 83 A1 E1 83 A2 E1 83 A0 E1 83 98 E1 83 A0 }
    $act16_2 = { D3 10 D0 10 E0 10 D4 10 D2 10 D8 10 E1 10 E2 10 E0 10 D8 10 E0 10 }
    // რეგისტრაცი
    $act8_3 = { E1 83 A0 E1 83 94 E1 83 92 E1 83 98 E1 83 A1 E1 83 A2 E1 83 A0 E1 83 90 E1 83 AA E1 83 98 }
    $act16_3 = { E0 10 D4 10 D2 10 D8 10 E1 10 E2 10 E0 10 D0 10 EA 10 D8 10 }
    // დატოვეთ ნომერი
    $act8_4 = { E1 83 93 E1 83 90 E1 83 A2 E1 83 9D E1 83 95 E1 83 94 E1 83 97 20 E1 83 9C E1 83 9D E1 83 9B E1 83
                94 E1 83 A0 E1 83 98 }
    $act16_4 = { D3 10 D0 10 E2 10 DD 10 D5 10 D4 10 D7 10 20 00 DC 10 DD 10 DB 10 D4 10 E0 10 D8 10 }
    // დაგიკავშირდ
    $act8_5 = { E1 83 93 E1 83 90 E1 83 92 E1 83 98 E1 83 99 E1 83 90 E1 83 95 E1 83 A8 E1 83 98 E1 83 A0 E1 83 93 }
    $act16_5 = { D3 10 D0 10 D2 10 D8 10 D9 10 D0 10 D5 10 E8 10 D8 10 E0 10 D3 10 }
  condition:
    filesize < 256KB and
    ((any of ($what8_*) and any of ($sure8_*) and any of ($gain8_*) and any of ($act8_*)) or
     (any of ($what16_*) and any of ($sure16_*) and any of ($gain16_*) and any of ($act16_*)))
}
