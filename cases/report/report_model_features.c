/* report_model_features: the most frequent values of each kind of feature. */
#include "cases/report/report_gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 400, OF_A_KIND = 10 };

/* What was counted at the end of the run, in the order of its key, the exhibits of a value one after the other; else the view counts.
 */
static const char counted[] =
    "SELECT kind, value, rank, exhibit, count, contents FROM t_value ORDER BY kind, value, exhibit";
static const char counting[] =
    "SELECT kind, value, rank, exhibit_list, count, contents, exhibits FROM histogram ORDER BY kind, value";
static const char all[] =
    "SELECT kind, value, rank, count, contents, exhibit_list FROM histogram ORDER BY kind, count DESC";

/* A value with its sums; the texts are borrowed. */
struct value_row {
    const char *kind, *value, *rank, *exhibits;
    uint64_t count, contents, exhibit_count;
};

static bool is_before(const struct model_feature *feature, uint64_t exhibits, uint64_t count)
{
    return feature->exhibit_count != exhibits ? feature->exhibit_count > exhibits : feature->count >= count;
}

static void feature_clear(struct model_feature *feature)
{
    free(feature->kind);
    free(feature->value);
    free(feature->rank);
    free(feature->exhibits);
    *feature = (struct model_feature){0};
}

/* The place of this row among those of its kind, which are the last `same`; they are in order, and rows come
 * by value. */
static size_t place_of(const struct report_model *model, size_t same, const struct value_row *value)
{
    size_t end = model->feature_cut.count, at = end;

    while (at > end - same && !is_before(&model->features[at - 1], value->exhibit_count, value->count))
        at--;
    return at;
}

static bool copy_row(const struct value_row *value, struct model_feature *row)
{
    *row = (struct model_feature){.kind = strdup(value->kind),
                                  .value = strdup(value->value),
                                  .rank = strdup(value->rank),
                                  .exhibits = strdup(value->exhibits),
                                  .count = value->count,
                                  .contents = value->contents,
                                  .exhibit_count = value->exhibit_count};
    return row->kind && row->value && row->rank && row->exhibits;
}

/* `*same`: how many rows of the kind that came last are kept. */
static int take_value(struct gather *gather, const struct value_row *value, size_t *same)
{
    struct report_model *model = gather->model;
    struct model_cut *cut = &model->feature_cut;
    struct model_feature row;
    size_t at;

    cut->total++;
    if (cut->count > 0 && strcmp(model->features[cut->count - 1].kind, value->kind) != 0)
        *same = 0;
    at = place_of(model, *same, value);
    if (at == cut->count && (*same == OF_A_KIND || cut->count == ROWS_MAX))
        return 0;
    if (!copy_row(value, &row)) {
        feature_clear(&row);
        return -ENOMEM;
    }
    if (*same == OF_A_KIND || cut->count == ROWS_MAX) {
        feature_clear(&model->features[cut->count - 1]);
    } else if (gather_grow(&model->features, &cut->count, sizeof row)) {
        ++*same;
    } else {
        feature_clear(&row);
        return -ENOMEM;
    }
    memmove(&model->features[at + 1], &model->features[at], (cut->count - 1 - at) * sizeof row);
    model->features[at] = row;
    return 0;
}

static int take_counting(struct gather *gather, struct db_statement *s)
{
    size_t same = 0;
    int error;

    while ((error = db_step(s)) == 1) {
        const struct value_row value = {.kind = db_text(s, 0),
                                        .value = db_text(s, 1),
                                        .rank = db_text(s, 2),
                                        .exhibits = db_text(s, 3),
                                        .count = db_u64(s, 4),
                                        .contents = db_u64(s, 5),
                                        .exhibit_count = db_u64(s, 6)};
        error = take_value(gather, &value, &same);
        if (error < 0)
            break;
    }
    return error;
}

/* The rows of one value, added up. */
struct value_sum {
    struct buf kind, value, exhibits;
    uint64_t rank, contents, exhibit_count;
    double count; /* as in the view: cannot overflow, exact below 2^53 */
};

