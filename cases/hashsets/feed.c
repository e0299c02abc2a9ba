/*
 * feed: see feed.h. Each of three buffers has room in front for the beginning of a line that the block before
 * ended in.
 */
#include "cases/hashsets/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFERS = 3 };

struct feed {
    int fd;
    uint64_t size, total;
    pthread_t thread;
    bool running, stop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint8_t *buffers[BUFFERS];
    int64_t counts[BUFFERS]; /* bytes read, or what ended it */
    uint64_t filled, taken;  /* blocks */
    struct hash_sha256 *hash;
    /* The caller's side. */
    const uint8_t *rest; /* of the block given last: what belongs to a line that goes on */
    size_t rest_size;
    bool holds, ended;
};

static int64_t read_block(int fd, uint8_t *data)
{
    size_t have = 0;

    while (have < FEED_BLOCK) {
        ssize_t count = read(fd, data + have, FEED_BLOCK - have);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0)
            break;
        have += (size_t)count;
    }
    return (int64_t)have;
}

static void *run(void *context)
{
    struct feed *feed = context;
    bool more = true;

    while (more) {
        uint8_t *data;
        int64_t count;

        pthread_mutex_lock(&feed->lock);
        while (feed->filled - feed->taken == BUFFERS && !feed->stop)
            pthread_cond_wait(&feed->changed, &feed->lock);
        more = !feed->stop;
        pthread_mutex_unlock(&feed->lock);
        if (!more)
            break;
        data = feed->buffers[feed->filled % BUFFERS] + FEED_LINE_MAX;
        count = read_block(feed->fd, data);
        if (count > 0)
            hash_sha256_update(feed->hash, data, (size_t)count);
        more = count > 0;
        pthread_mutex_lock(&feed->lock);
        feed->counts[feed->filled++ % BUFFERS] = count;
        feed->total += count > 0 ? (uint64_t)count : 0;
        pthread_cond_broadcast(&feed->changed);
        pthread_mutex_unlock(&feed->lock);
    }
    return NULL;
}

static int start(struct feed *feed)
{
    for (size_t i = 0; i < BUFFERS; i++) {
        feed->buffers[i] = malloc(FEED_LINE_MAX + FEED_BLOCK);
        if (feed->buffers[i] == NULL)
            return -ENOMEM;
    }
    feed->hash = hash_sha256_new();
    if (feed->hash == NULL)
        return -ENOMEM;
    feed->running = pthread_create(&feed->thread, NULL, run, feed) == 0;
    return feed->running ? 0 : -EAGAIN;
}

int feed_open(const char *path, struct feed **ret_feed, struct why *why)
{
    struct feed *feed = calloc(1, sizeof *feed);
    struct stat st;
    int rc = 0;

    if (feed == NULL)
        return why_set(why, -ENOMEM, "no memory");
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->changed, NULL);
    feed->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (feed->fd < 0 || fstat(feed->fd, &st) < 0)
        rc = why_set(why, -errno, "%s: %s", path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        rc = why_set(why, -EISDIR, "%s: %s", path, strerror(EISDIR));
    if (rc == 0) {
        feed->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
        (void)posix_fadvise(feed->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        rc = start(feed);
        if (rc < 0)
            why_set(why, rc, "%s: %s", path, strerror(-rc));
    }
    if (rc < 0) {
        feed_close(feed);
        return rc;
    }
    *ret_feed = feed;
    return 0;
}

void feed_close(struct feed *feed)
{
    if (feed == NULL)
        return;
    if (feed->running) {
        pthread_mutex_lock(&feed->lock);
        feed->stop = true;
        pthread_cond_broadcast(&feed->changed);
        pthread_mutex_unlock(&feed->lock);
        pthread_join(feed->thread, NULL);
    }
    for (size_t i = 0; i < BUFFERS; i++)
        free(feed->buffers[i]);
    hash_sha256_free(feed->hash);
    pthread_cond_destroy(&feed->changed);
    pthread_mutex_destroy(&feed->lock);
    if (feed->fd >= 0)
        close(feed->fd);
    free(feed);
}

uint64_t feed_size(const struct feed *feed)
{
    return feed->size;
}

/* Gives back the block held until now and takes the next; *ret_data has FEED_LINE_MAX bytes of room before
 * it. The block given back may be overwritten at once, so a rest of it is moved into that room first. */
static int64_t take(struct feed *feed, uint8_t **ret_data)
{
    int64_t count;

    if (feed->ended)
        return 0;
    pthread_mutex_lock(&feed->lock);
    while (feed->filled - feed->taken == (feed->holds ? 1 : 0))
        pthread_cond_wait(&feed->changed, &feed->lock);
    *ret_data = feed->buffers[(feed->taken + (feed->holds ? 1 : 0)) % BUFFERS] + FEED_LINE_MAX;
    count = feed->counts[(feed->taken + (feed->holds ? 1 : 0)) % BUFFERS];
    pthread_mutex_unlock(&feed->lock);
    if (count > 0)
        memcpy(*ret_data - feed->rest_size, feed->rest, feed->rest_size);
    else
        feed->ended = true;
    if (count > 0) {
        pthread_mutex_lock(&feed->lock);
        feed->taken += feed->holds ? 1 : 0;
        pthread_cond_broadcast(&feed->changed);
        pthread_mutex_unlock(&feed->lock);
        feed->holds = true;
    }
    return count;
}

int64_t feed_next(struct feed *feed, const uint8_t **ret_data)
{
    uint8_t *data = NULL;
    int64_t count;

    feed->rest_size = 0;
    feed->rest = (const uint8_t *)"";
    count = take(feed, &data);
    *ret_data = data;
    return count;
}

int64_t feed_lines(struct feed *feed, const uint8_t **ret_data)
{
    uint8_t *data = NULL;
    const uint8_t *end;
    int64_t count;
    size_t size;

    if (feed->rest == NULL)
        feed->rest = (const uint8_t *)"";
    if (feed->rest_size > FEED_LINE_MAX)
        return -EMSGSIZE;
    count = take(feed, &data);
    if (count < 0)
        return count;
    if (count == 0) {
        size = feed->rest_size;
        *ret_data = feed->rest;
        feed->rest_size = 0;
        return (int64_t)size;
    }
    end = memrchr(data, '\n', (size_t)count);
    if (end == NULL)
        return -EMSGSIZE;
    *ret_data = data - feed->rest_size;
    size = feed->rest_size + (size_t)(end + 1 - data);
    feed->rest = end + 1;
    feed->rest_size = (size_t)(data + count - feed->rest);
    return (int64_t)size;
}

void feed_sha256(struct feed *feed, char ret[SHA256_HEX_SIZE], uint64_t *ret_size)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sha256[SHA256_SIZE];

    if (feed->running)
        pthread_join(feed->thread, NULL);
    feed->running = false;
    hash_sha256_final(feed->hash, sha256);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        ret[2 * i] = digits[sha256[i] >> 4];
        ret[2 * i + 1] = digits[sha256[i] & 15];
    }
    ret[SHA256_HEX_SIZE - 1] = '\0';
    *ret_size = feed->total;
}
