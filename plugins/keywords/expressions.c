/*
 * expressions: see expressions.h.
 */
#include "plugins/keywords/expressions.h"

#include <errno.h>
#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

struct expressions {
    char **texts;
    unsigned *ids, *flags;
    size_t count, capacity;
    hs_database_t *database;
    hs_scratch_t *scratch;
};

int expressions_new(struct expressions **ret_expressions)
{
    *ret_expressions = calloc(1, sizeof **ret_expressions);
    return *ret_expressions == NULL ? -ENOMEM : 0;
}

void expressions_free(struct expressions *expressions)
{
    if (expressions == NULL)
        return;
    expressions_drop(expressions, 0);
    free(expressions->texts);
    free(expressions->ids);
    free(expressions->flags);
    hs_free_scratch(expressions->scratch);
    hs_free_database(expressions->database);
    free(expressions);
}

void expressions_drop(struct expressions *expressions, uint32_t pattern)
{
    while (expressions->count > 0 && expressions->ids[expressions->count - 1] >= pattern)
        free(expressions->texts[--expressions->count]);
}

static int grow(struct expressions *expressions)
{
    size_t capacity = expressions->capacity == 0 ? 64 : expressions->capacity * 2;
    char **texts = reallocarray(expressions->texts, capacity, sizeof texts[0]);
    unsigned *ids = texts != NULL ? reallocarray(expressions->ids, capacity, sizeof ids[0]) : NULL, *flags;

    if (texts != NULL)
        expressions->texts = texts;
    if (ids == NULL)
        return -ENOMEM;
    expressions->ids = ids;
    flags = reallocarray(expressions->flags, capacity, sizeof flags[0]);
    if (flags == NULL)
        return -ENOMEM;
    expressions->flags = flags;
    expressions->capacity = capacity;
    return 0;
}

/* Alone, so that it can be said which one is wrong. */
static int check(const char *text, struct why *why)
{
    hs_database_t *database = NULL;
    hs_compile_error_t *error = NULL;

    if (hs_compile(text, HS_FLAG_DOTALL, HS_MODE_BLOCK, NULL, &database, &error) != HS_SUCCESS) {
        int code = why_set(why, strcmp(error->message, "Unable to allocate memory.") == 0 ? -ENOMEM : -EINVAL,
                           "Hyperscan does not take it: %s", error->message);
        hs_free_compile_error(error);
        return code;
    }
    hs_free_database(database);
    return 0;
}

int expressions_add(struct expressions *expressions, uint32_t pattern, const struct program *program,
                    const struct writing *writing, struct why *why)
{
    struct buf text = {0};
    int code;

    program_bytes(program, writing, &text);
    code = buf_failed(&text) ? -ENOMEM : check(buf_cstr(&text), why);
    if (code == 0 && expressions->count == expressions->capacity)
        code = grow(expressions);
    if (code < 0) {
        buf_finish(&text);
        return code;
    }
    expressions->texts[expressions->count] = buf_steal(&text);
    expressions->ids[expressions->count] = pattern;
    expressions->flags[expressions->count++] = HS_FLAG_DOTALL;
    return 0;
}

int expressions_compile(struct expressions *expressions, struct why *why)
{
    hs_compile_error_t *error = NULL;

    if (expressions->count == 0)
        return 0;
    if (hs_compile_multi((const char *const *)expressions->texts, expressions->flags, expressions->ids,
                         (unsigned)expressions->count, HS_MODE_BLOCK, NULL, &expressions->database,
                         &error) != HS_SUCCESS) {
        int code =
            why_set(why, -EINVAL, "the regular expressions do not compile together: %s", error->message);
        hs_free_compile_error(error);
        return code;
    }
    if (hs_alloc_scratch(expressions->database, &expressions->scratch) != HS_SUCCESS)
        return why_set(why, -ENOMEM, "no memory to search with");
    return 0;
}

struct searching {
    expressions_found *found;
    void *context;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *context)
{
    const struct searching *searching = context;

    (void)from, (void)flags;
    searching->found(searching->context, id, (size_t)to);
    return 0;
}

int expressions_search(const struct expressions *expressions, const uint8_t *data, size_t size,
                       expressions_found *found, void *context)
{
    struct searching searching = {found, context};

    if (expressions->database == NULL)
        return 0;
    return hs_scan(expressions->database, (const char *)data, (unsigned)size, 0, expressions->scratch,
                   on_match, &searching) == HS_SUCCESS
               ? 0
               : -EIO;
}
