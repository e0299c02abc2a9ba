/* report_html_medium: completeness of every volume, and the exhibits with their verification. */
#include "cases/report/report_sections.h"

#include "cases/report/report_custody.h"
#include "cases/report/safe.h"

#include <string.h>

static const struct model_exhibit *exhibit_of(const struct report_model *model, uint64_t id)
{
    for (size_t i = 0; i < model->exhibit_cut.count; i++)
        if (model->exhibits[i].id == id)
            return &model->exhibits[i];
    return NULL;
}

/* ---- completeness ---- */

static void put_use(struct html *html, const struct model_volume *volume)
{
    if (*volume->filesystem) {
        html_text(html, volume->filesystem);
    } else if (*volume->content) {
        html_term(html, TERM_TYPE, volume->content);
    } else if (!strcmp(volume->use, "gap")) {
        html_label(html, LABEL_GAP);
    } else if (!strcmp(volume->use, "table")) {
        html_label(html, LABEL_TABLE_SECTORS);
    } else {
        html_label(html, LABEL_NO_FILE_SYSTEM);
    }
}

static void put_part(struct html *html, const struct report_model *model, const struct model_volume *volume)
{
    const struct model_exhibit *exhibit = exhibit_of(model, volume->exhibit);
    switch (volume->part) {
    case PART_MEDIUM:
        html_raw(html, "<tr class=\"sum\"><th scope=\"row\">");
        html_text(html, exhibit ? exhibit->label : "");
        html_raw(html, "</th><td>");
        html_label(html, exhibit && !strcmp(exhibit->type, "folder") ? LABEL_LOGICAL : LABEL_MEDIUM);
        break;
    case PART_VOLUME:
        html_raw(html, "<tr class=\"child\"><th scope=\"row\">");
        html_text(html, volume->key);
        html_raw(html, "</th><td>");
        put_use(html, volume);
        if (*volume->label) {
            html_raw(html, " <bdi>“");
            html_text(html, volume->label);
            html_raw(html, "”</bdi>");
        }
        break;
    case PART_ELSEWHERE:
        html_raw(html, "<tr class=\"child\"><th scope=\"row\">–</th><td>");
        html_label(html, LABEL_ELSEWHERE);
        break;
    case PART_TOTAL:
        html_raw(html, "<tr class=\"sum\"><th scope=\"row\">");
        html_label(html, LABEL_TOTAL);
        html_raw(html, "</th><td>");
        break;
    }
    html_raw(html, "</td>");
}

static void put_bad_number(struct html *html, uint64_t number)
{
    if (number == 0) {
        html_cell_number(html, 0);
        return;
    }
    html_raw(html, "<td class=\"n\"><strong class=\"warn\">▲ ");
    html_number(html, number);
    html_raw(html, "</strong></td>");
}

static void put_counts(struct html *html, const struct model_counts *counts)
{
    html_cell_number(html, counts->live);
    html_cell_number(html, counts->deleted);
    html_cell_number(html, counts->contents);
    html_cell_number(html, counts->whole);
    put_bad_number(html, counts->partial);
    put_bad_number(html, counts->failed);
    put_bad_number(html, counts->pending);
    put_bad_number(html, counts->limited);
    html_cell_number(html, counts->read);
    put_bad_number(html, counts->unread);
    put_bad_number(html, counts->faults);
}

static void put_sum(struct html *html, const struct model_exhibit *exhibit)
{
    struct buf parts = {0}, bytes = {0}, size = {0};
    if (exhibit->parts == 0 || exhibit->size == 0)
        return;
    safe_number(&parts, exhibit->parts);
    safe_number(&bytes, exhibit->part_bytes);
    safe_number(&size, exhibit->size);
    bool over = exhibit->overlap || exhibit->part_bytes > exhibit->size;
    if (over) {
        html_raw(html, "<p class=\"small warn\">▲ ");
        html_say(html, LABEL_SUM_OVER, exhibit->label, buf_cstr(&bytes), buf_cstr(&size));
    } else if (exhibit->part_bytes == exhibit->size) {
        html_raw(html, "<p class=\"small good\">✔ ");
        html_say(html, LABEL_SUM_OK, buf_cstr(&parts), exhibit->label, buf_cstr(&size));
    } else {
        html_raw(html, "<p class=\"small soft\">");
        html_say(html, LABEL_SUM_UNDER, exhibit->label, buf_cstr(&bytes), buf_cstr(&size));
    }
    html_raw(html, "</p>\n");
    buf_finish(&parts);
    buf_finish(&bytes);
    buf_finish(&size);
}

