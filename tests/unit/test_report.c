/* What a report says is right, bounded, and harmless whatever stands in the evidence. */
#include "cases/report/jpegsafe.h"
#include "cases/report/report.h"
#include "cases/report/report_formats.h"
#include "cases/report/safe.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"
#include "tests/unit/report_case.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1764009600000000000

static char folder[64];

static void make(const struct report_case *what)
{
    char base[] = "/tmp/kvali-report-XXXXXX";
    cr_assert(mkdtemp(base));
    snprintf(folder, sizeof folder, "%s/case", base);
    report_case_make(folder, what);
}

static void drop(void)
{
    char command[160];
    char *slash = strrchr(folder, '/');
    cr_assert(slash);
    *slash = 0;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

static struct casefile *open_case(enum casefile_mode mode)
{
    struct casefile *cf = NULL;
    struct why why = {{0}};
    cr_assert_eq(casefile_open(folder, mode, &cf, &why), 0, "%s", why.text);
    return cf;
}

static struct report_model *model_of(struct casefile *cf)
{
    struct report_model *model = NULL;
    struct why why = {{0}};
    cr_assert_eq(report_model_new(cf, NOW, &model, &why), 0, "%s", why.text);
    return model;
}

static void render(const char *format, enum report_lang lang, struct buf *buf)
{
    struct casefile *cf = open_case(CASEFILE_READ);
    struct why why = {{0}};
    cr_assert_eq(report_render(cf, report_format_find(format), lang, NOW, buf, &why), 0, "%s", why.text);
    casefile_close(cf);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

/* ---- the shape of the HTML ---- */

static const char *const known_tags[] = {
    "html", "head", "meta", "title", "style",  "body",  "header", "main", "footer", "nav", "section", "div",
    "p",    "h1",   "h2",   "h3",    "strong", "small", "span",   "bdi",  "code",   "br",  "a",       "ol",
    "li",   "dl",   "dt",   "dd",    "table",  "thead", "tbody",  "tr",   "th",     "td",  "img",
    "figure", "figcaption", "input", "label", NULL};

static bool is_known(const char *name, size_t size)
{
    for (size_t i = 0; known_tags[i]; i++)
        if (strlen(known_tags[i]) == size && !strncmp(known_tags[i], name, size))
            return true;
    return false;
}

/* One tag at `at`, just after its '<'; every attribute must be name="value". Returns what follows its '>'. */
struct nesting {
    const char *names[64];
    size_t sizes[64], depth;
};

static const char *check_tag(const char *at, struct nesting *open)
{
    bool closing = *at == '/';
    const char *name = at + closing;
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz123");
    cr_assert(is_known(name, size), "unknown tag <%.40s", at);
    const char *end = name + size;
    while (*end == ' ') {
        end += 1 + strspn(end + 1, "abcdefghijklmnopqrstuvwxyz-");
        cr_assert(!strncmp(end, "=\"", 2), "attribute without a quoted value: %.40s", end);
        end += 2;
        end += strcspn(end, "\"<>");
        cr_assert(*end == '"', "a value that does not end: %.40s", end);
        end++;
    }
    cr_assert(*end == '>', "tag does not end: %.60s", at);
    bool single = !strncmp(name, "meta", 4) || !strncmp(name, "br", 2) || !strncmp(name, "img", 3) ||
                  !strncmp(name, "input", 5);
    if (closing) {
        cr_assert(open->depth > 0);
        open->depth--;
        cr_assert(open->sizes[open->depth] == size && !strncmp(open->names[open->depth], name, size),
                  "</%.20s closes <%.20s", name, open->names[open->depth]);
    } else if (!single) {
        cr_assert(open->depth < 64);
        open->names[open->depth] = name;
        open->sizes[open->depth++] = size;
    }
    return end + 1;
}

/* Tags known, attributes quoted, nesting right, no stray '<' or '>', '&' only in references. */
static void check_html(const char *html)
{
    static const char doctype[] = "<!DOCTYPE html>";
    struct nesting open = {.depth = 0};
    cr_assert(!strncmp(html, doctype, strlen(doctype)));
    for (const char *at = html + strlen(doctype); *at;) {
        if (*at == '<') {
            bool style = !strncmp(at, "<style>", 7);
            at = check_tag(at + 1, &open);
            if (style)
                at = strstr(at, "</style>");
            cr_assert(at);
            continue;
        }
        cr_assert(*at != '>', "stray > near %.40s", at);
        if (*at == '&')
            cr_assert(!strncmp(at, "&amp;", 5) || !strncmp(at, "&lt;", 4) || !strncmp(at, "&gt;", 4) ||
                          !strncmp(at, "&quot;", 6) || !strncmp(at, "&#39;", 5),
                      "bare & near %.40s", at);
        at++;
    }
    cr_assert_eq(open.depth, 0);
}

static void check_harmless(const struct buf *buf, const char *text)
{
    cr_assert_eq(strlen(text), buf->size, "no NUL");
    cr_assert(text_is_utf8(buf->data, buf->size));
    for (size_t i = 0; i < buf->size; i++)
        cr_assert(buf->data[i] >= 0x20 || buf->data[i] == '\n', "control byte %02x at %zu", buf->data[i], i);
    static const char *const hidden[] = {"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9",
                                         "\xef\xbb\xbf", "\xe2\x80\x8b", "\x7f"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        cr_assert_null(strstr(text, hidden[i]), "invisible character %zu", i);
    static const char *const active[] = {"<script", "<iframe", "<object", "<svg", "<link", "<!--", "http:", "https:", "url("};
    for (size_t i = 0; i < sizeof active / sizeof *active; i++)
        cr_assert_null(strstr(text, active[i]), "%s", active[i]);
}

/* Pictures are data inside, of one type, and nothing else has a source. Returns how many. */
static size_t check_pictures(const char *html)
{
    static const char source[] = "<img alt=\"\" src=\"data:image/jpeg;base64,";
    size_t count = 0;
    for (const char *at = html; (at = strstr(at, "<img")); count++) {
        cr_assert(!strncmp(at, source, strlen(source)), "%.60s", at);
        at += strlen(source);
        at += strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");
        cr_assert(!strncmp(at, "\">", 2), "%.60s", at);
    }
    cr_assert_eq(count_of(html, "src=\""), count);
    return count;
}

Test(report, no_text_from_evidence_becomes_markup)
{
    make(&(struct report_case){.files = 40, .faults = 40, .name_size = 65536, .recovered = 40});
    for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++) {
        struct buf buf = {0};
        render("html", lang, &buf);
        const char *html = buf_cstr(&buf);
        check_harmless(&buf, html);
        cr_assert_eq(check_pictures(html), 24, "40, without the 10 that equal a file and the 6 others that are not ours");
        check_html(html);
        cr_assert_eq(count_of(html, "</style>"), 1);
        cr_assert_eq(count_of(html, "<title>"), 1);
        cr_assert(strstr(html, "&lt;img src=x onerror=alert(1)&gt;"), "it is shown, escaped");
        buf_finish(&buf);
    }
    drop();
}

Test(report, the_policy_comes_before_anything_that_it_governs)
{
    make(&(struct report_case){.files = 3});
    struct buf buf = {0};
    render("html", REPORT_EN, &buf);
    const char *html = buf_cstr(&buf);
    const char *policy = strstr(html, "Content-Security-Policy");
    cr_assert(policy);
    cr_assert(strstr(policy, "default-src 'none'"));
    cr_assert(strstr(policy, "img-src data:;"));
    cr_assert(policy < strstr(html, "<title>") && policy < strstr(html, "<style>"));
    for (const char *at = html; (at = strstr(at, "href=\"")); at += 6)
        cr_assert(at[6] == '#', "links stay inside");
    buf_finish(&buf);
    drop();
}

Test(report, numbers_add_up)
{
    make(&(struct report_case){.files = 60, .faults = 5, .pending = true});
    struct casefile *cf = open_case(CASEFILE_READ);
    struct report_model *model = model_of(cf);
    struct model_counts sum = {0};
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        const struct model_counts *counts = &model->volumes[i].counts;
        cr_assert_eq(counts->contents, counts->whole + counts->partial + counts->failed + counts->pending);
        if (model->volumes[i].part == PART_TOTAL) {
            cr_assert_eq(memcmp(counts, &model->total, sizeof sum), 0);
            continue;
        }
        sum.live += counts->live;
        sum.deleted += counts->deleted;
        sum.contents += counts->contents;
        sum.read += counts->read;
        sum.unread += counts->unread;
        sum.pending += counts->pending;
        sum.faults += counts->faults;
    }
    cr_assert_eq(sum.live, model->total.live);
    cr_assert_eq(sum.deleted, model->total.deleted);
    cr_assert_eq(sum.contents, model->total.contents);
    cr_assert_eq(sum.read, model->total.read);
    cr_assert_eq(sum.unread, model->total.unread);
    cr_assert_eq(sum.pending, model->total.pending);
    cr_assert_eq(sum.faults, model->total.faults);
    cr_assert_eq(sum.faults, model->fault_cut.total);
    cr_assert(model->total.pending > 0 && model->total.pending == model->pending_contents);
    cr_assert(model->total.deleted > 0 && model->total.partial > 0 && model->total.unread > 0 &&
              model->total.limited > 0);
    cr_assert_eq(report_model_verdict(model), VERDICT_PENDING);
    cr_assert_eq(model->exhibits[0].part_bytes, model->exhibits[0].size);
    cr_assert_eq(model->exhibits[0].overlap, false);
    cr_assert_str_eq(model->findings_digest, "", "nothing is said about findings that are not complete");
    report_model_free(model);
    casefile_close(cf);
    drop();
}

static const struct model_volume *row_of(const struct report_model *model, enum model_part part, const char *key)
{
    for (size_t i = 0; i < model->volume_cut.count; i++)
        if (model->volumes[i].part == part && (!key || !strcmp(model->volumes[i].key, key)))
            return &model->volumes[i];
    return NULL;
}

Test(report, every_byte_of_the_medium_is_accounted_for)
{
    make(&(struct report_case){.files = 3, .plain = true});
    struct casefile *cf = open_case(CASEFILE_READ);
    struct report_model *model = model_of(cf);
    const struct model_volume *medium = row_of(model, PART_MEDIUM, NULL), *volume = row_of(model, PART_VOLUME, "p2");
    struct buf buf = {0};
    cr_assert_eq(medium->account.bytes[ACCOUNT_SHARE], medium->size);
    cr_assert_eq(model_account_sum(&medium->account), medium->size);
    cr_assert_eq(model_account_sum(&volume->account), volume->size);
    cr_assert_eq(volume->account.bytes[ACCOUNT_FREE], 20U << 20);
    cr_assert_eq(row_of(model, PART_TOTAL, NULL)->account.bytes[ACCOUNT_RAW], 30U << 20);
    report_model_free(model);
    casefile_close(cf);
    render("html", REPORT_EN, &buf);
    cr_assert(strstr(buf_cstr(&buf), "Every byte of 2026-001/1 is accounted for"));
    buf_finish(&buf);
    drop();
}

static uint64_t number(struct casefile *cf, const char *sql)
{
    struct db_statement *s;
    cr_assert_eq(db_prepare(casefile_db(cf), sql, &s), 0);
    cr_assert_eq(db_step(s), 1);
    uint64_t value = db_u64(s, 0);
    db_finalize(s);
    return value;
}

Test(report, what_holds_one_repeated_byte_is_counted_in_ranges_and_in_slack)
{
    make(&(struct report_case){.files = 60, .plain = true});
    struct casefile *cf = open_case(CASEFILE_READ);
    struct report_model *model = model_of(cf);
    const struct model_account *total = &row_of(model, PART_TOTAL, NULL)->account,
                               *volume = &row_of(model, PART_VOLUME, "p2")->account;
#define READ "FROM t_stream WHERE status IN (1, 2) AND "
    cr_assert_eq(total->uniform, number(cf, "SELECT count(*) " READ "uniform IS NOT NULL"));
    cr_assert_eq(total->uniform_bytes, number(cf, "SELECT sum(size) " READ "uniform IS NOT NULL"));
    cr_assert_eq(total->slacks, number(cf, "SELECT count(*) " READ "slack > 0"));
    cr_assert_eq(total->slack_uniform, number(cf, "SELECT count(*) " READ "slack_uniform"));
    cr_assert_eq(total->slack_bytes, number(cf, "SELECT sum(slack) " READ "slack_uniform"));
    cr_assert(total->uniform && total->slack_uniform && total->slack_uniform < total->slacks);
    cr_assert_eq(volume->uniform_bytes, total->uniform_bytes, "they all lie in p2");
    report_model_free(model);
    casefile_close(cf);
    drop();
}

Test(report, what_is_not_accounted_for_is_told)
{
    make(&(struct report_case){.files = 3, .missing = 4711, .plain = true});
    struct buf buf = {0};
    render("html", REPORT_EN, &buf);
    cr_assert(strstr(buf_cstr(&buf), "4\u00a0711 bytes are not accounted for"));
    cr_assert_null(strstr(buf_cstr(&buf), "Every byte of"));
    buf_clear(&buf);
    render("json", REPORT_EN, &buf);
    cr_assert(strstr(buf_cstr(&buf), "\"unaccounted\":4711"));
    buf_finish(&buf);
    drop();
}

Test(report, what_was_recovered_is_counted_once)
{
    make(&(struct report_case){.files = 40, .recovered = 40, .plain = true});
    struct casefile *cf = open_case(CASEFILE_READ);
    struct report_model *model = model_of(cf);
    uint64_t count = 0, same = 0, inside = 0, reassembled = 0;
    cr_assert_eq(model->grade_cut.count, 4);
    cr_assert_str_eq(model->grades[0].grade, "validated");
    cr_assert_str_eq(model->grades[3].grade, "fragment");
    for (size_t i = 0; i < model->grade_cut.count; i++) {
        count += model->grades[i].count;
        same += model->grades[i].same;
        inside += model->grades[i].inside;
        reassembled += model->grades[i].reassembled;
    }
    cr_assert_eq(count, 40);
    cr_assert_eq(same, 10);
    cr_assert_eq(reassembled, 20);
    cr_assert_eq(model->carved_twice_cut.total, same + inside);
    cr_assert_eq(model->carved_cut.total, count - same - inside);
    cr_assert_eq(model->carved_cut.count, model->carved_cut.total);
    for (size_t i = 0; i < model->carved_cut.count; i++) {
        cr_assert(!*model->carved[i].same_as && !*model->carved[i].inside);
        cr_assert_neq(model->carved[i].offset, UINT64_MAX);
        for (size_t t = 0; t < model->carved_twice_cut.count; t++)
            cr_assert_str_neq(model->carved[i].path, model->carved_twice[t].path);
    }
    cr_assert_eq(model->picture_cut.total, 30);
    cr_assert_eq(model->pictures_same, 10);
    report_model_free(model);
    casefile_close(cf);
    drop();
}

Test(report, the_gallery_is_bounded_and_says_so)
{
    make(&(struct report_case){.files = 3, .recovered = 800, .plain = true});
    struct buf buf = {0};
    render("html", REPORT_EN, &buf);
    cr_assert_eq(check_pictures(buf_cstr(&buf)) + count_of(buf_cstr(&buf), "it is not shown."), 500);
    cr_assert(strstr(buf_cstr(&buf), "500 of 600"));
    cr_assert(strstr(buf_cstr(&buf), "FROM picture"));
    buf_finish(&buf);
    drop();
}

Test(report, only_a_picture_as_kvali_writes_them_is_shown)
{
    uint8_t data[1200] = {0};
    uint32_t width = 0, height = 0;
    size_t size = report_case_jpeg(data, 160, 120);
    cr_assert(jpegsafe(data, size, &width, &height));
    cr_assert_eq(width, 160);
    cr_assert_eq(height, 120);
    for (size_t cut = 0; cut < size; cut++)
        cr_assert_not(jpegsafe(data, cut, &width, &height), "cut at %zu", cut);
    cr_assert_not(jpegsafe(data, size + 1, &width, &height), "something behind the end");
    for (size_t at = 0; at < size; at++) { /* what is no marker, length or size of a picture may be anything */
        uint8_t kept = data[at];
        data[at] = 0xfe;
        (void)jpegsafe(data, size, &width, &height);
        data[at] = kept;
    }
    data[20] = 0xff, data[21] = 0xfe; /* a comment where the table was */
    cr_assert_not(jpegsafe(data, size, &width, &height));
    size = report_case_jpeg(data, 161, 120);
    cr_assert_not(jpegsafe(data, size, &width, &height));
    size = report_case_jpeg(data, 160, 0);
    cr_assert_not(jpegsafe(data, size, &width, &height));
}

Test(report, a_child_counts_with_its_volume)
{
    make(&(struct report_case){.files = 60, .plain = true});
    struct casefile *cf = open_case(CASEFILE_READ);
    struct report_model *model = model_of(cf);
    for (size_t i = 0; i < model->volume_cut.count; i++)
        cr_assert_neq(model->volumes[i].part, PART_ELSEWHERE, "nothing of this case lies elsewhere");
    report_model_free(model);
    casefile_close(cf);
    drop();
}

Test(report, verification_is_told)
{
    make(&(struct report_case){.files = 1, .plain = true});
    struct casefile *cf = open_case(CASEFILE_READ);
    struct report_model *model = model_of(cf);
    cr_assert_eq(model->exhibits[0].verification, VERIFIED_MATCH);
    cr_assert_eq(model->exhibits[0].hashes[0].result, VERIFIED_MATCH);
    cr_assert_eq(model->exhibits[1].verification, VERIFIED_UNCHECKED);
    cr_assert_eq(model->verified, 1);
    report_model_free(model);
    casefile_close(cf);
    drop();

    make(&(struct report_case){.files = 1, .plain = true, .mismatch = true});
    cf = open_case(CASEFILE_READ);
    model = model_of(cf);
    cr_assert_eq(model->exhibits[0].verification, VERIFIED_MISMATCH);
    cr_assert_eq(report_model_verdict(model), VERDICT_MISMATCH);
    report_model_free(model);
    casefile_close(cf);
    drop();
}

Test(report, a_large_case_gives_a_bounded_report_that_says_what_is_left_out)
{
    make(&(struct report_case){.files = 3000, .faults = 3000, .name_size = 65536});
    struct buf buf = {0};
    render("html", REPORT_EN, &buf);
    cr_assert_lt(buf.size, 3U << 20);
    cr_assert(strstr(buf_cstr(&buf), "500 of 3\u00a0"), "faults that are not shown are counted");
    cr_assert(strstr(buf_cstr(&buf), "SELECT * FROM fault"));
    buf_clear(&buf);
    render("json", REPORT_EN, &buf);
    cr_assert_lt(buf.size, 5U << 20);
    buf_finish(&buf);
    drop();
}

Test(report, json_says_the_same)
{
    make(&(struct report_case){.files = 30, .faults = 7, .name_size = 2000});
    struct buf buf = {0};
    render("json", REPORT_EN, &buf);
    cr_assert(text_is_utf8(buf.data, buf.size));
    json_error_t error;
    json_t *root = json_loads(buf_cstr(&buf), JSON_REJECT_DUPLICATES, &error);
    cr_assert(root, "%s", error.text);
    struct casefile *cf = open_case(CASEFILE_READ);
    struct report_model *model = model_of(cf);
    json_t *summary = json_object_get(root, "summary");
    cr_assert_eq(json_integer_value(json_object_get(summary, "contents")), (json_int_t)model->total.contents);
    cr_assert_eq(json_integer_value(json_object_get(summary, "faults")), (json_int_t)model->total.faults);
    cr_assert_eq(json_integer_value(json_object_get(json_object_get(root, "faults"), "total")),
                 (json_int_t)model->fault_cut.total);
    cr_assert_str_eq(json_string_value(json_object_get(json_object_get(root, "custody"), "findings_digest")),
                     model->findings_digest);
    json_decref(root);
    report_model_free(model);
    casefile_close(cf);
    buf_finish(&buf);
    drop();
}

Test(report, reports_are_numbered_recorded_and_never_overwritten)
{
    make(&(struct report_case){.files = 3});
    struct casefile *cf = open_case(CASEFILE_WRITE);
    const struct report_format *formats[] = {report_format_find("html"), report_format_find("json")};
    struct report_options options = {.formats = formats, .format_count = 2, .lang = REPORT_EN, .now = NOW};
    struct report_written first, second;
    struct why why = {{0}};
    uint64_t before = ledger_count(casefile_ledger(cf));
    cr_assert_eq(report_write(cf, &options, &first, &why), 0, "%s", why.text);
    cr_assert_eq(report_write(cf, &options, &second, &why), 0, "%s", why.text);
    cr_assert_eq(ledger_count(casefile_ledger(cf)), before + 8, "each page has two files of data beside it");
    cr_assert_eq(first.part_count, 2);
    casefile_close(cf);
    cr_assert(strstr(first.paths[0], "/reports/report-0001.html"));
    cr_assert(strstr(second.paths[1], "/reports/report-0002.json"));
    char hex[SHA256_HEX_SIZE];
    cr_assert_eq(hash_sha256_file(first.paths[0], hex), 0);
    cr_assert_str_eq(hex, first.sha256[0]);
    report_written_finish(&first);
    report_written_finish(&second);
    drop();
}

Test(report, a_report_that_cannot_be_written_leaves_nothing_and_no_record)
{
    make(&(struct report_case){.files = 1});
    char path[128];
    snprintf(path, sizeof path, "%s/reports", folder);
    rmdir(path);
    cr_assert_eq(symlink("/tmp", path), 0);
    struct casefile *cf = open_case(CASEFILE_WRITE);
    const struct report_format *formats[] = {report_format_find("html")};
    struct report_options options = {.formats = formats, .format_count = 1, .now = NOW};
    struct report_written written;
    struct why why = {{0}};
    uint64_t before = ledger_count(casefile_ledger(cf));
    cr_assert_lt(report_write(cf, &options, &written, &why), 0);
    cr_assert(strstr(why.text, "reports"));
    cr_assert_eq(written.count, 0);
    cr_assert_eq(ledger_count(casefile_ledger(cf)), before);
    casefile_close(cf);
    drop();
}

/* ---- labels and text ---- */

Test(report, every_label_has_english_and_the_same_places_in_every_language)
{
    for (enum report_label label = 0; label < REPORT_LABELS; label++)
        for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++) {
            const char *english = report_label(REPORT_EN, label), *text = report_label(lang, label);
            cr_assert(english && *english && text && *text);
            static const char *const places[] = {"{1}", "{2}", "{3}"};
            for (size_t i = 0; i < 3; i++)
                cr_assert_eq(count_of(text, places[i]), count_of(english, places[i]), "%s", text);
        }
}

