/*
 * magic_text: see magic_text.h. What is sought anywhere in a text is sought by Hyperscan, all in one pass:
 * what it finds is what a test needs, and whether the test passes is for libmagic to say.
 */
#include "engine/scan/magic_text.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"
#include "engine/scan/magic_test.h"

#include <errno.h>
#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

enum { ENOUGH = 8 }; /* bytes that are rare enough for the rest not to matter */

enum kind { ALWAYS, FIXED, SOUGHT };

/* Something without which a test says nothing. */
struct need {
    enum kind kind;
    bool found;
    uint64_t begin, end; /* what is sought begins not before, and not behind */
    size_t size;         /* of it; 0: it may be anywhere */
    struct magic_test fixed;
};

struct text_test {
    uint8_t *flag;       /* in the entry */
    uint8_t on, off;     /* its value, and that without MAGIC_TEXT and MAGIC_BINARY */
    size_t first, count; /* needs[first] to needs[first + count - 1] */
};

struct magic_text {
    struct text_test *tests;
    struct need *needs;
    size_t test_count, need_count;
    bool all_on;
    hs_database_t *database; /* an expression's id is the need's place; NULL: nothing is sought */
    hs_scratch_t *scratch;
};

/* What is compiled together. */
struct expressions {
    char **texts;
    unsigned *flags, *ids, count;
};

void magic_text_free(struct magic_text *text)
{
    if (text == NULL)
        return;
    hs_free_scratch(text->scratch);
    hs_free_database(text->database);
    free(text->tests);
    free(text->needs);
    free(text);
}

static void expressions_finish(struct expressions *all)
{
    for (unsigned i = 0; i < all->count; i++)
        free(all->texts[i]);
    free(all->texts);
    free(all->flags);
    free(all->ids);
}

static int expressions_init(struct expressions *all, size_t count)
{
    all->texts = calloc(count + 1, sizeof *all->texts);
    all->flags = calloc(count + 1, sizeof *all->flags);
    all->ids = calloc(count + 1, sizeof *all->ids);
    return all->texts && all->flags && all->ids ? 0 : -ENOMEM;
}

/* ---------------------------------------------------------------- expressions */

/* A list in brackets: its end, or NULL when Hyperscan would read it otherwise. */
static const char *skip_list(const char *at)
{
    at += at[1] == '^' ? 2 : 1;
    for (at += *at == ']'; *at != ']'; at++) {
        if (*at == '\0' || *at == '\\')
            return NULL;
        if (*at == '[' && at[1] == ':') {
            at = strstr(at, ":]");
            if (at == NULL)
                return NULL;
            at++;
        }
    }
    return at;
}

static bool is_letter_or_digit(char byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') ||
           (byte & 0x80) != 0;
}

/* {2,50} becomes +, and {0,50} *: it is only to be known whether it may match, and counting takes long to
 * compile. Its last byte, or NULL. */
static const char *repetition(const char *at, struct buf *into)
{
    const char *end = strchr(at, '}');

    buf_text(into, at[1] == '0' ? "*" : "+");
    return at[1] >= '0' && at[1] <= '9' ? end : NULL;
}

/* A POSIX expression for Hyperscan: false when it has what only one of them knows. `.` and [^...] do not
 * match a line's end in libmagic; here lists do, which finds more and loses nothing. */
static bool translate(const char *text, bool anywhere, struct buf *into)
{
    for (const char *at = text; *at != '\0'; at++) {
        const char *begin = at;

        if (*at == '{') {
            at = repetition(at, into);
            begin = at != NULL ? at + 1 : NULL;
        } else if (*at == '[') {
            at = skip_list(at);
        } else if (*at == '\\') {
            at = at[1] == '\0' || is_letter_or_digit(at[1]) ? NULL : at + 1;
        } else if (*at == '$' || (*at == '^' && anywhere) || (*at == '(' && at[1] == '?')) {
            return false;
        }
        if (at == NULL)
            return false;
        if (strchr("*+?}", *at) != NULL && at[-1] != '\\' && at[1] != '\0' && strchr("*+?{", at[1]) != NULL)
            return false;
        buf_append(into, begin, (size_t)(at + 1 - begin));
    }
    return true;
}

