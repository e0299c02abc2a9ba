/*
 * pcap: captured packets [IETF, draft-ietf-opsawg-pcap; Wireshark, pcap formats with nanoseconds]. Records
 * follow the header until one is not sane: the end is only implied, behind the last whole record. Validated:
 * of an Ethernet or IP capture, nearly every IPv4 header adds up, and so does the last packet's TCP or UDP
 * checksum, which says that the last record is the capture's own. Else complete.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER = 24,
    RECORD = 16,
    LENGTH_MAX = 256 * 1024,
    LINK_MAX = 300,
    JUMP_MAX = 7 * 24 * 3600, /* seconds between records, beyond which the time alone must make sense: */
    TIME_FIRST = 631152000,   /* 1990 */
    TIME_LAST = 2147483647,   /* 2038 */
};

enum link { ETHERNET = 1, RAW = 12, RAW_BSD = 14, RAW_IP = 101, LINUX_SLL = 113, IPV4 = 228 };

struct pcap {
    struct reader *reader;
    bool big;
    uint32_t fractions, snap, link; /* fractions of a second; bytes kept of a packet; link layer */
    uint32_t records, ip_right, ip_wrong;
    bool last_right; /* the last packet's transport checksum */
};

static bool read_header(struct pcap *pcap)
{
    const uint8_t *p = reader_at(pcap->reader, 0, HEADER);
    uint32_t magic;

    if (p == NULL)
        return false;
    pcap->big = p[0] == 0xa1;
    magic = field_u32(p, pcap->big);
    pcap->fractions = magic == 0xa1b23c4d ? 1000000000 : 1000000;
    pcap->snap = field_u32(p + 16, pcap->big);
    pcap->link = field_u32(p + 20, pcap->big) & 0xffff;
    return (magic == 0xa1b2c3d4 || magic == 0xa1b23c4d) && field_u16(p + 4, pcap->big) == 2 &&
           field_u16(p + 6, pcap->big) <= 4 && pcap->link <= LINK_MAX;
}

/* Ones' complement sum of big-endian words on top of `sum`. */
static uint32_t sum_words(const uint8_t *p, size_t size, uint32_t sum)
{
    for (size_t i = 0; i + 2 <= size; i += 2)
        sum += field_be16(p + i);
    if (size % 2 != 0)
        sum += (uint32_t)p[size - 1] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* The IPv4 packet in a frame; NULL: none. */
static const uint8_t *find_ip(const struct pcap *pcap, const uint8_t *p, size_t size, size_t *ret_size)
{
    size_t at = 0;

    if (pcap->link == ETHERNET) {
        at = size >= 18 && field_be16(p + 12) == 0x8100 ? 18 : 14;
        if (size < at || field_be16(p + at - 2) != 0x0800)
            return NULL;
    } else if (pcap->link == LINUX_SLL) {
        at = 16;
        if (size < at || field_be16(p + 14) != 0x0800)
            return NULL;
    } else if (pcap->link != RAW && pcap->link != RAW_BSD && pcap->link != RAW_IP && pcap->link != IPV4) {
        return NULL;
    }
    *ret_size = size - at;
    return size - at >= 20 && p[at] >> 4 == 4 ? p + at : NULL;
}

/* Counts the packet's header as right or wrong, and checks its transport. */
static void check_packet(struct pcap *pcap, const uint8_t *frame, size_t size)
{
    const uint8_t *ip = find_ip(pcap, frame, size, &size);
    size_t head = ip != NULL ? (size_t)(ip[0] & 15) * 4 : 0, total = ip != NULL ? field_be16(ip + 2) : 0;
    uint32_t sum;

    pcap->last_right = false;
    if (ip == NULL)
        return;
    if (head < 20 || head > size || total < head || total > size || sum_words(ip, head, 0) != 0xffff) {
        pcap->ip_wrong++;
        return;
    }
    pcap->ip_right++;
    if ((field_be16(ip + 6) & 0x3fff) != 0 || (ip[9] != 6 && ip[9] != 17 && ip[9] != 1))
        return;
    sum = ip[9] == 1 ? 0 : sum_words(ip + 12, 8, ip[9] + (uint32_t)(total - head));
    pcap->last_right = total > head && sum_words(ip + head, total - head, sum) == 0xffff;
}

/* Near the record before, or, in a file that was put together from several captures, a time of our days. */
static bool time_is_sane(const struct pcap *pcap, uint32_t before, uint32_t when)
{
    uint32_t jump = when > before ? when - before : before - when;

    return pcap->records == 0 || jump <= JUMP_MAX || (when >= TIME_FIRST && when < TIME_LAST);
}

/* The record at `offset`: its whole size; 0: none begins here. */
static uint64_t record_size(struct pcap *pcap, uint64_t offset, uint32_t *seconds)
{
    const uint8_t *p = reader_at(pcap->reader, offset, RECORD);
    uint32_t when, kept, length, most = pcap->snap > 0 && pcap->snap < LENGTH_MAX ? pcap->snap : LENGTH_MAX;

    if (p == NULL)
        return 0;
    when = field_u32(p, pcap->big);
    kept = field_u32(p + 8, pcap->big);
    length = field_u32(p + 12, pcap->big);
    if (field_u32(p + 4, pcap->big) >= pcap->fractions || kept == 0 || kept > length || kept > most ||
        length > 16 * LENGTH_MAX || !time_is_sane(pcap, *seconds, when))
        return 0;
    *seconds = when;
    return RECORD + kept;
}

static enum carve_grade walk(struct pcap *pcap, struct carved *ret)
{
    uint64_t offset = HEADER, size;
    uint32_t seconds = 0;

    while ((size = record_size(pcap, offset, &seconds)) > 0) {
        const uint8_t *p;
        size_t look = size - RECORD < READER_AT_MAX ? (size_t)(size - RECORD) : READER_AT_MAX;

        if (offset + size > reader_size(pcap->reader))
            return pcap->records == 0
                       ? CARVE_NONE
                       : carved_partial(ret, offset, "the data ends within the packet behind this");
        if ((p = reader_at(pcap->reader, offset + RECORD, look)) == NULL)
            break;
        check_packet(pcap, p, look);
        pcap->records++;
        offset += size;
    }
    if (pcap->records == 0)
        return CARVE_NONE;
    return carved_whole(
        ret, pcap->last_right && pcap->ip_wrong <= pcap->ip_right / 50 ? CARVE_VALIDATED : CARVE_COMPLETE,
        offset);
}

static enum carve_grade examine_pcap(struct reader *reader, struct carved *ret)
{
    struct pcap pcap = {.reader = reader};

    return read_header(&pcap) ? walk(&pcap, ret) : CARVE_NONE;
}

static const struct carve_format pcap_format = {"pcap", examine_pcap};
const struct carve_format *const carve_pcap[] = {&pcap_format, NULL};
