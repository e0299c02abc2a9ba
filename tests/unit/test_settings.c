/* settings.c: keys, values and their one canonical form. */
#include "engine/base/settings.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct settings settings;
static struct why why;

static void set_up(void)
{
    cr_assert_eq(settings_init(&settings), 0);
}

static void tear_down(void)
{
    settings_finish(&settings);
}

TestSuite(settings, .init = set_up, .fini = tear_down);

static int set(const char *key, const char *value)
{
    return settings_set(&settings, key, value, &why);
}

/* A file of these lines, whose name lives until the next. */
static const char *file_of(const char *text)
{
    static char path[32];
    int fd;

    strcpy(path, "/tmp/kvali-test-XXXXXX");
    fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    return path;
}

Test(settings, the_table_is_sorted_and_every_default_is_valid_and_canonical)
{
    size_t count;
    const struct setting_known *table = settings_table(&count);

    for (size_t i = 0; i < count; i++) {
        cr_assert(i == 0 || strcmp(table[i - 1].key, table[i].key) < 0, "%s", table[i].key);
        cr_assert_eq(set(table[i].key, table[i].fallback), 0, "%s", why.text);
        cr_assert_str_eq(settings_text(&settings, table[i].key), table[i].fallback);
        cr_assert(strlen(table[i].what) > 0);
    }
    cr_assert_eq(settings.count, count);
}

Test(settings, sizes_take_units_and_are_kept_in_one_form)
{
    cr_assert_eq(set("spool.memory", "1024M"), 0);
    cr_assert_str_eq(settings_text(&settings, "spool.memory"), "1G");
    cr_assert_eq(settings_number(&settings, "spool.memory"), UINT64_C(1) << 30);
    cr_assert_eq(set("spool.memory", "1000"), 0);
    cr_assert_eq(settings_number(&settings, "spool.memory"), 1000);
    cr_assert_eq(set("limit.records", "007"), 0);
    cr_assert_str_eq(settings_text(&settings, "limit.records"), "7");
}

Test(settings, what_is_not_a_size_is_refused)
{
    static const char *const wrong[] = {
        "", "M", "-1", "1.5G", "1MB", "0x10", " 1", "99999999999999999999", "16777216T", "1 G"};
    uint64_t size = 1;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_assert(!size_parse(wrong[i], &size), "%s", wrong[i]);
        cr_assert_eq(set("spool.memory", wrong[i]), -EINVAL, "%s", wrong[i]);
    }
    cr_assert_eq(size, 1, "untouched on failure");
    cr_assert(size_parse("16777215T", &size));
    cr_assert(size_parse("18446744073709551615", &size));
    cr_assert_eq(size, UINT64_MAX);
    cr_assert_str_eq(settings_text(&settings, "spool.memory"), "64M");
}

Test(settings, an_unknown_key_is_refused_and_named)
{
    cr_assert_eq(set("limit.dept", "3"), -ENOENT);
    cr_assert_not_null(strstr(why.text, "limit.dept"));
    cr_assert_eq(settings_number(&settings, "limit.dept"), 0);
    cr_assert_str_eq(settings_text(&settings, "limit.dept"), "");
}

Test(settings, a_value_out_of_its_range_is_refused)
{
    cr_assert_eq(set("block", "0"), -EINVAL);
    cr_assert_eq(set("limit.depth", "65"), -EINVAL);
    cr_assert_eq(set("sandbox", "off"), -EINVAL);
    cr_assert_eq(set("sandbox", "weak"), 0);
    cr_assert_eq(set("plugins", "a\nyara.timeout=1"), -EINVAL);
}

Test(settings, a_plugin_of_the_lab_has_keys_of_its_own)
{
    cr_assert_eq(set("plugin.mine.words", "any text"), 0);
    cr_assert_str_eq(settings_text(&settings, "plugin.mine.words"), "any text");
    cr_assert_eq(set("plugin.mine", "x"), -ENOENT);
    cr_assert_eq(set("plugin..x", "x"), -ENOENT);
    cr_assert_eq(set("plugin.mine.", "x"), -ENOENT);
    cr_assert_eq(set("plugin.mine.a=b", "x"), -ENOENT);
    cr_assert_eq(set("plugin.mine.words", "a\nb"), -EINVAL);
}

