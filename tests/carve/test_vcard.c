/* Address cards and calendars are followed from BEGIN to END. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define CARD                                                                                                 \
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:A;B\r\nFN:B A\r\nitem1.TEL;TYPE=\"a:b\":+995 555\r\n"                   \
    "PHOTO;ENCODING=b:QUJD\r\n RUZH\r\nEND:VCARD\r\n"
#define OLD_CARD                                                                                             \
    "BEGIN:VCARD\nVERSION:2.1\nN;ENCODING=QUOTED-PRINTABLE:=41=\n=42;\nPHOTO;ENCODING=BASE64:QUJD\n "        \
    "RUZH\n\n"                                                                                               \
    "END:VCARD\n"
#define CALENDAR                                                                                             \
    "BEGIN:VCALENDAR\r\nVERSION\r\n :2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nSUMMARY:Meeting\r\n"          \
    "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

static struct carved examine(const char *format, const char *text)
{
    return harness_examine(format, text, strlen(text));
}

Test(vcard, whole_is_validated_and_a_prefix_never_is)
{
    /* the last line says all without its end */
    cr_assert(harness_holds("vcard", CARD, strlen(CARD), CARVE_VALIDATED, strlen(CARD) - 2));
    cr_assert(harness_holds("vcard", OLD_CARD, strlen(OLD_CARD), CARVE_VALIDATED, strlen(OLD_CARD) - 1));
    cr_assert(harness_holds("icalendar", CALENDAR, strlen(CALENDAR), CARVE_VALIDATED, strlen(CALENDAR) - 2));
}

Test(vcard, cards_behind_each_other_are_one_file)
{
    cr_assert_eq(examine("vcard", CARD CARD "\r\n" CARD "\r\n").size, 3 * strlen(CARD) + 2);
    cr_assert_eq(examine("icalendar", CALENDAR CALENDAR).size, strlen(CALENDAR));
}

Test(vcard, title_is_the_name)
{
    cr_assert_str_eq(examine("vcard", CARD).title, "B A");
    cr_assert_str_eq(examine("icalendar", CALENDAR).title, "Meeting");
    cr_assert_str_eq(examine("icalendar",
                             "BEGIN:VCALENDAR\nX-WR-CALNAME:Work\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n"
                             "END:VCALENDAR\n")
                         .title,
                     "Work");
}

Test(vcard, what_is_not_closed_in_order_is_cut_there)
{
    static const char *const begin = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\n";
    char text[256];
    struct carved carved;

    snprintf(text, sizeof text, "%sEND:VTODO\nEND:VCALENDAR\n", begin);
    carved = examine("icalendar", text);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, strlen(begin));
    snprintf(text, sizeof text, "%sno property\nEND:VEVENT\nEND:VCALENDAR\n", begin);
    cr_assert_eq(examine("icalendar", text).good, strlen(begin));
}

Test(vcard, behind_a_line_of_text_more_may_be_missing)
{
    struct carved carved = examine("vcardrest", CARD CARD);

    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.size, 2 * strlen(CARD));
    cr_assert_str_eq(carved.title, "B A");
}

Test(vcard, a_second_version_is_another_card)
{
    struct carved carved =
        examine("vcard", CARD "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:C\r\nTEL;TYPE=CELL:+99" CARD);

    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(examine("vcard", CARD CARD CARD).grade, CARVE_VALIDATED);
}

Test(vcard, without_a_name_it_is_complete_only)
{
    cr_assert_eq(examine("vcard", "BEGIN:VCARD\nVERSION:4.0\nEMAIL:a\nEND:VCARD\n").grade, CARVE_COMPLETE);
}
