/*
 * zip_kind: see zip_kind.h. Office Open XML [ECMA-376 part 2, and the content types of part 1], OpenDocument
 * [OASIS ODF 1.3 part 2, 3.3: MIME type stream], EPUB [OCF 3.3], Android packages, Java archives [JAR file
 * specification], KMZ [OGC 12-007], XPI [Mozilla add-on documentation].
 */
#include "plugins/carve/formats/zip_kind.h"

#include "plugins/carve/formats/unpack.h"

#include <string.h>

enum { TEXT = 64 * 1024 };

enum how { EXACT, PREFIX, SUFFIX };

enum seen {
    TYPES = 1 << 0,
    WORD = 1 << 1,
    SHEET = 1 << 2,
    SLIDES = 1 << 3,
    SHEET_BINARY = 1 << 4,
    VISIO = 1 << 5,
    XPS = 1 << 6,
    MODEL_3D = 1 << 7,
    MIMETYPE = 1 << 8,
    OCF = 1 << 9,
    MANIFEST = 1 << 10,
    ANDROID = 1 << 11,
    WEB_INF = 1 << 12,
    KML = 1 << 13,
    MOZILLA = 1 << 14,
    INSTALL_RDF = 1 << 16,
    PAYLOAD = 1 << 17,
    IWA = 1 << 18,
    WHEEL = 1 << 19,
    NUSPEC = 1 << 20,
    CLASS = 1 << 21,
    ODF_META = 1 << 23,
    CORE = 1 << 24,
    OPF = 1 << 25,
    KEYNOTE = 1 << 26,
};

static const struct {
    const char *name;
    enum how how;
    uint32_t bit;
} names[] = {
    {"[Content_Types].xml", EXACT, TYPES},
    {"word/document", PREFIX, WORD},
    {"xl/workbook.xml", EXACT, SHEET},
    {"xl/workbook.bin", EXACT, SHEET_BINARY},
    {"ppt/presentation.xml", EXACT, SLIDES},
    {"visio/document.xml", EXACT, VISIO},
    {".fdseq", SUFFIX, XPS},
    {"3D/3dmodel.model", EXACT, MODEL_3D},
    {"mimetype", EXACT, MIMETYPE},
    {"META-INF/container.xml", EXACT, OCF},
    {"META-INF/MANIFEST.MF", EXACT, MANIFEST},
    {"AndroidManifest.xml", EXACT, ANDROID},
    {"WEB-INF/", PREFIX, WEB_INF},
    {".kml", SUFFIX, KML},
    {"META-INF/mozilla.rsa", EXACT, MOZILLA},
    {"install.rdf", EXACT, INSTALL_RDF},
    {"Payload/", PREFIX, PAYLOAD},
    {"Index/Document.iwa", EXACT, IWA},
    {"Index/Slide", PREFIX, KEYNOTE},
    {"index.apxl", EXACT, KEYNOTE},
    {".dist-info/WHEEL", SUFFIX, WHEEL},
    {".nuspec", SUFFIX, NUSPEC},
    {".class", SUFFIX, CLASS},
    {"meta.xml", EXACT, ODF_META},
    {"docProps/core.xml", EXACT, CORE},
    {".opf", SUFFIX, OPF},
};

/* The first line whose bits were all seen is it. */
static const struct {
    uint32_t all;
    const char *extension, *format;
} kinds[] = {
    {TYPES | WORD, "docx", "Word document (Office Open XML)"},
    {TYPES | SHEET, "xlsx", "Excel workbook (Office Open XML)"},
    {TYPES | SHEET_BINARY, "xlsb", "Excel workbook (binary, in a ZIP)"},
    {TYPES | SLIDES, "pptx", "PowerPoint presentation (Office Open XML)"},
    {TYPES | VISIO, "vsdx", "Visio drawing (Office Open XML)"},
    {TYPES | XPS, "xps", "XPS document"},
    {TYPES | MODEL_3D, "3mf", "3MF model"},
    {TYPES | NUSPEC, "nupkg", "NuGet package"},
    {OCF | OPF, "epub", "EPUB book"},
    {ANDROID, "apk", "Android package"},
    {PAYLOAD, "ipa", "iOS app"},
    {MOZILLA, "xpi", "Mozilla extension"},
    {INSTALL_RDF, "xpi", "Mozilla extension"},
    {WEB_INF | CLASS, "war", "Java web archive"},
    {MANIFEST, "jar", "Java archive"},
    {WHEEL, "whl", "Python wheel"},
    {KEYNOTE, "key", "Keynote presentation"},
    {IWA, "zip", "Pages or Numbers document"},
    {KML, "kmz", "KMZ map data"},
};

