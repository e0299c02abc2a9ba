/*
 * writer: what the supervisor writes during a run. All rows of an attempt and the change of its stream's
 * state go through one transaction after the other in the order they came, so that a kill at any moment
 * leaves every stream either pending or with exactly one chosen attempt.
 *
 * Calls open a transaction when none is open; writer_flush commits. Rows of attempts that end without being
 * chosen are deleted; of attempts that a kill left open, by casefile_open.
 */
#ifndef KVALI_CASES_WRITER_H
#define KVALI_CASES_WRITER_H

#include "cases/casefile.h"
#include "engine/evidence/found.h"
#include "engine/scan/record.h"

struct writer;

int writer_new(struct casefile *cf, struct writer **ret_writer, struct why *why);
/* Commits nothing by itself: an open transaction is rolled back. */
void writer_free(struct writer *writer);
/* Takes back what is not committed: after a failure it may end in the middle of what belongs together. */
void writer_undo(struct writer *writer);
int writer_flush(struct writer *writer);
const char *writer_error(struct writer *writer);

/* A run, with what it is done with: JSON objects as text. */
int writer_run_begin(struct writer *writer, const char *settings_json, const char *settings_sha256,
                     const char *versions_json, const char *host_json, uint64_t *ret_run);
/* Which pass the run is of; 0: not known yet. Until it is said: the first. */
int writer_run_pass(struct writer *writer, uint64_t run, uint64_t pass);
/* status: "done", "listed" (all is listed, nothing was to be examined), "interrupted", "failed". Counts are taken from the database. */
int writer_run_end(struct writer *writer, uint64_t run, const char *status);
/* What setup loaded in this run (rule sets, tables), `problem` NULL when in use. */
int writer_run_loaded(struct writer *writer, uint64_t run, const char *plugin, const char *kind,
                      const char *name, const char *sha256, uint64_t count, const char *problem);
/* What the run is done with, once the workers have said it: JSON. */
int writer_run_versions(struct writer *writer, uint64_t run, const char *json);
int writer_run_sandbox(struct writer *writer, uint64_t run, const char *json);

/* Makes a plugin and its record types known: creates or checks the tables rec_<plugin>[_<type>] and remakes
 * the view `finding`. `index` is what writer_record will name. -EPROTO when the case has this type with other
 * fields at the same version. */
int writer_plugin(struct writer *writer, uint32_t index, const char *name, uint32_t version,
                  struct record_type *const *types, size_t type_count);

/* The image facts of an exhibit as its open reported them. */
struct writer_image {
    const char *type, *details, *unsupported, *damage, *name;
    uint64_t size;
    uint32_t sector_size, segments;
    size_t hash_count;
    const char *hashes[8][3]; /* algorithm, hex, source */
};
int writer_image(struct writer *writer, uint64_t exhibit, const struct writer_image *image);
/* Is it the image that was opened for this exhibit before, if any? -ESTALE: it is not, `why` says what is different. */
int writer_image_again(struct writer *writer, uint64_t exhibit, const struct writer_image *image, struct why *why);
/* Marks that the exhibit could not be opened in this run. */
int writer_image_failed(struct writer *writer, uint64_t exhibit, const char *reason);

/* Expand tasks. Adding one that is there is no error. */
int writer_expand_add(struct writer *writer, uint64_t exhibit, const char *locator, const char *volume);

/* What an attempt is at: a stream or an expand task; the other id is 0. */
struct attempt_at {
    uint64_t run, stream, expand;
    uint64_t size; /* of the stream, as the case has it */
    uint32_t worker;
};
/* Its row is written when it ends, or with the next commit. */
int writer_attempt_begin(struct writer *writer, const struct attempt_at *at, uint64_t *ret_attempt);

