/*
 * source: a YARA source file cut into what stands in it one after the other, so that one broken rule does not
 * take its whole file along, and so that a rule can be compiled alone.
 */
#ifndef KVALI_PLUGINS_YARA_SOURCE_H
#define KVALI_PLUGINS_YARA_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rule_item_kind { ITEM_RULE, ITEM_IMPORT, ITEM_INCLUDE };

struct rule_item {
    enum rule_item_kind kind;
    size_t begin, end;        /* in the text */
    unsigned line, last_line; /* from 1 */
    const char *name;         /* a rule's, a module's, a file's; in the text */
    size_t name_size;
    bool global;
    size_t strings, condition; /* a rule's: where these sections begin; strings 0: none */
    bool asks_for_names;       /* uses a variable that is not of the content: filename, deleted ... */
    bool used;                 /* another rule uses it */
    bool always;               /* demands nothing that could be told without libyara (formula.h) */
    bool out;                  /* taken out of the text */
};

struct rule_source {
    struct rule_item *items;
    size_t count, capacity;
    size_t *by_name; /* `named` indexes of rules, sorted by name */
    size_t named;
    bool whole;     /* all of the text was followed */
    bool global;    /* one of its rules is global: it decides over all of them */
    bool wildcards; /* one of its rules counts rules by wildcard */
};

/* What cannot be followed ends the list: then the rest of the file has no items. -ENOMEM. */
int rule_source_read(struct rule_source *source, const char *text);
void rule_source_finish(struct rule_source *source);

/* The item that a complaint about this line means; NULL: none. */
struct rule_item *rule_source_at_line(const struct rule_source *source, unsigned line);

struct lex;
/* The words of a rule's condition, without the brace that ends the rule. */
struct lex rule_item_condition(const struct rule_item *item, const char *text);
/* Goes on in `lex` to the next word that is the name of a rule of this source; its index. False: no more. */
bool rule_source_next_use(const struct rule_source *source, struct lex *lex, size_t *ret_index);

#endif