static bool is_divided(const struct report_model *model, uint64_t exhibit)
{
    for (size_t i = 0; i < model->volume_cut.count; i++)
        if (model->volumes[i].part == PART_MEDIUM && model->volumes[i].exhibit == exhibit)
            return model->volumes[i].account.known;
    return false;
}

void section_completeness(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {
        LABEL_EXHIBIT,
        LABEL_PART,
        LABEL_SIZE,
        LABEL_ENTRIES_LIVE,
        LABEL_ENTRIES_DELETED,
        LABEL_STREAMS,
        LABEL_STREAMS_WHOLE,
        LABEL_STREAMS_PARTIAL,
        LABEL_STREAMS_FAILED,
        LABEL_STREAMS_PENDING,
        LABEL_LIMITED,
        LABEL_BYTES_READ,
        LABEL_BYTES_UNREADABLE,
        LABEL_FAULTS_COLUMN,
    };
    section_text(html, LABEL_COMPLETENESS_TEXT);
    section_spared(html, model);
    section_table_open(html, heads, sizeof heads / sizeof *heads, 0x3ffc);
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        const struct model_volume *volume = &model->volumes[i];
        put_part(html, model, volume);
        if (volume->part == PART_ELSEWHERE)
            html_cell(html, "");
        else
            html_cell_size(html, volume->size);
        put_counts(html, &volume->counts);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->volume_cut);
    for (size_t i = 0; i < model->exhibit_cut.count; i++)
        if (!is_divided(model, model->exhibits[i].id)) /* then the division says it better */
            put_sum(html, &model->exhibits[i]);
    html_raw(html, "<p class=\"small soft\">");
    html_label(html, LABEL_COLUMN_NOTE);
    html_raw(html, "</p>\n");
    section_account(html, model);
}

/* ---- exhibits ---- */

static void put_hash(struct html *html, const char *algorithm, const char *hex)
{
    if (!*hex)
        return;
    html_raw(html, "<div><span class=\"soft\">");
    html_text(html, algorithm);
    html_raw(html, "</span> <span class=\"code\">");
    html_text(html, hex);
    html_raw(html, "</span></div>");
}

static void put_hashes(struct html *html, const struct model_exhibit *exhibit)
{
    section_pair_open(html, LABEL_HASH_COMPUTED);
    put_hash(html, "SHA-256", exhibit->sha256);
    put_hash(html, "SHA-1", exhibit->sha1);
    put_hash(html, "MD5", exhibit->md5);
    if (!*exhibit->sha256 && !*exhibit->sha1 && !*exhibit->md5)
        html_label(html, LABEL_HASH_NOT_COMPUTED);
    section_pair_close(html);
    section_pair_open(html, LABEL_HASH_STORED);
    if (exhibit->hash_count == 0)
        html_label(html, LABEL_HASH_NONE_STORED);
    for (size_t i = 0; i < exhibit->hash_count; i++) {
        const struct model_hash *hash = &exhibit->hashes[i];
        html_raw(html, "<div><span class=\"soft\">");
        html_text(html, hash->algorithm);
        html_raw(html, "</span> <span class=\"code\">");
        html_text(html, hash->hex);
        html_raw(html, "</span> <span class=\"soft\">(");
        html_term(html, TERM_SOURCE, hash->source);
        html_raw(html, ")</span> ");
        section_verified(html, hash->result,
                         hash->result == VERIFIED_MATCH      ? LABEL_MATCHES
                         : hash->result == VERIFIED_MISMATCH ? LABEL_DOES_NOT_MATCH
                                                             : LABEL_NOT_VERIFIED);
        html_raw(html, "</div>");
    }
    section_pair_close(html);
}