Test(settings, the_digest_changes_with_what_can_change_findings_alone)
{
    char before[SHA256_HEX_SIZE], after[SHA256_HEX_SIZE];

    settings_sha256(&settings, before);
    cr_assert_eq(set("jobs", "7"), 0);
    cr_assert_eq(set("sandbox", "weak"), 0);
    cr_assert_eq(set("yara.rules", "/elsewhere"), 0);
    cr_assert_eq(set("spool.memory", "1M"), 0);
    cr_assert_eq(set("limit.spool", "16384M"), 0);
    settings_sha256(&settings, after);
    cr_assert_str_eq(before, after);
    cr_assert_eq(set("limit.depth", "7"), 0);
    settings_sha256(&settings, after);
    cr_assert_str_neq(before, after);
    cr_assert_eq(set("limit.depth", "8"), 0);
    cr_assert_eq(set("plugin.mine.words", ""), 0);
    settings_sha256(&settings, after);
    cr_assert_str_neq(before, after);
}

Test(settings, a_file_has_sections_and_comments)
{
    const char *path = file_of(
        "# comment\n plugins = digest \n; another\n\n[limit]\ndepth=3\r\nchildren = 5\n[yara]\ntimeout = 9");

    cr_assert_eq(settings_load(&settings, path, &why), 0, "%s", why.text);
    unlink(path);
    cr_assert_str_eq(settings_text(&settings, "plugins"), "digest");
    cr_assert_eq(settings_number(&settings, "limit.depth"), 3);
    cr_assert_eq(settings_number(&settings, "limit.children"), 5);
    cr_assert_eq(settings_number(&settings, "yara.timeout"), 9);
}

Test(settings, an_error_in_a_file_names_file_and_line)
{
    static const char *const wrong[] = {"\n\nno equals sign\n", "\n\n[limit\n", "\n\n[]\n",
                                        "\n\nlimit.depth = many\n", "\n\nno.such = 1\n"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *path = file_of(wrong[i]);
        char place[48];

        cr_assert_lt(settings_load(&settings, path, &why), 0);
        unlink(path);
        snprintf(place, sizeof place, "%s:3: ", path);
        cr_assert_eq(strncmp(why.text, place, strlen(place)), 0, "%s", why.text);
    }
    cr_assert_eq(settings_load(&settings, "/nonexistent/x.ini", &why), -ENOENT);
}

Test(settings, they_cross_the_wire_and_nothing_else_does)
{
    struct settings other;
    struct bytes bytes;
    struct buf buf = {0};

    cr_assert_eq(set("limit.depth", "5"), 0);
    cr_assert_eq(set("plugin.mine.words", "x"), 0);
    settings_write(&settings, &buf);
    cr_assert_eq(settings_init(&other), 0);
    bytes_init(&bytes, buf.data, buf.size);
    cr_assert_eq(settings_read(&other, &bytes), 0);
    cr_assert_eq(bytes_left(&bytes), 0);
    cr_assert_eq(other.count, settings.count);
    for (size_t i = 0; i < other.count; i++)
        cr_assert_str_eq(other.items[i].value, settings.items[i].value);
    for (size_t size = 0; size < buf.size; size++) {
        bytes_init(&bytes, buf.data, size);
        cr_assert_eq(settings_read(&other, &bytes), -EBADMSG);
    }
    buf_clear(&buf);
    buf_u32le(&buf, 1);
    buf_string(&buf, "no.such.key");
    buf_string(&buf, "1");
    bytes_init(&bytes, buf.data, buf.size);
    cr_assert_eq(settings_read(&other, &bytes), -EBADMSG);
    settings_finish(&other);
    buf_finish(&buf);
}
