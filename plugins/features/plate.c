/*
 * plate: Georgian number plates: AB-123-CD since 1 September 2014, trailers AB-123-C, and ABC-123 from
 * before, in use until September 2020. There is no check in them; the old form is so common a shape that a
 * word must stand near.
 */
#include "plugins/features/examiners.h"

#include <string.h>

static bool fits(const struct text *text, size_t begin, const char *form)
{
    for (size_t i = 0; form[i] != '\0'; i++) {
        uint8_t c = text_at(text, begin + i);

        if (form[i] == 'A' ? !is_upper(c) : form[i] == '1' ? !is_digit(c) : c != (uint8_t)form[i])
            return false;
    }
    return true;
}

static bool stands_alone(const struct text *text, size_t begin, size_t end)
{
    uint8_t before = text_at(text, begin - 1), after = text_at(text, end);

    return !is_alnum(before) && before != '-' && before != '_' && before != '.' && before != '/' &&
           !is_alnum(after) && after != '-' && after != '_' && after != '/' &&
           !(after == '.' && is_alnum(text_at(text, end + 1)));
}

void examine_plate(struct finder *finder, const struct text *text, size_t at)
{
    static const struct {
        const char *form;
        size_t dash;
        bool needs_word;
        const char *detail;
    } forms[] = {
        {"AA-111-AA", 2, false, "{\"what\":\"since 2014\"}"},
        {"AA-111-A", 2, true, "{\"what\":\"trailer, since 2014\"}"},
        {"AAA-111", 3, true, "{\"what\":\"until 2020\"}"},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t begin = at - forms[i].dash, end = begin + strlen(forms[i].form);
        struct found found = {FEATURE_PLATE, RANK_FORMAT, begin, end, NULL, forms[i].detail};

        if (at < forms[i].dash || !fits(text, begin, forms[i].form) || !stands_alone(text, begin, end))
            continue;
        if (finder_near(text, CONTEXT_VEHICLE, begin, end))
            found.rank = RANK_CONTEXT;
        if (found.rank == RANK_CONTEXT || !forms[i].needs_word)
            finder->found(finder, text, &found);
    }
}
