/*
 * examiners: every one, with the trigger or core that calls it. Each family has a file of its own, which
 * cites where the form of what it examines is defined.
 */
#ifndef KVALI_PLUGINS_FEATURES_EXAMINERS_H
#define KVALI_PLUGINS_FEATURES_EXAMINERS_H

#include "plugins/features/finder.h"

/* web.c: addresses of mail and of the web */
examiner examine_email;       /* the '@' */
examiner examine_url;         /* the ':' of "://" */
examiner examine_bare_domain; /* the '.' before a top-level domain that counts alone */

/* Is [begin, end) a host name whose top-level domain is in the list? */
bool web_is_domain(const struct tables *tables, const struct text *text, size_t begin, size_t end);

/* messenger.c: a URL, scheme or none, that leads to somebody in a messenger. `host` and `path` as in the
 * text; the finder is told. */
void messenger_look(struct finder *finder, const struct text *text, size_t begin, size_t host,
                    size_t host_end, size_t end);
examiner
    examine_messenger_link; /* the first byte of a link without "://" before it, or of "tg:" and its like */

/* network.c */
examiner examine_ipv4; /* the first dot */
examiner examine_ipv6; /* a ':' in it */
examiner examine_mac;  /* the first separator */
bool network_is_ipv4(const struct text *text, size_t begin, size_t end);

/* number.c: what consists of digits */
examiner examine_digits; /* a digit in it: cards, IMEI, ICCID, numbers of persons and companies, telephones */
examiner examine_groups; /* the eighth digit of a card in groups */
examiner examine_phone;  /* the '+' */
examiner examine_phone_word; /* behind a word like "tel" */

/* account.c */
examiner examine_iban; /* the second check digit */

/* coin.c, chain.c: addresses and keys of crypto currencies */
examiner examine_coin;  /* somewhere in a run of letters and digits */
examiner examine_seed;  /* somewhere in a run of words */
examiner examine_onion; /* the '.' of ".onion" */

/* mrz.c */
examiner examine_mrz; /* somewhere in the first line */

/* place.c */
examiner examine_coordinates; /* a decimal point */
examiner examine_degrees;     /* a degree sign */
examiner examine_nmea;        /* the '$' */

/* plate.c */
examiner examine_plate; /* a '-' */

/* secret.c: keys, tokens, passwords */
examiner examine_armor;      /* the first byte of "-----BEGIN " */
examiner examine_credential; /* the first byte of a word like "password" */
examiner examine_basic;      /* behind "Authorization: Basic " */
void examine_token(struct finder *finder, const struct text *text, size_t at,
                   const struct table_token *token);

/* trace.c: what systems leave */
examiner examine_usb;  /* the first byte of "USBSTOR" and its like */
examiner examine_home; /* the first byte of "\Users\" and its like */

#endif
