/*
 * plan: a case's pending contents cut into parts that other hosts work on (DESIGN: plan, work, merge).
 *
 * CASE/plan.db is an SQLite database that nobody writes any more once it is there, so that any host may read
 * it over a network file system. It holds what work needs and no more: the exhibits as they were listed,
 * settings, what findings depend on (the configuration, job.h), and each part's contents. The same evidence,
 * configuration and wish give the same parts: contents in the order of the medium, cut where a part's share
 * of the cost is reached; what costs a whole part is one by itself, and so is each whole image. Part 1 costs
 * most.
 *
 * The plan's id is the SHA-256 of all that as text, with the case's own first ledger line in it: a part of
 * another case or of another plan is a stranger.
 */
#ifndef KVALI_CASES_PLAN_H
#define KVALI_CASES_PLAN_H

#include "cases/casefile.h"
#include "engine/base/settings.h"

#include <stdint.h>

enum { PLAN_VERSION = 1 };

struct plan_wanted {
    uint64_t parts; /* so many, if there are as many contents; 0: as part_size says. More when whole images
                       are more */
    uint64_t part_size; /* cost of a part in bytes; with `parts` 0 */
    const char *configuration;
    const struct settings *settings;
};

struct plan_facts {
    char id[SHA256_HEX_SIZE];
    char case_id[SHA256_HEX_SIZE]; /* SHA-256 of the ledger's first line */
    uint64_t parts, streams, bytes;
    char *configuration;
};

/* Writes CASE/plan.db, the folder CASE/parts, a row for each part into the case (t_part) and a ledger record
 * "plan". The listing must be complete: -EBUSY when something is still to be listed, when a later pass is
 * open, or when parts of an earlier plan lie in CASE/parts that are not merged (`again`: they are given up).
 * -ENODATA: nothing is pending. */
int plan_make(struct casefile *cf, const struct plan_wanted *wanted, bool again, struct plan_facts *ret_facts,
              struct why *why);
void plan_facts_finish(struct plan_facts *facts);

struct plan;
/* For work, on any host: CASE/plan.db, whose own digest is checked. -ENOENT: there is no plan; -EUCLEAN:
 * damaged. */
int plan_open(const char *folder, struct plan **ret_plan, struct why *why);
void plan_close(struct plan *plan);
const struct plan_facts *plan_facts(const struct plan *plan);
/* `settings` is initialised and gets those of the plan. */
int plan_settings(struct plan *plan, struct settings *settings, struct why *why);

/* Fills a case that was just made with the exhibits and contents of one part, which keep their ids. -ENOENT:
 * there is no such part; -EUCLEAN: its rows are not those that were planned. */
int plan_fill(struct plan *plan, uint64_t part, struct casefile *cf, struct why *why);

/* How a part of the case's plan stands. */
struct plan_part {
    uint64_t number, streams, bytes, cost;
    bool merged;
};
/* Of the case itself, in order of number. `ret_id` gets the plan's id, "" when there is none. Free with
 * free(). */
int plan_parts(struct casefile *cf, char ret_id[SHA256_HEX_SIZE], struct plan_part **ret_parts,
               size_t *ret_count);

#endif
