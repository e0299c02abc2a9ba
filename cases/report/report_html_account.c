/* report_html_account: what every byte of a medium is, part by part, in sums that add up or say by how much
 * not. */
#include "cases/report/report_sections.h"

#include "cases/report/safe.h"

#include <string.h>

static const enum report_label kind_labels[ACCOUNT_KINDS] = {
    [ACCOUNT_SHARE] = LABEL_ACCOUNT_SHARE,     [ACCOUNT_LIVE] = LABEL_ACCOUNT_LIVE,
    [ACCOUNT_SLACK] = LABEL_ACCOUNT_SLACK,     [ACCOUNT_STRUCTURES] = LABEL_ACCOUNT_STRUCTURES,
    [ACCOUNT_DELETED] = LABEL_ACCOUNT_DELETED, [ACCOUNT_FREE] = LABEL_ACCOUNT_FREE,
    [ACCOUNT_OUTSIDE] = LABEL_ACCOUNT_OUTSIDE, [ACCOUNT_RAW] = LABEL_ACCOUNT_RAW,
    [ACCOUNT_TABLE] = LABEL_ACCOUNT_TABLE,     [ACCOUNT_ALLOCATED] = LABEL_ACCOUNT_ALLOCATED,
};

enum { ACCOUNT_HEADS_MAX = ACCOUNT_KINDS + 4 };

struct columns {
    enum account_kind kinds[ACCOUNT_KINDS]; /* those that any part has */
    size_t count;
};

static struct columns columns_of(const struct model_account *total)
{
    struct columns columns = {.count = 0};
    for (enum account_kind kind = 0; kind < ACCOUNT_KINDS; kind++)
        if (kind == ACCOUNT_SHARE || total->bytes[kind] > 0)
            columns.kinds[columns.count++] = kind;
    return columns;
}

static void put_head(struct html *html, const struct columns *columns)
{
    enum report_label heads[ACCOUNT_HEADS_MAX] = {LABEL_EXHIBIT};
    unsigned numbers = 0;
    size_t count = 1;
    for (size_t i = 0; i < columns->count; i++) {
        numbers |= 1U << count;
        heads[count++] = kind_labels[columns->kinds[i]];
    }
    numbers |= 1U << count;
    heads[count++] = LABEL_ACCOUNT_REST;
    numbers |= 1U << count;
    heads[count++] = LABEL_ACCOUNT_UNIFORM;
    section_table_open(html, heads, count, numbers);
}

static void put_difference(struct html *html, uint64_t want, uint64_t have)
{
    if (want == have) {
        html_raw(html, "<td class=\"n\"><span class=\"good\">✔ 0</span></td>");
        return;
    }
    html_raw(html, "<td class=\"n\"><strong class=\"warn\">▲ ");
    if (have > want)
        html_raw(html, "−");
    html_number(html, have > want ? have - want : want - have);
    html_raw(html, "</strong></td>");
}

static void put_name(struct html *html, const struct report_model *model, const struct model_volume *volume)
{
    if (volume->part == PART_VOLUME)
        html_raw(html, "<tr class=\"child\"><th scope=\"row\">");
    else
        html_raw(html, "<tr class=\"sum\"><th scope=\"row\">");
    if (volume->part == PART_VOLUME)
        html_text(html, volume->key);
    else if (volume->part == PART_TOTAL)
        html_label(html, LABEL_TOTAL);
    for (size_t i = 0; volume->part == PART_MEDIUM && i < model->exhibit_cut.count; i++)
        if (model->exhibits[i].id == volume->exhibit)
            html_text(html, model->exhibits[i].label);
    html_raw(html, "</th>");
}

static void put_row(struct html *html, const struct report_model *model, const struct model_volume *volume,
                    const struct columns *columns)
{
    put_name(html, model, volume);
    for (size_t i = 0; i < columns->count; i++)
        html_cell_number(html, volume->account.bytes[columns->kinds[i]]);
    put_difference(html, volume->account.bytes[ACCOUNT_SHARE], model_account_sum(&volume->account));
    html_cell_number(html, volume->account.uniform_bytes + volume->account.slack_bytes);
    html_raw(html, "</tr>\n");
}

/* Do the shares of an exhibit's parts add up to its medium? */
static void put_medium(struct html *html, const struct model_exhibit *exhibit,
                       const struct model_volume *medium)
{
    uint64_t share = medium->account.bytes[ACCOUNT_SHARE], sum = model_account_sum(&medium->account);
    struct buf size = {0}, rest = {0};
    safe_number(&size, exhibit->size);
    if (share == exhibit->size && sum == share) {
        html_raw(html, "<p class=\"small good\">✔ ");
        html_say(html, LABEL_ACCOUNT_OK, exhibit->label, buf_cstr(&size), NULL);
    } else {
        uint64_t off = sum > exhibit->size ? sum - exhibit->size : exhibit->size - sum;
        safe_number(&rest, off);
        html_raw(html, "<p class=\"small warn\">▲ ");
        html_say(html, sum > exhibit->size ? LABEL_ACCOUNT_OVER : LABEL_ACCOUNT_UNDER, exhibit->label,
                 buf_cstr(&size), buf_cstr(&rest));
    }
    html_raw(html, "</p>\n");
    buf_finish(&size);
    buf_finish(&rest);
}

static void put_uniform_text(struct html *html, const struct model_account *total)
{
    if (total->uniform > 0) {
        html_raw(html, "<p class=\"small soft\">");
        html_say_numbers(html, LABEL_UNIFORM_RANGES, total->uniform, total->uniform_bytes);
        html_raw(html, "</p>\n");
    }
    if (total->slacks > 0) {
        struct buf all = {0}, same = {0}, bytes = {0};
        safe_number(&all, total->slacks);
        safe_number(&same, total->slack_uniform);
        safe_number(&bytes, total->slack_bytes);
        html_raw(html, "<p class=\"small soft\">");
        html_say(html, LABEL_UNIFORM_SLACK, buf_cstr(&all), buf_cstr(&same), buf_cstr(&bytes));
        html_raw(html, "</p>\n");
        buf_finish(&all);
        buf_finish(&same);
        buf_finish(&bytes);
    }
}

void section_account(struct html *html, const struct report_model *model)
{
    const struct model_account *total = NULL;
    for (size_t i = 0; i < model->volume_cut.count; i++)
        if (model->volumes[i].part == PART_TOTAL)
            total = &model->volumes[i].account;
    if (!total || !total->known)
        return;
    struct columns columns = columns_of(total);
    html_raw(html, "<h3>");
    html_label(html, LABEL_ACCOUNT);
    html_raw(html, "</h3>\n");
    section_text(html, LABEL_ACCOUNT_TEXT);
    put_head(html, &columns);
    for (size_t i = 0; i < model->volume_cut.count; i++)
        if (model->volumes[i].account.known)
            put_row(html, model, &model->volumes[i], &columns);
    section_table_close(html, NULL);
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        const struct model_volume *volume = &model->volumes[i];
        for (size_t e = 0;
             volume->part == PART_MEDIUM && volume->account.known && e < model->exhibit_cut.count; e++)
            if (model->exhibits[e].id == volume->exhibit)
                put_medium(html, &model->exhibits[e], volume);
    }
    put_uniform_text(html, total);
}
