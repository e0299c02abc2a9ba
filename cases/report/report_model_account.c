/* report_model_account: what the bytes of each part of a medium are, as the walk divided them, and what is one repeated
 * byte in it, which report_model_contents.c has counted. */
#include "cases/report/report_gather.h"

#include <string.h>

uint64_t model_account_sum(const struct model_account *account)
{
    uint64_t sum = 0;
    for (enum account_kind kind = ACCOUNT_SHARE + 1; kind < ACCOUNT_KINDS; kind++)
        sum += account->bytes[kind];
    return sum;
}

static int account_row(struct gather *gather, struct db_statement *s)
{
    struct model_volume *row = media_volume(gather->model, db_u64(s, 0), db_text(s, 1), false);
    uint64_t kind = db_u64(s, 2);
    if (!row || row->part != PART_VOLUME || kind >= ACCOUNT_KINDS)
        return 0;
    row->account.known = true;
    row->account.bytes[kind] += db_u64(s, 3);
    return 0;
}

static void add_bytes(struct model_account *to, const struct model_account *from)
{
    to->known = to->known || from->known;
    for (enum account_kind kind = 0; kind < ACCOUNT_KINDS; kind++)
        to->bytes[kind] += from->bytes[kind];
}

static void add_uniform(struct model_account *to, const struct model_account *from)
{
    to->uniform += from->uniform;
    to->uniform_bytes += from->uniform_bytes;
    to->slacks += from->slacks;
    to->slack_uniform += from->slack_uniform;
    to->slack_bytes += from->slack_bytes;
}

/* A volume of a medium inside of the exhibit's: its bytes are those of what it lies in, and its key begins
 * with that one's. */
static bool is_inside(const struct model_volume *volume)
{
    return volume->part == PART_VOLUME && strchr(volume->key, '!') != NULL;
}

/* The medium's row and the total's are sums of what lies in them. */
static void add_up(struct report_model *model)
{
    struct model_account total = {0};
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        const struct model_volume *row = &model->volumes[i];
        struct model_volume *medium = media_volume(model, row->exhibit, "", true);
        if (row->part != PART_VOLUME && row->part != PART_ELSEWHERE)
            continue;
        if (medium && !is_inside(row))
            add_bytes(&medium->account, &row->account);
        if (medium)
            add_uniform(&medium->account, &row->account);
    }
    for (size_t i = 0; i < model->volume_cut.count; i++) {
        if (model->volumes[i].part != PART_MEDIUM)
            continue;
        add_bytes(&total, &model->volumes[i].account);
        add_uniform(&total, &model->volumes[i].account);
    }
    for (size_t i = 0; i < model->volume_cut.count; i++)
        if (model->volumes[i].part == PART_TOTAL)
            model->volumes[i].account = total;
}

int gather_accounts(struct gather *gather)
{
    int error = gather_each(gather, "SELECT exhibit, volume, what, " BYTES("bytes") " FROM t_account", 0,
                            account_row, NULL);
    if (error == 0)
        add_up(gather->model);
    return error;
}
