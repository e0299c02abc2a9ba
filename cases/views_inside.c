/*
 * views_inside: letters of all programs in one view, and all that is encrypted. Which tables there are
 * depends on which plugins have run.
 */
#include "cases/views_private.h"

#include <errno.h>

/* ------------------------------------------------------------------ letters */

/* The columns that the view has, in the order of `letters`. */
#define LETTER_COLUMNS                                                                                       \
    "stream, attempt, sender, recipients, copies, blind_copies, reply_to, subject, sent, sent_text, "        \
    "message_id, "                                                                                           \
    "in_reply_to, received, agent, origin, parts, encryption, signature, class, folder, state, delivered"

static const struct {
    const char *table, *select;
} letters[] = {
    {"rec_mail_message", "SELECT stream, attempt, sender, recipients, copies, blind_copies, reply_to, "
                         "subject, sent, sent_text, message_id, "
                         "in_reply_to, received, agent, origin, parts, encryption, signature, NULL AS class, "
                         "NULL AS folder, NULL AS state, "
                         "NULL AS delivered FROM rec_mail_message"},
    {"rec_pst_message", "SELECT " LETTER_COLUMNS " FROM rec_pst_message"},
    {"rec_ole_message",
     "SELECT stream, attempt, CASE WHEN sender IS NULL OR sender = sender_address THEN sender_address WHEN "
     "sender_address IS NULL THEN sender ELSE sender || ' <' || sender_address || '>' END AS sender, "
     "recipients, copies, "
     "blind_copies, NULL AS reply_to, subject, sent, NULL AS sent_text, message_id, NULL AS in_reply_to, "
     "NULL AS received, "
     "NULL AS agent, NULL AS origin, NULL AS parts, NULL AS encryption, NULL AS signature, NULL AS class, "
     "NULL AS folder, "
     "NULL AS state, delivered FROM rec_ole_message"},
    {"rec_tnef_message",
     "SELECT stream, attempt, sender, recipients, copies, blind_copies, NULL AS reply_to, subject, sent, "
     "NULL AS "
     "sent_text, message_id, in_reply_to, NULL AS received, NULL AS agent, NULL AS origin, parts, NULL AS "
     "encryption, NULL "
     "AS signature, class, NULL AS folder, NULL AS state, delivered FROM rec_tnef_message"},
};

bool views_letters(struct db *db, struct buf *ret_from)
{
    bool any = false;

    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (!db_has_table(db, letters[i].table))
            continue;
        buf_printf(ret_from, "%s%s", any ? " UNION ALL " : "(", letters[i].select);
        any = true;
    }
    if (any)
        buf_text(
            ret_from,
            ") m JOIN t_stream s ON s.id = m.stream AND s.attempt = m.attempt JOIN t_exhibit x ON x.id = "
            "s.exhibit");
    return any;
}

/* ------------------------------------------------------------------ what is encrypted */

#define OF_CHOSEN                                                                                            \
    " r JOIN t_stream s ON s.id = r.stream AND s.attempt = r.attempt JOIN t_exhibit x ON x.id = s.exhibit"
#define ROW(path, kind, method, certainty, reason)                                                           \
    "SELECT x.label AS exhibit, " path " AS path, " kind " AS kind, " method " AS method, " certainty        \
    " AS certainty, " reason " AS reason, s.id AS stream, r.attempt AS attempt FROM "

static const struct {
    const char *table, *select;
} sources[] = {
    {"rec_encrypted",
     ROW("s.path", "r.kind", "r.method", "r.certainty", "r.reason") "rec_encrypted" OF_CHOSEN},
    {"rec_archive_member", ROW("CASE WHEN r.state = 'content' THEN s.path ELSE s.path || '!/' || r.name END",
                               "'member of an archive'", "r.encryption", "'structure'",
                               "r.key") "rec_archive_member" OF_CHOSEN " WHERE r.encryption IS NOT NULL"},
    {"rec_archive", ROW("s.path", "r.form || ' archive, its names, too'", "NULL", "'structure'",
                        "NULL") "rec_archive" OF_CHOSEN " WHERE r.encrypted_names IS NOT NULL"},
    {"rec_ole_compound", ROW("s.path", "r.kind", "r.encryption", "'structure'",
                             "NULL") "rec_ole_compound" OF_CHOSEN " WHERE r.encryption IS NOT NULL"},
    {"rec_pdf_document", ROW("s.path", "'PDF file'", "r.encryption", "'structure'",
                             "CASE r.password WHEN 'needed' THEN 'a password is needed' ELSE 'opens without "
                             "a password' END") "rec_pdf_document" OF_CHOSEN
                                                " WHERE r.encryption IS NOT NULL"},
    {"rec_mail_message", ROW("s.path", "'message'", "r.encryption", "'structure'",
                             "NULL") "rec_mail_message" OF_CHOSEN " WHERE r.encryption IS NOT NULL"},
    {"rec_pst_message", ROW("s.path", "'message'", "r.encryption", "'structure'",
                            "NULL") "rec_pst_message" OF_CHOSEN " WHERE r.encryption IS NOT NULL"},
};

/* What the file system encrypts; a folder of this kind encrypts what is put into it. */
static const char by_filesystem[] =
    "SELECT x.label AS exhibit, e.path AS path, CASE WHEN lower(v.filesystem) LIKE '%ntfs%' THEN "
    "'EFS-encrypted file' ELSE 'file that the file system encrypts' END AS kind, CASE WHEN "
    "lower(v.filesystem) LIKE "
    "'%ntfs%' THEN 'EFS' ELSE v.filesystem END AS method, 'structure' AS certainty, NULL AS reason, e.stream "
    "AS stream, "
    "NULL AS attempt FROM t_entry e JOIN t_exhibit x ON x.id = e.exhibit LEFT JOIN t_volume v ON v.exhibit = "
    "e.exhibit AND "
    "v.key = e.volume WHERE e.flags & 256 <> 0";

int views_encrypted(struct db *db)
{
    struct buf sql = {0};
    int code;

    buf_text(&sql, "DROP VIEW IF EXISTS encrypted; CREATE VIEW encrypted AS ");
    buf_text(&sql, by_filesystem);
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        if (db_has_table(db, sources[i].table))
            buf_printf(&sql, " UNION ALL %s", sources[i].select);
    }
    code = buf_failed(&sql) ? -ENOMEM : db_exec(db, buf_cstr(&sql));
    buf_finish(&sql);
    return code;
}
