/*
 * custody_kinds: the one table of what people record. A field more is a line more here, and nothing
 * elsewhere.
 */
#include "cases/custody.h"

#include <string.h>

#define MUST  CUSTODY_MUST
#define NONE  CUSTODY_NONE
#define LIST  CUSTODY_LIST
#define KNOWN CUSTODY_KNOWN
#define END                                                                                                  \
    {                                                                                                        \
        NULL, CUSTODY_TEXT, 0, NULL, NULL                                                                    \
    }

static const struct custody_field case_fields[] = {
    {"title", CUSTODY_TEXT, MUST, NULL, "Title of the case"},
    {"agency", CUSTODY_TEXT, MUST, NULL, "Agency that leads it"},
    {"unit", CUSTODY_TEXT, 0, NULL, "Unit of that agency"},
    {"lab", CUSTODY_TEXT, MUST, NULL, "Laboratory: name and address"},
    {"national_number", CUSTODY_TEXT, MUST | NONE, NULL, "National number of the criminal case"},
    {"legal_basis", CUSTODY_TEXT, MUST | LIST, NULL, "Legal basis: type, number, issuer, date"},
    {"offence", CUSTODY_TEXT, 0, NULL, "Offence, or topic"},
    {"requester", CUSTODY_TEXT, MUST, NULL, "Who asked for the examination: name, position, agency"},
    {"question", CUSTODY_TEXT, MUST | LIST | NONE, NULL, "Question that was put"},
    {"request_received", CUSTODY_DATE, MUST, NULL, "When the request was received"},
    {"confidentiality", CUSTODY_TEXT, 0, NULL, "Confidentiality marking"},
    {"time_zone", CUSTODY_TEXT, MUST, NULL, "Time zone of display"},
    END};

static const struct custody_field person_fields[] = {
    {"id", CUSTODY_TEXT, MUST, NULL, "Short name by which records mean this person"},
    {"given_name", CUSTODY_TEXT, MUST, NULL, "Given name"},
    {"family_name", CUSTODY_TEXT, MUST, NULL, "Family name"},
    {"agency", CUSTODY_TEXT, MUST | NONE, NULL, "Agency"},
    {"position", CUSTODY_TEXT, MUST | NONE, NULL, "Position"},
    {"badge", CUSTODY_TEXT, 0, NULL, "Badge or personal number"},
    {"education", CUSTODY_TEXT, 0, NULL, "Education"},
    {"speciality", CUSTODY_TEXT, 0, NULL, "Speciality"},
    {"service", CUSTODY_TEXT, 0, NULL, "Length of service in the speciality"},
    {"degree", CUSTODY_TEXT, 0, NULL, "Academic degree and title"},
    {"certificate", CUSTODY_HASH, LIST, NULL, "SHA-256 of a certificate that is theirs"},
    {"warned", CUSTODY_TEXT, 0, NULL, "Warned of liability as an expert: date, by whom"},
    END};

static const struct custody_field exhibit_fields[] = {
    {"exhibit", CUSTODY_EXHIBIT, MUST, NULL, "Exhibit's number"},
    {"root_exhibit", CUSTODY_TEXT, MUST | KNOWN, NULL, "Number of the original (its own for an original)"},
    {"parent", CUSTODY_TEXT, 0, NULL, "Exhibit that it was a part of"},
    {"kind", CUSTODY_CHOICE, MUST, "phone HDD SSD USB card optical document cloud_data image_file other",
     "What it is"},
    {"quantity", CUSTODY_NUMBER, MUST, NULL, "How many"},
    {"make", CUSTODY_TEXT, MUST | NONE, NULL, "Make"},
    {"model", CUSTODY_TEXT, MUST | NONE, NULL, "Model"},
    {"serial", CUSTODY_TEXT, MUST | NONE | LIST, NULL, "Serial number, IMEI, ICCID"},
    {"capacity", CUSTODY_TEXT, 0, NULL, "Capacity on its label"},
    {"marks", CUSTODY_TEXT, MUST | NONE, NULL, "Individual marks: scratches, stickers, writing"},
    {"condition", CUSTODY_TEXT, MUST, NULL, "Condition on receipt"},
    {"power_and_clock", CUSTODY_TEXT, 0, NULL, "Power state; offset of its clock"},
    {"photo", CUSTODY_TEXT, LIST, NULL, "Photo: file and SHA-256"},
    {"package", CUSTODY_TEXT, MUST | NONE, NULL, "Type of package"},
    {"seal_number", CUSTODY_TEXT, MUST | NONE, NULL, "Number of the seal on the package"},
    {"owner", CUSTODY_TEXT, 0, NULL, "Owner or holder"},
    END};

