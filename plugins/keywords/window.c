/*
 * window: see window.h.
 */
#include "plugins/keywords/window.h"

#include "plugins/keywords/gate.h"

#include <errno.h>
#include <string.h>

enum {
    WORTH = 8,         /* a place less to look at, against rarer bytes */
    SIX_VARIANTS = 16, /* with more four bytes are better than six */
};

const size_t piece_bytes[PIECE_SIZES] = {2, 3, 4, 6, 8};

/* Every variant with every form behind it, folded; false when they are too many. */
static bool extend(struct variants *variants, const struct form *forms, size_t count)
{
    size_t before = variants->count;

    if (count == 0 || before * count > VARIANTS_MAX)
        return false;
    for (size_t f = count; f-- > 0;) {
        for (size_t v = 0; v < before; v++) {
            size_t to = f * before + v;

            memmove(variants->data[to], variants->data[v], sizeof variants->data[v]);
            variants->size[to] = variants->size[v];
            if (variants->size[to] + forms[f].size > sizeof variants->data[to])
                return false;
            memcpy(variants->data[to] + variants->size[to], forms[f].data, forms[f].size);
            variants->size[to] = (uint8_t)(variants->size[to] + forms[f].size);
        }
    }
    variants->count = before * count;
    return true;
}

/* The forms with bit 5 left out, none twice. */
static size_t folded_forms(const struct writing *writing, const struct node *node, struct form ret[FORMS_MAX])
{
    struct form forms[FORMS_MAX];
    size_t count = writing_forms(writing, node->code, node->fold, forms), kept = 0;

    for (size_t i = 0; i < count; i++) {
        bool twice = false;

        for (size_t j = 0; j < forms[i].size; j++)
            forms[i].data[j] &= 0xdf;
        for (size_t j = 0; j < kept && !twice; j++)
            twice = ret[j].size == forms[i].size && memcmp(ret[j].data, forms[i].data, forms[i].size) == 0;
        if (!twice)
            ret[kept++] = forms[i];
    }
    return kept;
}

/* The score of a window: how rare its bytes are in their first form, less for each doubling of its variants.
 */
static bool judge(const struct program *program, const struct writing *writing, struct window *window,
                  size_t bytes)
{
    size_t variants = 1, size = 0, most = window->size == PIECE_SIX ? SIX_VARIANTS : VARIANTS_MAX;
    uint32_t index = window->first;
    uint8_t first[GATE_BYTES] = {0};
    int score = 0;

    window->characters = 0;
    for (; index != 0 && program->nodes[index].kind == NODE_CHAR && size < bytes + window->skip;
         index = program->nodes[index].next) {
        struct form forms[FORMS_MAX];
        size_t count = folded_forms(writing, &program->nodes[index], forms), shortest = FORM_SIZE;

        variants *= count;
        for (size_t i = 0; i < count; i++)
            shortest = forms[i].size < shortest ? forms[i].size : shortest;
        if (count == 0 || variants > most)
            return false;
        for (size_t i = 0; i < forms[count - 1].size; i++, size++) {
            if (size < window->skip || size >= bytes + window->skip)
                continue;
            score += (int)gate_rarity(forms[count - 1].data[i]);
            if (size - window->skip < GATE_BYTES)
                first[size - window->skip] = forms[count - 1].data[i];
        }
        size -= forms[count - 1].size - shortest;
        window->characters++;
    }
    for (; variants > 1; variants /= 2)
        score -= 3;
    window->score = score + WORTH * (int)gate_worth(first);
    return size >= bytes + window->skip;
}

/* The best window of this size; true when there is one. */
static bool choose(const struct program *program, const struct writing *writing, enum piece_size size,
                   size_t bytes, struct window *ret_best)
{
    const struct node *nodes = program->nodes;
    size_t least = 0, most = 0;
    bool any = false;

    for (uint32_t index = nodes[program->root].first; index != 0; index = nodes[index].next) {
        size_t min, max;

        for (size_t skip = 0; nodes[index].kind == NODE_CHAR && skip < 3; skip++) {
            struct window window = {.first = index, .least = least, .most = most, .size = size, .skip = skip};

            program_width(program, index, writing, &min, &max);
            if (skip > 0 && (min != max || skip >= min))
                break;
            if (!judge(program, writing, &window, bytes) || (any && window.score <= ret_best->score))
                continue;
            *ret_best = window;
            any = true;
        }
        program_width(program, index, writing, &min, &max);
        least += min;
        most += max;
    }
    return any;
}

static bool is_wide(const struct program *program)
{
    for (size_t i = 1; i < program->node_count; i++) {
        if (program->nodes[i].kind == NODE_CHAR && program->nodes[i].code >= 0x80)
            return true;
    }
    return false;
}

bool window_choose(const struct program *program, const struct writing *writing, struct window *ret_window)
{
    bool wide = writing->kind == WRITING_UTF16LE || writing->kind == WRITING_UTF16BE ||
                (writing->kind == WRITING_UTF8 && is_wide(program));

    for (enum piece_size size = wide ? PIECE_LONG : PIECE_SIX;; size--) {
        if (choose(program, writing, size, piece_bytes[size], ret_window))
            return true;
        if (size == PIECE_TWO)
            return false;
    }
}

int window_variants(const struct window *window, const struct program *program, const struct writing *writing,
                    struct variants *ret_variants)
{
    uint32_t index = window->first;

    ret_variants->count = 1;
    ret_variants->size[0] = 0;
    for (size_t i = 0; i < window->characters; i++, index = program->nodes[index].next) {
        struct form forms[FORMS_MAX];

        if (!extend(ret_variants, forms, folded_forms(writing, &program->nodes[index], forms)))
            return -EINVAL;
    }
    return 0;
}
