/*
 * search: see search.h.
 */
#include "plugins/keywords/search.h"

#include "plugins/keywords/expressions.h"
#include "plugins/keywords/filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A writing of few bytes that other text has as well is found everywhere: it must be this long. */
enum { SHORT_BYTES = 4, SHORT_WORD_BYTES = 3, SCRATCH = SEARCH_BEFORE + SEARCH_AHEAD };

struct search {
    struct list list;
    struct writings writings;
    struct pattern *patterns;
    size_t count, capacity;
    struct filter *filter;
    struct expressions *expressions;
    struct hit *hits;
    size_t hit_count, hit_capacity;
    uint8_t scratch[SCRATCH];
};

void keyword_search_free(struct search *search)
{
    if (search == NULL)
        return;
    list_finish(&search->list);
    free(search->patterns);
    filter_free(search->filter);
    expressions_free(search->expressions);
    free(search->hits);
    free(search);
}

const struct list *keyword_search_list(const struct search *search)
{
    return &search->list;
}

const struct writings *keyword_search_writings(const struct search *search)
{
    return &search->writings;
}

const struct pattern *keyword_search_pattern(const struct search *search, uint32_t index)
{
    return &search->patterns[index];
}

size_t keyword_search_pattern_count(const struct search *search)
{
    return search->count;
}

void keyword_search_marks_finish(struct search_marks *marks)
{
    free(marks->items);
    *marks = (struct search_marks){0};
}

/* ------------------------------------------------------------------ which writings */

static bool is_same_bytes(const struct program *program, const struct writing *a, const struct writing *b)
{
    for (size_t i = 1; i < program->node_count; i++) {
        struct form one[FORMS_MAX], two[FORMS_MAX];
        const struct node *node = &program->nodes[i];
        size_t count;

        if (node->kind != NODE_CHAR)
            continue;
        count = writing_forms(a, node->code, node->fold, one);
        if (count != writing_forms(b, node->code, node->fold, two))
            return false;
        for (size_t j = 0; j < count; j++) {
            if (one[j].size != two[j].size || memcmp(one[j].data, two[j].data, one[j].size) != 0)
                return false;
        }
    }
    return program->class_count == 0 || a == b;
}

/* An earlier one of the same kind that is searched for and has the same bytes. */
static const struct writing *same_as(const struct search *search, const struct keyword *keyword,
                                     const struct writing *writing)
{
    for (const struct writing *other = search->writings.items; other < writing; other++) {
        if (other->kind == WRITING_CHARSET && other->script == writing->script &&
            program_unwritable(&keyword->program, other) == 0 &&
            is_same_bytes(&keyword->program, other, writing))
            return other;
    }
    return NULL;
}

const char *keyword_search_left_out(const struct search *search, const struct keyword *keyword,
                                    const struct writing *writing, char room[128])
{
    const struct program *program = &keyword->program;
    const struct writing *other;
    size_t least, most;
    uint32_t code;

    if (writing->script != SCRIPT_OTHER && !program_has_script(program, writing->script))
        return "";
    if (keyword->regex && writing->kind == WRITING_ROMAN)
        return "a regular expression is not romanised";
    code = program_unwritable(program, writing);
    if (code != 0) {
        snprintf(room, 128, "it has no character U+%04X", code);
        return room;
    }
    other = writing->kind == WRITING_CHARSET ? same_as(search, keyword, writing) : NULL;
    if (other != NULL) {
        snprintf(room, 128, "the same bytes as %s", other->name);
        return room;
    }
    program_width(program, program->root, writing, &least, &most);
    if (most > PROGRAM_WIDTH_MAX)
        return "a hit could be longer than 2048 bytes";
    if (least < 2)
        return "a hit could be shorter than two bytes";
    if (writing->kind >= WRITING_CHARSET && least < (keyword->whole ? SHORT_WORD_BYTES : SHORT_BYTES))
        return "too short: it would be found everywhere";
    return NULL;
}

/* ------------------------------------------------------------------ setting up */

static int pattern_add(struct search *search, const struct pattern *pattern)
{
    if (search->count == search->capacity) {
        size_t capacity = search->capacity == 0 ? 1024 : search->capacity * 2;
        struct pattern *patterns = reallocarray(search->patterns, capacity, sizeof patterns[0]);

        if (patterns == NULL)
            return -ENOMEM;
        search->patterns = patterns;
        search->capacity = capacity;
    }
    search->patterns[search->count++] = *pattern;
    return 0;
}