/* The parts as a strip, in proportion. Volumes inside others are left out. */
static void put_map(struct html *html, const struct report_model *model, const struct model_exhibit *exhibit)
{
    if (exhibit->parts < 2 || exhibit->size == 0 || exhibit->overlap || exhibit->part_bytes > exhibit->size)
        return;
    html_raw(html, "<div class=\"map\" aria-hidden=\"true\">");
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        const struct model_volume *volume = &model->volumes[i];
        if (volume->part != PART_VOLUME || volume->exhibit != exhibit->id || *volume->parent)
            continue;
        if (*volume->filesystem)
            html_raw(html, "<span class=\"fs\" style=\"width:");
        else if (!strcmp(volume->use, "gap"))
            html_raw(html, "<span class=\"gap\" style=\"width:");
        else if (!strcmp(volume->use, "table"))
            html_raw(html, "<span class=\"table\" style=\"width:");
        else
            html_raw(html, "<span class=\"raw\" style=\"width:");
        buf_printf(html->buf, "%.3f%%\">", 100.0 * (double)volume->size / (double)exhibit->size);
        html_text(html, volume->key);
        html_raw(html, " ");
        html_term(html, TERM_TYPE, *volume->filesystem ? volume->filesystem : volume->content);
        html_raw(html, "</span>");
    }
    html_raw(html, "</div>\n");
}

static void pair_text(struct html *html, enum report_label label, const char *text)
{
    if (!*text)
        return;
    section_pair_open(html, label);
    html_evidence(html, text);
    section_pair_close(html);
}

static void put_facts(struct html *html, const struct model_exhibit *exhibit)
{
    pair_text(html, LABEL_EVIDENCE_FILE, exhibit->name);
    pair_text(html, LABEL_EVIDENCE_PATH, exhibit->path);
    section_pair_open(html, LABEL_IMAGE_TYPE);
    html_term(html, TERM_TYPE, exhibit->type);
    if (exhibit->segments > 1) {
        html_raw(html, ", ");
        html_say_numbers(html, LABEL_SEGMENTS, exhibit->segments, 0);
    }
    if (exhibit->sector_size > 0) {
        html_raw(html, ", ");
        html_say_numbers(html, LABEL_SECTOR_SIZE, exhibit->sector_size, 0);
    }
    section_pair_close(html);
    if (exhibit->size > 0) {
        section_pair_open(html, LABEL_MEDIUM_SIZE);
        html_bytes(html, exhibit->size);
        section_pair_close(html);
    }
    pair_text(html, LABEL_DETAILS, exhibit->details);
    pair_text(html, LABEL_DAMAGE, exhibit->damage);
}

static void put_exhibit(struct html *html, const struct report_model *model,
                        const struct model_exhibit *exhibit)
{
    html_raw(html, "<div class=\"box\">\n<h3>");
    html_text(html, exhibit->label);
    html_raw(html, "</h3>\n<p>");
    if (*exhibit->failed) {
        html_raw(html, "<span class=\"tag bad\">✖ ");
        html_label(html, LABEL_NOT_OPENED);
        html_raw(html, "</span>: ");
        html_evidence(html, exhibit->failed);
    } else if (!exhibit->opened) {
        html_raw(html, "<span class=\"tag warn\">▲ ");
        html_label(html, LABEL_NOT_OPENED_YET);
        html_raw(html, "</span>");
    } else if (strcmp(exhibit->type, "folder") != 0) {
        section_verified(html, exhibit->verification, report_verification(exhibit->verification));
    }
    html_raw(html, "</p>\n");
    if (*exhibit->unsupported) {
        html_raw(html, "<p class=\"warn\">▲ ");
        html_say(html, LABEL_UNSUPPORTED_CONTAINER, exhibit->unsupported, NULL, NULL);
        html_raw(html, "</p>\n");
    }
    html_raw(html, "<dl class=\"pairs\">\n");
    put_facts(html, exhibit);
    if (exhibit->opened && strcmp(exhibit->type, "folder") != 0)
        put_hashes(html, exhibit);
    html_raw(html, "</dl>\n");
    put_map(html, model, exhibit);
    section_custody_of(html, model, exhibit->label);
    html_raw(html, "</div>\n");
}

void section_exhibits(struct html *html, const struct report_model *model)
{
    if (model->exhibit_cut.count == 0)
        section_text(html, LABEL_NONE);
    for (size_t i = 0; i < model->exhibit_cut.count; i++)
        put_exhibit(html, model, &model->exhibits[i]);
    if (model->exhibit_cut.total > model->exhibit_cut.count)
        section_table_close(html, &model->exhibit_cut);
}
