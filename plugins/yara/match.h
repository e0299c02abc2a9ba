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

/* Used again for every match. */
struct match_texts {
    struct buf tags, meta, strings, physical;
};

void match_texts_finish(struct match_texts *texts);

/* A rule that matches `size` bytes at `data`, and where it stands (NULL: not known). */
struct match {
    const YR_RULE *rule;
    const struct rule_place *place;
    const uint8_t *data;
    size_t size;
};

/* Emits the match with the matches of its strings, which lie in `context` only while libyara calls back. As
 * scan_emit. */
int match_emit(struct scan *scan, struct match_texts *texts, YR_SCAN_CONTEXT *context,
               const struct match *match);

#endif
