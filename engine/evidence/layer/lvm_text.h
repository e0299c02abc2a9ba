/*
 * lvm_text: the configuration text in which LVM2 keeps a volume group's metadata, as a flat list of nodes.
 *
 * Grammar: sections `name { ... }`, settings `name = value`, values that are numbers, "texts" or [lists] of
 * these, comments from '#' to the line's end. [lvm.conf(5); LVM2's lib/config]
 */
#ifndef KVALI_EVIDENCE_LAYER_LVM_TEXT_H
#define KVALI_EVIDENCE_LAYER_LVM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LVM_NODES_MAX = 1 << 15, LVM_DEPTH_MAX = 8, LVM_NONE = -1 };

enum lvm_kind { LVM_SECTION, LVM_LIST, LVM_NUMBER, LVM_TEXT };

struct lvm_node {
    int parent;       /* index of the section or list that it stands in; LVM_NONE: of the text itself */
    const char *name; /* "" for a list's items; borrowed from the text, as `text` is */
    size_t name_size;
    enum lvm_kind kind;
    uint64_t number;
    const char *text; /* between its quotes, as it stands there */
    size_t text_size;
};

struct lvm_text {
    struct lvm_node *nodes; /* in the order of the text */
    size_t count;
};

/* Borrows `data`. -EINVAL: not of this grammar; -E2BIG: more than LVM_NODES_MAX nodes or deeper than
 * LVM_DEPTH_MAX; -ENOMEM. */
int lvm_text_parse(const char *data, size_t size, struct lvm_text *ret_text);
void lvm_text_finish(struct lvm_text *text);

/* The node of this name in the section `parent`; LVM_NONE: there is none. */
int lvm_text_find(const struct lvm_text *text, int parent, const char *name);
/* The next node in `parent` behind `after` (LVM_NONE: the first one); LVM_NONE at the end. */
int lvm_text_next(const struct lvm_text *text, int parent, int after);
/* A setting's value in `parent`. False: there is no such number, or it is larger than `max`. */
bool lvm_text_number(const struct lvm_text *text, int parent, const char *name, uint64_t max, uint64_t *ret);
bool lvm_text_is(const struct lvm_text *text, int node, const char *value);

#endif
