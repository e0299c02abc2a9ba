/*
 * standby: kvali-worker between two runs of one process. What it said until it was ready is kept, and is said
 * to the next run as if it had just been started: the new case gets the same rows. A run that would start it
 * with anything else starts its own.
 */
#include "engine/job/supervisor.h"

#include "engine/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct job_standby {
    struct process_zygote zygote; /* pid 0: none waits */
    struct buf wanted;            /* what it was started with */
    struct buf words;             /* its packets until it was ready, each a blob */
};

struct job_standby *job_standby_new(void)
{
    struct job_standby *standby = calloc(1, sizeof *standby);
    if (standby)
        standby->zygote = (struct process_zygote){.errors = -1, .wire.fd = -1};
    return standby;
}

void job_standby_free(struct job_standby *standby)
{
    if (!standby)
        return;
    process_stop_zygote(&standby->zygote);
    buf_finish(&standby->wanted);
    buf_finish(&standby->words);
    free(standby);
}

static void put_wanted(const struct supervisor *s, struct buf *ret)
{
    buf_string(ret, s->options->worker_program);
    settings_write(s->options->settings, ret);
    for (size_t i = 0; i < s->exhibit_count; i++) {
        buf_u64le(ret, s->exhibits[i].id);
        buf_string(ret, s->exhibits[i].path);
        buf_string(ret, s->exhibits[i].type);
    }
}

bool standby_take(struct supervisor *s)
{
    struct job_standby *standby = s->options->standby;
    struct buf wanted = {0};
    if (!standby || standby->zygote.pid <= 0 || s->registered || s->options->key_count)
        return false;
    put_wanted(s, &wanted);
    bool same = !buf_failed(&wanted) && !buf_failed(&standby->words) && wanted.size == standby->wanted.size &&
                memcmp(wanted.data, standby->wanted.data, wanted.size) == 0;
    buf_finish(&wanted);
    if (!same) {
        process_stop_zygote(&standby->zygote);
        return false;
    }
    s->zygote = standby->zygote;
    standby->zygote = (struct process_zygote){.errors = -1, .wire.fd = -1};
    log_debug("kvali-worker goes on with what it was started for");
    return true;
}

void standby_begin(struct supervisor *s)
{
    if (s->options->standby)
        buf_clear(&s->options->standby->words);
}

void standby_hear(struct supervisor *s, const uint8_t *packet, size_t size)
{
    if (s->options->standby)
        buf_blob(&s->options->standby->words, packet, size);
}

int standby_repeat(struct supervisor *s,
                   int (*each)(struct supervisor *s, const uint8_t *packet, size_t size))
{
    struct bytes bytes;
    int code = 0;
    bytes_init(&bytes, s->options->standby->words.data, s->options->standby->words.size);
    while (code == 0 && bytes_left(&bytes)) {
        size_t size = 0;
        const void *packet = bytes_blob(&bytes, &size);
        code = bytes_failed(&bytes) ? -EPROTO : each(s, packet, size);
    }
    return code;
}

bool standby_give(struct supervisor *s)
{
    struct job_standby *standby = s->options->standby;
    bool fit = standby && s->zygote.pid > 0 && s->registered && !s->stale && !s->failure &&
               s->options->key_count == 0;
    for (size_t i = 0; fit && i < s->exhibit_count; i++)
        fit = s->exhibit_states[i].ready;
    if (!fit)
        return false;
    buf_clear(&standby->wanted);
    put_wanted(s, &standby->wanted);
    if (buf_failed(&standby->wanted))
        return false;
    standby->zygote = s->zygote;
    s->zygote = (struct process_zygote){.errors = -1, .wire.fd = -1};
    return true;
}
