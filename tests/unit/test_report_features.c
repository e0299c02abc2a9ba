/* report_model_features: the most frequent values are those that the view histogram has. */
#include "cases/report/report_model.h"
#include "tests/unit/report_case.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Values of three exhibits in 30 kinds: some in one exhibit, some in all, ten and more a kind, and an empty one. */
static void add_values(struct casefile *cf)
{
    cr_assert_eq(db_exec(casefile_db(cf),
                         "WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1499) INSERT INTO t_value "
                         "SELECT printf('k%02d', i % 30), iif(i / 30 = 7, '', 'v' || (i / 30 * 7 % 50)), e.x, (i + e.y) % 3, "
                         "(i * 37 + e.y * 11) % 101, 1 + (i + e.y) % 9, NULL, NULL FROM n, (SELECT 'A' AS x, 0 AS y UNION ALL "
                         "SELECT 'AB', 1 UNION ALL SELECT 'C', 2) e WHERE i % 4 = 0 OR i % 4 = e.y"),
                 0, "%s", db_error(casefile_db(cf)));
}

/* The ten first of each kind, as SQL has them. */
static const char best_sql[] =
    "SELECT kind, value, rank, exhibit_list, count, contents, exhibits FROM (SELECT *, row_number() OVER (PARTITION BY kind "
    "ORDER BY exhibits DESC, count DESC, value) AS place FROM histogram) WHERE place <= 10 ORDER BY kind, place";

Test(report_features, values_are_added_up_over_exhibits_as_the_view_does)
{
    char base[] = "/tmp/kvali-report-XXXXXX", folder[64], command[64];
    struct casefile *cf = NULL;
    struct report_model *model = NULL;
    struct db_statement *s;
    struct why why = {{0}};
    size_t i = 0;
    cr_assert(mkdtemp(base));
    snprintf(folder, sizeof folder, "%s/case", base);
    report_case_make(folder, &(struct report_case){.files = 1, .plain = true});
    cr_assert_eq(casefile_open(folder, CASEFILE_WRITE, &cf, &why), 0, "%s", why.text);
    add_values(cf);
    cr_assert_eq(report_model_new(cf, 0, &model, &why), 0, "%s", why.text);
    cr_assert_eq(db_prepare(casefile_db(cf), best_sql, &s), 0, "%s", db_error(casefile_db(cf)));
    for (; db_step(s) == 1 && i < model->feature_cut.count; i++) {
        const struct model_feature *feature = &model->features[i];
        cr_expect_str_eq(feature->kind, db_text(s, 0));
        cr_expect_str_eq(feature->value, db_text(s, 1));
        cr_expect_str_eq(feature->rank, db_text(s, 2));
        cr_expect_str_eq(feature->exhibits, db_text(s, 3));
        cr_expect_eq(feature->count, db_u64(s, 4));
        cr_expect_eq(feature->contents, db_u64(s, 5));
        cr_expect_eq(feature->exhibit_count, db_u64(s, 6));
    }
    db_finalize(s);
    cr_assert_eq(i, 300u);
    cr_assert_eq(model->feature_cut.count, 300u);
    cr_assert_eq(model->feature_cut.total, 1125u);
    report_model_free(model);
    casefile_close(cf);
    snprintf(command, sizeof command, "rm -r %s", base);
    cr_assert_eq(system(command), 0);
}
