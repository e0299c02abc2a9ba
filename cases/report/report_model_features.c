/* report_model_features: the most frequent values of each kind of feature. */
#include "cases/report/report_gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 400, OF_A_KIND = 10 };

/* What was counted at the end of the run, in the order of its key; else the view counts. */
static const char counted[] =
    "SELECT kind, value, CASE max(rank) WHEN 2 THEN 'checksum' WHEN 1 THEN 'context' ELSE 'format' "
    "END, group_concat(exhibit), CAST(min(total(count), 9e18) AS INTEGER), sum(contents), count(*) "
    "FROM t_value GROUP BY kind, value ORDER BY kind, value";
static const char counting[] =
    "SELECT kind, value, rank, exhibit_list, count, contents, exhibits FROM histogram ORDER BY kind, value";
static const char all[] =
    "SELECT kind, value, rank, count, contents, exhibit_list FROM histogram ORDER BY kind, count DESC";

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
static size_t place_of(const struct report_model *model, size_t same, struct db_statement *s)
{
    size_t end = model->feature_cut.count, at = end;

    while (at > end - same && !is_before(&model->features[at - 1], db_u64(s, 6), db_u64(s, 4)))
        at--;
    return at;
}

/* `*same`: how many rows of the kind that came last are kept. */
static int take_row(struct gather *gather, struct db_statement *s, size_t *same)
{
    struct report_model *model = gather->model;
    struct model_cut *cut = &model->feature_cut;
    struct model_feature row = {0};
    char **const texts[] = {&row.kind, &row.value, &row.rank, &row.exhibits};
    const char *kind = db_text(s, 0) != NULL ? db_text(s, 0) : "";
    size_t at;

    cut->total++;
    if (cut->count > 0 && strcmp(model->features[cut->count - 1].kind, kind) != 0)
        *same = 0;
    at = place_of(model, *same, s);
    if (at == cut->count && (*same == OF_A_KIND || cut->count == ROWS_MAX))
        return 0;
    if (!gather_texts(s, texts, sizeof texts / sizeof *texts)) {
        feature_clear(&row);
        return -ENOMEM;
    }
    row.count = db_u64(s, 4);
    row.contents = db_u64(s, 5);
    row.exhibit_count = db_u64(s, 6);
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

/* Ten of each kind, in one reading. */
int gather_features(struct gather *gather)
{
    struct db_statement *s = NULL;
    size_t same = 0;
    uint64_t there = 0;
    int error = db_has_table(gather->db, "t_value")
                    ? gather_number(gather, "SELECT EXISTS (SELECT 1 FROM t_value)", &there)
                    : 0;

    gather->model->feature_cut.query = all;
    if (error == 0)
        error = db_prepare(gather->db, there ? counted : counting, &s);
    while (error == 0 && (error = db_step(s)) == 1)
        error = take_row(gather, s, &same);
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
