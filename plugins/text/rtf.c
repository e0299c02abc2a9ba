/*
 * rtf: Rich Text Format: groups, control words, and what is left. [Rich Text Format Specification 1.9.1]
 */
#include "plugins/text/extract.h"

#include <stdio.h>
#include <string.h>

enum { GROUPS_MAX = 256, WORD_MAX = 32 };

struct group {
    bool hidden;  /* a destination that is no text */
    uint8_t skip; /* characters that stand for a \u where it is not known */
    const struct charset *charset;
    uint8_t font;
    bool line; /* what the group holds is a line of its own */
};

struct rtf {
    const struct document *document;
    struct output *output;
    struct group groups[GROUPS_MAX];
    size_t depth, lost; /* groups deeper than GROUPS_MAX */
    size_t at, skipping;
    bool star;
    const struct charset *fonts[256]; /* by the number that the font table gives; NULL: the document's */
    const struct charset *ansi;
    uint32_t high; /* surrogate */
};

static struct group *group(struct rtf *rtf)
{
    return &rtf->groups[rtf->depth];
}

static void put_byte(struct rtf *rtf, uint8_t byte)
{
    if (rtf->skipping > 0)
        rtf->skipping--;
    else if (!group(rtf)->hidden)
        charset_put(group(rtf)->charset, &byte, 1, rtf->output);
}

static void put_unicode(struct rtf *rtf, int number)
{
    uint32_t code = (uint32_t)(number < 0 ? number + 65536 : number);

    rtf->skipping = group(rtf)->skip;
    if (code >= 0xd800 && code < 0xdc00) {
        rtf->high = code;
        return;
    }
    if (code >= 0xdc00 && code < 0xe000 && rtf->high != 0)
        code = 0x10000 + ((rtf->high - 0xd800) << 10) + (code - 0xdc00);
    rtf->high = 0;
    if (!group(rtf)->hidden)
        output_code(rtf->output, code);
}

static const struct charset *codepage(const struct rtf *rtf, int number)
{
    char name[24];
    const struct charset *charset;

    snprintf(name, sizeof name, number == 866 ? "ibm%d" : "windows-%d", number);
    charset = charset_find(rtf->document->charsets, name, strlen(name));
    return charset != NULL ? charset : charset_find(rtf->document->charsets, "windows-1252", 12);
}

/* Windows' number of a font's character set. */
static const struct charset *font_charset(const struct rtf *rtf, int number)
{
    return codepage(rtf, number == 204   ? 1251
                         : number == 238 ? 1250
                         : number == 161 ? 1253
                         : number == 162 ? 1254
                                         : 1252);
}

static bool is(const char *word, const char *name)
{
    return strcmp(word, name) == 0;
}

static bool is_hidden(const char *word)
{
    static const char *const names[] = {
        "fonttbl",   "colortbl",     "stylesheet",         "pict",     "object",
        "themedata", "listtable",    "listoverridetable",  "rsidtbl",  "generator",
        "datastore", "latentstyles", "colorschememapping", "xmlnstbl", "objdata",
        "blipuid",   "fldinst"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (is(word, names[i]))
            return true;
    }
    return false;
}

/* In the table of fonts the number of what follows, elsewhere the font of the text. */
static void set_font(struct rtf *rtf, struct group *here, int number)
{
    here->font = (uint8_t)number;
    here->charset = rtf->fonts[here->font] != NULL ? rtf->fonts[here->font] : rtf->ansi;
}