static const struct custody_field seizure_fields[] = {
    {"exhibit", CUSTODY_EXHIBIT, MUST | LIST, NULL, "Exhibit that was seized"},
    {"record_number", CUSTODY_TEXT, MUST, NULL, "Number of the written record (ოქმი)"},
    {"date", CUSTODY_DATE, MUST, NULL, "Its date"},
    {"start", CUSTODY_TIME, MUST, NULL, "Beginning"},
    {"end", CUSTODY_TIME, MUST, NULL, "End"},
    {"place", CUSTODY_TEXT, MUST, NULL, "Place"},
    {"conditions", CUSTODY_TEXT, MUST, NULL, "Conditions under which it was done"},
    {"performer", CUSTODY_PERSON, MUST, NULL, "Who did it"},
    {"participant", CUSTODY_TEXT, MUST | LIST | NONE, NULL, "Who took part: name, capacity"},
    {"legal_basis", CUSTODY_TEXT, MUST, NULL, "Legal basis"},
    {"remarks", CUSTODY_TEXT, 0, NULL, "Statements of participants, remarks"},
    END};

static const struct custody_field event_fields[] = {
    {"event", CUSTODY_CHOICE, MUST,
     "received transferred stored withdrawn seal_opened resealed examined copied returned destroyed",
     "What happened"},
    {"exhibit", CUSTODY_EXHIBIT, MUST, NULL, "Exhibit"},
    {"number", CUSTODY_NUMBER, MUST | KNOWN, NULL, "Which event of this exhibit it is, from 1"},
    {"at", CUSTODY_TIME, MUST | KNOWN, NULL, "When it happened"},
    {"place", CUSTODY_TEXT, MUST, NULL, "Place"},
    {"from", CUSTODY_PERSON, MUST, NULL, "From whom (the same as --to when it changed no hands)"},
    {"to", CUSTODY_PERSON, MUST, NULL, "To whom"},
    {"purpose", CUSTODY_TEXT, MUST, NULL, "Purpose"},
    {"authority", CUSTODY_TEXT, 0, NULL, "Authority, when it leaves the laboratory"},
    {"seal_before", CUSTODY_TEXT, MUST | NONE, NULL, "Number of the seal on the package before"},
    {"seal_after", CUSTODY_TEXT, MUST | NONE, NULL, "Number of the seal on the package after"},
    {"condition_before", CUSTODY_TEXT, MUST, NULL, "Condition before"},
    {"condition_after", CUSTODY_TEXT, MUST, NULL, "Condition after"},
    {"document", CUSTODY_TEXT, 0, NULL, "Signed paper that says the same"},
    {"remarks", CUSTODY_TEXT, 0, NULL, "Remarks"},
    END};

static const struct custody_field acquisition_fields[] = {
    {"exhibit", CUSTODY_EXHIBIT, MUST, NULL, "Exhibit"},
    {"start", CUSTODY_TIME, MUST, NULL, "Beginning"},
    {"end", CUSTODY_TIME, MUST, NULL, "End"},
    {"performer", CUSTODY_PERSON, MUST, NULL, "Who did it"},
    {"place", CUSTODY_TEXT, MUST, NULL, "Place"},
    {"method", CUSTODY_CHOICE, MUST, "physical logical file live", "Method"},
    {"tool", CUSTODY_TEXT, MUST, NULL, "Tool and its version"},
    {"write_blocker", CUSTODY_TEXT, MUST | NONE, NULL,
     "Write blocker: make, model, serial, firmware; or why none"},
    {"source_bytes", CUSTODY_NUMBER, MUST | NONE | KNOWN, NULL, "Bytes of the medium"},
    {"sector_size", CUSTODY_NUMBER, MUST | NONE | KNOWN, NULL, "Bytes of a sector"},
    {"hidden_areas", CUSTODY_CHOICE, MUST, "checked_none checked_found not_checked", "HPA and DCO"},
    {"image_format", CUSTODY_TEXT, MUST | KNOWN, NULL, "Format of the image"},
    {"segment", CUSTODY_TEXT, LIST, NULL, "Segment: name, size, SHA-256"},
    {"segments", CUSTODY_NUMBER, KNOWN, NULL, "Number of segments"},
    {"hash", CUSTODY_HASH, MUST | LIST | NONE | KNOWN, NULL, "Hash over the medium"},
    {"read_error", CUSTODY_TEXT, MUST | LIST | NONE, NULL,
     "Bytes that could not be read: offset, length, filled with"},
    {"header", CUSTODY_TEXT, KNOWN, NULL, "What the image says of its acquisition"},
    {"elsewhere", CUSTODY_TEXT, 0, NULL, "Acquired by others: their log, word by word"},
    END};

