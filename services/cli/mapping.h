/* mapping.h -- a mapping file (formats.md 2): how the rows of CSV files become events and plan items.
 *
 * mapping_load reads the file and the headers of the CSV files it names, and collects everything that is wrong.
 * mapping_run turns the rows into canonical JSON lines, sorted as an import writes them, and into the text of one plan
 * file. It judges numbers, dates, joins and groups; the form of the events is judged by the door, like any other.
 * A row that fails is reported and left out, with the whole event that it is a part of: nothing is guessed. */
#ifndef CLI_MAPPING_H
#define CLI_MAPPING_H

#include "base/buf.h"
#include "base/findings.h"
#include "model/event.h"

enum {
    MAPPING_ENTRIES_MAX = 64,
    MAPPING_FILES_MAX = 4096,     /* CSV files of one mapping */
    MAPPING_EVENTS_MAX = 99,      /* of an entry: source_seq = row * 100 + number of the event */
    MAPPING_RESULT_MAX = 50000000 /* events of one import */
};

struct mapping;

/* Where CSV files are looked for: next to the mapping, or, when `files` are given, among these by the last part of
 * their name (a folder stands for what is in it). OK, or ERR_CONFIG with findings. */
struct mapping_places {
    const char *const *files;
    int count;
};
enum err_code mapping_load(const char *path, struct mapping_places places, struct findings *findings,
                           struct mapping **mapping);
void mapping_destroy(struct mapping **mapping);
struct slice mapping_tenant(const struct mapping *mapping);
void mapping_set_tenant(struct mapping *mapping, struct slice tenant); /* --as-tenant; copied */

struct mapped_event {
    enum event_type type;
    int64_t occurred_ms, recorded_ms; /* recorded_ms: never before occurred_ms */
    int64_t source_seq;
    size_t text, text_bytes; /* its JSON line in mapping_result.text */
    size_t id, id_bytes;     /* its event_id, likewise */
    uint32_t file;           /* mapping_file_name */
    uint64_t line;           /* of its (first) row */
};

struct mapping_result {
    struct buf text;
    struct mapped_event *events; /* sorted by (recorded, source_seq, event_id, place), rulings O3 */
    size_t count, cap;
    uint64_t rows, mapped_rows, skipped_rows, failed_rows; /* rows = the other three */
    struct buf plan; /* a plan file (YAML); empty: the mapping has no plan section */
};

/* Called for each failing row: reason of formats.md 6 or of 2.1, and what is wrong. */
typedef void mapping_on_error(void *context, const char *file, uint64_t line, const char *reason, const char *text);
/* Called every few thousand rows with the share of bytes read; may be NULL. */
typedef void mapping_on_progress(void *context, uint64_t bytes, uint64_t bytes_all);

enum err_code mapping_run(struct mapping *mapping, struct mapping_result *result, mapping_on_error *on_error,
                          mapping_on_progress *on_progress, void *context, struct err *err);
void mapping_result_close(struct mapping_result *result);
const char *mapping_file_name(const struct mapping *mapping, uint32_t file);

#endif
