/* labels: see labels.h. A hash table with open places, twice as large as what is in it. */
#include "engine/hashset/labels.h"

#include "engine/base/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS_MAX = 64 << 20, LABEL_PART_MAX = 4096 };

static uint64_t text_hash(const uint8_t *data, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static bool grow_slots(struct labels *labels)
{
    uint32_t count = labels->slot_count == 0 ? 1024 : labels->slot_count * 2;
    uint32_t *slots = calloc(count, sizeof slots[0]);

    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < labels->count; i++) {
        size_t at = text_hash(labels->text.data + labels->starts[i],
                              (size_t)(labels->starts[i + 1] - labels->starts[i])) &
                    (count - 1);

        while (slots[at] != 0)
            at = (at + 1) & (count - 1);
        slots[at] = i + 1;
    }
    free(labels->slots);
    labels->slots = slots;
    labels->slot_count = count;
    return true;
}

static bool grow_starts(struct labels *labels)
{
    size_t capacity = labels->capacity * 2 + 64;
    uint64_t *starts = reallocarray(labels->starts, capacity, sizeof starts[0]);

    if (starts == NULL)
        return false;
    labels->starts = starts;
    labels->capacity = capacity;
    return true;
}

static uint32_t number_of(struct labels *labels, const uint8_t *data, size_t size)
{
    size_t at;

    if (labels->slot_count < 2 * (labels->count + 1) && !grow_slots(labels))
        return 0;
    for (at = text_hash(data, size) & (labels->slot_count - 1); labels->slots[at] != 0;
         at = (at + 1) & (labels->slot_count - 1)) {
        uint32_t number = labels->slots[at];
        uint64_t start = labels->starts[number - 1];

        if (labels->starts[number] - start == size && memcmp(labels->text.data + start, data, size) == 0)
            return number;
    }
    if (labels->text.size + size > LABELS_MAX ||
        (labels->count + 2 > labels->capacity && !grow_starts(labels))) {
        labels->lost++;
        return 0;
    }
    labels->starts[labels->count] = labels->text.size;
    buf_append(&labels->text, data, size);
    labels->starts[++labels->count] = labels->text.size;
    labels->slots[at] = labels->count;
    return labels->count;
}

void labels_part(struct labels *labels, const char *text, size_t size)
{
    if (labels->parts++ > 0)
        buf_u8(&labels->scratch, '\t');
    text_escape(&labels->scratch, text, size < LABEL_PART_MAX ? size : LABEL_PART_MAX);
}

uint32_t labels_number(struct labels *labels)
{
    uint32_t number =
        buf_failed(&labels->scratch) ? 0 : number_of(labels, labels->scratch.data, labels->scratch.size);

    buf_clear(&labels->scratch);
    labels->parts = 0;
    return number;
}

void labels_finish(struct labels *labels)
{
    buf_finish(&labels->text);
    buf_finish(&labels->scratch);
    free(labels->starts);
    free(labels->slots);
}
