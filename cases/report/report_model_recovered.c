/*
 * report_model_recovered: objects recovered by their structure, deleted files and who has their blocks now,
 * and the pictures among them. What equals a file of a file system, or is a part of another object, is
 * counted and listed apart: nobody shall count it twice.
 */
#include "cases/report/report_gather.h"

#include "cases/report/jpegsafe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RANK                                                                                                 \
    "CASE grade WHEN 'validated' THEN 0 WHEN 'complete' THEN 1 WHEN 'partial' THEN 2 WHEN 'fragment' THEN "  \
    "3 ELSE 4 END"

static int grade_row(struct gather *gather, struct db_statement *s)
{
    struct model_grade *grade =
        gather_grow(&gather->model->grades, &gather->model->grade_cut.count, sizeof *grade);
    if (!grade || !(grade->grade = gather_text(s, 0)))
        return -ENOMEM;
    grade->count = db_u64(s, 1);
    grade->bytes = db_u64(s, 2);
    grade->reassembled = db_u64(s, 3);
    grade->same = db_u64(s, 4);
    grade->inside = db_u64(s, 5);
    return 0;
}

static int fill_carved(struct model_carved *carved, struct db_statement *s)
{
    if (!carved)
        return -ENOMEM;
    char **const texts[] = {&carved->exhibit, &carved->path,    &carved->format,
                            &carved->grade,   &carved->title,   &carved->lacks,
                            &carved->sha256,  &carved->same_as, &carved->inside};
    if (!gather_texts(s, texts, sizeof texts / sizeof *texts))
        return -ENOMEM;
    carved->offset = gather_known(s, 9, UINT64_MAX);
    carved->size = gather_known(s, 10, 0);
    carved->pieces = gather_known(s, 11, 1);
    return 0;
}

static int carved_row(struct gather *gather, struct db_statement *s)
{
    struct report_model *model = gather->model;
    return fill_carved(gather_grow(&model->carved, &model->carved_cut.count, sizeof *model->carved), s);
}

static int twice_row(struct gather *gather, struct db_statement *s)
{
    struct report_model *model = gather->model;
    return fill_carved(
        gather_grow(&model->carved_twice, &model->carved_twice_cut.count, sizeof *model->carved_twice), s);
}

static enum model_blocks blocks_of(uint64_t bytes, uint64_t overwritten)
{
    return overwritten == 0 ? BLOCKS_FREE : overwritten < bytes ? BLOCKS_PARTLY : BLOCKS_OVERWRITTEN;
}

static int deleted_row(struct gather *gather, struct db_statement *s)
{
    struct model_deleted *deleted =
        gather_grow(&gather->model->deleted, &gather->model->deleted_cut.count, sizeof *deleted);
    if (!deleted)
        return -ENOMEM;
    deleted->exhibit = gather_text(s, 0);
    deleted->path = gather_text(s, 1);
    deleted->owner = gather_text(s, 2);
    deleted->bytes = gather_known(s, 3, 0);
    deleted->overwritten = gather_known(s, 4, 0);
    deleted->owners = gather_known(s, 5, 0);
    deleted->blocks = blocks_of(deleted->bytes, deleted->overwritten);
    return deleted->exhibit && deleted->path && deleted->owner ? 0 : -ENOMEM;
}

static int blocks_row(struct gather *gather, struct db_statement *s)
{
    uint64_t state = db_u64(s, 0);
    if (state < BLOCKS_STATES)
        gather->model->blocks[state] = db_u64(s, 1);
    return 0;
}

static int keep_jpeg(struct model_picture *picture, struct db_statement *s, int column)
{
    size_t size = 0;
    uint32_t width, height;
    const uint8_t *data = db_bytes(s, column, &size);
    if (!data || !jpegsafe(data, size, &width, &height))
        return 0;
    picture->jpeg = malloc(size);
    if (!picture->jpeg)
        return -ENOMEM;
    memcpy(picture->jpeg, data, size);
    picture->jpeg_size = size;
    return 0;
}

static int picture_row(struct gather *gather, struct db_statement *s)
{
    struct model_picture *picture =
        gather_grow(&gather->model->pictures, &gather->model->picture_cut.count, sizeof *picture);
    if (!picture)
        return -ENOMEM;
    char **const texts[] = {&picture->exhibit, &picture->path, &picture->grade, &picture->mime,
                            &picture->sha256};
    if (!gather_texts(s, texts, sizeof texts / sizeof *texts))
        return -ENOMEM;
    picture->width = gather_known(s, 5, 0);
    picture->height = gather_known(s, 6, 0);
    picture->offset = gather_known(s, 7, UINT64_MAX);
    picture->damaged = db_i64(s, 8) != 0;
    return keep_jpeg(picture, s, 9);
}

/* ---- what is asked ---- */

#define CARVED_COLUMNS                                                                                       \
    "SELECT exhibit, path, format, grade, title, lacks, sha256, same_as, inside, offset, size, pieces FROM " \
    "carved WHERE "
#define CARVED_ORDER " ORDER BY " RANK ", exhibit, offset, path LIMIT ?1"
#define ALONE        "same_as IS NULL AND inside IS NULL"
#define TWICE        "(same_as IS NOT NULL OR inside IS NOT NULL)"
#define SHOWN        "(kind = 'carved' OR deleted) AND same_as IS NULL"

