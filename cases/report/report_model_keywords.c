/* report_model_keywords: hits of the investigator's keywords: how many of each, and the first of them with
 * what stands around. */
#include "cases/report/report_gather.h"

#include <errno.h>
#include <stdlib.h>

static int keyword_row(struct gather *gather, struct db_statement *s)
{
    struct model_keyword *keyword =
        gather_grow(&gather->model->keywords, &gather->model->keyword_cut.count, sizeof *keyword);
    if (!keyword)
        return -ENOMEM;
    char **const texts[] = {&keyword->group, &keyword->keyword, &keyword->list, &keyword->writings};
    if (!gather_texts(s, texts, sizeof texts / sizeof *texts))
        return -ENOMEM;
    keyword->hits = db_u64(s, 4);
    keyword->contents = db_u64(s, 5);
    return 0;
}

static int hit_row(struct gather *gather, struct db_statement *s)
{
    struct model_hit *hit = gather_grow(&gather->model->hits, &gather->model->hit_cut.count, sizeof *hit);
    if (!hit)
        return -ENOMEM;
    char **const texts[] = {&hit->exhibit, &hit->path, &hit->keyword, &hit->writing,
                            &hit->before,  &hit->text, &hit->after};
    if (!gather_texts(s, texts, sizeof texts / sizeof *texts))
        return -ENOMEM;
    hit->offset = gather_known(s, 7, 0);
    hit->deleted = db_i64(s, 8) != 0;
    return 0;
}

static const struct gather_table tables[] = {
    {"SELECT count(*) FROM (SELECT DISTINCT list, keyword FROM keyword)",
     "SELECT keyword_group, keyword, list, group_concat(DISTINCT writing), count(*), count(DISTINCT stream) "
     "FROM (SELECT * FROM keyword ORDER BY writing) GROUP BY list, keyword "
     "ORDER BY keyword_group, 5 DESC, keyword, list LIMIT ?1",
     "SELECT keyword_group, keyword, list, count(*), count(DISTINCT stream) FROM keyword GROUP BY list, "
     "keyword",
     MODEL_KEYWORDS_MAX, keyword_row, offsetof(struct report_model, keyword_cut)},
    /* Of each keyword some, and not a thousand of the first one. */
    {"SELECT count(*) FROM keyword",
     "SELECT exhibit, path, keyword, writing, text_before, text, text_after, offset, deleted FROM (SELECT "
     "k.*, s.deleted, "
     "row_number() OVER (PARTITION BY k.list, k.keyword ORDER BY k.exhibit, k.path, k.offset) AS nth FROM "
     "keyword k "
     "JOIN stream s ON s.id = k.stream) WHERE nth <= 20 ORDER BY keyword_group, keyword, exhibit, path, "
     "offset LIMIT ?1",
     "SELECT keyword, exhibit, path, offset, writing, text_before, text, text_after FROM keyword",
     MODEL_HITS_MAX, hit_row, offsetof(struct report_model, hit_cut)},
};

int gather_keywords(struct gather *gather)
{
    uint64_t lists = 0;
    int error = gather_tables(gather, tables, sizeof tables / sizeof *tables);
    if (error == 0)
        error = gather_number(
            gather, "SELECT count(*) FROM run_loaded WHERE plugin = 'keywords' AND kind = 'list'", &lists);
    gather->model->has_keywords = lists > 0;
    return error;
}

void keywords_free(struct report_model *model)
{
    for (size_t i = 0; i < model->keyword_cut.count; i++) {
        free(model->keywords[i].group);
        free(model->keywords[i].keyword);
        free(model->keywords[i].list);
        free(model->keywords[i].writings);
    }
    for (size_t i = 0; i < model->hit_cut.count; i++) {
        free(model->hits[i].exhibit);
        free(model->hits[i].path);
        free(model->hits[i].keyword);
        free(model->hits[i].writing);
        free(model->hits[i].before);
        free(model->hits[i].text);
        free(model->hits[i].after);
    }
    free(model->keywords);
    free(model->hits);
}