static const struct custody_field check_fields[] = {
    {"exhibit", CUSTODY_EXHIBIT, MUST, NULL, "Exhibit"},
    {"at", CUSTODY_TIME, MUST | KNOWN, NULL, "When"},
    {"performer", CUSTODY_PERSON, MUST, NULL, "Who did it"},
    {"tool", CUSTODY_TEXT, MUST, NULL, "Tool and its version"},
    {"stored_hash", CUSTODY_HASH, MUST | LIST | NONE, NULL, "Hash that was stored, and where"},
    {"computed_hash", CUSTODY_HASH, MUST | LIST, NULL, "Hash that was computed"},
    {"result", CUSTODY_CHOICE, MUST, "match mismatch not_checkable", "Result"},
    {"format_check", CUSTODY_TEXT, MUST | NONE, NULL, "Checksums of the format: how many, how many bad"},
    {"bytes", CUSTODY_NUMBER, MUST, NULL, "Bytes read"},
    {"remarks", CUSTODY_TEXT, 0, NULL, "Remarks"},
    END};

static const struct custody_field review_fields[] = {
    {"finding", CUSTODY_TEXT, MUST, NULL, "Finding: its address, plugin and rule"},
    {"status", CUSTODY_CHOICE, MUST, "reviewed confirmed rejected", "What the review says"},
    {"reviewer", CUSTODY_PERSON, MUST, NULL, "Who reviewed it"},
    {"fact", CUSTODY_TEXT, 0, NULL, "What is there"},
    {"interpretation", CUSTODY_TEXT, 0, NULL, "What it means to the reviewer"},
    END};

static const struct custody_field limitation_fields[] = {
    {"code", CUSTODY_TEXT, MUST, NULL, "Short name"},
    {"severity", CUSTODY_CHOICE, MUST, "low medium high", "How much it matters"},
    {"stage", CUSTODY_TEXT, MUST, NULL, "Stage: seizure, acquisition, processing, review ..."},
    {"about", CUSTODY_TEXT, MUST, NULL, "Exhibit, file or offset that it is about"},
    {"text", CUSTODY_TEXT, MUST, NULL, "What is wrong or was not done"},
    {"text_ka", CUSTODY_TEXT, 0, NULL, "The same in Georgian"},
    {"effect", CUSTODY_TEXT, MUST, NULL, "What it does to the results"},
    END};

static const struct custody_field correction_fields[] = {
    {"of_record", CUSTODY_RECORD, MUST, NULL, "Number of the record that is wrong"},
    {"reason", CUSTODY_TEXT, MUST, NULL, "Why"},
    {"by", CUSTODY_PERSON, MUST, NULL, "Who says so"},
    {"field", CUSTODY_TEXT, 0, NULL, "Field that is wrong (without it the whole record is withdrawn)"},
    {"value", CUSTODY_TEXT, LIST, NULL, "What stands there now"},
    END};

static const struct custody_kind kinds[] = {
    {"case-data", "case", "case set", "the case", NULL, case_fields},
    {"person", "person", "person add", "a person", "id", person_fields},
    {"exhibit-data", "exhibit", "exhibit set", "an exhibit as it came", "exhibit", exhibit_fields},
    {"seizure", "seizure", "custody add", "how exhibits were seized", NULL, seizure_fields},
    {"custody", "event", "custody add", "what happened to an exhibit, and in whose hands it is", NULL,
     event_fields},
    {"acquisition", "acquisition", "custody add", "how an exhibit's image was made", NULL,
     acquisition_fields},
    {"image-check", "verification", "custody add", "an image held against its hash, by whatever tool", NULL,
     check_fields},
    {"review", "review", "custody add", "a finding that a person looked at", NULL, review_fields},
    {"limitation", "limitation", "custody add", "what was not done, or went wrong", NULL, limitation_fields},
    {"correction", "correction", "custody add", "a record that is wrong", NULL, correction_fields},
};

const struct custody_kind *custody_kind(size_t index)
{
    return index < sizeof kinds / sizeof *kinds ? &kinds[index] : NULL;
}

const struct custody_kind *custody_kind_of(const char *type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return &kinds[i];
    return NULL;
}

const struct custody_kind *custody_kind_named(const char *word)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].word, word) == 0)
            return &kinds[i];
    return NULL;
}

/* The same word, with '-' for '_' as options have it. */
static bool is_named(const char *field, const char *name)
{
    while (*field && (*field == *name || (*field == '_' && *name == '-')))
        field++, name++;
    return *field == 0 && *name == 0;
}

const struct custody_field *custody_field(const struct custody_kind *kind, const char *name)
{
    for (const struct custody_field *field = kind->fields; field->name; field++)
        if (is_named(field->name, name))
            return field;
    return NULL;
}