/* By the content type of the main part, for what the part's name does not tell, or where the part is not
 * there (of: NULL). */
static const struct {
    const char *type, *of, *extension;
} variants[] = {
    {"ms-word.document.macroEnabled.main", "docx", "docm"},
    {"wordprocessingml.template.main", "docx", "dotx"},
    {"ms-word.template.macroEnabledTemplate.main", "docx", "dotm"},
    {"ms-excel.sheet.macroEnabled.main", "xlsx", "xlsm"},
    {"spreadsheetml.template.main", "xlsx", "xltx"},
    {"ms-excel.template.macroEnabled.main", "xlsx", "xltm"},
    {"ms-excel.addin.macroEnabled.main", "xlsx", "xlam"},
    {"ms-powerpoint.presentation.macroEnabled.main", "pptx", "pptm"},
    {"presentationml.template.main", "pptx", "potx"},
    {"ms-powerpoint.template.macroEnabled.main", "pptx", "potm"},
    {"presentationml.slideshow.main", "pptx", "ppsx"},
    {"ms-powerpoint.slideshow.macroEnabled.main", "pptx", "ppsm"},
    {"wordprocessingml.document.main", NULL, "docx"},
    {"spreadsheetml.sheet.main", NULL, "xlsx"},
    {"presentationml.presentation.main", NULL, "pptx"},
};

/* By what the member `mimetype` says, all of it. */
static const struct {
    const char *type, *extension, *format;
} media[] = {
    {"application/vnd.oasis.opendocument.text", "odt", "OpenDocument text"},
    {"application/vnd.oasis.opendocument.spreadsheet", "ods", "OpenDocument spreadsheet"},
    {"application/vnd.oasis.opendocument.presentation", "odp", "OpenDocument presentation"},
    {"application/vnd.oasis.opendocument.graphics", "odg", "OpenDocument drawing"},
    {"application/vnd.oasis.opendocument.formula", "odf", "OpenDocument formula"},
    {"application/vnd.oasis.opendocument.base", "odb", "OpenDocument database"},
    {"application/vnd.oasis.opendocument.database", "odb", "OpenDocument database"},
    {"application/vnd.oasis.opendocument.chart", "odc", "OpenDocument chart"},
    {"application/vnd.oasis.opendocument.text-master", "odm", "OpenDocument master text"},
    {"application/vnd.oasis.opendocument.text-template", "ott", "OpenDocument text template"},
    {"application/vnd.oasis.opendocument.spreadsheet-template", "ots", "OpenDocument spreadsheet template"},
    {"application/vnd.oasis.opendocument.presentation-template", "otp", "OpenDocument presentation template"},
    {"application/vnd.oasis.opendocument.graphics-template", "otg", "OpenDocument drawing template"},
    {"application/vnd.sun.xml.writer", "sxw", "OpenOffice.org 1.0 text"},
    {"application/vnd.sun.xml.calc", "sxc", "OpenOffice.org 1.0 spreadsheet"},
    {"application/vnd.sun.xml.impress", "sxi", "OpenOffice.org 1.0 presentation"},
    {"application/vnd.sun.xml.draw", "sxd", "OpenOffice.org 1.0 drawing"},
    {"application/epub+zip", "epub", "EPUB book"},
    {"application/vnd.etsi.asic-e+zip", "asice", "signed container (ASiC-E)"},
    {"application/vnd.etsi.asic-s+zip", "asics", "signed container (ASiC-S)"},
    {"application/x-krita", "kra", "Krita picture"},
    {"image/openraster", "ora", "OpenRaster picture"},
    {"application/vnd.adobe.indesign-idml-package", "idml", "InDesign document (IDML)"},
};