enum attempt_end {
    ATTEMPT_DONE,    /* chosen: its rows count */
    ATTEMPT_PARTIAL, /* chosen: some bytes could not be read or a limit cut it; faults say so */
    ATTEMPT_FAILED,  /* chosen, and there is nothing to count: could not be opened or read at all */
    ATTEMPT_CRASHED,
    ATTEMPT_HUNG,
    ATTEMPT_MEMORY,   /* not chosen: rows deleted, to be tried again */
    ATTEMPT_LOST,     /* not chosen: the worker was killed from outside, or with its supervisor */
    ATTEMPT_TAMPERED, /* not chosen: everything its worker said is void */
    ATTEMPT_STOPPED,  /* not chosen: the supervisor ended it, and it counts as no try */
};
/* What was read of a stream. */
struct attempt_read {
    uint64_t read, unread; /* bytes read; of these, not readable */
    bool uniform;          /* every byte is `byte`: it was not scanned */
    uint8_t byte;
    uint64_t slack;     /* bytes between the content's end and the end of its blocks */
    bool slack_uniform; /* these hold one repeated byte and were not scanned; else they are a child stream */
};
/* Ends it. `read` NULL: nothing was read. -EINVAL: this writer has begun none of that number, or it has ended. */
int writer_attempt_end(struct writer *writer, uint64_t attempt, enum attempt_end end,
                       const struct attempt_read *read);
/* Leaves plugins out of later attempts at this stream; names separated by ',', added to what is there. */
int writer_stream_without(struct writer *writer, uint64_t stream, const char *plugins);
/* Adds a value of `at` to leave out of later attempts at this expand task. */
int writer_expand_skip(struct writer *writer, uint64_t expand, uint64_t at, enum fault_kind kind);
/* Voids everything that worker instance `worker` of this run produced, and makes its streams and expand tasks
 * pending. What it said that it found is void with all that others did on the strength of it. Since what is
 * there already is not written again, an invention of its may have stood in the way of what others found: all
 * walks of that exhibit are done again. Attempts of others that lose their ground while they go on end as
 * lost, whatever they end as. */
int writer_void_worker(struct writer *writer, uint64_t run, uint32_t worker);

/* Results. All idempotent by key where a task may be done again: a volume by (exhibit, key), an entry by
 * (exhibit, path), a content by (exhibit, locator). An entry with a locator makes the stream pending when it
 * is new. A volume with an `expand` locator adds that expand task. */
int writer_volume(struct writer *writer, uint64_t attempt, uint64_t exhibit,
                  const struct found_volume *volume);
int writer_entry(struct writer *writer, uint64_t attempt, uint64_t exhibit, const struct found_entry *entry);
/* Replaces what was said of this volume and kind before. */
int writer_account(struct writer *writer, uint64_t attempt, uint64_t exhibit, const struct found_account *account);
/* A child stream; `parent` is its parent stream's id. Its state follows its attempt. -EEXIST: this address is
 * taken, which no honest worker says. */
struct writer_child {
    const char *path;
    const void *name; /* raw bytes */
    size_t name_size;
    enum stream_kind kind;
    bool deleted;
    uint64_t offset;    /* in the parent */
    const char *plugin; /* who made it; "": the engine (a file's slack) */
    const struct found_run *runs; /* where its bytes lie in the image */
    size_t run_count;             /* 0: not known */
    bool runs_cut;
};
int writer_child(struct writer *writer, uint64_t attempt, uint64_t parent, const struct writer_child *child,
                 uint64_t *ret_stream);
int writer_child_end(struct writer *writer, uint64_t attempt, uint64_t stream, uint32_t scan_status,
                     uint64_t size);
/* The same in a later pass, which adds no contents: the child that the case has inside `parent` at this address;
 * *ret_stream 0: none. -EEXIST: this attempt was told of it already, which no honest worker says. */
int writer_child_again(struct writer *writer, uint64_t attempt, uint64_t parent, const char *path, uint64_t *ret_stream);
/* Its end: *ret_size is what the first pass saw. */
int writer_child_size(struct writer *writer, uint64_t stream, uint64_t *ret_size);
/* Before the attempt ends: `each` is called for every child of `stream`, at whatever depth, that is to be looked at and
 * that this attempt was not told of, in order of address. A negative return ends. */
int writer_children_missing(struct writer *writer, uint64_t attempt, uint64_t stream,
                            int (*each)(void *context, uint64_t child, const char *path), void *context);
/* Values as record_decode gave them. `ordinal` counts records of a stream in the order they came. */
int writer_record(struct writer *writer, uint64_t attempt, uint64_t stream, uint32_t plugin, uint32_t type,
                  uint64_t ordinal, const struct value *values);
int writer_note(struct writer *writer, uint64_t attempt, uint64_t stream, const char *plugin, uint64_t offset,
                const char *text);
/* stream and attempt may be 0: a fault of the exhibit, which stays whatever attempt is chosen. */
int writer_fault(struct writer *writer, uint64_t attempt, uint64_t exhibit, uint64_t stream,
                 const struct found_fault *fault);

#endif
