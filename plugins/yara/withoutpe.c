/* withoutpe: see withoutpe.h. A term begins where the condition does, behind "and", "or", "not" and ":", and
 * behind a bracket that stands there. */
#include "plugins/yara/withoutpe.h"

#include "plugins/yara/lex.h"

/* There is no byte behind the last one. */
static const char undefined[] = "uint8(filesize) == 0";

static bool goes_on(const struct lex *lex)
{
    return lex->kind != LEX_END && lex->kind != LEX_BAD;
}

/* pe.something: not a constant, which is written in capitals. */
static bool asks_for_data(struct lex lex)
{
    return lex_is(&lex, "pe") && lex_next(&lex) && lex_is(&lex, ".") && lex_next(&lex) &&
           lex.kind == LEX_WORD && lex.begin[0] >= 'a' && lex.begin[0] <= 'z';
}

static bool asks_whether_pe(struct lex lex)
{
    return lex_next(&lex) && lex_next(&lex) && lex_is(&lex, "is_pe");
}

/* To the token behind the term; where the term ends, and of how many tokens it is. */
static const char *pass_term(struct lex *lex, unsigned *ret_count)
{
    const char *end = lex->at;
    unsigned open = 0;

    for (*ret_count = 0; goes_on(lex); (*ret_count)++) {
        if (open == 0 && lex_ends_term(lex))
            break;
        open += lex_is(lex, "(") || lex_is(lex, "[");
        open -= open > 0 && (lex_is(lex, ")") || lex_is(lex, "]"));
        end = lex->at;
        lex_next(lex);
    }
    return end;
}

bool withoutpe_write(struct buf *buf, const char *condition, size_t size)
{
    struct lex lex = {.at = condition, .end = condition + size, .line = 1};
    const char *written = condition;
    bool begins = true, named = false;

    lex_next(&lex);
    while (goes_on(&lex)) {
        const char *begin = lex.begin, *end;
        bool is_pe = asks_whether_pe(lex);
        struct lex term = lex;
        unsigned count;

        if (begins && asks_for_data(lex) && (end = pass_term(&term, &count)) && (!is_pe || count == 3)) {
            if (buf != NULL) {
                buf_append(buf, written, (size_t)(begin - written));
                buf_text(buf, is_pe ? "false" : undefined);
            }
            for (const char *at = begin; buf != NULL && at < end; at++) {
                if (*at == '\n')
                    buf_u8(buf, '\n');
            }
            written = end;
            lex = term;
            begins = false;
            continue;
        }
        named |= lex_is(&lex, "pe");
        begins = lex_is(&lex, "and") || lex_is(&lex, "or") || lex_is(&lex, "not") || lex_is(&lex, ":") ||
                 (begins && lex_is(&lex, "(") && lex_brackets_term(lex));
        lex_next(&lex);
    }
    if (buf != NULL)
        buf_append(buf, written, (size_t)(condition + size - written));
    return named || lex.kind == LEX_BAD;
}