/* 1: the keyword is not searched for, and why is a complaint. */
static int keyword_add(struct search *search, uint32_t index, struct why *why)
{
    const struct keyword *keyword = &search->list.keywords[index];
    size_t before = search->count;
    const char *reason = NULL;
    char room[128];
    int code = 0;

    for (size_t i = 0; i < search->writings.count && code == 0; i++) {
        struct pattern pattern = {.keyword = index, .writing = &search->writings.items[i]};
        size_t least, most;
        const char *out = keyword_search_left_out(search, keyword, pattern.writing, room);

        if (out != NULL) {
            reason = i == 0 ? out : reason;
            if (i == 0)
                break;
            continue;
        }
        program_width(&keyword->program, keyword->program.root, pattern.writing, &least, &most);
        program_sieve(&keyword->program, pattern.writing, &pattern.sieve);
        pattern.least = (uint32_t)least;
        pattern.most = (uint32_t)most;
        if (keyword->regex)
            code = expressions_add(search->expressions, (uint32_t)search->count, &keyword->program,
                                   pattern.writing, why);
        else
            code = filter_add(search->filter, (uint32_t)search->count, &keyword->program, pattern.writing);
        if (code == 0)
            code = pattern_add(search, &pattern);
    }
    if (code == -EINVAL)
        reason = why->text[0] != '\0' ? why->text : "no two of its characters stand together";
    if (reason == NULL)
        return code;
    search->count = before;
    expressions_drop(search->expressions, (uint32_t)before);
    filter_drop(search->filter, (uint32_t)before);
    code = list_complain(&search->list, keyword, reason);
    why->text[0] = '\0';
    return code < 0 ? code : 1;
}

/* Keywords that cannot be searched for leave the list. */
static int keywords_add(struct search *search, struct why *why)
{
    size_t kept = 0;
    int code = 0;

    for (size_t i = 0; i < search->list.count && code >= 0; i++) {
        struct keyword keyword = search->list.keywords[i];

        search->list.keywords[i] = search->list.keywords[kept];
        search->list.keywords[kept] = keyword;
        code = keyword_add(search, (uint32_t)kept, why);
        kept += code == 0;
    }
    for (size_t i = kept; i < search->list.count; i++) {
        free(search->list.keywords[i].text);
        free(search->list.keywords[i].group);
        program_finish(&search->list.keywords[i].program);
    }
    search->list.count = kept;
    return code < 0 ? code : 0;
}

static int set_up(struct search *search, const char *paths, struct why *why)
{
    int code = writings_init(&search->writings, why);

    if (code == 0)
        code = list_read(&search->list, paths, why);
    if (code == 0)
        code = filter_new(&search->filter);
    if (code == 0)
        code = expressions_new(&search->expressions);
    if (code == 0)
        code = keywords_add(search, why);
    if (code == 0)
        code = filter_compile(search->filter);
    if (code == 0)
        code = expressions_compile(search->expressions, why);
    return code;
}

int keyword_search_new(const char *paths, struct search **ret_search, struct why *why)
{
    struct search *search = calloc(1, sizeof *search);
    int code = search == NULL ? -ENOMEM : set_up(search, paths, why);

    if (code < 0) {
        keyword_search_free(search);
        return why->text[0] != '\0' ? code : why_set(why, code, "no memory for the keywords");
    }
    *ret_search = search;
    return 0;
}

/* ------------------------------------------------------------------ searching */

struct searching {
    struct search *search;
    struct search_marks *marks;
    const struct search_window *window;
    void (*gave_up)(void *context, uint32_t pattern, uint64_t offset);
    void *context;
    int code;
};

static size_t match(struct search *search, const struct search_window *window, uint32_t pattern, size_t at,
                    bool *ret_gave_up)
{
    const struct pattern *p = &search->patterns[pattern];
    const struct program *program = &search->list.keywords[p->keyword].program;
    struct place place = {window->data + at, window->data + window->size, at};

    /* The bytes before the window lie elsewhere: near its beginning both are put together. */
    if (at < SEARCH_BEFORE && window->before_size > 0) {
        size_t before = window->before_size < SEARCH_BEFORE ? window->before_size : SEARCH_BEFORE;
        size_t size = window->size < SCRATCH - before ? window->size : SCRATCH - before;

        memcpy(search->scratch, window->before + window->before_size - before, before);
        memcpy(search->scratch + before, window->data, size);
        place = (struct place){search->scratch + before + at, search->scratch + before + size, before + at};
    }
    return program_match(program, p->writing, &place, ret_gave_up);
}

size_t keyword_search_match(struct search *search, const struct search_window *window, uint32_t pattern,
                            size_t at)
{
    bool gave_up = false;

    return match(search, window, pattern, at, &gave_up);
}

static size_t try(struct searching *searching, uint32_t pattern, size_t at)
{
    struct search *search = searching->search;
    bool gave_up = false;
    size_t size = match(search, searching->window, pattern, at, &gave_up);

    if (gave_up)
        searching->gave_up(searching->context, pattern, searching->window->offset + at);
    if (size == 0)
        return 0;
    if (search->hit_count == search->hit_capacity) {
        size_t capacity = search->hit_capacity == 0 ? 256 : search->hit_capacity * 2;
        struct hit *hits = reallocarray(search->hits, capacity, sizeof hits[0]);

        if (hits == NULL) {
            searching->code = -ENOMEM;
            return size;
        }
        search->hits = hits;
        search->hit_capacity = capacity;
    }
    search->hits[search->hit_count++] = (struct hit){searching->window->offset + at, pattern, (uint32_t)size};
    return size;
}

