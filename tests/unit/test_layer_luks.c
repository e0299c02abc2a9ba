/* test_layer_luks: what a header says is told as it may be shown, whatever it says; and it costs no more than is done. */
#include "engine/evidence/layer/layer_luks.h"

#include "engine/base/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* A LUKS1 volume: its header, and zeros. */
struct volume {
    uint8_t header[592];
};
enum { SIZE = 2 << 20, PAYLOAD = 2048, SLOT = 208, ENABLED = 0x00ac71f3 };

static int volume_read(void *context, uint64_t offset, void *data, size_t size)
{
    const struct volume *volume = context;
    uint8_t *to = data;

    for (size_t i = 0; i < size; i++)
        to[i] = offset + i < sizeof volume->header ? volume->header[offset + i] : 0;
    return 0;
}

static void put_number(struct volume *volume, size_t at, uint32_t number)
{
    for (size_t i = 0; i < 4; i++)
        volume->header[at + i] = (uint8_t)(number >> (24 - 8 * i));
}

static void put_text(struct volume *volume, size_t at, const char *text)
{
    memcpy(volume->header + at, text, strlen(text));
}

static struct volume make(const char *hash, const char *uuid, uint32_t rounds)
{
    struct volume volume = {0};

    memcpy(volume.header, "LUKS\xba\xbe\0\1", 8);
    put_text(&volume, 8, "aes");
    put_text(&volume, 40, "xts-plain64");
    put_text(&volume, 72, hash);
    put_number(&volume, 104, PAYLOAD);
    put_number(&volume, 108, 32);
    put_number(&volume, 164, 1000);
    put_text(&volume, 168, uuid);
    put_number(&volume, SLOT, ENABLED);
    put_number(&volume, SLOT + 4, rounds);
    put_number(&volume, SLOT + 40, 8);
    put_number(&volume, SLOT + 44, 4000);
    return volume;
}

static int open_with(struct volume *volume, const struct keys *keys, struct why *why)
{
    const struct layer_base base = {
        .readers = {{volume_read, volume, SIZE}}, .count = 1, .keys = keys};
    struct layer layer = {.kind = &layer_luks};
    int code;

    why->text[0] = '\0';
    code = layer_luks.open(&layer, &base, why);
    cr_expect(text_is_escaped(why->text), "%s", why->text);
    if (layer.state)
        layer_luks.close(&layer);
    return code;
}

Test(layer_luks, without_a_key_it_is_told_what_it_is)
{
    struct volume volume = make("sha256", "2c3f4a1e-0000-4000-8000-00000000000a", 1000);
    struct why why;

    cr_assert_eq(open_with(&volume, NULL, &why), -ENOKEY);
    cr_expect_str_eq(why.text, "LUKS1, aes-xts-plain64, UUID 2c3f4a1e-0000-4000-8000-00000000000a");
}

Test(layer_luks, a_uuid_of_other_characters_is_not_repeated)
{
    struct volume volume = make("sha256", "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\xe2\x80\xae\\", 1000);
    struct why why;

    cr_assert_eq(open_with(&volume, NULL, &why), -ENOKEY);
    cr_expect_str_eq(why.text, "LUKS1, aes-xts-plain64, UUID damaged");
}

Test(layer_luks, what_is_no_word_is_not_repeated)
{
    struct volume volume = make("sha\\256\xe2\x80\xae", "", 1000);
    struct keys keys = {0};
    struct why why;

    cr_assert_eq(keys_add(&keys, KEY_PASSWORD, "open", 4), 0);
    cr_expect_eq(open_with(&volume, &keys, &why), -EINVAL);
    keys_finish(&keys);
}

Test(layer_luks, more_computing_than_is_done_is_refused_and_told)
{
    struct volume volume = make("sha256", "", LUKS_ROUNDS_MAX + 1);
    struct keys keys = {0};
    struct why why;

    cr_assert_eq(keys_add(&keys, KEY_PASSWORD, "open", 4), 0);
    cr_expect_eq(open_with(&volume, &keys, &why), -ENOKEY);
    cr_expect(strstr(why.text, "more computing than is done"), "%s", why.text);
    keys_finish(&keys);
}
