/* report_html_recovered: what was recovered by its structure, what became of deleted files' blocks, and
 * pictures of both. */
#include "cases/report/report_sections.h"

#include "cases/report/report_words.h"

#include <string.h>

static void put_grade(struct html *html, const char *grade)
{
    const struct words_grade *known = words_grade(grade);
    if (known)
        html_label(html, known->label);
    else
        html_text(html, grade);
}

static void put_grades(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_GRADE,        LABEL_MEANING,    LABEL_COUNT,
                                              LABEL_BYTES,        LABEL_ALONE,      LABEL_SAME_AS_FILE,
                                              LABEL_INSIDE_OTHER, LABEL_REASSEMBLED};
    section_table_open(html, heads, 8, 0xfc);
    for (size_t i = 0; i < model->grade_cut.count; i++) {
        const struct model_grade *grade = &model->grades[i];
        html_raw(html, "<tr><td><strong>");
        put_grade(html, grade->grade);
        html_raw(html, "</strong></td><td class=\"wide\">");
        if (words_grade(grade->grade))
            html_label(html, words_grade(grade->grade)->meaning);
        html_raw(html, "</td>");
        html_cell_number(html, grade->count);
        html_cell_size(html, grade->bytes);
        html_cell_number(html, grade->count - grade->same - grade->inside);
        html_cell_number(html, grade->same);
        html_cell_number(html, grade->inside);
        html_cell_number(html, grade->reassembled);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->grade_cut);
}

static void put_hash(struct html *html, const char *sha256)
{
    html_raw(html, "<span class=\"code\">");
    html_text(html, sha256);
    html_raw(html, "</span>");
}

/* Path, and below it what the object calls itself, what it lacks, and its hash. */
static void put_object(struct html *html, const struct model_carved *carved)
{
    html_raw(html, "<td class=\"path\">");
    html_evidence(html, carved->path);
    if (*carved->title) {
        html_raw(html, "<br>“");
        html_evidence(html, carved->title);
        html_raw(html, "”");
    }
    if (*carved->lacks) {
        html_raw(html, "<br><span class=\"warn small\">▲ ");
        html_text(html, carved->lacks);
        html_raw(html, "</span>");
    }
    if (*carved->sha256) {
        html_raw(html, "<br><span class=\"soft small\">SHA-256 ");
        put_hash(html, carved->sha256);
        html_raw(html, "</span>");
    }
    html_raw(html, "</td>");
}

static void put_carved(struct html *html, const struct model_carved *carved)
{
    html_raw(html, "<tr><td>");
    put_grade(html, carved->grade);
    if (carved->pieces > 1) {
        html_raw(html, "<br><span class=\"warn small\">▲ ");
        html_say_numbers(html, LABEL_PIECES, carved->pieces, 0);
        html_raw(html, "</span>");
    }
    html_raw(html, "</td>");
    html_cell(html, carved->exhibit);
    html_cell_term(html, TERM_FORMAT, carved->format);
    put_object(html, carved);
    if (carved->offset == UINT64_MAX)
        html_cell(html, "");
    else
        html_cell_number(html, carved->offset);
    html_cell_size(html, carved->size);
}

static void put_alone(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_GRADE, LABEL_EXHIBIT, LABEL_FORMAT,
                                              LABEL_PATH,  LABEL_OFFSET,  LABEL_SIZE};
    if (model->carved_cut.total == 0)
        return;
    html_raw(html, "<h3>");
    html_label(html, LABEL_RECOVERED_LIST);
    html_raw(html, "</h3>\n");
    section_table_open(html, heads, 6, 1U << 4 | 1U << 5);
    for (size_t i = 0; i < model->carved_cut.count; i++) {
        put_carved(html, &model->carved[i]);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->carved_cut);
}

static void put_twice(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_GRADE,  LABEL_EXHIBIT, LABEL_FORMAT, LABEL_PATH,
                                              LABEL_OFFSET, LABEL_SIZE,    LABEL_WHAT};
    if (model->carved_twice_cut.total == 0)
        return;
    html_raw(html, "<h3>");
    html_label(html, LABEL_RECOVERED_TWICE);
    html_raw(html, "</h3>\n");
    section_text(html, LABEL_RECOVERED_TWICE_TEXT);
    section_table_open(html, heads, 7, 1U << 4 | 1U << 5);
    for (size_t i = 0; i < model->carved_twice_cut.count; i++) {
        const struct model_carved *carved = &model->carved_twice[i];
        put_carved(html, carved);
        html_raw(html, "<td class=\"path\">");
        html_label(html, *carved->same_as ? LABEL_SAME_AS_FILE : LABEL_INSIDE_OTHER);
        html_raw(html, "<br>");
        html_evidence(html, *carved->same_as ? carved->same_as : carved->inside);
        html_raw(html, "</td></tr>\n");
    }
    section_table_close(html, &model->carved_twice_cut);
}

/* ---- deleted files ---- */

static const enum report_label block_labels[BLOCKS_STATES] = {[BLOCKS_FREE] = LABEL_BLOCKS_FREE,
                                                              [BLOCKS_PARTLY] = LABEL_BLOCKS_PARTLY,
                                                              [BLOCKS_OVERWRITTEN] =
                                                                  LABEL_BLOCKS_OVERWRITTEN};