static const struct gather_table tables[] = {
    {"SELECT count(DISTINCT grade) FROM carved",
     "SELECT grade, count(*), sum(" BYTES(
         "size") "), sum(pieces > 1), sum(same_as IS NOT NULL), "
                 "sum(same_as IS NULL AND inside IS NOT NULL) FROM carved GROUP BY grade ORDER BY " RANK
                 " LIMIT ?1",
     "SELECT grade, count(*) FROM carved GROUP BY grade", 16, grade_row,
     offsetof(struct report_model, grade_cut)},
    {"SELECT count(*) FROM carved WHERE " ALONE, CARVED_COLUMNS ALONE CARVED_ORDER,
     "SELECT * FROM carved WHERE " ALONE, MODEL_CARVED_MAX, carved_row,
     offsetof(struct report_model, carved_cut)},
    {"SELECT count(*) FROM carved WHERE " TWICE, CARVED_COLUMNS TWICE CARVED_ORDER,
     "SELECT * FROM carved WHERE " TWICE, MODEL_CARVED_MAX, twice_row,
     offsetof(struct report_model, carved_twice_cut)},
    {"SELECT count(*) FROM t_deleted d JOIN t_stream s ON s.id = d.stream",
     "SELECT x.label, s.path, (SELECT w.path FROM t_overwritten o JOIN t_stream w ON w.id = o.owner WHERE "
     "o.stream = "
     "d.stream GROUP BY o.owner ORDER BY sum(o.size) DESC, w.path LIMIT 1), d.bytes, d.overwritten, "
     "(SELECT count(DISTINCT owner) FROM t_overwritten WHERE stream = d.stream) FROM t_deleted d "
     "JOIN t_stream s ON s.id = d.stream JOIN t_exhibit x ON x.id = s.exhibit ORDER BY x.id, s.path LIMIT ?1",
     "SELECT exhibit, path, blocks, overwritten_bytes FROM file WHERE blocks IS NOT NULL", MODEL_DELETED_MAX,
     deleted_row, offsetof(struct report_model, deleted_cut)},
    {"SELECT count(*) FROM picture WHERE " SHOWN,
     "SELECT exhibit, path, grade, mime, sha256, width, height, offset, damaged, jpeg FROM picture "
     "WHERE " SHOWN " ORDER BY " RANK ", exhibit, offset, path LIMIT ?1",
     "SELECT exhibit, path, grade, width, height, sha256 FROM picture WHERE " SHOWN, MODEL_PICTURES_MAX,
     picture_row, offsetof(struct report_model, picture_cut)},
};

static int gather_has(struct gather *gather, const char *sql, bool *ret_has)
{
    uint64_t count = 0;
    int error = gather_number(gather, sql, &count);
    *ret_has = count > 0;
    return error;
}

int gather_recovered(struct gather *gather)
{
    struct report_model *model = gather->model;
    int error =
        gather_has(gather, "SELECT count(*) FROM t_record_type WHERE plugin = 'carve'", &model->has_carve);
    if (error == 0)
        error = gather_has(gather, "SELECT count(*) FROM t_record_type WHERE plugin = 'thumbnail'",
                           &model->has_thumbnails);
    if (error == 0)
        error = gather_tables(gather, tables, sizeof tables / sizeof *tables);
    if (error == 0)
        error =
            gather_each(gather,
                        "SELECT CASE WHEN overwritten = 0 THEN 0 WHEN overwritten < bytes THEN 1 ELSE 2 END, "
                        "count(*) FROM t_deleted GROUP BY 1",
                        0, blocks_row, NULL);
    if (error == 0)
        error = gather_number(
            gather,
            "SELECT count(*) FROM t_stream s WHERE deleted AND parent IS NULL AND kind IN (2, 3, 4) AND "
            "status <> 4 AND NOT EXISTS (SELECT 1 FROM t_deleted d WHERE d.stream = s.id)",
            &model->blocks_none);
    if (error == 0)
        error = gather_number(
            gather, "SELECT count(*) FROM picture WHERE (kind = 'carved' OR deleted) AND same_as IS NOT NULL",
            &model->pictures_same);
    return error;
}

/* ---- and given back ---- */

static void free_carved(struct model_carved *carved, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *const texts[] = {carved[i].exhibit, carved[i].path,    carved[i].format,
                               carved[i].grade,   carved[i].title,   carved[i].lacks,
                               carved[i].sha256,  carved[i].same_as, carved[i].inside};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            free(texts[t]);
    }
    free(carved);
}

static void free_pictures(struct report_model *model)
{
    for (size_t i = 0; i < model->picture_cut.count; i++) {
        free(model->pictures[i].exhibit);
        free(model->pictures[i].path);
        free(model->pictures[i].grade);
        free(model->pictures[i].mime);
        free(model->pictures[i].sha256);
        free(model->pictures[i].jpeg);
    }
    free(model->pictures);
}

void recovered_free(struct report_model *model)
{
    for (size_t i = 0; i < model->grade_cut.count; i++)
        free(model->grades[i].grade);
    free(model->grades);
    for (size_t i = 0; i < model->deleted_cut.count; i++) {
        free(model->deleted[i].exhibit);
        free(model->deleted[i].path);
        free(model->deleted[i].owner);
    }
    free(model->deleted);
    free_carved(model->carved, model->carved_cut.count);
    free_carved(model->carved_twice, model->carved_twice_cut.count);
    free_pictures(model);
}
