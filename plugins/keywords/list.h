/*
 * list: files of keywords, as an investigator writes them in a text editor. README.md describes the format.
 */
#ifndef KVALI_KEYWORDS_LIST_H
#define KVALI_KEYWORDS_LIST_H

#include "engine/base/hash.h"
#include "engine/base/why.h"
#include "plugins/keywords/program.h"

struct keyword {
    char *text;       /* as written, without its flags; escaped text */
    char *group;      /* "" for none; escaped text */
    const char *file; /* the list's name, borrowed from the list */
    uint32_t line;
    bool regex, whole, exact_case;
    struct program program;
};

/* A line that is not searched for. */
struct complaint {
    uint32_t line;
    char *text; /* "drugs.txt:12: why" */
};

struct list_file {
    char *name; /* last component, escaped */
    char sha256[SHA256_HEX_SIZE];
    size_t keywords; /* good ones */
    struct complaint *complaints;
    size_t complaint_count;
};

struct list {
    struct keyword *keywords;
    size_t count, capacity;
    struct list_file *files;
    size_t file_count;
};

enum { LIST_KEYWORDS_MAX = 100000, LIST_FILES_MAX = 256, LIST_LINE_MAX = 1024 };

/* Reads the files named in `paths`, ':' between. Lines that are no keywords become complaints; a file that
 * cannot be read is an error. list_finish in any case. */
int list_read(struct list *list, const char *paths, struct why *why);
/* Adds a complaint about one of its lines. 0 or -ENOMEM. */
int list_complain(struct list *list, const struct keyword *keyword, const char *what);
void list_finish(struct list *list);

#endif
