/* report_model_known: what hash sets say: alerts, sets in use, and what was spared because it is known. */
#include "cases/report/report_gather.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static int alert_row(struct gather *gather, struct db_statement *s)
{
    struct model_alert *alert =
        gather_grow(&gather->model->alerts, &gather->model->alert_cut.count, sizeof *alert);
    if (!alert)
        return -ENOMEM;
    char **const texts[] = {&alert->exhibit, &alert->path, &alert->set,       &alert->kind,  &alert->category,
                            &alert->series,  &alert->tags, &alert->algorithm, &alert->source};
    if (!gather_texts(s, texts, sizeof texts / sizeof *texts))
        return -ENOMEM;
    alert->line = gather_known(s, 9, 0);
    alert->size = gather_known(s, 10, 0);
    alert->deleted = db_i64(s, 11) != 0;
    return 0;
}

static int set_row(struct gather *gather, struct db_statement *s)
{
    struct model_set *set = gather_grow(&gather->model->sets, &gather->model->set_cut.count, sizeof *set);
    if (!set)
        return -ENOMEM;
    set->name = gather_text(s, 0);
    set->kind = gather_text(s, 1);
    set->sha256 = gather_text(s, 2);
    set->entries = gather_known(s, 3, 0);
    set->contents = db_u64(s, 4);
    set->spared = db_u64(s, 5);
    return set->name && set->kind && set->sha256 ? 0 : -ENOMEM;
}

#define SETS_IN_USE                                                                                          \
    "run_loaded WHERE plugin = 'hashset' AND problem IS NULL AND run = (SELECT max(id) FROM run)"

static const struct gather_table tables[] = {
    {"SELECT count(*) FROM known WHERE set_kind <> 'known'",
     "SELECT exhibit, path, set_name, set_kind, category, series, tags, algorithm, source, line, size, "
     "deleted FROM known "
     "WHERE set_kind <> 'known' ORDER BY set_kind, set_name, category, exhibit, path, line LIMIT ?1",
     "SELECT * FROM known WHERE set_kind <> 'known'", MODEL_ALERTS_MAX, alert_row,
     offsetof(struct report_model, alert_cut)},
    {"SELECT count(*) FROM " SETS_IN_USE,
     "SELECT l.name, l.kind, l.sha256, l.count, count(DISTINCT k.stream), count(DISTINCT CASE WHEN k.spared "
     "<> '' THEN "
     "k.stream END) FROM (SELECT * FROM " SETS_IN_USE
     ") l LEFT JOIN known k ON k.set_name = l.name AND k.set_kind = l.kind "
     "GROUP BY l.name, l.kind, l.sha256, l.count ORDER BY l.kind, l.name LIMIT ?1",
     "SELECT * FROM run_loaded WHERE plugin = 'hashset'", MODEL_LOADED_MAX, set_row,
     offsetof(struct report_model, set_cut)},
};

int gather_hashsets(struct gather *gather)
{
    struct report_model *model = gather->model;
    int error = gather_tables(gather, tables, sizeof tables / sizeof *tables);
    if (error == 0)
        error = gather_number(gather, "SELECT count(DISTINCT stream) FROM known WHERE set_kind <> 'known'",
                              &model->alert_contents);
    if (error == 0)
        error = gather_number(gather, "SELECT count(DISTINCT stream) FROM known WHERE set_kind = 'known'",
                              &model->known_contents);
    if (error == 0)
        error = gather_number(gather, "SELECT count(DISTINCT stream) FROM known WHERE spared <> ''",
                              &model->spared_contents);
    return error;
}

void hashsets_free(struct report_model *model)
{
    for (size_t i = 0; i < model->alert_cut.count; i++) {
        struct model_alert *alert = &model->alerts[i];
        char *const texts[] = {alert->exhibit, alert->path, alert->set,       alert->kind,  alert->category,
                               alert->series,  alert->tags, alert->algorithm, alert->source};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            free(texts[t]);
    }
    for (size_t i = 0; i < model->set_cut.count; i++) {
        free(model->sets[i].name);
        free(model->sets[i].kind);
        free(model->sets[i].sha256);
    }
    free(model->alerts);
    free(model->sets);
}
