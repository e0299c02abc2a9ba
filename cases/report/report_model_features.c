/* report_model_features: the most frequent values of each kind of feature. */
#include "cases/report/report_gather.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

enum { ROWS_MAX = 400 };

static int feature_row(struct gather *gather, struct db_statement *s)
{
    struct report_model *model = gather->model;
    struct model_feature *feature = gather_grow(&model->features, &model->feature_cut.count, sizeof *feature);

    if (!feature)
        return -ENOMEM;
    char **const texts[] = {&feature->kind, &feature->value, &feature->rank, &feature->exhibits};
    if (!gather_texts(s, texts, sizeof texts / sizeof *texts))
        return -ENOMEM;
    feature->count = db_u64(s, 4);
    feature->contents = db_u64(s, 5);
    feature->exhibit_count = db_u64(s, 6);
    return 0;
}

/* Ten of each kind. */
static const struct gather_table tables[] = {
    {"SELECT count(*) FROM (SELECT 1 FROM feature WHERE stream_kind <> 'carved' GROUP BY kind, normal)",
     "SELECT kind, normal, rank, labels, count, contents, exhibits FROM (SELECT *, row_number() OVER "
     "(PARTITION BY kind ORDER BY "
     "exhibits DESC, count DESC, normal) AS n FROM (SELECT kind, normal, CASE WHEN max(rank = 'checksum') "
     "THEN 'checksum' WHEN "
     "max(rank = 'context') THEN 'context' ELSE 'format' END AS rank, sum(count) AS count, count(DISTINCT "
     "stream) AS contents, "
     "count(DISTINCT exhibit) AS exhibits, group_concat(DISTINCT exhibit) AS labels FROM feature WHERE "
     "stream_kind <> 'carved' GROUP "
     "BY kind, normal)) WHERE n <= 10 ORDER BY kind, n LIMIT ?1",
     "SELECT kind, value, rank, count, contents, exhibit_list FROM histogram ORDER BY kind, count DESC",
     ROWS_MAX, feature_row, offsetof(struct report_model, feature_cut)},
};

int gather_features(struct gather *gather)
{
    return gather_tables(gather, tables, sizeof tables / sizeof *tables);
}

void features_free(struct report_model *model)
{
    for (size_t i = 0; i < model->feature_cut.count; i++) {
        free(model->features[i].kind);
        free(model->features[i].value);
        free(model->features[i].rank);
        free(model->features[i].exhibits);
    }
    free(model->features);
}
