/*
 * case_world: a case in a folder of its own below /tmp, with one exhibit and a run under way, for the tests
 * of cases/. Every function asserts (Criterion) that what it does succeeds.
 */
#ifndef KVALI_TESTS_CASE_WORLD_H
#define KVALI_TESTS_CASE_WORLD_H

#include "cases/queue.h"
#include "cases/writer.h"

#include <stddef.h>
#include <stdint.h>

struct case_world {
    char base[64], folder[80];
    struct casefile *cf;
    struct writer *writer;
    uint64_t exhibit, run;
};

/* The one record type of the plugin "digest", which the view `file` knows. */
enum { WORLD_DIGEST = 0 };

/* A folder without a case: base exists, folder (base + "/case") does not. */
void world_begin(struct case_world *world);
/* world_begin, and a case with exhibit EX-1, a writer, and a run that knows the plugin "digest". */
void world_make(struct case_world *world);
/* As a kill would: what is not flushed is lost, attempts stay open. */
void world_kill(struct case_world *world);
void world_close(struct case_world *world); /* flushes first */
void world_reopen(struct case_world *world);
void world_drop(struct case_world *world); /* closes, and removes base */
void world_flush(struct case_world *world);
/* A writer and a run once more, after world_reopen or casefile_open. */
void world_run(struct case_world *world);

/* base/name, valid until the next call. */
const char *world_path(const struct case_world *world, const char *name);
/* The bytes of folder/name, NUL behind them; free it. */
char *world_read(const struct case_world *world, const char *name, size_t *ret_size);
void world_write(const struct case_world *world, const char *name, const void *data, size_t size);

/* Adds an expand task of nobody's finding, or takes the one that is there, and begins an attempt at it. */
uint64_t world_expand(struct case_world *world, uint32_t worker, const char *locator);
/* A volume, with an expand task for what is inside unless `expand` is "". */
void world_volume(struct case_world *world, uint64_t attempt, const char *key, const char *expand);
/* A live file of 10 bytes with this address and content; returns its stream's id. */
uint64_t world_entry(struct case_world *world, uint64_t attempt, const char *path, const char *locator);
struct found_entry world_entry_of(const char *path, const char *locator);
uint64_t world_scan(struct case_world *world, uint32_t worker, uint64_t stream);
/* A digest record whose hashes are made of `fill`. */
void world_record(struct case_world *world, uint64_t attempt, uint64_t stream, uint64_t ordinal, int fill);
void world_fault(struct case_world *world, uint64_t attempt, uint64_t stream, const char *detail);
/* writer_child with all that a child without runs has. */
int world_child(struct writer *writer, uint64_t attempt, uint64_t parent, const char *path, const char *name,
                size_t name_size, enum stream_kind kind, bool deleted, uint64_t offset, const char *plugin,
                uint64_t *ret_stream);
void world_end(struct case_world *world, uint64_t attempt, enum attempt_end end);
/* Walks "volumes" and p1 with `files` files and scans them all; ends the run with a run-end in the ledger. */
void world_fill(struct case_world *world, size_t files);
void world_run_end(struct case_world *world);

/* The number, or the text, in the first column of the first row. */
int64_t world_number(struct case_world *world, const char *sql);
const char *world_text(struct case_world *world, const char *sql);

extern const struct queue_filter world_all;

#endif
