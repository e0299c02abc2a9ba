/* complaints: see complaints.h. */
#include "plugins/yara/complaints.h"

#include <stdio.h>
#include <stdlib.h>

enum { COMPLAINTS_MAX = 1000 };

void complaints_add(struct complaints *complaints, bool error, int line, const char *message)
{
    struct complaint *complaint;

    if (complaints->count == COMPLAINTS_MAX)
        return;
    if (complaints->count == complaints->capacity) {
        size_t capacity = complaints->capacity * 2 + 8;
        struct complaint *items = reallocarray(complaints->items, capacity, sizeof items[0]);

        if (items == NULL)
            return;
        complaints->items = items;
        complaints->capacity = capacity;
    }
    complaint = &complaints->items[complaints->count++];
    complaint->error = error;
    complaint->line = line > 0 ? (unsigned)line : 0;
    snprintf(complaint->text, sizeof complaint->text, "%s", message);
}

void complaints_finish(struct complaints *complaints)
{
    free(complaints->items);
    *complaints = (struct complaints){.items = NULL};
}

const struct complaint *complaints_first(const struct complaints *complaints)
{
    static const struct complaint general = {.error = true, .text = "it does not compile"};

    for (size_t i = 0; i < complaints->count; i++) {
        if (complaints->items[i].error)
            return &complaints->items[i];
    }
    return &general;
}
