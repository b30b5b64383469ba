/* mapping_files.c -- the CSV files of a mapping: found, mapped into memory, headers read, joins indexed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mapping_internal.h"

enum { PATH_BYTES_MAX = 4096, MATCHES_MAX = MAPPING_FILES_MAX, JOIN_ROWS_MAX = 10000000 };

struct matches {
    char *paths[MATCHES_MAX];
    uint32_t count;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void add_match(struct matches *matches, const char *path)
{
    if (matches->count < MATCHES_MAX)
        matches->paths[matches->count++] = strdup(path);
}

static void match_folder(struct matches *matches, const char *folder, const char *pattern)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[PATH_BYTES_MAX];
        if (fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0)
            continue;
        int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (n > 0 && n < (int)sizeof path)
            add_match(matches, path);
    }
    (void)closedir(dir);
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

/* Files for a pattern of the mapping: among those given on the command line, else next to the mapping. */
static void find_files(const struct mapping_loader *loader, const char *pattern, struct matches *matches)
{
    const char *name = base_name(pattern);
    matches->count = 0;
    for (int i = 0; i < loader->places.count; i++) {
        const char *given = loader->places.files[i];
        if (is_folder(given))
            match_folder(matches, given, name);
        else if (fnmatch(name, base_name(given), 0) == 0)
            add_match(matches, given);
    }
    if (loader->places.count == 0) {
        char folder[PATH_BYTES_MAX];
        int n = (int)(name - pattern);
        const char *under = pattern[0] == '/' ? "" : loader->mapping->folder;
        (void)snprintf(folder, sizeof folder, "%s%s%.*s", under, under[0] ? "/" : "", n ? n - 1 : 0, pattern);
        match_folder(matches, folder[0] ? folder : "/", name);
    }
    if (matches->count)
        qsort(matches->paths, matches->count, sizeof matches->paths[0], by_name);
}

static void matches_close(struct matches *matches)
{
    for (uint32_t i = 0; i < matches->count; i++)
        free(matches->paths[i]);
    matches->count = 0;
}

static bool map_file(struct mapping_file *file, const char *path)
{
    *file = (struct mapping_file){.path = strdup(path)};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    file->size = (size_t)info.st_size;
    void *bytes = file->size ? mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    (void)close(fd);
    if (bytes == MAP_FAILED)
        return false;
    file->bytes = bytes;
    file->mapped = bytes != NULL;
    return true;
}

static void unmap_file(struct mapping_file *file)
{
    if (file->mapped)
        (void)munmap(file->bytes, file->size);
    free(file->path);
    *file = (struct mapping_file){0};
}

void mapping_files_close(struct mapping *mapping)
{
    for (uint32_t i = 0; i < mapping->file_count; i++)
        unmap_file(&mapping->files[i]);
    mapping->file_count = 0;
}

uint32_t mapping_column(const struct mapping_entry *entry, struct slice name)
{
    for (uint32_t i = 0; i < entry->column_count; i++)
        if (slice_eq(entry->columns[i], name))
            return i;
    return MAPPING_NO_COLUMN;
}

/* Column names outlive the reader, so they are copied; a name that is there already keeps its first place. */
static void add_column(struct mapping_entry *entry, struct slice name)
{
    char *copy = mapping_alloc(name.n + 1, 1);
    memcpy(copy, name.p, name.n);
    entry->columns[entry->column_count++] = slice_make(copy, name.n);
}

static bool same_header(const struct mapping_entry *entry, const struct csv *csv)
{
    bool same = csv->count == entry->own_columns;
    for (size_t i = 0; same && i < csv->count; i++)
        same = slice_eq(csv->fields[i], entry->columns[i]);
    return same;
}

/* The first file of the entry gives the columns, the others must have the same. */
static bool read_header(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node,
                        const struct mapping_file *file)
{
    struct csv csv;
    csv_init(&csv, slice_make(file->bytes, file->size), entry->delimiter);
    bool good = csv_next(&csv) == CSV_ROW;
    if (!good)
        yaml_fail(&loader->mapping->doc, node, "bad_value", "%s: expected a header line", file->path);
    else if (!entry->own_columns) {
        for (size_t i = 0; i < csv.count; i++)
            add_column(entry, csv.fields[i]);
        entry->own_columns = entry->column_count;
    } else if (!same_header(entry, &csv)) {
        yaml_fail(&loader->mapping->doc, node, "bad_value", "%s: its header differs from the first file's", file->path);
        good = false;
    }
    csv_close(&csv);
    return good;
}

bool mapping_files_open(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node)
{
    struct mapping *mapping = loader->mapping;
    struct matches *matches = mapping_alloc(1, sizeof *matches);
    find_files(loader, node->text.p, matches);
    bool good = matches->count > 0;
    if (!good)
        yaml_fail(&mapping->doc, node, "bad_value", "no such file: %s (looked %s%s)", node->text.p,
                  loader->places.count ? "among the files given" : "in ", loader->places.count ? "" : mapping->folder);
    entry->first_file = mapping->file_count;
    for (uint32_t i = 0; i < matches->count && good; i++) {
        if (mapping->file_count == MAPPING_FILES_MAX) {
            yaml_fail(&mapping->doc, node, "too_many", "more than %d files", MAPPING_FILES_MAX);
            good = false;
            break;
        }
        struct mapping_file *file = &mapping->files[mapping->file_count++];
        good = map_file(file, matches->paths[i]);
        if (!good)
            yaml_fail(&mapping->doc, node, "bad_value", "%s: %s", matches->paths[i], strerror(errno));
        else
            good = read_header(loader, entry, node, file);
    }
    entry->file_count = mapping->file_count - entry->first_file;
    matches_close(matches);
    free(matches);
    return good;
}

