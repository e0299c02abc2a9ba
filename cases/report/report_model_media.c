/*
 * report_model_media: exhibits and their parts, and how completely each was read.
 *
 * Every content is counted once: under the volume of the first name that led to it, or of the volume that it
 * is the raw bytes of; a child under its parent's. So the rows of an exhibit add up to all its contents, and
 * the last row to the case's.
 */
#include "cases/report/report_gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- exhibits ---- */

static enum model_verification verification_of(const char *word)
{
    if (!strcmp(word, "match"))
        return VERIFIED_MATCH;
    if (!strcmp(word, "mismatch"))
        return VERIFIED_MISMATCH;
    if (!strcmp(word, "nothing-stored"))
        return VERIFIED_NONE;
    return !strcmp(word, "partial") ? VERIFIED_UNREADABLE : VERIFIED_UNCHECKED;
}

static int exhibit_row(struct gather *gather, struct db_statement *s)
{
    struct report_model *model = gather->model;
    struct model_exhibit *exhibit = gather_grow(&model->exhibits, &model->exhibit_cut.count, sizeof *exhibit);
    if (!exhibit)
        return -ENOMEM;
    char **const texts[] = {&exhibit->label,   &exhibit->path,        &exhibit->type,   &exhibit->name,
                            &exhibit->details, &exhibit->unsupported, &exhibit->damage, &exhibit->failed,
                            &exhibit->md5,     &exhibit->sha1,        &exhibit->sha256};
    if (!gather_texts(s, texts, sizeof texts / sizeof *texts))
        return -ENOMEM;
    exhibit->id = db_u64(s, 11);
    exhibit->opened = !db_is_null(s, 2);
    exhibit->size = gather_known(s, 12, 0);
    exhibit->sector_size = (uint32_t)gather_known(s, 13, 0);
    exhibit->segments = (uint32_t)gather_known(s, 14, 0);
    exhibit->verification = verification_of(db_text(s, 15));
    return 0;
}

static struct model_exhibit *exhibit_by_id(struct report_model *model, uint64_t id)
{
    for (size_t i = 0; i < model->exhibit_cut.count; i++)
        if (model->exhibits[i].id == id)
            return &model->exhibits[i];
    return NULL;
}

static int hash_row(struct gather *gather, struct db_statement *s)
{
    struct model_exhibit *exhibit = exhibit_by_id(gather->model, db_u64(s, 0));
    if (!exhibit)
        return 0; /* past the rows that are shown */
    struct model_hash *hash = gather_grow(&exhibit->hashes, &exhibit->hash_count, sizeof *hash);
    if (!hash)
        return -ENOMEM;
    hash->algorithm = gather_text(s, 1);
    hash->hex = gather_text(s, 2);
    hash->source = gather_text(s, 3);
    hash->result = verification_of(db_text(s, 4));
    return hash->algorithm && hash->hex && hash->source ? 0 : -ENOMEM;
}

static int gather_exhibits(struct gather *gather)
{
    struct report_model *model = gather->model;
    static const char all[] = "SELECT * FROM exhibit ORDER BY id";
    model->exhibit_cut.query = all;
    int error = gather_number(gather, "SELECT count(*) FROM exhibit", &model->exhibit_cut.total);
    if (error == 0)
        error = gather_each(
            gather,
            "SELECT exhibit, path, type, name, details, unsupported, damage, failed, md5, sha1, sha256, id, "
            "size, sector_size, segments, verification FROM exhibit ORDER BY id LIMIT ?1",
            MODEL_EXHIBITS_MAX, exhibit_row, NULL);
    if (error == 0)
        error = gather_each(
            gather,
            "SELECT exhibit, algorithm, hex, source, result FROM t_image_hash ORDER BY exhibit, algorithm, "
            "source LIMIT ?1",
            MODEL_EXHIBITS_MAX * 8, hash_row, NULL);
    if (error == 0)
        error = gather_number(
            gather, "SELECT count(*) FROM exhibit WHERE type IS NOT NULL AND failed IS NULL", &model->opened);
    if (error == 0)
        error =
            gather_number(gather, "SELECT count(*) FROM exhibit WHERE failed IS NOT NULL", &model->unopened);
    if (error == 0)
        error = gather_number(gather, "SELECT count(*) FROM exhibit WHERE verification = 'match'",
                              &model->verified);
    if (error == 0)
        error = gather_number(gather, "SELECT count(*) FROM exhibit WHERE verification = 'mismatch'",
                              &model->mismatched);
    if (error == 0)
        error = gather_number(gather, "SELECT coalesce(sum(" BYTES("size") "), 0) FROM exhibit",
                              &model->total_size);
    return error;
}

/* ---- rows of the completeness table ---- */

