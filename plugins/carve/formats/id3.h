/*
 * id3: tags around sound: ID3v2 in front [id3.org, ID3v2.4.0 structure]; APEv2, Lyrics3 v2 and ID3v1 behind.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_ID3_H
#define KVALI_PLUGINS_CARVE_FORMATS_ID3_H

#include "plugins/carve/format.h"

/* Bytes of the ID3v2 tag at `offset` with its head; 0: none that is well-formed. Title and pictures go into
 * `carved` (NULL: do not look). */
uint64_t id3_tag(struct reader *reader, uint64_t offset, struct carved *carved);
/* Behind the tags that follow sound at `offset`; `offset` when there are none. */
uint64_t id3_behind(struct reader *reader, uint64_t offset, struct carved *carved);

#endif
