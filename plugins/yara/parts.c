/* parts: see parts.h. */
#include "plugins/yara/parts.h"

#include "plugins/yara/lex.h"
#include "plugins/yara/withoutpe.h"

#include <string.h>

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

bool part_is_free(const struct rule_source *source)
{
    return !is_one_piece(source);
}

bool part_is_named(const struct rule_source *source, const struct rule_item *item)
{
    return is_one_piece(source) ? asks_for_names(source) || !source->whole : item->asks_for_names;
}

static bool belongs(const struct rule_source *source, const struct rule_item *item, enum rule_part part)
{
    if (part == PART_ALL || item->kind == ITEM_INCLUDE || !source->whole)
        return true;
    if (item->kind == ITEM_IMPORT)
        return false; /* until a rule uses it */
    return is_one_piece(source) || item->always;
}

static bool same(const struct rule_item *import, const struct lex *word)
{
    return import->kind == ITEM_IMPORT && import->name_size == word->size &&
           memcmp(import->name, word->begin, word->size) == 0;
}

/* The imports that rules which are kept may use: a module takes its time with every scan. */
static void keep_imports(const struct rule_file *file, bool pe, uint8_t *keep)
{
    const struct rule_source *source = &file->source;

    for (size_t i = 0; i < source->count; i++) {
        struct lex lex = rule_item_condition(&source->items[i], file->text);
        bool without;

        if (keep[i] == 0 || source->items[i].kind != ITEM_RULE)
            continue;
        without = !pe && !withoutpe_write(NULL, lex.at, (size_t)(lex.end - lex.at));
        while (lex_next(&lex)) {
            for (size_t k = 0; k < source->count && !(without && lex_is(&lex, "pe")); k++)
                keep[k] |= !source->items[k].out && same(&source->items[k], &lex);
        }
    }
}

/* What rules that are kept use. Rules use only what stands before them. */
static void keep_used(const struct rule_file *file, uint8_t *keep)
{
    const struct rule_source *source = &file->source;

    for (size_t i = source->count; i-- > 0;) {
        const struct rule_item *item = &source->items[i];
        struct lex lex;
        size_t used;

        if (item->out || keep[i] == 0 || item->kind != ITEM_RULE)
            continue;
        lex = rule_item_condition(item, file->text);
        while (rule_source_next_use(source, &lex, &used)) {
            if (keep[used] == 0 && !source->items[used].out)
                keep[used] = 2;
        }
    }
}

void part_complete(const struct rule_file *file, bool pe, uint8_t *keep)
{
    for (size_t i = 0; i < file->source.count; i++)
        keep[i] |= !file->source.items[i].out && file->source.items[i].kind == ITEM_INCLUDE;
    keep_used(file, keep);
    keep_imports(file, pe, keep);
}

bool part_choose(const struct rule_file *file, enum rule_part part, bool pe, uint8_t *ret_keep)
{
    const struct rule_source *source = &file->source;
    bool any = false;

    for (size_t i = 0; i < source->count; i++) {
        const struct rule_item *item = &source->items[i];

        if (item->out || !belongs(source, item, part))
            continue;
        ret_keep[i] = 1;
        any |= item->kind == ITEM_RULE;
    }
    part_complete(file, pe, ret_keep);
    return any || !source->whole;
}

static void write_rule(const struct rule_file *file, const struct rule_item *item, bool pe, struct buf *buf)
{
    struct lex condition = rule_item_condition(item, file->text);

    if (pe || item->kind != ITEM_RULE) {
        buf_append(buf, file->text + item->begin, item->end - item->begin);
        return;
    }
    buf_append(buf, file->text + item->begin, item->condition - item->begin);
    (void)withoutpe_write(buf, condition.at, (size_t)(condition.end - condition.at));
    buf_text(buf, "}");
}

void part_write(const struct rule_file *file, const uint8_t *keep, bool pe, struct buf *buf)
{
    size_t at = 0;

    for (size_t i = 0; i < file->source.count; i++) {
        const struct rule_item *item = &file->source.items[i];

        buf_append(buf, file->text + at, item->begin - at);
        if (keep[i] == 2)
            buf_text(buf, "private ");
        if (keep[i] != 0)
            write_rule(file, item, pe, buf);
        for (size_t k = item->begin; keep[i] == 0 && k < item->end; k++) {
            if (file->text[k] == '\n')
                buf_u8(buf, '\n');
        }
        at = item->end;
    }
    buf_text(buf, file->text + at);
}
