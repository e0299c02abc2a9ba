/*
 * rtf: Rich Text Format [Microsoft, RTF Specification 1.9.1]: groups in braces, control words, text, and
 * binary data that \bin counts. It ends with the brace that closes the first one. There is nothing to check
 * but that: validated means that every byte is one that RTF allows, and a font or colour table, a style or
 * an information group came on the way. The title is the one in \info.
 */
#include "plugins/carve/format.h"

#include "engine/base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 100000, WORD = 32, TAIL = 2, SECTOR = 512 };

struct rtf {
    struct reader *reader;
    uint64_t at;
    const uint8_t *data;
    size_t left;
    uint64_t group; /* where the last group that is complete ends */
    uint32_t depth;
    bool broken;          /* a byte that RTF does not allow */
    bool rich_edit;       /* written by Windows' control, which puts a zero byte behind its last line */
    bool shaped;          /* a word that only documents have */
    uint32_t title_depth; /* of the group with the title, while in it */
    uint32_t page;        /* \ansicpg */
    uint8_t title[2 * CARVED_TITLE_SIZE]; /* UTF-8 */
    size_t title_size;
};

static int next(struct rtf *rtf)
{
    int c;

    if (rtf->left == 0)
        rtf->left = reader_span(rtf->reader, rtf->at, &rtf->data);
    if (rtf->left == 0)
        return -1;
    c = rtf->data[0];
    rtf->data++;
    rtf->left--;
    rtf->at++;
    return c;
}

static void back(struct rtf *rtf)
{
    rtf->data--;
    rtf->left++;
    rtf->at--;
}

