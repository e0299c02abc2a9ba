/*
 * worker_inside: a file that is a virtual disk, or a container of an encrypted volume, is a medium inside of
 * the evidence. It is told by its content when it is scanned; what lies in it becomes an expand task.
 */
#include "engine/job/worker_private.h"

#include "engine/base/hash.h"
#include "engine/evidence/image_layer.h"
#include "engine/evidence/layer/layer.h"
#include "engine/evidence/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    EDGE = 512,
    FOOTER_FROM = 64 * 1024, /* a fixed VHD has only a footer: nothing smaller is one, and few other files are
                                looked at twice */
    KEY_ROOM = 200,
};

static const struct layer_kind *detect(struct stream *stream)
{
    uint8_t first[EDGE], last[EDGE];
    uint64_t size = stream_size(stream);
    int64_t head = stream_read_at(stream, 0, first, sizeof first, NULL), tail = 0;

    if (head == EDGE && size >= FOOTER_FROM && size % EDGE == 0)
        tail = stream_read_at(stream, size - EDGE, last, sizeof last, NULL);
    return head <= 0 ? NULL : layer_kind_detect(first, (size_t)head, last, tail > 0 ? (size_t)tail : 0);
}

/* A volume's key is short: an address that is not becomes its hash. */
static void make_key(const char *locator, char ret[KEY_ROOM])
{
    char hash[SHA256_HEX_SIZE];

    if (strlen(locator) < KEY_ROOM / 2) {
        (void)snprintf(ret, KEY_ROOM, "%s", locator);
        return;
    }
    hash_sha256_hex(locator, strlen(locator), hash);
    (void)snprintf(ret, KEY_ROOM, "content#%s", hash);
}

static int tell_volume(struct worker *worker, const struct task_stream_in *task, const struct image *inner,
                       const char *expand)
{
    struct buf root = {0}, content = {0};
    char key[KEY_ROOM];

    make_key(task->locator, key);
    buf_printf(&root, "%s!", task->path);
    buf_printf(&content, "opened: %s", image_info(inner)->details);
    const struct found_volume volume = {
        .key = key,
        .parent = "",
        .table = "none",
        .type = task->deleted ? "a medium in a deleted file" : "a medium in a file",
        .label = task->name,
        .size = image_info(inner)->size,
        .filesystem = "",
        .content = buf_cstr(&content),
        .serial = "",
        .time_note = "",
        .expand = expand,
        .root = buf_cstr(&root),
        .raw = "",
        .use = VOLUME_ALLOCATED,
    };
    int code = buf_failed(&root) || buf_failed(&content) ? -ENOMEM : 0;
    if (code == 0) {
        found_volume_write(wire_begin(&worker->wire, WIRE_VOLUME), &volume);
        wire_end(&worker->wire);
    }
    buf_finish(&root);
    buf_finish(&content);
    return code;
}

static void tell_closed(struct worker *worker, const struct task_stream_in *task,
                        const struct layer_kind *kind, int code, const struct why *why)
{
    size_t keys = image_key_count(worker_image(worker, task->exhibit));
    char detail[640];

    if (code == -ENOKEY)
        (void)snprintf(detail, sizeof detail, "encrypted container: %s (%s)",
                       keys ? "wrong key: none of those given opens it" : "no key was given", why->text);
    else
        (void)snprintf(detail, sizeof detail, "begins as a medium of kind %s: %s", kind->name,
                       why->text[0] ? why->text : strerror(-code));
    worker_send_fault(worker, &(struct found_fault){
                                  .kind = code == -ENOKEY    ? FAULT_ENCRYPTED
                                          : code == -ENOTSUP ? FAULT_UNSUPPORTED
                                          : code == -ELOOP   ? FAULT_LIMIT
                                                             : FAULT_DAMAGED,
                                  .volume = "",
                                  .path = task->path,
                                  .stage = "open",
                                  .plugin = "",
                                  .offset = UINT64_MAX,
                                  .size = task->size,
                                  .effect = "what lies inside is not read",
                                  .detail = detail,
                              });
}

int worker_inside(struct worker *worker, const struct task_stream_in *task, struct stream *stream)
{
    const struct layer_kind *kind = detect(stream);
    struct image *image = worker_image(worker, task->exhibit), *inner;
    size_t steps = image_layers_size(task->locator);
    struct buf expand = {0};
    struct why why = {{0}};
    const char *rest;
    int code;

    if (!kind)
        return 0;
    worker_beat(worker, 0, BLACKBOX_MEDIUM, 0); /* its library may not survive it; the content is examined all the same */
    buf_printf(&expand, "%.*s%s{%s}>volumes", (int)steps, task->locator, kind->name, task->locator + steps);
    code = buf_failed(&expand) ? -ENOMEM : image_enter(image, buf_cstr(&expand), &inner, &rest, &why);
    if (code == 0) {
        code = tell_volume(worker, task, inner, buf_cstr(&expand));
        image_leave(inner);
    } else if (code != -ENOMEM || why.text[0]) {
        tell_closed(worker, task, kind, code, &why);
        code = 0;
    }
    buf_finish(&expand);
    worker_beat(worker, 0, BLACKBOX_ENGINE, 0);
    return code;
}