static bool is_text(const struct buf *buf, struct db_statement *s, int column)
{
    size_t size;
    const void *text = db_bytes(s, column, &size);
    return buf->size == size && (size == 0 || memcmp(buf->data, text, size) == 0);
}

static void put_text(struct buf *buf, struct db_statement *s, int column)
{
    size_t size;
    const void *text = db_bytes(s, column, &size);
    buf_append(buf, text, size);
}

static void begin_sum(struct value_sum *sum, struct db_statement *s)
{
    buf_clear(&sum->kind);
    buf_clear(&sum->value);
    buf_clear(&sum->exhibits);
    put_text(&sum->kind, s, 0);
    put_text(&sum->value, s, 1);
    sum->rank = sum->contents = sum->exhibit_count = 0;
    sum->count = 0;
}

static void add_to_sum(struct value_sum *sum, struct db_statement *s)
{
    uint64_t rank = db_u64(s, 2);

    if (rank > sum->rank)
        sum->rank = rank;
    if (sum->exhibit_count++ > 0)
        buf_u8(&sum->exhibits, ',');
    put_text(&sum->exhibits, s, 3);
    sum->count += (double)db_i64(s, 4);
    sum->contents += db_u64(s, 5);
}

static int take_sum(struct gather *gather, struct value_sum *sum, size_t *same)
{
    if (sum->exhibit_count == 0)
        return 0;
    const struct value_row value = {.kind = buf_cstr(&sum->kind),
                                    .value = buf_cstr(&sum->value),
                                    .rank = sum->rank == 2   ? "checksum"
                                            : sum->rank == 1 ? "context"
                                                             : "format",
                                    .exhibits = buf_cstr(&sum->exhibits),
                                    .count = (uint64_t)(sum->count < 9e18 ? sum->count : 9e18),
                                    .contents = sum->contents,
                                    .exhibit_count = sum->exhibit_count};
    if (buf_failed(&sum->kind) || buf_failed(&sum->value) || buf_failed(&sum->exhibits))
        return -ENOMEM;
    return take_value(gather, &value, same);
}

/* Added up here: SQLite takes three times as long to group rows that stand in order. */
static int take_counted(struct gather *gather, struct db_statement *s)
{
    struct value_sum sum = {.exhibit_count = 0};
    size_t same = 0;
    int error;

    while ((error = db_step(s)) == 1) {
        if (sum.exhibit_count == 0 || !is_text(&sum.value, s, 1) || !is_text(&sum.kind, s, 0)) {
            error = take_sum(gather, &sum, &same);
            if (error < 0)
                break;
            begin_sum(&sum, s);
        }
        add_to_sum(&sum, s);
    }
    if (error == 0)
        error = take_sum(gather, &sum, &same);
    buf_finish(&sum.kind);
    buf_finish(&sum.value);
    buf_finish(&sum.exhibits);
    return error;
}

/* Ten of each kind, in one reading. */
int gather_features(struct gather *gather)
{
    struct db_statement *s = NULL;
    uint64_t there = 0;
    int error = db_has_table(gather->db, "t_value")
                    ? gather_number(gather, "SELECT EXISTS (SELECT 1 FROM t_value)", &there)
                    : 0;

    gather->model->feature_cut.query = all;
    if (error == 0)
        error = db_prepare(gather->db, there ? counted : counting, &s);
    if (error == 0)
        error = there ? take_counted(gather, s) : take_counting(gather, s);
    if (error == -ENOMEM)
        why_set(gather->why, error, "no memory");
    else if (error < 0)
        why_set(gather->why, error, "%s/case.db: %s", casefile_folder(gather->cf), db_error(gather->db));
    db_finalize(s);
    return error;
}

void features_free(struct report_model *model)
{
    for (size_t i = 0; i < model->feature_cut.count; i++)
        feature_clear(&model->features[i]);
    free(model->features);
}