static struct model_volume *add_volume(struct report_model *model, enum model_part part, uint64_t exhibit)
{
    struct model_volume *volume = gather_grow(&model->volumes, &model->volume_cut.count, sizeof *volume);
    if (volume) {
        volume->part = part;
        volume->exhibit = exhibit;
    }
    return volume;
}

static int volume_row(struct gather *gather, struct db_statement *s)
{
    uint64_t id = db_u64(s, 0);
    struct model_exhibit *exhibit = exhibit_by_id(gather->model, id);
    if (!exhibit)
        return 0;
    struct model_volume *volume = add_volume(gather->model, PART_VOLUME, id);
    if (!volume)
        return -ENOMEM;
    char **const texts[] = {&volume->key,     &volume->parent, &volume->table,
                            &volume->type,    &volume->label,  &volume->filesystem,
                            &volume->content, &volume->use,    &volume->time_note};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!(*texts[i] = gather_text(s, (int)i + 1)))
            return -ENOMEM;
    volume->offset = gather_known(s, 10, 0);
    volume->size = gather_known(s, 11, 0);
    return 0;
}

/* Overlap of the top-level parts, which come in order of their offset. */
static int extent_row(struct gather *gather, struct db_statement *s)
{
    struct model_exhibit *exhibit = exhibit_by_id(gather->model, db_u64(s, 0));
    if (!exhibit)
        return 0;
    exhibit->parts = db_u64(s, 1);
    exhibit->part_bytes = db_u64(s, 2);
    exhibit->overlap = db_i64(s, 3) != 0;
    return 0;
}

static const char volume_columns[] = "SELECT x.id, v.key, v.parent, v.partition_table, v.type, v.label, "
                                     "v.filesystem, v.content, v.use, v.time_note, v.offset, "
                                     "v.size FROM volume v JOIN exhibit x ON x.exhibit = v.exhibit ORDER BY "
                                     "x.id, v.offset, v.parent, v.key LIMIT ?1";

static const char extent_sql[] = "SELECT exhibit, count(*), sum(" BYTES(
    "size") "), max(coalesce(before > offset, 0)) FROM ("
            "SELECT exhibit, size, offset, max(offset + size) OVER (PARTITION BY exhibit ORDER BY offset, "
            "size "
            "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM "
            "(SELECT exhibit, " BYTES("size") " AS size, " BYTES(
                "offset") " AS offset FROM t_volume v WHERE parent = '' AND EXISTS (SELECT 1 FROM t_attempt "
                          "a WHERE a.id = v.found "
                          "AND a.expand IS NOT NULL))) GROUP BY exhibit"; /* those that a content is are no
                                                                             parts of the medium */

static int gather_volumes(struct gather *gather)
{
    struct report_model *model = gather->model;
    static const char all[] = "SELECT * FROM volume ORDER BY exhibit, offset";
    uint64_t volumes = 0;
    model->volume_cut.query = all;
    int error = gather_number(gather, "SELECT count(*) FROM volume", &volumes);
    if (error == 0)
        error = gather_each(gather, volume_columns, MODEL_VOLUMES_MAX, volume_row, NULL);
    if (error == 0)
        error = gather_each(gather, extent_sql, 0, extent_row, NULL);
    model->volume_cut.total = volumes;
    for (size_t i = 0; i < model->exhibit_cut.count && error == 0; i++)
        if (!add_volume(model, PART_MEDIUM, model->exhibits[i].id) ||
            !add_volume(model, PART_ELSEWHERE, model->exhibits[i].id))
            error = why_set(gather->why, -ENOMEM, "no memory");
    if (error == 0 && !add_volume(model, PART_TOTAL, UINT64_MAX))
        error = why_set(gather->why, -ENOMEM, "no memory");
    return error;
}

/* ---- counts ---- */

struct model_volume *media_volume(struct report_model *model, uint64_t exhibit, const char *volume,
                                  bool whole)
{
    struct model_volume *elsewhere = NULL;
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        struct model_volume *row = &model->volumes[i];
        if (row->exhibit != exhibit)
            continue;
        if (row->part == PART_VOLUME && !whole && *volume && !strcmp(row->key, volume))
            return row;
        if (row->part == (whole ? PART_MEDIUM : PART_ELSEWHERE))
            elsewhere = row;
    }
    return elsewhere;
}

/* Where something of this exhibit and volume counts. */
static struct model_counts *counts_of(struct report_model *model, uint64_t exhibit, const char *volume,
                                      bool whole)
{
    struct model_volume *row = media_volume(model, exhibit, volume, whole);
    return row ? &row->counts : NULL;
}

