/*
 * samples: the files tests/plugins/<plugin>/<name>.in, each with a <name>.want beside it.
 *
 * A sample named <name>.in.xor has every byte XORed with 0x5a: what a rule must find (the EICAR test file, a
 * web shell, a ransom note) would otherwise be deleted by the virus scanner of whoever checks this project
 * out. One byte a key keeps it plain enough to be read back with one line of shell, and no scanner looks
 * through it.
 */
#ifndef KVALI_TESTS_SAMPLES_H
#define KVALI_TESTS_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct sample {
    char *name; /* as the stream is called: without ".in" */
    char *want; /* path of the .want file */
    uint8_t *data;
    size_t size;
};

struct samples {
    struct sample *items;
    size_t count;
};

/* All samples of a plugin, sorted by name. Ends the program when they cannot be read. */
void samples_read(struct samples *samples, const char *source_root, const char *plugin);
void samples_free(struct samples *samples);

/* A whole file with a NUL behind it; NULL when it is not there. The caller frees it. */
char *samples_file(const char *path, size_t *ret_size);

#endif
