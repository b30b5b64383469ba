/* file_frame.h -- one frame of the file log as bytes (layout: file_segment.h). Bytes are input: every length is checked
 * before it is used. */
#ifndef LOG_FILE_FRAME_H
#define LOG_FILE_FRAME_H

#include "log/file_segment.h"

uint64_t frame_checksum(const void *p, size_t n);
/* The whole frame of record `offset` at p: fills the record (borrowed), returns its bytes. 0: there is none. */
size_t frame_parse(const uint8_t *p, size_t n, int64_t offset, struct log_record *record);
/* Does a whole frame lie at p + i that belongs to a batch begun behind p, with an offset behind `offset`? */
bool frame_of_later_batch(const uint8_t *p, size_t n, size_t i, int64_t offset);

#endif