static int fault_row(struct gather *gather, struct db_statement *s)
{
    struct model_counts *counts = counts_of(gather->model, db_u64(s, 0), db_text(s, 1), db_i64(s, 2) != 0);
    uint64_t faults = db_u64(s, 3), limited = db_u64(s, 4);
    gather->model->total.faults += faults;
    gather->model->total.limited += limited;
    if (counts) {
        counts->faults += faults;
        counts->limited += limited;
    }
    return 0;
}

static const char fault_sql[] =
    "SELECT x.id, coalesce(nullif(f.volume, ''), p.volume, ''), coalesce(s.locator IN ('image', "
    "'file'), 0), count(*), "
    "count(DISTINCT CASE WHEN f.kind = 'limit' THEN f.stream END) "
    "FROM fault f JOIN exhibit x ON x.exhibit = f.exhibit LEFT JOIN t_stream s ON s.id = f.stream "
    "LEFT JOIN placed p ON p.id = f.stream GROUP BY 1, 2, 3";

static bool is_empty(const struct model_counts *counts)
{
    return counts->live + counts->deleted + counts->contents + counts->faults == 0;
}

/* Exhibits of folders and single files have no parts: what is in them counts for the exhibit itself. */
static void fold_elsewhere(struct model_counts *into, struct model_counts *from)
{
    into->live += from->live;
    into->deleted += from->deleted;
    into->contents += from->contents;
    into->whole += from->whole;
    into->partial += from->partial;
    into->failed += from->failed;
    into->pending += from->pending;
    into->read += from->read;
    into->unread += from->unread;
    into->limited += from->limited;
    into->faults += from->faults;
    *from = (struct model_counts){0};
}

static int compare_rows(const void *a, const void *b)
{
    static const int order[] = {[PART_MEDIUM] = 0, [PART_VOLUME] = 1, [PART_ELSEWHERE] = 2, [PART_TOTAL] = 3};
    const struct model_volume *x = a, *y = b;
    if (x->exhibit != y->exhibit)
        return x->exhibit < y->exhibit ? -1 : 1;
    if (x->part != y->part)
        return order[x->part] - order[y->part];
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->part == PART_VOLUME ? strcmp(x->key, y->key) : 0;
}

/* In the order to be read, without rows that say nothing; the medium and total rows get their sizes. */
static void arrange(struct report_model *model)
{
    size_t kept = 0;
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        struct model_volume *row = &model->volumes[i];
        struct model_exhibit *exhibit = exhibit_by_id(model, row->exhibit);
        if (row->part == PART_MEDIUM && exhibit) {
            row->size = exhibit->size;
            if (exhibit->parts == 0)
                fold_elsewhere(&row->counts, counts_of(model, row->exhibit, "", false));
        } else if (row->part == PART_TOTAL) {
            row->size = model->total_size;
            row->counts = model->total;
        }
        if (row->part == PART_ELSEWHERE && is_empty(&row->counts))
            continue;
        model->volumes[kept++] = *row;
    }
    size_t volumes = 0;
    for (size_t i = 0; i < kept; i++)
        volumes += model->volumes[i].part == PART_VOLUME;
    model->volume_cut.total += kept - volumes; /* volumes that are there, and the rows that we made */
    model->volume_cut.count = kept;
    qsort(model->volumes, kept, sizeof *model->volumes, compare_rows);
}

int gather_media(struct gather *gather)
{
    int error = gather_exhibits(gather);
    if (error == 0)
        error = gather_volumes(gather);
    if (error == 0)
        error = gather_contents(gather);
    if (error == 0)
        error = gather_each(gather, fault_sql, 0, fault_row, NULL);
    if (error == 0)
        error = gather_accounts(gather);
    if (error == 0)
        arrange(gather->model);
    return error;
}

void media_free(struct report_model *model)
{
    for (size_t i = 0; i < model->exhibit_cut.count; i++) {
        struct model_exhibit *exhibit = &model->exhibits[i];
        char *const texts[] = {exhibit->label,   exhibit->path,        exhibit->type,   exhibit->name,
                               exhibit->details, exhibit->unsupported, exhibit->damage, exhibit->failed,
                               exhibit->md5,     exhibit->sha1,        exhibit->sha256};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            free(texts[t]);
        for (size_t h = 0; h < exhibit->hash_count; h++) {
            free(exhibit->hashes[h].algorithm);
            free(exhibit->hashes[h].hex);
            free(exhibit->hashes[h].source);
        }
        free(exhibit->hashes);
    }
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        struct model_volume *volume = &model->volumes[i];
        char *const texts[] = {volume->key,     volume->parent, volume->table,
                               volume->type,    volume->label,  volume->filesystem,
                               volume->content, volume->use,    volume->time_note};
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            free(texts[t]);
    }
    free(model->exhibits);
    free(model->volumes);
}
