/* report_words: see report_words.h. */
#include "cases/report/report_words.h"

#include "cases/report/safe.h"
#include "engine/base/when.h"

#include <stdio.h>
#include <string.h>

void words_say(struct buf *buf, enum report_lang lang, enum report_label label, const char *one,
               const char *two, const char *three)
{
    const char *const values[] = {one, two, three};
    const char *text = report_label(lang, label);
    while (*text) {
        size_t run = strcspn(text, "{");
        buf_append(buf, text, run);
        text += run;
        if (!*text)
            break;
        if (text[1] >= '1' && text[1] <= '3' && text[2] == '}') {
            const char *value = values[text[1] - '1'];
            if (value)
                safe_text(buf, value, strlen(value));
            text += 3;
        } else {
            buf_append(buf, text++, 1);
        }
    }
}

void words_say_numbers(struct buf *buf, enum report_lang lang, enum report_label label, uint64_t one,
                       uint64_t two)
{
    struct buf first = {0}, second = {0};
    safe_number(&first, one);
    safe_number(&second, two);
    words_say(buf, lang, label, buf_cstr(&first), buf_cstr(&second), NULL);
    buf_finish(&first);
    buf_finish(&second);
}

void words_page_seal(struct buf *buf, enum report_lang lang, unsigned number, const char *sha256)
{
    char digits[16], start[32];
    snprintf(digits, sizeof digits, "%04u", number);
    snprintf(start, sizeof start, "%.16s…", sha256);
    words_say(buf, lang, number ? LABEL_PAGE_SEAL : LABEL_PAGE_NO_SEAL, digits, start, NULL);
}

const struct words_grade words_grades[WORDS_GRADES] = {
    {"validated", LABEL_GRADE_VALIDATED, LABEL_GRADE_VALIDATED_TEXT},
    {"complete", LABEL_GRADE_COMPLETE, LABEL_GRADE_COMPLETE_TEXT},
    {"partial", LABEL_GRADE_PARTIAL, LABEL_GRADE_PARTIAL_TEXT},
    {"fragment", LABEL_GRADE_FRAGMENT, LABEL_GRADE_FRAGMENT_TEXT},
};

const struct words_grade *words_grade(const char *grade)
{
    for (size_t i = 0; i < WORDS_GRADES; i++)
        if (!strcmp(words_grades[i].grade, grade))
            return &words_grades[i];
    return NULL;
}

void words_when(struct buf *buf, enum report_lang lang, int64_t when, int64_t offset)
{
    char text[WHEN_TEXT_SIZE];
    int64_t shifted;
    if (when == WHEN_NONE)
        return;
    if (__builtin_add_overflow(when, offset * 1000000000, &shifted))
        shifted = when;
    when_format(shifted, text);
    if (strlen(text) < 20)
        buf_text(buf, text);
    else if (lang == REPORT_KA)
        buf_printf(buf, "%.2s.%.2s.%.4s %.8s", text + 8, text + 5, text, text + 11);
    else
        buf_printf(buf, "%.10s %.8s", text, text + 11); /* a report needs no fraction of a second */
}

void words_size(struct buf *buf, enum report_lang lang, uint64_t size)
{
    struct buf plain = {0};
    if (size < 1024) {
        words_say_numbers(buf, lang, LABEL_SIZE_BYTES, size, 0);
        return;
    }
    safe_size(&plain, size);
    for (const char *at = buf_cstr(&plain); *at; at++)
        buf_u8(buf, lang == REPORT_KA && *at == '.' ? ',' : (uint8_t)*at);
    buf_finish(&plain);
}
