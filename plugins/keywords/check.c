/*
 * check: see check.h.
 */
#include "plugins/keywords/check.h"

#include "plugins/keywords/search.h"

#include <inttypes.h>

enum { SHOWN_BYTES = 24 };

/* The first form of each character, as bytes in hex. */
static void put_bytes(struct buf *text, const struct program *program, const struct writing *writing)
{
    size_t shown = 0;

    for (uint32_t i = program->nodes[program->root].first; i != 0; i = program->nodes[i].next) {
        const struct node *node = &program->nodes[i];
        struct form forms[FORMS_MAX];

        if (node->kind == NODE_REPEAT || node->kind == NODE_LETTER || node->kind == NODE_CLASS)
            buf_text(text, node->kind == NODE_REPEAT && node->code == 1 ? " _"
                           : node->kind == NODE_LETTER                  ? " ?"
                                                                        : " *");
        if (node->kind != NODE_CHAR || writing_forms(writing, node->code, node->fold, forms) == 0)
            continue;
        for (size_t j = 0; j < forms[0].size; j++, shown++)
            buf_printf(text, "%s%02x", j == 0 ? " " : "", forms[0].data[j]);
        if (shown > SHOWN_BYTES) {
            buf_text(text, " ...");
            return;
        }
    }
}

static void put_keyword(struct buf *text, const struct search *search, const struct keyword *keyword)
{
    const struct writings *writings = keyword_search_writings(search);
    char room[128];

    buf_printf(text, "%s:%u: %s", keyword->file, keyword->line, keyword->text);
    if (keyword->group[0] != '\0')
        buf_printf(text, "  [%s]", keyword->group);
    buf_printf(text, "%s%s%s\n", keyword->regex ? "  regular expression" : "",
               keyword->whole ? "  whole word" : "", keyword->exact_case ? "  case matters" : "");
    for (size_t i = 0; i < writings->count; i++) {
        const char *out = keyword_search_left_out(search, keyword, &writings->items[i], room);

        if (out != NULL && out[0] == '\0')
            continue;
        buf_printf(text, "    %-18s", writings->items[i].name);
        if (out != NULL)
            buf_printf(text, " not searched: %s", out);
        else if (!keyword->regex)
            put_bytes(text, &keyword->program, &writings->items[i]);
        buf_text(text, "\n");
    }
}

int keywords_check(const char *paths, struct buf *ret_text, uint64_t *ret_wrong, struct why *why)
{
    struct search *search;
    uint64_t wrong = 0;
    int code = keyword_search_new(paths, &search, why);
    const struct list *list;

    if (code < 0)
        return code;
    list = keyword_search_list(search);
    for (size_t i = 0; i < list->count; i++)
        put_keyword(ret_text, search, &list->keywords[i]);
    for (size_t i = 0; i < list->file_count; i++) {
        for (size_t j = 0; j < list->files[i].complaint_count; j++)
            buf_printf(ret_text, "WRONG %s\n", list->files[i].complaints[j].text);
        wrong += list->files[i].complaint_count;
    }
    buf_printf(ret_text, "%zu keywords in %zu writings together; %" PRIu64 " lines are wrong\n", list->count,
               keyword_search_pattern_count(search), wrong);
    keyword_search_free(search);
    *ret_wrong = wrong;
    return 0;
}
