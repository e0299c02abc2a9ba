/*
 * yara_version: which libyara the plugin is linked with.
 */
#ifndef KVALI_PLUGINS_YARA_VERSION_H
#define KVALI_PLUGINS_YARA_VERSION_H

/* "libyara 4.2.3". Static. */
const char *yara_plugin_version(void);

#endif