Test(report, a_report_in_georgian_has_georgian_headings)
{
    make(&(struct report_case){.files = 1, .plain = true});
    struct buf buf = {0};
    render("html", REPORT_KA, &buf);
    cr_assert(strstr(buf_cstr(&buf), "<html lang=\"ka\">"));
    cr_assert(strstr(buf_cstr(&buf), "ციფრული ექსპერტიზის ანგარიში"));
    cr_assert_null(strstr(buf_cstr(&buf), "uppercase"),
                   "Georgian capitals are another alphabet that old fonts lack");
    buf_finish(&buf);
    drop();
}

Test(report, safe_text_escapes_once)
{
    struct buf once = {0}, twice = {0};
    for (size_t i = 0; report_hostile[i]; i++) {
        buf_clear(&once);
        buf_clear(&twice);
        safe_text(&once, report_hostile[i], strlen(report_hostile[i]));
        safe_text(&twice, once.data, once.size);
        cr_assert_eq(once.size, twice.size);
        cr_assert_eq(memcmp(once.data, twice.data, once.size), 0);
        cr_assert(text_is_utf8(once.data, once.size));
        cr_assert_str_eq(safe_view(&twice, report_hostile[i]), buf_cstr(&once));
    }
    cr_assert_str_eq(safe_view(&twice, "a\x7f"), "a\\x7f");
    cr_assert_eq(safe_view(&twice, report_hostile[0]), report_hostile[0], "what stays as it is is not copied");
    buf_finish(&once);
    buf_finish(&twice);
}

