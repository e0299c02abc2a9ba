/*
 * bag: a parcel of exported contents that anybody can check: a BagIt bag [RFC 8493] exports/bag-NNNN.
 *
 * data/ab/abcdef… are the contents, named by their SHA-256 and by nothing from the evidence, data/index.jsonl
 * says which addresses each one has; so no name in a manifest needs escaping, where BagIt and sha256sum
 * differ. `sha256sum -c --strict manifest-sha256.txt tagmanifest-sha256.txt` checks it all.
 */
#ifndef KVALI_CLI_BAG_H
#define KVALI_CLI_BAG_H

#include "cases/casefile.h"
#include "engine/base/hash.h"

#include <stddef.h>

/* `names` are SHA-256 in hex of contents that exports/ holds as ab/abcdef…; sorted here, doubles are taken
 * once. `index` is the index's name in exports/. Contents are linked, and copied where the file system has no
 * links. The new bag's tag manifest goes into the ledger. On failure nothing of the bag stays under its name.
 * ret_name holds at least 16 bytes: "bag-0001". */
int bag_write(struct casefile *cf, int exports, const char **names, size_t count, const char *index,
              char *ret_name, struct why *why);

#endif
