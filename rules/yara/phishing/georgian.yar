/*
  Pages in Georgian that ask for a card or a code under the name of a bank, the post or an authority. In general form: no name of an
  institution is a mark, for the true pages have it too. What makes the difference is where the form goes: into a script beside
  the page or to a messenger's bot.
*/
rule phishing_page_georgian_bank : phishing georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian page that asks for a card's number, term and code and gives them to a script or bot"
    reference = "https://attack.mitre.org/techniques/T1598/003/"
    attack = "T1598.003, T1566.002"
    severity = 75
  strings:
    $form = "<form" ascii nocase
    $input = "<input" ascii nocase
    // ბარათის
    $card8 = { E1 83 91 E1 83 90 E1 83 A0 E1 83 90 E1 83 97 E1 83 98 E1 83 A1 }
    $card16 = { D1 10 D0 10 E0 10 D0 10 D7 10 D8 10 E1 10 }
    // ნომერი
    $number8 = { E1 83 9C E1 83 9D E1 83 9B E1 83 94 E1 83 A0 E1 83 98 }
    $number16 = { DC 10 DD 10 DB 10 D4 10 E0 10 D8 10 }
    // ერთჯერადი კოდი
    $code8_1 = { E1 83 94 E1 83 A0 E1 83 97 E1 83 AF E1 83 94 E1 83 A0 E1 83 90 E1 83 93 E1 83 98 20 E1 83 99 E1 83
                 9D E1 83 93 E1 83 98 }
    $code16_1 = { D4 10 E0 10 D7 10 EF 10 D4 10 E0 10 D0 10 D3 10 D8 10 20 00 D9 10 DD 10 D3 10 D8 10 }
    // პინ კოდი
    $code8_2 = { E1 83 9E E1 83 98 E1 83 9C 20 E1 83 99 E1 83 9D E1 83 93 E1 83 98 }
    $code16_2 = { DE 10 D8 10 DC 10 20 00 D9 10 DD 10 D3 10 D8 10 }
    // პინკოდი
    $code8_3 = { E1 83 9E E1 83 98 E1 83 9C E1 83 99 E1 83 9D E1 83 93 E1 83 98 }
    $code16_3 = { DE 10 D8 10 DC 10 D9 10 DD 10 D3 10 D8 10 }
    // მოქმედების ვადა
    $code8_4 = { E1 83 9B E1 83 9D E1 83 A5 E1 83 9B E1 83 94 E1 83 93 E1 83 94 E1 83 91 E1 83 98 E1 83 A1 20 E1 83
                 95 E1 83 90 E1 83 93 E1 83 90 }
    $code16_4 = { DB 10 DD 10 E5 10 DB 10 D4 10 D3 10 D4 10 D1 10 D8 10 E1 10 20 00 D5 10 D0 10 D3 10 D0 10 }
    // ინტერნეტ ბანკ
    $code8_5 = { E1 83 98 E1 83 9C E1 83 A2 E1 83 94 E1 83 A0 E1 83 9C E1 83 94 E1 83 A2 20 E1 83 91 E1 83 90 E1 83
                 9C E1 83 99 }
    $code16_5 = { D8 10 DC 10 E2 10 D4 10 E0 10 DC 10 D4 10 E2 10 20 00 D1 10 D0 10 DC 10 D9 10 }
    // ინტერნეტბანკ
    $code8_6 = { E1 83 98 E1 83 9C E1 83 A2 E1 83 94 E1 83 A0 E1 83 9C E1 83 94 E1 83 A2 E1 83 91 E1 83 90 E1 83 9C
                 E1 83 99 }
    $code16_6 = { D8 10 DC 10 E2 10 D4 10 E0 10 DC 10 D4 10 E2 10 D1 10 D0 10 DC 10 D9 10 }
    // სმს კოდი
    $code8_7 = { E1 83 A1 E1 83 9B E1 83 A1 20 E1 83 99 E1 83 9D E1 83 93 E1 83 98 }
    $code16_7 = { E1 10 DB 10 E1 10 20 00 D9 10 DD 10 D3 10 D8 10 }
    $cvv1 = /name=["']?(cvv|cvc|cvv2|cvc2)/ ascii nocase
    $cvv2 = /placeholder=["']?(cvv|cvc)/ ascii nocase
    $send1 = /action=["']?(\.\/)?[a-z0-9_-]{1,30}\.php/ ascii nocase
    $send2 = "api.telegram.org/bot" ascii nocase
    $send3 = /(fetch|\$\.post|axios\.post|\.open)\(\s?["'](POST["'],\s?["'])?(\.\/)?[a-z0-9_-]{1,30}\.php/ ascii nocase
  condition:
    filesize < 3MB and all of ($form, $input) and any of ($send*) and any of ($cvv*) and
    ((all of ($card8, $number8) and any of ($code8_*)) or (all of ($card16, $number16) and any of ($code16_*)))
}

rule phishing_page_georgian_parcel : phishing georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian page about a parcel (ამანათი) that has to be paid for by card, into a script or bot"
    reference = "https://attack.mitre.org/techniques/T1598/003/"
    attack = "T1598.003, T1566.002"
    severity = 75
  strings:
    $input = "<input" ascii nocase
    // ამანათ
    $parcel8_1 = { E1 83 90 E1 83 9B E1 83 90 E1 83 9C E1 83 90 E1 83 97 }
    $parcel16_1 = { D0 10 DB 10 D0 10 DC 10 D0 10 D7 10 }
    // გზავნილ
    $parcel8_2 = { E1 83 92 E1 83 96 E1 83 90 E1 83 95 E1 83 9C E1 83 98 E1 83 9A }
    $parcel16_2 = { D2 10 D6 10 D0 10 D5 10 DC 10 D8 10 DA 10 }
    // გადაიხად
    $pay8_1 = { E1 83 92 E1 83 90 E1 83 93 E1 83 90 E1 83 98 E1 83 AE E1 83 90 E1 83 93 }
    $pay16_1 = { D2 10 D0 10 D3 10 D0 10 D8 10 EE 10 D0 10 D3 10 }
    // გადახდ
    $pay8_2 = { E1 83 92 E1 83 90 E1 83 93 E1 83 90 E1 83 AE E1 83 93 }
    $pay16_2 = { D2 10 D0 10 D3 10 D0 10 EE 10 D3 10 }
    // საბაჟო
    $pay8_3 = { E1 83 A1 E1 83 90 E1 83 91 E1 83 90 E1 83 9F E1 83 9D }
    $pay16_3 = { E1 10 D0 10 D1 10 D0 10 DF 10 DD 10 }
    // მიწოდების საფასურ
    $pay8_4 = { E1 83 9B E1 83 98 E1 83 AC E1 83 9D E1 83 93 E1 83 94 E1 83 91 E1 83 98 E1 83 A1 20 E1 83 A1 E1 83
                90 E1 83 A4 E1 83 90 E1 83 A1 E1 83 A3 E1 83 A0 }
    $pay16_4 = { DB 10 D8 10 EC 10 DD 10 D3 10 D4 10 D1 10 D8 10 E1 10 20 00 E1 10 D0 10 E4 10 D0 10 E1 10 E3 10 E0
                 10 }
    $card1 = /(name|id|placeholder)=["']?(cvv|cvc|card_?num(ber)?|cardnumber|ccnum|exp(iry|_date|date)?)\b/ ascii nocase
    // ბარათის ნომერი
    $card8_1 = { E1 83 91 E1 83 90 E1 83 A0 E1 83 90 E1 83 97 E1 83 98 E1 83 A1 20 E1 83 9C E1 83 9D E1 83 9B E1 83
                 94 E1 83 A0 E1 83 98 }
    $card16_1 = { D1 10 D0 10 E0 10 D0 10 D7 10 D8 10 E1 10 20 00 DC 10 DD 10 DB 10 D4 10 E0 10 D8 10 }
    $send1 = /action=["']?(\.\/)?[a-z0-9_-]{1,30}\.php/ ascii nocase
    $send2 = "api.telegram.org/bot" ascii nocase
    $send3 = /(fetch|\$\.post|axios\.post|\.open)\(\s?["'](POST["'],\s?["'])?(\.\/)?[a-z0-9_-]{1,30}\.php/ ascii nocase
  condition:
    filesize < 3MB and $input and any of ($send*) and any of ($card1, $card8_1, $card16_1) and
    ((any of ($parcel8_*) and any of ($pay8_*)) or (any of ($parcel16_*) and any of ($pay16_*)))
}

rule phishing_page_georgian_fine : phishing georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian page about a fine, a tax or help from the state that asks for a personal number and a card, into a script or bot"
    reference = "https://attack.mitre.org/techniques/T1598/003/"
    attack = "T1598.003, T1566.002"
    severity = 75
  strings:
    $input = "<input" ascii nocase
    // ჯარიმ
    $reason8_1 = { E1 83 AF E1 83 90 E1 83 A0 E1 83 98 E1 83 9B }
    $reason16_1 = { EF 10 D0 10 E0 10 D8 10 DB 10 }
    // დავალიანებ
    $reason8_2 = { E1 83 93 E1 83 90 E1 83 95 E1 83 90 E1 83 9A E1 83 98 E1 83 90 E1 83 9C E1 83 94 E1 83 91 }
    $reason16_2 = { D3 10 D0 10 D5 10 D0 10 DA 10 D8 10 D0 10 DC 10 D4 10 D1 10 }
    // კომპენსაცი
    $reason8_3 = { E1 83 99 E1 83 9D E1 83 9B E1 83 9E E1 83 94 E1 83 9C E1 83 A1 E1 83 90 E1 83 AA E1 83 98 }
    $reason16_3 = { D9 10 DD 10 DB 10 DE 10 D4 10 DC 10 E1 10 D0 10 EA 10 D8 10 }
    // სოციალური დახმარებ
    $reason8_4 = { E1 83 A1 E1 83 9D E1 83 AA E1 83 98 E1 83 90 E1 83 9A E1 83 A3 E1 83 A0 E1 83 98 20 E1 83 93 E1
                   83 90 E1 83 AE E1 83 9B E1 83 90 E1 83 A0 E1 83 94 E1 83 91 }
    $reason16_4 = { E1 10 DD 10 EA 10 D8 10 D0 10 DA 10 E3 10 E0 10 D8 10 20 00 D3 10 D0 10 EE 10 DB 10 D0 10 E0 10
                    D4 10 D1 10 }
    // თანხის დაბრუნებ
    $reason8_5 = { E1 83 97 E1 83 90 E1 83 9C E1 83 AE E1 83 98 E1 83 A1 20 E1 83 93 E1 83 90 E1 83 91 E1 83 A0 E1
                   83 A3 E1 83 9C E1 83 94 E1 83 91 }
    $reason16_5 = { D7 10 D0 10 DC 10 EE 10 D8 10 E1 10 20 00 D3 10 D0 10 D1 10 E0 10 E3 10 DC 10 D4 10 D1 10 }
    // პირადი ნომერ
    $person8_1 = { E1 83 9E E1 83 98 E1 83 A0 E1 83 90 E1 83 93 E1 83 98 20 E1 83 9C E1 83 9D E1 83 9B E1 83 94 E1
                   83 A0 }
    $person16_1 = { DE 10 D8 10 E0 10 D0 10 D3 10 D8 10 20 00 DC 10 DD 10 DB 10 D4 10 E0 10 }
    // პირადი №
    $person8_2 = { E1 83 9E E1 83 98 E1 83 A0 E1 83 90 E1 83 93 E1 83 98 20 E2 84 96 }
    $person16_2 = { DE 10 D8 10 E0 10 D0 10 D3 10 D8 10 20 00 16 21 }
    $card1 = /(name|id|placeholder)=["']?(cvv|cvc|card_?num(ber)?|cardnumber|ccnum)\b/ ascii nocase
    $send1 = /action=["']?(\.\/)?[a-z0-9_-]{1,30}\.php/ ascii nocase
    $send2 = "api.telegram.org/bot" ascii nocase
    $send3 = /(fetch|\$\.post|axios\.post|\.open)\(\s?["'](POST["'],\s?["'])?(\.\/)?[a-z0-9_-]{1,30}\.php/ ascii nocase
  condition:
    filesize < 3MB and $input and any of ($send*) and $card1 and
    ((any of ($reason8_*) and any of ($person8_*)) or (any of ($reason16_*) and any of ($person16_*)))
}

rule phishing_message_georgian_account : phishing georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian message: your account or card is blocked, follow the link (ანგარიში დაბლოკილია, ბმულზე)"
    reference = "https://attack.mitre.org/techniques/T1566/"
    attack = "T1566.002, T1598.003"
    severity = 55
  strings:
    // ანგარიშ
    $thing8_1 = { E1 83 90 E1 83 9C E1 83 92 E1 83 90 E1 83 A0 E1 83 98 E1 83 A8 }
    $thing16_1 = { D0 10 DC 10 D2 10 D0 10 E0 10 D8 10 E8 10 }
    // ბარათ
    $thing8_2 = { E1 83 91 E1 83 90 E1 83 A0 E1 83 90 E1 83 97 }
    $thing16_2 = { D1 10 D0 10 E0 10 D0 10 D7 10 }
    // დაიბლოკ
    $done8_1 = { E1 83 93 E1 83 90 E1 83 98 E1 83 91 E1 83 9A E1 83 9D E1 83 99 }
    $done16_1 = { D3 10 D0 10 D8 10 D1 10 DA 10 DD 10 D9 10 }
    // დაბლოკ
    $done8_2 = { E1 83 93 E1 83 90 E1 83 91 E1 83 9A E1 83 9D E1 83 99 }
    $done16_2 = { D3 10 D0 10 D1 10 DA 10 DD 10 D9 10 }
    // შეჩერებულ
    $done8_3 = { E1 83 A8 E1 83 94 E1 83 A9 E1 83 94 E1 83 A0 E1 83 94 E1 83 91 E1 83 A3 E1 83 9A }
    $done16_3 = { E8 10 D4 10 E9 10 D4 10 E0 10 D4 10 D1 10 E3 10 DA 10 }
    // გაუქმდ
    $done8_4 = { E1 83 92 E1 83 90 E1 83 A3 E1 83 A5 E1 83 9B E1 83 93 }
    $done16_4 = { D2 10 D0 10 E3 10 E5 10 DB 10 D3 10 }
    // შეზღუდულ
    $done8_5 = { E1 83 A8 E1 83 94 E1 83 96 E1 83 A6 E1 83 A3 E1 83 93 E1 83 A3 E1 83 9A }
    $done16_5 = { E8 10 D4 10 D6 10 E6 10 E3 10 D3 10 E3 10 DA 10 }
    // ბმულ
    $do8_1 = { E1 83 91 E1 83 9B E1 83 A3 E1 83 9A }
    $do16_1 = { D1 10 DB 10 E3 10 DA 10 }
    // ლინკ
    $do8_2 = { E1 83 9A E1 83 98 E1 83 9C E1 83 99 }
    $do16_2 = { DA 10 D8 10 DC 10 D9 10 }
    // დააჭირ
    $do8_3 = { E1 83 93 E1 83 90 E1 83 90 E1 83 AD E1 83 98 E1 83 A0 }
    $do16_3 = { D3 10 D0 10 D0 10 ED 10 D8 10 E0 10 }
    // გადადით
    $do8_4 = { E1 83 92 E1 83 90 E1 83 93 E1 83 90 E1 83 93 E1 83 98 E1 83 97 }
    $do16_4 = { D2 10 D0 10 D3 10 D0 10 D3 10 D8 10 D7 10 }
    // დაადასტურ
    $sure8_1 = { E1 83 93 E1 83 90 E1 83 90 E1 83 93 E1 83 90 E1 83 A1 E1 83 A2 E1 83 A3 E1 83 A0 }
    $sure16_1 = { D3 10 D0 10 D0 10 D3 10 D0 10 E1 10 E2 10 E3 10 E0 10 }
    // გაიარეთ ვერიფიკაცია
    $sure8_2 = { E1 83 92 E1 83 90 E1 83 98 E1 83 90 E1 83 A0 E1 83 94 E1 83 97 20 E1 83 95 E1 83 94 E1 83 A0 E1 83
                 98 E1 83 A4 E1 83 98 E1 83 99 E1 83 90 E1 83 AA E1 83 98 E1 83 90 }
    $sure16_2 = { D2 10 D0 10 D8 10 D0 10 E0 10 D4 10 D7 10 20 00 D5 10 D4 10 E0 10 D8 10 E4 10 D8 10 D9 10 D0 10
                  EA 10 D8 10 D0 10 }
    // განაახლ
    $sure8_3 = { E1 83 92 E1 83 90 E1 83 9C E1 83 90 E1 83 90 E1 83 AE E1 83 9A }
    $sure16_3 = { D2 10 D0 10 DC 10 D0 10 D0 10 EE 10 DA 10 }
    // აღსადგენად
    $sure8_4 = { E1 83 90 E1 83 A6 E1 83 A1 E1 83 90 E1 83 93 E1 83 92 E1 83 94 E1 83 9C E1 83 90 E1 83 93 }
    $sure16_4 = { D0 10 E6 10 E1 10 D0 10 D3 10 D2 10 D4 10 DC 10 D0 10 D3 10 }
  condition:
    filesize < 64KB and
    ((any of ($thing8_*) and any of ($done8_*) and any of ($do8_*) and any of ($sure8_*)) or
     (any of ($thing16_*) and any of ($done16_*) and any of ($do16_*) and any of ($sure16_*)))
}

rule phishing_message_georgian_prize : phishing georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian message: you have won, follow the link to get it (გილოცავთ, მოიგეთ)"
    reference = "https://attack.mitre.org/techniques/T1566/"
    attack = "T1566.002"
    severity = 45
  strings:
    // გილოცავთ
    $luck8_1 = { E1 83 92 E1 83 98 E1 83 9A E1 83 9D E1 83 AA E1 83 90 E1 83 95 E1 83 97 }
    $luck16_1 = { D2 10 D8 10 DA 10 DD 10 EA 10 D0 10 D5 10 D7 10 }
    // იღბლიან
    $luck8_2 = { E1 83 98 E1 83 A6 E1 83 91 E1 83 9A E1 83 98 E1 83 90 E1 83 9C }
    $luck16_2 = { D8 10 E6 10 D1 10 DA 10 D8 10 D0 10 DC 10 }
    // მოიგეთ
    $won8_1 = { E1 83 9B E1 83 9D E1 83 98 E1 83 92 E1 83 94 E1 83 97 }
    $won16_1 = { DB 10 DD 10 D8 10 D2 10 D4 10 D7 10 }
    // გამარჯვებულ
    $won8_2 = { E1 83 92 E1 83 90 E1 83 9B E1 83 90 E1 83 A0 E1 83 AF E1 83 95 E1 83 94 E1 83 91 E1 83 A3 E1 83 9A }
    $won16_2 = { D2 10 D0 10 DB 10 D0 10 E0 10 EF 10 D5 10 D4 10 D1 10 E3 10 DA 10 }
    // პრიზ
    $won8_3 = { E1 83 9E E1 83 A0 E1 83 98 E1 83 96 }
    $won16_3 = { DE 10 E0 10 D8 10 D6 10 }
    // გათამაშებ
    $won8_4 = { E1 83 92 E1 83 90 E1 83 97 E1 83 90 E1 83 9B E1 83 90 E1 83 A8 E1 83 94 E1 83 91 }
    $won16_4 = { D2 10 D0 10 D7 10 D0 10 DB 10 D0 10 E8 10 D4 10 D1 10 }
    // მისაღებად
    $get8_1 = { E1 83 9B E1 83 98 E1 83 A1 E1 83 90 E1 83 A6 E1 83 94 E1 83 91 E1 83 90 E1 83 93 }
    $get16_1 = { DB 10 D8 10 E1 10 D0 10 E6 10 D4 10 D1 10 D0 10 D3 10 }
    // მიიღ
    $get8_2 = { E1 83 9B E1 83 98 E1 83 98 E1 83 A6 }
    $get16_2 = { DB 10 D8 10 D8 10 E6 10 }
    // ბარათ
    $card8_1 = { E1 83 91 E1 83 90 E1 83 A0 E1 83 90 E1 83 97 }
    $card16_1 = { D1 10 D0 10 E0 10 D0 10 D7 10 }
    // ანგარიშ
    $card8_2 = { E1 83 90 E1 83 9C E1 83 92 E1 83 90 E1 83 A0 E1 83 98 E1 83 A8 }
    $card16_2 = { D0 10 DC 10 D2 10 D0 10 E0 10 D8 10 E8 10 }
    // საკომისიო
    $card8_3 = { E1 83 A1 E1 83 90 E1 83 99 E1 83 9D E1 83 9B E1 83 98 E1 83 A1 E1 83 98 E1 83 9D }
    $card16_3 = { E1 10 D0 10 D9 10 DD 10 DB 10 D8 10 E1 10 D8 10 DD 10 }
  condition:
    // Shops have such messages too; asking for a card or a fee is what makes it one of these.
    filesize < 64KB and
    ((any of ($luck8_*) and any of ($won8_*) and any of ($get8_*) and any of ($card8_*)) or
     (any of ($luck16_*) and any of ($won16_*) and any of ($get16_*) and any of ($card16_*)))
}

rule code_request_georgian : phishing georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian message that asks somebody to tell a code from an SMS (კოდი, მოგივათ, გამომიგზავნეთ)"
    reference = "https://attack.mitre.org/techniques/T1621/"
    attack = "T1598, T1621"
    severity = 55
  strings:
    // ერთჯერადი კოდი
    $code8_1 = { E1 83 94 E1 83 A0 E1 83 97 E1 83 AF E1 83 94 E1 83 A0 E1 83 90 E1 83 93 E1 83 98 20 E1 83 99 E1 83
                 9D E1 83 93 E1 83 98 }
    $code16_1 = { D4 10 E0 10 D7 10 EF 10 D4 10 E0 10 D0 10 D3 10 D8 10 20 00 D9 10 DD 10 D3 10 D8 10 }
    // სმს კოდი
    $code8_2 = { E1 83 A1 E1 83 9B E1 83 A1 20 E1 83 99 E1 83 9D E1 83 93 E1 83 98 }
    $code16_2 = { E1 10 DB 10 E1 10 20 00 D9 10 DD 10 D3 10 D8 10 }
    // დამადასტურებელი კოდი
    $code8_3 = { E1 83 93 E1 83 90 E1 83 9B E1 83 90 E1 83 93 E1 83 90 E1 83 A1 E1 83 A2 E1 83 A3 E1 83 A0 E1 83 94
                 E1 83 91 E1 83 94 E1 83 9A E1 83 98 20 E1 83 99 E1 83 9D E1 83 93 E1 83 98 }
    $code16_3 = { D3 10 D0 10 DB 10 D0 10 D3 10 D0 10 E1 10 E2 10 E3 10 E0 10 D4 10 D1 10 D4 10 DA 10 D8 10 20 00
                  D9 10 DD 10 D3 10 D8 10 }
    // კოდი მოგივათ
    $code8_4 = { E1 83 99 E1 83 9D E1 83 93 E1 83 98 20 E1 83 9B E1 83 9D E1 83 92 E1 83 98 E1 83 95 E1 83 90 E1 83
                 97 }
    $code16_4 = { D9 10 DD 10 D3 10 D8 10 20 00 DB 10 DD 10 D2 10 D8 10 D5 10 D0 10 D7 10 }
    // კოდი მოგივა
    $code8_5 = { E1 83 99 E1 83 9D E1 83 93 E1 83 98 20 E1 83 9B E1 83 9D E1 83 92 E1 83 98 E1 83 95 E1 83 90 }
    $code16_5 = { D9 10 DD 10 D3 10 D8 10 20 00 DB 10 DD 10 D2 10 D8 10 D5 10 D0 10 }
    // გამომიგზავნ
    $tell8_1 = { E1 83 92 E1 83 90 E1 83 9B E1 83 9D E1 83 9B E1 83 98 E1 83 92 E1 83 96 E1 83 90 E1 83 95 E1 83 9C }
    $tell16_1 = { D2 10 D0 10 DB 10 DD 10 DB 10 D8 10 D2 10 D6 10 D0 10 D5 10 DC 10 }
    // მომწერ
    $tell8_2 = { E1 83 9B E1 83 9D E1 83 9B E1 83 AC E1 83 94 E1 83 A0 }
    $tell16_2 = { DB 10 DD 10 DB 10 EC 10 D4 10 E0 10 }
    // მითხარ
    $tell8_3 = { E1 83 9B E1 83 98 E1 83 97 E1 83 AE E1 83 90 E1 83 A0 }
    $tell16_3 = { DB 10 D8 10 D7 10 EE 10 D0 10 E0 10 }
    // გვითხარ
    $tell8_4 = { E1 83 92 E1 83 95 E1 83 98 E1 83 97 E1 83 AE E1 83 90 E1 83 A0 }
    $tell16_4 = { D2 10 D5 10 D8 10 D7 10 EE 10 D0 10 E0 10 }
    // მოგვწერ
    $tell8_5 = { E1 83 9B E1 83 9D E1 83 92 E1 83 95 E1 83 AC E1 83 94 E1 83 A0 }
    $tell16_5 = { DB 10 DD 10 D2 10 D5 10 EC 10 D4 10 E0 10 }
    // გადმომიგზავნ
    $tell8_6 = { E1 83 92 E1 83 90 E1 83 93 E1 83 9B E1 83 9D E1 83 9B E1 83 98 E1 83 92 E1 83 96 E1 83 90 E1 83 95
                 E1 83 9C }
    $tell16_6 = { D2 10 D0 10 D3 10 DB 10 DD 10 DB 10 D8 10 D2 10 D6 10 D0 10 D5 10 DC 10 }
  condition:
    filesize < 64KB and ((any of ($code8_*) and any of ($tell8_*)) or (any of ($code16_*) and any of ($tell16_*)))
}

rule phishing_message_georgian_latin : phishing georgian
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Georgian message in Latin letters: account or card blocked, follow the link"
    reference = "https://attack.mitre.org/techniques/T1566/"
    attack = "T1566.002"
    severity = 50
  strings:
    // As AcadNusx has it (S is შ, T is თ) and as people type: ანგარიში, ბარათი; დაბლოკილია, შეჩერებულია; ბმული, დააჭირეთ
    $thing1 = "angariSi" ascii wide
    $thing2 = "angarishi" ascii wide nocase
    $thing3 = "baraTi" ascii wide
    $thing4 = "barati" ascii wide fullword nocase
    $done1 = "dablok" ascii wide nocase
    $done2 = "daiblok" ascii wide nocase
    $done3 = "SeCerebul" ascii wide
    $done4 = "shecherebul" ascii wide nocase
    $act1 = "bmulz" ascii wide nocase
    $act2 = "linkze" ascii wide nocase
    $act3 = "daaWir" ascii wide
    $act4 = "daachir" ascii wide nocase
    $act5 = "gadadiT" ascii wide
    $act6 = "gadadit" ascii wide nocase
  condition:
    filesize < 64KB and any of ($thing*) and any of ($done*) and any of ($act*)
}
