/*
 * known: the similarity hashes that a run is to compare contents with, for the plugins that do: those of the
 * run's hash sets (setting hashset.sets) and of one list of the plugin's own (plugin.<name>.list: a hash, a
 * comma or TAB, a name a line). Read in setup; strings live as long as the list.
 */
#ifndef KVALI_PLUGINS_SIMILAR_KNOWN_H
#define KVALI_PLUGINS_SIMILAR_KNOWN_H

#include "engine/plugin.h"

#include "engine/base/buf.h"
#include "engine/hashset/hashset.h"

enum { KNOWN_MAX = 1000000, KNOWN_SETS_MAX = 256, KNOWN_HITS_MAX = 16 };

struct known_hash {
    size_t hash, name; /* where in `texts`, terminated */
    uint32_t set, row; /* of `sets`; KNOWN_SETS_MAX: of the list, and `row` is its line */
};

struct known_list {
    const char *plugin;
    enum hashset_similar kind;
    struct hashset *sets[KNOWN_SETS_MAX];
    size_t set_count;
    struct known_hash *items;
    size_t count, capacity;
    struct buf texts;
    char *list_name;
};

/* All zero before. -E2BIG past KNOWN_MAX hashes; `why` names file and cause. Says what was loaded. */
int known_load(struct known_list *list, const char *plugin, enum hashset_similar kind,
               const struct settings *settings, struct why *why);
void known_finish(struct known_list *list);
const char *known_text(const struct known_list *list, size_t offset);

/* What is near to a content. */
struct known_hit {
    size_t item;
    uint64_t score;
};
/* The record of a hit. `type` is a plugin's own, with these fields. */
#define KNOWN_FIELDS                                                                                         \
    {"set_name", FIELD_TEXT, "", "the hash set that it is in; nothing: the list"},                           \
        {"set_kind", FIELD_TEXT, "", "known, alert or notable"},                                             \
        {"name", FIELD_TEXT, "", "what the near one is called there"}, {"near", FIELD_TEXT, "", "its hash"}, \
        {"source", FIELD_TEXT, "", "the file that it came from"},                                            \
    {                                                                                                        \
        "line", FIELD_U64, "", "its line there"                                                              \
    }
int known_emit(struct scan *scan, const struct known_list *list, const struct record_type *type,
               const struct known_hit *hit);

#endif