/* As many bytes as stand for themselves at the beginning, when all that matches begins with them. */
static size_t plain_beginning(const char *text)
{
    size_t length = strcspn(text, "\\^$.[]|()*+?{}");

    if (strchr(text, '|') != NULL)
        return 0;
    return length > 0 && text[length] != '\0' && strchr("*+?{", text[length]) != NULL ? length - 1 : length;
}

/* An end of line at the expression's end, which libmagic sees where its view of the text ends, is left out.
 */
static bool expression_of(const struct magic_entry *entry, struct buf *into)
{
    char text[MAGIC_VALUE_MAX + 1];
    size_t length;

    memcpy(text, entry->value, MAGIC_VALUE_MAX);
    text[MAGIC_VALUE_MAX] = '\0';
    length = strlen(text);
    if (length > 1 && text[length - 1] == '$' && text[length - 2] != '\\')
        text[length - 1] = '\0';
    if (plain_beginning(text) >= ENOUGH)
        text[plain_beginning(text)] = '\0';
    return text[0] != '\0' && entry->relation == '=' && translate(text, entry->offset != 0, into);
}

/* White space at the beginning may be longer, and what follows it is anywhere: *ret_placed is false then. */
static bool literal_of(const struct magic_entry *entry, struct buf *into, size_t *ret_size, bool *ret_placed)
{
    struct magic_entry part = *entry;
    struct magic_test test;

    part.range = 1;
    while (!magic_test_of(&part, &test)) {
        if (entry->relation != '=' || (entry->flag & MAGIC_ELSEWHERE) || part.value_size <= 1)
            return false;
        part.value++;
        part.value_size--;
    }
    for (size_t i = 0; i < test.size; i++)
        buf_printf(into, "\\x%02x", test.value[i] | (test.mask[i] == 0xff ? 0 : 0x20));
    *ret_size = test.size;
    *ret_placed = part.value == entry->value;
    return true;
}

static bool is_understood(struct buf *text, unsigned flags)
{
    hs_compile_error_t *error = NULL;
    hs_expr_info_t *info = NULL;
    bool understood = hs_expression_info(buf_cstr(text), flags, &info, &error) == HS_SUCCESS;

    hs_free_compile_error(error);
    free(info);
    return understood;
}

/* Where a literal of this size has to be. Offsets that Hyperscan minds itself take long to compile. */
static void place(struct need *need, const struct magic_entry *entry, size_t size)
{
    need->size = size;
    need->begin = (uint64_t)entry->offset;
    need->end = entry->range > 0 ? need->begin + entry->range : UINT64_MAX;
}

/* The expression for what `entry` seeks. false: it cannot be sought. */
static bool sought(const struct magic_entry *entry, struct need *need, struct buf *text, unsigned *ret_flags)
{
    unsigned flags = HS_FLAG_SINGLEMATCH | (entry->string_flags & MAGIC_CASELESS ? HS_FLAG_CASELESS : 0);
    size_t size = 0;
    bool placed = false;

    if (entry->type == MAGIC_SEARCH) {
        if (!literal_of(entry, text, &size, &placed))
            return false;
        if (placed)
            place(need, entry, size);
        if (placed && need->begin > 0)
            flags &= ~(unsigned)HS_FLAG_SINGLEMATCH; /* the first may be too early */
    } else {
        flags |= HS_FLAG_MULTILINE | HS_FLAG_PREFILTER | HS_FLAG_ALLOWEMPTY;
        if (entry->type != MAGIC_REGEX || !expression_of(entry, text) || !is_understood(text, flags))
            return false;
    }
    *ret_flags = flags;
    return !buf_failed(text);
}

