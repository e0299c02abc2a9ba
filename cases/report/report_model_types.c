/*
 * report_model_types: contents by type. They are added one by one and summed in a table of bounded size; with
 * more types than that, which is no case that libmagic told the types of, the database sums them.
 */
#include "cases/report/report_gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 8192, TYPES_MAX = SLOTS / 2 };

struct type_sum {
    char *mime; /* NULL: the slot is free */
    uint64_t count, bytes;
};

struct type_sums {
    struct type_sum slots[SLOTS];
    size_t count;
    struct type_sum *last;
    bool many;
};

struct type_sums *types_new(void)
{
    return calloc(1, sizeof(struct type_sums));
}

void types_free(struct type_sums *types)
{
    for (size_t i = 0; types && i < SLOTS; i++)
        free(types->slots[i].mime);
    free(types);
}

/* Of a type, or a free one; FNV-1a. Half of them stay free. */
static struct type_sum *slot_of(struct type_sums *types, const char *mime)
{
    uint32_t hash = 2166136261U;
    for (const char *c = mime; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619U;
    size_t i = hash % SLOTS;
    while (types->slots[i].mime && strcmp(types->slots[i].mime, mime))
        i = (i + 1) % SLOTS;
    return &types->slots[i];
}

int types_add(struct type_sums *types, const char *mime, uint64_t bytes)
{
    struct type_sum *sum = types->last;
    if (!sum || strcmp(sum->mime, mime))
        sum = slot_of(types, mime);
    if (!sum->mime) {
        types->many = types->many || types->count == TYPES_MAX;
        if (types->many)
            return 0;
        if (!(sum->mime = strdup(mime)))
            return -ENOMEM;
        types->count++;
    }
    sum->count++;
    sum->bytes = gather_sum(sum->bytes, bytes);
    types->last = sum;
    return 0;
}

static int put_type(struct report_model *model, const char *mime, uint64_t count, uint64_t bytes)
{
    if (model->type_cut.count >= MODEL_TYPES_MAX) {
        model->type_rest++;
        model->type_rest_count += count;
        model->type_rest_bytes += bytes;
        return 0;
    }
    struct model_type *type = gather_grow(&model->types, &model->type_cut.count, sizeof *type);
    if (!type || !(type->mime = gather_safe(mime)))
        return -ENOMEM;
    type->count = count;
    type->bytes = bytes;
    return 0;
}

static const char types_sql[] =
    "SELECT mime, count(*), sum(bytes) FROM (SELECT coalesce(mime, '') AS mime, "
    "min(max(bytes_read, 0), 1125899906842624) "
    "AS bytes FROM file WHERE stream IS NOT NULL AND status <> 'pending' AND kind "
    "NOT IN ('image', 'raw', 'slack', 'free') "
    "GROUP BY stream) GROUP BY mime ORDER BY 3 DESC, 2 DESC, 1";

static int type_row(struct gather *gather, struct db_statement *s)
{
    return put_type(gather->model, db_text(s, 0), db_u64(s, 1), db_u64(s, 2));
}

static int compare_sums(const void *a, const void *b)
{
    const struct type_sum *x = a, *y = b;
    if (!x->mime || !y->mime)
        return (x->mime == NULL) - (y->mime == NULL);
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->mime, y->mime);
}

int types_gather(struct gather *gather, struct type_sums *types)
{
    struct report_model *model = gather->model;
    int error = 0;
    model->type_cut.query = "SELECT mime, count(*), sum(size) FROM file GROUP BY mime";
    if (types->many)
        error = gather_each(gather, types_sql, 0, type_row, NULL);
    else
        qsort(types->slots, SLOTS, sizeof *types->slots, compare_sums);
    for (size_t i = 0; i < types->count && error == 0 && !types->many; i++)
        error = put_type(model, types->slots[i].mime, types->slots[i].count, types->slots[i].bytes);
    model->type_cut.total = model->type_cut.count; /* the rest has a row of its own */
    return error;
}