static bool fits(const uint8_t *name, size_t size, const char *wanted, enum how how)
{
    size_t length = strlen(wanted);

    if (size < length || (how == EXACT && size != length))
        return false;
    return memcmp(how == SUFFIX ? name + (size - length) : name, wanted, length) == 0;
}

void zip_kind_see(struct zip_kind *kind, const uint8_t *name, size_t size, const struct zip_place *place)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t bit = names[i].bit;

        if (!fits(name, size, names[i].name, names[i].how))
            continue;
        if (bit == MIMETYPE && kind->seen == 0)
            kind->mimetype = *place;
        if (bit == TYPES)
            kind->types = *place;
        if ((bit == CORE || bit == ODF_META || bit == OPF) && kind->title.limit == 0)
            kind->title = *place;
        kind->seen |= bit;
    }
}

static size_t load(struct reader *reader, const struct zip_place *place, uint8_t *text)
{
    if (place->deflated)
        return unpack_inflate(reader, READER_DEFLATE, place->offset, place->limit, text, TEXT);
    return unpack_stored(reader, place->offset, place->limit, text, TEXT);
}

static bool by_mimetype(const uint8_t *text, size_t size, struct carved *ret)
{
    while (size > 0 && text[size - 1] <= ' ')
        size--;
    for (size_t i = 0; i < sizeof media / sizeof media[0]; i++) {
        if (fits(text, size, media[i].type, EXACT)) {
            ret->extension = media[i].extension;
            ret->format = media[i].format;
            return true;
        }
    }
    return false;
}

static void by_names(uint64_t seen, struct carved *ret)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if ((seen & kinds[i].all) == kinds[i].all) {
            ret->extension = kinds[i].extension;
            ret->format = kinds[i].format;
            return;
        }
    }
}

static void by_types(const uint8_t *text, size_t size, struct carved *ret)
{
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        const char *of = variants[i].of;

        if ((ret->extension == NULL ? of == NULL : of != NULL && strcmp(of, ret->extension) == 0) &&
            memmem(text, size, variants[i].type, strlen(variants[i].type)) != NULL) {
            ret->extension = variants[i].extension;
            return;
        }
    }
}

/* XML's five entities, in place; the new size. */
static size_t unescape(uint8_t *text, size_t size)
{
    static const struct {
        const char *name;
        uint8_t is;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    size_t out = 0;

    for (size_t i = 0; i < size; i++) {
        text[out] = text[i];
        for (size_t k = 0; text[i] == '&' && k < sizeof entities / sizeof entities[0]; k++) {
            if (fits(text + i, size - i, entities[k].name, PREFIX)) {
                text[out] = entities[k].is;
                i += strlen(entities[k].name) - 1;
                break;
            }
        }
        out++;
    }
    return out;
}

/* The text of the element dc:title, which all three kinds of metadata have. */
static void take_title(uint8_t *text, size_t size, struct carved *ret)
{
    uint8_t *at = memmem(text, size, "<dc:title", 9), *end;
    size_t left;

    if (at == NULL || (at = memchr(at, '>', size - (size_t)(at - text))) == NULL || at[-1] == '/')
        return;
    at++;
    left = size - (size_t)(at - text);
    end = memchr(at, '<', left);
    if (end != NULL)
        carved_title(ret, at, unescape(at, (size_t)(end - at)), "UTF-8");
}

void zip_kind_tell(const struct zip_kind *kind, struct reader *reader, struct carved *ret)
{
    uint8_t text[TEXT];
    size_t size;

    if (kind->mimetype.limit == 0 || (size = load(reader, &kind->mimetype, text)) == 0 ||
        !by_mimetype(text, size, ret))
        by_names(kind->seen, ret);
    if (kind->types.limit > 0) {
        size = load(reader, &kind->types, text);
        by_types(text, size, ret);
    }
    if (kind->title.limit > 0 && ret->extension != NULL) {
        size = load(reader, &kind->title, text);
        take_title(text, size, ret);
    }
}
