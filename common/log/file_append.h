/* file_append.h -- the writing half of the file log (file_append.c); log_file.c is the reading one. */
#ifndef LOG_FILE_APPEND_H
#define LOG_FILE_APPEND_H

#include "log/log_impl.h"

enum { FILE_FOLDER_BYTES_MAX = 2048 };

struct file_log_settings {
    char folder[FILE_FOLDER_BYTES_MAX];
    struct clock *clock;
    bool sync;
};

/* `settings` outlives the producer. */
enum err_code file_producer_open(const struct file_log_settings *settings, struct log_producer **producer,
                                 struct err *err);
/* The folder of a partition as a descriptor. ERR_MISSING: no such topic or partition. */
enum err_code file_partition_open(const char *folder, const char *topic, uint32_t partition, int *fd, struct err *err);

#endif