static void add_title(struct rtf *rtf, uint32_t c)
{
    uint8_t *to = rtf->title + rtf->title_size;

    if (rtf->title_depth == 0 || rtf->title_size + 3 > sizeof rtf->title)
        return;
    if (c < 0x80) {
        to[0] = (uint8_t)c;
        rtf->title_size += 1;
    } else if (c < 0x800) {
        to[0] = (uint8_t)(0xc0 | c >> 6);
        to[1] = (uint8_t)(0x80 | (c & 0x3f));
        rtf->title_size += 2;
    } else {
        to[0] = (uint8_t)(0xe0 | c >> 12);
        to[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        to[2] = (uint8_t)(0x80 | (c & 0x3f));
        rtf->title_size += 3;
    }
}

/* A byte of the document's code page: Windows' Cyrillic and Latin are known. */
static void add_byte(struct rtf *rtf, uint32_t c)
{
    add_title(rtf, rtf->page == 1251 && c >= 0xc0 ? c - 0xc0 + 0x410 : c);
}

static int hex(int c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Behind the backslash of a control word: the word, and its number; the space that ends it is taken. */
static void take_word(struct rtf *rtf, char *word, int64_t *ret_number)
{
    size_t size = 0;
    int c = next(rtf);
    bool minus;

    for (; (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); c = next(rtf)) {
        if (size < WORD - 1)
            word[size++] = (char)c;
    }
    word[size] = '\0';
    minus = c == '-';
    if (minus)
        c = next(rtf);
    *ret_number = 0;
    for (; c >= '0' && c <= '9'; c = next(rtf))
        *ret_number = *ret_number < INT32_MAX ? *ret_number * 10 + (c - '0') : *ret_number;
    if (minus)
        *ret_number = -*ret_number;
    if (c >= 0 && c != ' ')
        back(rtf);
}

static void control_word(struct rtf *rtf)
{
    static const char *const shapes[] = {"fonttbl", "colortbl", "stylesheet", "info",
                                         "pard",    "viewkind", "sectd"};
    char word[WORD];
    int64_t n;

    take_word(rtf, word, &n);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        rtf->shaped |= strcmp(word, shapes[i]) == 0;
    if (strcmp(word, "bin") == 0 && n > 0) {
        if ((uint64_t)n > reader_size(rtf->reader) - rtf->at)
            rtf->broken = true;
        rtf->at += rtf->broken ? 0 : (uint64_t)n;
        rtf->left = 0;
    } else if (strcmp(word, "title") == 0 && rtf->title_size == 0) {
        rtf->title_depth = rtf->depth;
    } else if (strcmp(word, "generator") == 0) {
        rtf->rich_edit =
            reader_is(rtf->reader, rtf->at, "Riched20", 8) || reader_is(rtf->reader, rtf->at, "Msftedit", 8);
        rtf->left = 0;
    } else if (strcmp(word, "ansicpg") == 0) {
        rtf->page = (uint32_t)n;
    } else if (strcmp(word, "u") == 0) {
        add_title(rtf, (uint32_t)(n < 0 ? n + 65536 : n) & 0xffff);
        if (rtf->title_depth > 0)
            (void)next(rtf); /* what stands in for it */
    }
}

/* Behind a backslash. */
static void control(struct rtf *rtf)
{
    int c = next(rtf), high, low;

    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        back(rtf);
        control_word(rtf);
    } else if (c == '\'') {
        high = hex(next(rtf));
        low = hex(next(rtf));
        rtf->broken |= high < 0 || low < 0;
        if (!rtf->broken)
            add_byte(rtf, (uint32_t)(high << 4 | low));
    } else if (c < 0 || (c < ' ' && c != '\r' && c != '\n' && c != '\t') || c >= 0x7f) {
        rtf->broken = true;
    } else if (c == '\\' || c == '{' || c == '}') {
        add_title(rtf, (uint32_t)c);
    }
}

/* True while it goes on. */
static bool step(struct rtf *rtf)
{
    int c = next(rtf);

    if (c == '\\') {
        control(rtf);
    } else if (c == '{') {
        rtf->broken |= ++rtf->depth > DEPTH_MAX;
    } else if (c == '}') {
        if (rtf->depth == rtf->title_depth)
            rtf->title_depth = 0;
        rtf->depth--;
        rtf->group = rtf->at;
    } else if (c < 0 || (c < ' ' && c != '\r' && c != '\n' && c != '\t')) {
        rtf->broken = true;
    } else if (c >= ' ') {
        add_byte(rtf, (uint32_t)c);
    }
    return !rtf->broken && rtf->depth > 0;
}

/* Most write an end of line behind the last brace. */
static uint64_t behind_line(struct rtf *rtf)
{
    uint64_t end = rtf->at;

    if (rtf->rich_edit && reader_is(rtf->reader, end, "\r\n\0", TAIL + 1))
        return end + TAIL + 1;
    if (reader_is(rtf->reader, end, "\r\n", TAIL))
        return end + TAIL;
    return reader_is(rtf->reader, end, "\n", 1) ? end + 1 : end;
}

static enum carve_grade judge(struct rtf *rtf, struct carved *ret)
{
    uint64_t good;

    if (rtf->title_size > 0)
        carved_title(ret, rtf->title, rtf->title_size, "UTF-8");
    if (!rtf->broken)
        return carved_whole(ret, rtf->shaped ? CARVE_VALIDATED : CARVE_COMPLETE, behind_line(rtf));
    /* What was written over it is text for a while, perhaps; but it began with a sector. */
    good = rtf->at > SECTOR ? (rtf->at - 1) / SECTOR * SECTOR : rtf->at - 1;
    carved_partial(ret, good, "the end of %u open groups: no RTF follows", rtf->depth);
    if (rtf->group == 0)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static enum carve_grade examine_rtf(struct reader *reader, struct carved *ret)
{
    struct rtf *rtf;

    if (!reader_is(reader, 0, "{\\rt", 4) || (rtf = calloc(1, sizeof *rtf)) == NULL)
        return CARVE_NONE;
    rtf->reader = reader;
    while (step(rtf)) {
    }
    judge(rtf, ret);
    free(rtf);
    return ret->grade;
}

static const struct carve_format rtf_format = {"rtf", examine_rtf};
const struct carve_format *const carve_rtf[] = {&rtf_format, NULL};
