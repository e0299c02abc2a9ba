/*
 * fuzz_features: everything that looks for features, over bytes that somebody else chose. It owes: no crash,
 * no read outside, an end, and what is found lies in the piece that was asked for.
 */
#include "plugins/features/search.h"

#include "engine/plugin.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void setup_loaded(const char *plugin, const char *kind, const char *name, const char *sha256, uint64_t count,
                  const char *problem)
{
    (void)plugin, (void)kind, (void)name, (void)sha256, (void)count, (void)problem;
}

static int on_each(void *context, const struct occurrence *o)
{
    const struct piece *piece = context;

    assert(o->offset >= piece->from && o->offset < piece->to && o->kind < FEATURE_KINDS);
    assert(memchr(o->normal, 0, o->normal_size) == NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct search *search;
    const struct piece whole = {data, size, 0, size, 0}, half = {data, size, size / 2, size, 0};

    if (search == NULL) {
        const char *folder = getenv("KVALI_FEATURES");
        struct why why;

        if (search_new(folder != NULL ? folder : "rules/features", &search, &why) < 0)
            abort();
    }
    if (search_piece(search, &whole, on_each, (void *)&whole) < 0 ||
        search_piece(search, &half, on_each, (void *)&half) < 0)
        abort();
    return 0;
}
