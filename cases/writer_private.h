/*
 * writer_private: the writer's statements and transaction, shared by writer.c (runs, records), writer_attempt.c (attempts),
 * writer_found.c (volumes, entries, children, faults) and writer_clear.c (what is taken back).
 */
#ifndef KVALI_CASES_WRITER_PRIVATE_H
#define KVALI_CASES_WRITER_PRIVATE_H

#include "cases/queue.h"
#include "cases/writer.h"

enum { WRITER_PLUGINS_MAX = 32, WRITER_TYPES_MAX = 32 };

enum writer_sql {
    SQL_ATTEMPT_NEW,
    SQL_ATTEMPT_STATUS,
    SQL_ATTEMPT_VOID,
    SQL_STREAM_END,
    SQL_CHILDREN_END,
    SQL_EXPAND_END,
    SQL_STREAM_TRY,
    SQL_SCAN_END,
    SQL_SCAN_TRY,
    SQL_CHILD_FIND,
    SQL_CHILD_SEEN,
    SQL_CHILD_KNOWN_SIZE,
    SQL_EXPAND_TRY,
    SQL_VOLUME,
    SQL_ENTRY,
    SQL_STREAM_ADD,
    SQL_STREAM_REVIVE,
    SQL_STREAM_FIND,
    SQL_EXPAND_ADD,
    SQL_ACCOUNT,
    SQL_CHILD,
    SQL_CHILD_SIZE,
    SQL_NOTE,
    SQL_FAULT,
    SQL_COUNT_ALL,
};

struct index;

/* An attempt that lasts. */
struct held_attempt {
    uint64_t id;
    struct attempt_at at;
    bool written; /* its row is in t_attempt */
    bool has_children;
};

struct writer {
    struct casefile *cf;
    struct db *db;
    bool open;                   /* a transaction is */
    struct queue_counts *counts; /* the case's, kept true by the writer */
    struct db_statement *statements[SQL_COUNT_ALL];
    struct held_attempt *held; /* as many as there are workers */
    size_t held_count, held_room;
    uint64_t last_attempt; /* 0: not known yet */
    struct index *index; /* NULL: no plugin gives text */
    struct why index_why;
    struct writer_plugin_tables {
        struct db_statement *inserts[WRITER_TYPES_MAX];
        struct record_field_kinds {
            uint8_t kinds[RECORD_FIELDS_MAX];
            size_t count;
        } fields[WRITER_TYPES_MAX];
        uint32_t words; /* number of the type whose records go to index.db, plus 1; 0: none */
    } plugins[WRITER_PLUGINS_MAX];
};

/* Begins a transaction when none is open. */
int writer_open(struct writer *writer);
/* The prepared statement, reset; NULL when it cannot be prepared. */
struct db_statement *writer_sql(struct writer *writer, enum writer_sql which);

/* writer_attempt.c: writes the rows of those that last. Whoever asks t_attempt for them, or commits, calls it before. */
int writer_attempts_open(struct writer *writer);
/* Those of a worker that is not believed: they do not end any more. */
void writer_attempts_forget(struct writer *writer, uint64_t run, uint32_t worker);
void writer_attempt_has_child(struct writer *writer, uint64_t attempt);

/* writer_clear.c: deletes all that `attempt` wrote about `stream` and its descendants (records, notes,
 * faults, children). */
int clear_attempt(struct db *db, uint64_t attempt, uint64_t stream);
/* The end of an attempt that lost its ground (t_attempt.status 'void'): nothing that it wrote or found stays.
 */
int clear_void_attempt(struct db *db, uint64_t attempt, uint64_t stream);
/* Deletes what was voided and not found again. */
int clear_void(struct db *db);

#endif