Test(report, a_long_text_is_cut_at_characters)
{
    struct buf text = {0}, cut = {0};
    for (size_t i = 0; i < 1000; i++)
        buf_text(&text, i % 3 ? "ქ" : "x");
    for (size_t max = 8; max < 64; max++) {
        buf_clear(&cut);
        cr_assert(safe_text_cut(&cut, text.data, text.size, max));
        cr_assert(text_is_utf8(cut.data, cut.size));
        cr_assert_leq(cut.size, max + 3);
    }
    buf_finish(&text);
    buf_finish(&cut);
}

Test(report, numbers_and_sizes_read_well)
{
    static const struct {
        uint64_t size;
        const char *text;
    } sizes[] = {{0, "0 bytes"},     {1, "1 byte"},           {1023, "1\u00a0023 bytes"},
                 {1024, "1 KiB"},    {1536, "1.5 KiB"},       {100 * 1024 + 512, "100 KiB"},
                 {1048576, "1 MiB"}, {UINT64_MAX, "15.9 EiB"}};
    struct buf buf = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        buf_clear(&buf);
        safe_size(&buf, sizes[i].size);
        cr_assert_str_eq(buf_cstr(&buf), sizes[i].text);
    }
    buf_clear(&buf);
    safe_number(&buf, UINT64_MAX);
    cr_assert_str_eq(buf_cstr(&buf), "18\u00a0446\u00a0744\u00a0073\u00a0709\u00a0551\u00a0615");
    buf_finish(&buf);
}