static void control(struct rtf *rtf, const char *word, bool has_number, int number)
{
    struct group *here = group(rtf);

    if (rtf->star || is_hidden(word))
        here->hidden = true;
    rtf->star = false;
    if (is(word, "u") && has_number)
        put_unicode(rtf, number);
    else if (is(word, "uc") && has_number)
        here->skip = (uint8_t)(number < 0 ? 0 : number > 8 ? 8 : number);
    else if (is(word, "ansicpg") && has_number)
        here->charset = rtf->ansi = codepage(rtf, number);
    else if (is(word, "fcharset") && has_number)
        rtf->fonts[here->font] = number == 0 || number == 1 ? NULL : font_charset(rtf, number);
    else if (is(word, "f") && has_number)
        set_font(rtf, here, number);
    else if (is(word, "title") || is(word, "subject") || is(word, "author") || is(word, "keywords") ||
             is(word, "operator") || is(word, "doccomm") || is(word, "footnote"))
        here->line = true;
    else if (here->hidden)
        return;
    else if (is(word, "par") || is(word, "line") || is(word, "row") || is(word, "page") || is(word, "sect"))
        output_line(rtf->output);
    else if (is(word, "tab") || is(word, "cell"))
        output_blank(rtf->output);
    else if (is(word, "emdash") || is(word, "endash"))
        output_code(rtf->output, 0x2013);
    else if (is(word, "rquote") || is(word, "lquote"))
        output_code(rtf->output, '\'');
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void take_symbol(struct rtf *rtf, uint8_t c)
{
    const struct document *d = rtf->document;

    if (c == '\'' && d->size - rtf->at >= 2) {
        int high = hex_digit(d->data[rtf->at]), low = hex_digit(d->data[rtf->at + 1]);

        rtf->at += 2;
        if (high >= 0 && low >= 0)
            put_byte(rtf, (uint8_t)(high << 4 | low));
    } else if (c == '*') {
        rtf->star = true;
    } else if (c == '~') {
        put_byte(rtf, ' ');
    } else if (c == '_') {
        put_byte(rtf, '-');
    } else if (c == '\\' || c == '{' || c == '}') {
        put_byte(rtf, c);
    } else if ((c == '\n' || c == '\r') && !group(rtf)->hidden) {
        output_line(rtf->output);
    }
}

/* What stands behind a backslash. */
static void take_control(struct rtf *rtf)
{
    const struct document *d = rtf->document;
    char word[WORD_MAX + 1] = "";
    size_t length = 0;
    bool negative, has_number = false;
    int number = 0;

    while (rtf->at < d->size && (d->data[rtf->at] | 32) >= 'a' && (d->data[rtf->at] | 32) <= 'z') {
        if (length < WORD_MAX)
            word[length++] = (char)d->data[rtf->at];
        rtf->at++;
    }
    if (length == 0) {
        if (rtf->at < d->size)
            take_symbol(rtf, d->data[rtf->at++]);
        return;
    }
    negative = rtf->at < d->size && d->data[rtf->at] == '-';
    rtf->at += negative;
    for (; rtf->at < d->size && d->data[rtf->at] >= '0' && d->data[rtf->at] <= '9'; rtf->at++) {
        number = number < 100000000 ? number * 10 + (d->data[rtf->at] - '0') : number;
        has_number = true;
    }
    if (rtf->at < d->size && d->data[rtf->at] == ' ')
        rtf->at++;
    number = negative ? -number : number;
    if (is(word, "bin") && number > 0)
        rtf->at = (size_t)number < d->size - rtf->at ? rtf->at + (size_t)number : d->size;
    else
        control(rtf, word, has_number, number);
}

static void take(struct rtf *rtf, uint8_t c)
{
    if (c == '{') {
        if (rtf->depth + 1 < GROUPS_MAX) {
            rtf->groups[rtf->depth + 1] = rtf->groups[rtf->depth];
            rtf->depth++;
            group(rtf)->line = false;
        } else {
            rtf->lost++;
        }
        rtf->skipping = 0;
    } else if (c == '}') {
        if (group(rtf)->line)
            output_line(rtf->output);
        if (rtf->lost > 0)
            rtf->lost--;
        else if (rtf->depth > 0)
            rtf->depth--;
        rtf->skipping = 0;
    } else if (c == '\\') {
        take_control(rtf);
    } else if (c != '\n' && c != '\r') {
        put_byte(rtf, c);
    }
}

void extract_rtf(const struct document *document, struct output *output, const char **ret_format)
{
    struct rtf rtf = {.document = document, .output = output};

    *ret_format = "rtf";
    rtf.ansi = charset_find(document->charsets, "windows-1252", 12);
    rtf.groups[0] =
        (struct group){.skip = 1, .charset = charset_find(document->charsets, "windows-1252", 12)};
    while (rtf.at < document->size && !output_done(output))
        take(&rtf, document->data[rtf.at++]);
}
