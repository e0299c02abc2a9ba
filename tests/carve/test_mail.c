/* Mails end with the line that closes their parts; mailboxes with their last mail. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEAD                                                                                                 \
    "Return-Path: <a@example.org>\r\nFrom: A <a@example.org>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0400\r\n"    \
    "To: b@example.org\r\nMIME-Version: 1.0\r\n"
#define PARTS                                                                                                \
    HEAD "Subject: =?utf-8?B?4YOS4YOQ4YOb4YOQ?= =?UTF-8?Q?rjoba_=e1=83=90?=\r\n"                             \
         "Content-Type: multipart/mixed;\r\n boundary=\"outer\"\r\n\r\npreamble\r\n--outer\r\n"              \
         "Content-Type: multipart/alternative; "                                                             \
         "boundary=inner-2\r\n\r\n--inner-2\r\n\r\ntext\r\n--inner-2--\r\n"                                  \
         "--outer\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJDREVG\r\nQUI=\r\n\r\n--outer--\r\n"

static struct carved examine(const char *text)
{
    return harness_examine("mail", text, strlen(text));
}

Test(mail, whole_in_parts_is_validated_and_a_prefix_never_is)
{
    /* without the last line's end it says no less */
    cr_assert(harness_holds("mail", PARTS, strlen(PARTS), CARVE_VALIDATED, strlen(PARTS) - 2));
    cr_assert(harness_holds("mail", PARTS "\r\n", strlen(PARTS) + 2, CARVE_VALIDATED, strlen(PARTS) - 2));
}

Test(mail, whole_in_base64_is_validated)
{
    static const char text[] = HEAD "Content-Transfer-Encoding: base64\r\n\r\nQUJDREVG\r\nQUI=\r\n";

    cr_assert_eq(examine(text).grade, CARVE_VALIDATED);
    cr_assert_eq(examine(text).size, strlen(text));
    cr_assert(harness_holds("mail", text, strlen(text), CARVE_VALIDATED, strlen(text) - 2));
}

Test(mail, plain_text_is_complete_and_ends_where_no_text_goes_on)
{
    static const char text[] = HEAD "\r\nline\r\nlast line\r\n";

    cr_assert(harness_holds("mail", text, strlen(text), CARVE_COMPLETE, 0));
    cr_assert_eq(examine(HEAD "\r\nlast line without end").size, strlen(HEAD "\r\nlast line without end"));
}

Test(mail, title_is_the_subject_decoded)
{
    cr_assert_str_eq(examine(PARTS).title, "გამაrjoba ა");
    cr_assert_str_eq(examine(HEAD "Subject: plain\r\n\r\n").title, "plain");
    cr_assert_str_eq(examine(HEAD "Subject: =?utf-8?q?a=E1=83=90?= b\r\n\r\n").title, "aა b");
}

Test(mail, without_sender_or_date_it_is_text)
{
    cr_assert_eq(examine("From: a@example.org\nTo: b\n\ntext\n").grade, CARVE_NONE);
    cr_assert_eq(examine("Date: today\nTo: b\n\ntext\n").grade, CARVE_NONE);
    cr_assert_eq(examine("From: a\nDate: b\nTo: c\nno field\n\ntext\n").grade, CARVE_NONE);
}

Test(mail, what_is_not_base64_cuts_it_there)
{
    static const char text[] = HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                                    "Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\n";
    static const char more[] =
        HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
             "Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\nother text\r\n--b--\r\n";
    struct carved carved = examine(more);

    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, strlen(text));
}

Test(mail, parts_that_are_not_closed_are_not_validated)
{
    cr_assert_eq(examine(HEAD "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
                              "Content-Type: multipart/mixed; boundary=c\n\n--c\n\ntext\n--b--\n")
                     .grade,
                 CARVE_COMPLETE);
}

Test(mail, text_behind_the_parts_of_the_last_mail_is_not_the_mailbox_s)
{
    static const char text[] = "From b@example.org Fri Jan  2 10:00:00 2026\r\n" PARTS "\r\n";
    struct carved carved;
    char longer[2048];

    strcat(strcpy(longer, text), "other text\r\n");
    carved = harness_examine("mailbox", longer, strlen(longer));
    cr_assert_eq(carved.grade, CARVE_VALIDATED);
    cr_assert_eq(carved.size, strlen(text));
}

Test(mail, mailbox_goes_on_to_its_last_mail)
{
    static const char text[] =
        "From a@example.org Thu Jan  1 10:00:00 2026\r\n" PARTS
        "text behind the parts\r\n\r\nFrom b@example.org Fri Jan  2 10:00:00 2026\r\n" HEAD
        "Subject: two\r\n\r\n>From here\r\nFrom there\r\n"
        "\r\nFrom b@example.org Fri Jan  2 10:00:00 2026\r\n" PARTS "\r\n";
    struct carved carved = harness_examine("mailbox", text, strlen(text));

    cr_assert_eq(carved.grade, CARVE_VALIDATED);
    cr_assert_eq(carved.size, strlen(text));
    cr_assert(harness_holds("mailbox", text, strlen(text), CARVE_VALIDATED, 0));
}
