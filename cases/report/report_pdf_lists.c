/* report_pdf_lists: rule files on paper, each once, whatever the number of passes; keywords and features that
 * were found: how many, and the values that a checksum bears out. */
#include "cases/report/report_pdf.h"

#include "cases/report/safe.h"

#include <string.h>

/* A table of what a statement says, a row at a time. */
static int put_table(struct pdf_report *r, const char *sql, const struct pdf_column *columns, size_t count,
                     void (*fill)(struct pdf_report *r, struct pdf_cells *cells, struct db_statement *s))
{
    struct db_statement *s = NULL;
    struct pdf_cells cells = {0};
    int code = db_prepare(casefile_db(r->from->cf), sql, &s);
    if (code < 0)
        return code;
    pdf_table_begin(r->pdf, columns, count);
    while ((code = db_step(s)) == 1) {
        fill(r, &cells, s);
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    db_finalize(s);
    pdf_cells_finish(&cells);
    return code;
}

/* ------------------------------------------------------------------ rule files */

/* As in the list of the page: of a pass, its last run's. As many as the examiner gave: none is left out. */
static const char loaded_sql[] =
    "SELECT DISTINCT plugin, name, count, group_concat(pass, ', ') OVER one, problem, sha256 FROM (SELECT "
    "l.plugin, "
    "l.kind, l.name, l.count, l.problem, l.sha256, r.pass FROM run_loaded l JOIN run r ON r.id = l.run WHERE "
    "r.id IN "
    "(SELECT max(id) FROM run WHERE pass > 0 GROUP BY pass)) WINDOW one AS (PARTITION BY plugin, kind, name, "
    "sha256, "
    "problem, count ORDER BY pass ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) "
    "ORDER BY plugin, kind, name, min(pass) OVER one, sha256, problem, count";

static void fill_loaded(struct pdf_report *r, struct pdf_cells *cells, struct db_statement *s)
{
    const char *problem = db_text(s, 4);
    struct buf state = {0};
    pdf_cell_text(cells, 0, db_text(s, 0));
    pdf_cell_text(cells, 1, db_text(s, 1));
    pdf_cell_number(cells, 2, db_u64(s, 2));
    pdf_cell_text(cells, 3, db_text(s, 3));
    words_say(&state, r->from->lang, *problem ? LABEL_NOT_IN_USE : LABEL_IN_USE, problem, NULL, NULL);
    pdf_cell_text(cells, 4, buf_cstr(&state));
    pdf_cell_text(cells, 5, db_text(s, 5));
    buf_finish(&state);
}

int pdf_loaded(struct pdf_report *r)
{
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_PLUGIN), 0.10, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_NAME), 0.21, PDF_CODE, false},
                                         {pdf_word(r, LABEL_RULES_COUNT), 0.11, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_PASS), 0.10, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_STATE), 0.14, PDF_SMALL, false},
                                         {"SHA-256", 0.34, PDF_CODE, false}};
    pdf_subheading(r, LABEL_RULES);
    return put_table(r, loaded_sql, columns, 6, fill_loaded);
}

/* ------------------------------------------------------------------ keywords */

void pdf_keywords(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_KEYWORD_GROUP), 0.26, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_KEYWORD), 0.46, PDF_CODE, false},
                                         {pdf_word(r, LABEL_KEYWORD_HITS), 0.14, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_HITS), 0.14, PDF_SMALL, true}};
    struct pdf_cells cells = {0};
    pdf_subheading(r, LABEL_KEYWORDS);
    if (model->keyword_cut.total == 0) {
        pdf_label(r, PDF_TEXT, model->has_keywords ? LABEL_KEYWORDS_NONE : LABEL_KEYWORDS_NO_LIST);
        return;
    }
    pdf_label(r, PDF_TEXT, LABEL_KEYWORDS_PAPER);
    pdf_table_begin(r->pdf, columns, 4);
    for (size_t i = 0; i < model->keyword_cut.count; i++) {
        cells.texts[0] = model->keywords[i].group;
        cells.texts[1] = model->keywords[i].keyword;
        pdf_cell_number(&cells, 2, model->keywords[i].hits);
        pdf_cell_number(&cells, 3, model->keywords[i].contents);
        pdf_row(r->pdf, cells.texts);
    }
    pdf_table_end(r->pdf);
    pdf_cut(r, &model->keyword_cut);
    pdf_cells_finish(&cells);
}

/* ------------------------------------------------------------------ features */

static const char kinds_sql[] =
    "SELECT kind, count(*), sum(rank = 'checksum'), CAST(min(total(count), 9e18) AS INTEGER) "
    "FROM histogram GROUP BY kind ORDER BY kind";
static const char checked_sql[] =
    "SELECT kind, value, count, contents, exhibit_list FROM (SELECT kind, value, count, contents, "
    "exhibit_list, "
    "row_number() OVER (PARTITION BY kind ORDER BY exhibits DESC, count DESC, value) AS nth FROM histogram "
    "WHERE rank = 'checksum') WHERE nth <= 5 ORDER BY kind, nth";

static void fill_kind(struct pdf_report *r, struct pdf_cells *cells, struct db_statement *s)
{
    pdf_cell_term(r, cells, 0, TERM_FEATURE, db_text(s, 0));
    for (int i = 1; i < 4; i++)
        pdf_cell_number(cells, (size_t)i, db_u64(s, i));
}

static void fill_checked(struct pdf_report *r, struct pdf_cells *cells, struct db_statement *s)
{
    pdf_cell_term(r, cells, 0, TERM_FEATURE, db_text(s, 0));
    pdf_cell_text(cells, 1, db_text(s, 1));
    pdf_cell_number(cells, 2, db_u64(s, 2));
    pdf_cell_number(cells, 3, db_u64(s, 3));
    pdf_cell_text(cells, 4, db_text(s, 4));
}

int pdf_features(struct pdf_report *r)
{
    const struct pdf_column kinds[] = {{pdf_word(r, LABEL_FEATURE_KIND), 0.40, PDF_SMALL, false},
                                       {pdf_word(r, LABEL_FEATURE_VALUES), 0.22, PDF_SMALL, true},
                                       {pdf_word(r, LABEL_RANK_CHECKSUM), 0.20, PDF_SMALL, true},
                                       {pdf_word(r, LABEL_KEYWORD_HITS), 0.18, PDF_SMALL, true}};
    const struct pdf_column checked[] = {{pdf_word(r, LABEL_FEATURE_KIND), 0.22, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_FEATURE_VALUE), 0.38, PDF_CODE, false},
                                         {pdf_word(r, LABEL_KEYWORD_HITS), 0.11, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_FEATURE_CONTENTS), 0.11, PDF_SMALL, true},
                                         {pdf_word(r, LABEL_EXHIBIT), 0.18, PDF_SMALL, false}};
    pdf_subheading(r, LABEL_FEATURES);
    if (r->from->model->feature_cut.total == 0) {
        pdf_label(r, PDF_TEXT, LABEL_NONE);
        return 0;
    }
    pdf_label(r, PDF_TEXT, LABEL_FEATURES_PAPER);
    int code = put_table(r, kinds_sql, kinds, 4, fill_kind);
    return code == 0 ? put_table(r, checked_sql, checked, 5, fill_checked) : code;
}
