/* parts: see parts.h. */
#include "plugins/yara/parts.h"

#include "plugins/yara/lex.h"

static bool asks_for_names(const struct rule_source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        if (source->items[i].asks_for_names)
            return true;
    }
    return false;
}

/* Must its rules stay together? */
static bool is_one_piece(const struct rule_source *source)
{
    return !source->whole || source->global || source->wildcards;
}

static bool passes(const struct rule_gate *gate, unsigned which)
{
    return (!gate->mz || (which & CLASS_MZ) != 0) && (gate->most > LARGE || (which & CLASS_LARGE) == 0);
}

bool part_is_named(const struct rule_source *source, const struct rule_item *item)
{
    return is_one_piece(source) ? asks_for_names(source) || !source->whole : item->asks_for_names;
}

static bool belongs(const struct rule_source *source, const struct rule_item *item, unsigned part)
{
    if (part == PART_ALL || item->kind != ITEM_RULE)
        return true;
    if (part == PART_NAMED)
        return part_is_named(source, item);
    return is_one_piece(source) || passes(&item->gate, part);
}

/* What belongs to the part (1), and what such a rule uses (2). False when no rule belongs to it. */
bool part_choose(const struct rule_file *file, unsigned part, uint8_t *ret_keep)
{
    const struct rule_source *source = &file->source;
    bool any = false;

    for (size_t i = source->count; i-- > 0;) {
        const struct rule_item *item = &source->items[i];
        struct lex lex;
        size_t used;

        if (item->out)
            continue;
        if (belongs(source, item, part))
            ret_keep[i] = 1;
        if (ret_keep[i] == 0 || item->kind != ITEM_RULE)
            continue;
        any |= ret_keep[i] == 1;
        lex = rule_item_condition(item, file->text);
        while (rule_source_next_use(source, &lex, &used)) {
            if (ret_keep[used] == 0 && !source->items[used].out)
                ret_keep[used] = 2;
        }
    }
    return any || !source->whole;
}

/* Rules that do not belong become spaces, so that lines stay; those that are only used do not report. */
void part_write(const struct rule_file *file, const uint8_t *keep, struct buf *buf)
{
    size_t at = 0;

    for (size_t i = 0; i < file->source.count; i++) {
        const struct rule_item *item = &file->source.items[i];

        buf_append(buf, file->text + at, item->begin - at);
        if (keep[i] == 2)
            buf_text(buf, "private ");
        if (keep[i] != 0)
            buf_append(buf, file->text + item->begin, item->end - item->begin);
        for (size_t k = item->begin; keep[i] == 0 && k < item->end; k++) {
            if (file->text[k] == '\n')
                buf_u8(buf, '\n');
        }
        at = item->end;
    }
    buf_text(buf, file->text + at);
}