/* ---- joins */

static void read_join_header(struct mapping_join *join, const struct csv *csv, struct mapping_entry *entry, bool *taken,
                             uint32_t *key)
{
    *key = MAPPING_NO_COLUMN;
    join->first_column = entry->column_count;
    for (uint32_t i = 0; i < csv->count; i++) {
        taken[i] = false;
        if (slice_eq(csv->fields[i], join->by))
            *key = i;
        else if (mapping_column(entry, csv->fields[i]) == MAPPING_NO_COLUMN && entry->column_count < CSV_COLUMNS_MAX) {
            taken[i] = true;
            add_column(entry, csv->fields[i]);
        }
    }
    join->column_count = entry->column_count - join->first_column;
}

/* Cells are kept as offsets into the text while it grows, then turned into slices. */
static void read_join_row(struct mapping_join *join, const struct csv *csv, const bool *taken, uint32_t key,
                          struct buf *offsets, struct buf *many)
{
    uint32_t known = join->index.count;
    if (key >= csv->count)
        return;
    uint32_t row = intern_put(&join->index, csv->fields[key]);
    if (row == INTERN_NONE)
        return;
    if (row < known) {
        many->p[row] = 1;
        return;
    }
    buf_add_byte(many, 0);
    for (uint32_t i = 0; i < csv->count; i++) {
        if (!taken[i])
            continue;
        buf_add_u64(offsets, join->text.n);
        buf_add_u64(offsets, csv->fields[i].n);
        buf_add_slice(&join->text, csv->fields[i]);
    }
    for (size_t left = csv->count; left < CSV_COLUMNS_MAX && taken[left]; left++) {
        buf_add_u64(offsets, 0);
        buf_add_u64(offsets, 0);
    }
}

static void finish_join(struct mapping_join *join, struct buf *offsets, struct buf *many)
{
    size_t cells = (size_t)join->index.count * join->column_count;
    join->cells = mapping_alloc(cells, sizeof *join->cells);
    join->many = mapping_alloc(join->index.count, sizeof *join->many);
    struct cursor in = cursor_of(buf_slice(offsets));
    for (size_t i = 0; i < cells; i++) {
        uint64_t at = cursor_u64(&in);
        join->cells[i] = slice_make(join->text.p + at, cursor_u64(&in));
    }
    for (uint32_t i = 0; i < join->index.count; i++)
        join->many[i] = many->p[i] != 0;
}

static bool read_join(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node,
                      const struct mapping_file *file, struct mapping_join *join)
{
    struct csv csv;
    struct buf offsets, many;
    bool taken[CSV_COLUMNS_MAX + 1] = {false};
    uint32_t key = MAPPING_NO_COLUMN;
    buf_init(&offsets);
    buf_init(&many);
    csv_init(&csv, slice_make(file->bytes, file->size), ',');
    enum csv_result result = csv_next(&csv);
    if (result == CSV_ROW)
        read_join_header(join, &csv, entry, taken, &key);
    bool good = result == CSV_ROW && key != MAPPING_NO_COLUMN;
    if (!good)
        yaml_fail(&loader->mapping->doc, node, "unknown_field", "%s has no column %.*s", file->path,
                  SLICE_ARG(join->by));
    size_t width = csv.count;
    while (good && (result = csv_next(&csv)) != CSV_END) {
        good = result == CSV_ROW && csv.count == width;
        if (good)
            read_join_row(join, &csv, taken, key, &offsets, &many);
        else
            yaml_fail(&loader->mapping->doc, node, "bad_value", "%s:%llu: %s", file->path, (unsigned long long)csv.line,
                      result == CSV_ROW ? "the number of fields differs from the header's" : csv_result_text(result));
    }
    if (good)
        finish_join(join, &offsets, &many);
    csv_close(&csv);
    buf_close(&offsets);
    buf_close(&many);
    return good;
}

bool mapping_join_open(struct mapping_loader *loader, struct mapping_entry *entry, const struct yaml_node *node)
{
    static const char *const keys[] = {"file", "by", NULL};
    const struct yaml_doc *doc = &loader->mapping->doc;
    struct mapping_join *join = &entry->joins[entry->join_count];
    if (!yaml_want(doc, node, YAML_MAP) || !yaml_check_keys(doc, node, keys))
        return false;
    const struct yaml_node *file_node = yaml_require(doc, node, "file");
    const struct yaml_node *by = yaml_require(doc, node, "by");
    if (!file_node || !by || !yaml_text(doc, by, YAML_KEY_BYTES_MAX, &join->by))
        return false;
    join->by_column = mapping_column(entry, join->by);
    if (join->by_column == MAPPING_NO_COLUMN) {
        yaml_fail(doc, by, "unknown_field", "no column %.*s in the rows so far", SLICE_ARG(join->by));
        return false;
    }
    struct matches *matches = mapping_alloc(1, sizeof *matches);
    find_files(loader, file_node->text.p, matches);
    struct mapping_file file = {0};
    bool good = matches->count == 1 && map_file(&file, matches->paths[0]);
    if (!good)
        yaml_fail(doc, file_node, "bad_value", "%s: expected one file that can be read", file_node->text.p);
    intern_init(&join->index, JOIN_ROWS_MAX);
    buf_init(&join->text);
    entry->join_count++;
    good = good && read_join(loader, entry, file_node, &file, join);
    unmap_file(&file);
    matches_close(matches);
    free(matches);
    return good;
}

void mapping_join_close(struct mapping_join *join)
{
    intern_close(&join->index);
    buf_close(&join->text);
    free(join->cells);
    free(join->many);
}