static void put_block_counts(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_BLOCKS, LABEL_COUNT};
    section_table_open(html, heads, 2, 1U << 1);
    for (size_t i = 0; i <= BLOCKS_STATES; i++) {
        html_raw(html, "<tr><td>");
        html_label(html, i < BLOCKS_STATES ? block_labels[i] : LABEL_BLOCKS_NONE);
        html_raw(html, "</td>");
        html_cell_number(html, i < BLOCKS_STATES ? model->blocks[i] : model->blocks_none);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, NULL);
}

static void put_deleted(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_EXHIBIT, LABEL_PATH,        LABEL_BLOCKS,
                                              LABEL_BYTES,   LABEL_OVERWRITTEN, LABEL_OWNER};
    html_raw(html, "<h3>");
    html_label(html, LABEL_DELETED_FILES);
    html_raw(html, "</h3>\n");
    section_text(html, LABEL_DELETED_TEXT);
    put_block_counts(html, model);
    if (model->deleted_cut.total == 0)
        return;
    section_table_open(html, heads, 6, 1U << 3 | 1U << 4);
    for (size_t i = 0; i < model->deleted_cut.count; i++) {
        const struct model_deleted *deleted = &model->deleted[i];
        html_raw(html, "<tr>");
        html_cell(html, deleted->exhibit);
        html_cell_evidence(html, deleted->path);
        html_raw(html, "<td>");
        html_label(html, block_labels[deleted->blocks]);
        html_raw(html, "</td>");
        html_cell_number(html, deleted->bytes);
        html_cell_number(html, deleted->overwritten);
        html_raw(html, "<td class=\"path\">");
        html_evidence(html, deleted->owner);
        if (deleted->owners > 1) {
            html_raw(html, "<br><span class=\"soft small\">");
            html_say_numbers(html, LABEL_OWNERS, deleted->owners - 1, 0);
            html_raw(html, "</span>");
        }
        html_raw(html, "</td></tr>\n");
    }
    section_table_close(html, &model->deleted_cut);
}

void section_recovered(struct html *html, const struct report_model *model)
{
    if (!model->has_carve && model->grade_cut.total == 0) {
        html_raw(html, "<p class=\"warn\">▲ ");
        html_label(html, LABEL_NO_CARVE);
        html_raw(html, "</p>\n");
    } else if (model->grade_cut.total == 0) {
        section_text(html, LABEL_RECOVERED_NONE);
    } else {
        section_text(html, LABEL_RECOVERED_TEXT);
        put_grades(html, model);
        put_alone(html, model);
        put_twice(html, model);
    }
    put_deleted(html, model);
}

/* ---- gallery ---- */

static void put_image(struct html *html, const struct model_picture *picture)
{
    if (!picture->jpeg) {
        html_raw(html, "<p class=\"soft small\">▲ ");
        html_label(html, LABEL_PICTURE_REFUSED);
        html_raw(html, "</p>");
        return;
    }
    html_raw(html, "<img alt=\"\" src=\"data:image/jpeg;base64,");
    html_base64(html, picture->jpeg, picture->jpeg_size);
    html_raw(html, "\">");
}

static void put_picture(struct html *html, const struct model_picture *picture)
{
    html_raw(html, "<figure><div class=\"frame\">");
    put_image(html, picture);
    html_raw(html, "</div><figcaption><strong>");
    if (*picture->grade)
        put_grade(html, picture->grade);
    else
        html_label(html, LABEL_DELETED_FILE);
    html_raw(html, "</strong> <span class=\"soft\">");
    html_number(html, picture->width);
    html_raw(html, " × ");
    html_number(html, picture->height);
    html_raw(html, "</span>");
    if (picture->damaged) {
        html_raw(html, " <span class=\"warn\">▲ ");
        html_label(html, LABEL_PICTURE_DAMAGED);
        html_raw(html, "</span>");
    }
    html_raw(html, "<br>");
    html_text(html, picture->exhibit);
    html_raw(html, " ");
    html_evidence(html, picture->path);
    html_raw(html, "<br><span class=\"soft\">");
    put_hash(html, picture->sha256);
    html_raw(html, "</span></figcaption></figure>\n");
}

void section_gallery(struct html *html, const struct report_model *model)
{
    if (!model->has_thumbnails && model->picture_cut.total == 0) {
        html_raw(html, "<p class=\"warn\">▲ ");
        html_label(html, LABEL_NO_THUMBNAILS);
        html_raw(html, "</p>\n");
        return;
    }
    section_text(html, model->picture_cut.total > 0 ? LABEL_GALLERY_TEXT : LABEL_GALLERY_NONE);
    if (model->pictures_same > 0) {
        html_raw(html, "<p>");
        html_say_numbers(html, LABEL_GALLERY_SAME, model->pictures_same, 0);
        html_raw(html, "</p>\n");
    }
    if (model->picture_cut.total == 0)
        return;
    html_raw(html, "<div class=\"gallery\">\n");
    for (size_t i = 0; i < model->picture_cut.count; i++)
        put_picture(html, &model->pictures[i]);
    html_raw(html, "</div>\n");
    section_more(html, &model->picture_cut);
}