static bool is_worth(const struct searching *searching, uint32_t pattern, size_t at)
{
    const struct search_window *window = searching->window;

    return window->size - at < SIEVE_BYTES ||
           sieve_fits(&searching->search->patterns[pattern].sieve, window->data + at);
}

static void on_piece(void *context, uint32_t pattern, size_t place, uint32_t back_least, uint32_t back_most)
{
    struct searching *searching = context;

    if (place < back_least)
        return;
    for (size_t back = back_most < place ? back_most : place;; back--) {
        if (place - back >= searching->window->begin)
            return;
        if (is_worth(searching, pattern, place - back))
            try(searching, pattern, place - back);
        if (back <= back_least)
            return;
    }
}

static struct mark *mark_of(struct search_marks *marks, uint32_t pattern)
{
    if (marks->count * 2 >= marks->capacity) {
        size_t capacity = marks->capacity == 0 ? 64 : marks->capacity * 2;
        struct search_marks larger = {calloc(capacity, sizeof(struct mark)), 0, capacity};

        if (larger.items == NULL)
            return NULL;
        for (size_t i = 0; i < marks->capacity; i++) {
            if (marks->items[i].pattern != 0)
                *mark_of(&larger, marks->items[i].pattern - 1) = marks->items[i];
        }
        free(marks->items);
        *marks = larger;
    }
    for (size_t slot = pattern * 2654435761U % marks->capacity;; slot = (slot + 1) % marks->capacity) {
        struct mark *mark = &marks->items[slot];

        if (mark->pattern == 0) {
            mark->pattern = pattern + 1;
            marks->count++;
        }
        if (mark->pattern == pattern + 1)
            return mark;
    }
}

/* A hit of this pattern may end at `end`. Each place is tried once, from left to right, and what a hit covers
 * is not tried: so the hits are the same wherever a window begins. */
static void on_expression(void *context, uint32_t pattern, size_t end)
{
    struct searching *searching = context;
    const struct search_window *window = searching->window;
    const struct pattern *p = &searching->search->patterns[pattern];
    struct mark *mark = mark_of(searching->marks, pattern);
    size_t at, last;

    if (mark == NULL)
        searching->code = -ENOMEM;
    if (mark == NULL || end < p->least)
        return;
    last = end - p->least < window->begin ? end - p->least : window->begin - 1;
    at = end > p->most ? end - p->most : 0;
    if (mark->next > window->offset + at)
        at =
            mark->next - window->offset > window->size ? window->size : (size_t)(mark->next - window->offset);
    while (at <= last && searching->code == 0) {
        size_t size = try(searching, pattern, at);

        at += size > 0 ? size : 1;
        mark->next = window->offset + at;
    }
}

static int compare(const void *a, const void *b)
{
    const struct hit *one = a, *two = b;

    if (one->offset != two->offset)
        return one->offset < two->offset ? -1 : 1;
    return one->pattern < two->pattern ? -1 : one->pattern > two->pattern;
}

/* The last places have too little behind them to be read at once: they are looked at in a copy. */
static void search_words(struct searching *searching, const struct search_window *window)
{
    const struct filter *filter = searching->search->filter;
    size_t inside = window->size > 2 * FILTER_LOOK ? window->size - 2 * FILTER_LOOK : 0;
    uint8_t tail[4 * FILTER_LOOK] = {0};

    filter_search(filter, window->data, inside, 0, on_piece, searching);
    memcpy(tail, window->data + inside, window->size - inside);
    filter_search(filter, tail, window->size - inside, inside, on_piece, searching);
}

int keyword_search_window(struct search *search, struct search_marks *marks,
                          const struct search_window *window,
                          void (*gave_up)(void *context, uint32_t pattern, uint64_t offset), void *context,
                          const struct hit **ret_hits, size_t *ret_count)
{
    struct searching searching = {search, marks, window, gave_up, context, 0};
    size_t kept = 0;

    search->hit_count = 0;
    search_words(&searching, window);
    if (searching.code == 0)
        searching.code =
            expressions_search(search->expressions, window->data, window->size, on_expression, &searching);
    if (searching.code < 0)
        return searching.code;
    if (search->hit_count > 1)
        qsort(search->hits, search->hit_count, sizeof search->hits[0], compare);
    for (size_t i = 0; i < search->hit_count; i++) {
        if (kept == 0 || compare(&search->hits[kept - 1], &search->hits[i]) != 0)
            search->hits[kept++] = search->hits[i];
    }
    *ret_hits = search->hits;
    *ret_count = kept;
    return 0;
}