static bool add(struct expressions *all, const struct magic_entry *entry, struct need *need, size_t id)
{
    struct buf text = {0};
    bool added = sought(entry, need, &text, &all->flags[all->count]);

    if (added) {
        all->ids[all->count] = (unsigned)id;
        all->texts[all->count] = strdup(buf_cstr(&text));
        added = all->texts[all->count] != NULL;
    }
    all->count += added;
    buf_finish(&text);
    return added;
}

/* Without a database what is sought is taken for found. */
static int compile(struct magic_text *text, const struct expressions *all)
{
    hs_compile_error_t *error = NULL;
    int rc = 0;

    if (all->count > 0 && hs_compile_multi((const char *const *)all->texts, all->flags, all->ids, all->count,
                                           HS_MODE_BLOCK, NULL, &text->database, &error) == HS_SUCCESS)
        rc = hs_alloc_scratch(text->database, &text->scratch) == HS_SUCCESS ? 0 : -ENOMEM;
    for (size_t i = 0; i < text->need_count && text->database == NULL; i++)
        if (text->needs[i].kind == SOUGHT)
            text->needs[i].kind = ALWAYS;
    hs_free_compile_error(error);
    return rc;
}

/* ---------------------------------------------------------------- tests and what they need */

static void take_need(struct magic_text *text, struct expressions *all, const struct magic_entry *entry)
{
    struct need *need = &text->needs[text->need_count];

    if (magic_test_of(entry, &need->fixed) && need->fixed.range <= 1)
        need->kind = FIXED;
    else
        need->kind = add(all, entry, need, text->need_count) ? SOUGHT : ALWAYS;
    text->need_count++;
}

/* The only continuation right below the entry at `place`, of which therefore all depends; 0: there is none,
 * or another kind of one. */
static size_t only_below(const uint8_t *entries, size_t count, size_t place, unsigned level)
{
    size_t only = 0;

    for (size_t i = place + 1; i < count; i++) {
        struct magic_entry entry;

        magic_entry_read(entries + i * MAGIC_ENTRY_SIZE, &entry);
        if (entry.level <= level)
            break;
        if (entry.level > level + 1)
            continue;
        if (only != 0 || (entry.flag & MAGIC_ELSEWHERE) ||
            (entry.type != MAGIC_REGEX && entry.type != MAGIC_SEARCH))
            return 0;
        only = i;
    }
    return only;
}

/* A test of text, or one of everything that only looks at what may be text: it sees the same in both. */
static bool is_of_text(const struct magic_entry *entry)
{
    if (entry->level != 0 || !(entry->flag & MAGIC_TEXT))
        return false;
    if (!(entry->flag & MAGIC_BINARY))
        return true;
    return entry->type == MAGIC_SEARCH && entry->offset == 0 && entry->range > 0 &&
           entry->range <= MAGIC_TEXT_MAX - MAGIC_VALUE_MAX &&
           memchr(entry->value, 0, entry->value_size) == NULL;
}

/* An entry that says nothing itself needs what its continuations need. */
static void take(struct magic_text *text, struct expressions *all, uint8_t *entries, size_t count,
                 size_t place)
{
    struct text_test *test = &text->tests[text->test_count];
    struct magic_entry entry;

    magic_entry_read(entries + place * MAGIC_ENTRY_SIZE, &entry);
    if (!is_of_text(&entry))
        return;
    test->flag = entries + place * MAGIC_ENTRY_SIZE + MAGIC_FLAG_AT;
    test->on = entry.flag;
    test->off = entry.flag & (uint8_t) ~(MAGIC_TEXT | MAGIC_BINARY);
    test->first = text->need_count;
    take_need(text, all, &entry);
    while (!entry.says && (place = only_below(entries, count, place, entry.level)) != 0) {
        magic_entry_read(entries + place * MAGIC_ENTRY_SIZE, &entry);
        take_need(text, all, &entry);
    }
    test->count = text->need_count - test->first;
    text->test_count++;
}

