/*
 * match: one matching rule as a record.
 */
#ifndef KVALI_PLUGINS_YARA_MATCH_H
#define KVALI_PLUGINS_YARA_MATCH_H

#include "engine/base/buf.h"
#include "engine/plugin.h"
#include "plugins/yara/rules.h"

#include <yara.h>

extern const struct record_type yara_match_type;

enum {
    MATCHES_MAX = 32,
    MATCH_DATA_MAX = 64, /* bytes of a match that are shown */
};

/* The texts of a record, and what they stand in the order of. */
struct held_match {
    const YR_RULE *rule;
    const struct rule_place *place;
    uint32_t index;
    uint64_t count;
    struct buf tags, meta, strings, physical;
};

/* Matches of one content that are not told yet. Used again for every content. All zero: none. */
struct matches {
    struct held_match items[MATCHES_MAX];
    size_t count;
};

void matches_finish(struct matches *matches);
/* Forgets them. */
void matches_clear(struct matches *matches);

/* A rule that matches `size` bytes at `data`, where it stands (NULL: not known), and its number among all. */
struct match {
    const YR_RULE *rule;
    const struct rule_place *place;
    uint32_t index;
    const uint8_t *data;
    size_t size;
};

/* Takes the match with the matches of its strings, which lie in `context` only while libyara calls back; the
 * rule must live until it is told. -ENOSPC: there are MATCHES_MAX already; -ENOMEM. */
int matches_add(struct matches *matches, struct scan *scan, YR_SCAN_CONTEXT *context,
                const struct match *match);
/* Tells them in the order of the rules, and forgets them. As scan_emit. */
int matches_tell(struct matches *matches, struct scan *scan);

#endif