int magic_text_new(uint8_t *entries, size_t count, struct magic_text **ret_text)
{
    struct magic_text *text = calloc(1, sizeof *text);
    struct expressions all = {0};
    int rc = text != NULL ? expressions_init(&all, count) : -ENOMEM;

    if (rc == 0) {
        text->tests = calloc(count + 1, sizeof *text->tests);
        text->needs = calloc(count + 1, sizeof *text->needs);
        rc = text->tests != NULL && text->needs != NULL ? 0 : -ENOMEM;
    }
    if (rc == 0) {
        text->all_on = true;
        for (size_t i = 0; i < count; i++)
            take(text, &all, entries, count, i);
        rc = compile(text, &all);
    }
    expressions_finish(&all);
    if (rc < 0)
        magic_text_free(text);
    else
        *ret_text = text;
    return rc;
}

/* ---------------------------------------------------------------- a content */

/* Bytes at the end that begin a character of UTF-8 and are not all of it. */
static size_t cut_character(const uint8_t *data, size_t size)
{
    for (size_t cut = 1; cut <= 3 && cut <= size; cut++) {
        uint8_t byte = data[size - cut];

        if (byte >= 0xc2 && byte <= 0xf4)
            return cut < (byte < 0xe0 ? 2U : byte < 0xf0 ? 3U : 4U) ? cut : 0;
        if ((byte & 0xc0) != 0x80)
            return 0;
    }
    return 0;
}

/* What libmagic takes for ASCII or for UTF-8 without a mark at its beginning, and therefore as it is. Zeros
 * at the end are no part of a text. */
static bool is_plain(const uint8_t *data, size_t *size)
{
    while (*size > 1 && data[*size - 1] == 0)
        (*size)--;
    if (*size > MAGIC_TEXT_MAX)
        *size = MAGIC_TEXT_MAX;
    for (size_t i = 0; i < *size; i++)
        if ((data[i] < 0x20 && !(data[i] >= '\a' && data[i] <= '\r') && data[i] != 0x1b) || data[i] == 0x7f)
            return false;
    if (*size >= 3 &&
        (memcmp(data, "\xef\xbb\xbf", 3) == 0 || memcmp(data, "+/v", 3) == 0)) /* a mark; UTF-7's */
        return false;
    return text_is_utf8(data, *size - cut_character(data, *size));
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *context)
{
    struct need *need = &((struct magic_text *)context)->needs[id];

    (void)from, (void)flags;
    if (need->size == 0 || (to - need->size >= need->begin && to - need->size <= need->end))
        need->found = true;
    return 0;
}

static void all_on(struct magic_text *text)
{
    for (size_t i = 0; i < text->test_count && !text->all_on; i++)
        *text->tests[i].flag = text->tests[i].on;
    text->all_on = true;
}

static bool may_pass(const struct magic_text *text, const struct text_test *test, const uint8_t *data,
                     size_t size)
{
    for (size_t i = test->first; i < test->first + test->count; i++) {
        const struct need *need = &text->needs[i];

        if (need->kind == FIXED ? !magic_test_stands(&need->fixed, data, size) : !need->found)
            return false;
    }
    return true;
}

void magic_text_choose(struct magic_text *text, const uint8_t *data, size_t size)
{
    if (!is_plain(data, &size)) {
        all_on(text);
        return;
    }
    for (size_t i = 0; i < text->need_count; i++)
        text->needs[i].found = text->needs[i].kind == ALWAYS;
    if (text->database != NULL && hs_scan(text->database, (const char *)data, (unsigned)size, 0,
                                          text->scratch, on_match, text) != HS_SUCCESS) {
        all_on(text);
        return;
    }
    text->all_on = false;
    for (size_t i = 0; i < text->test_count; i++) {
        const struct text_test *test = &text->tests[i];

        *test->flag = may_pass(text, test, data, size) ? test->on : test->off;
    }
}
