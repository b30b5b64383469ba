/* bench_read.c -- what do reading the ledger and the filter cost, per event? Reads every record of every shard's
 * ledger through ledger_reader, touches its fields, does nothing else.
 *
 *   bench_read DIR                      a folder log
 *   bench_read --kafka BOOTSTRAP PREFIX SHARDS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ledger/ledger_reader.h"

enum { WAIT_MS = 100 };

static double cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int fail(const struct err *err)
{
    fprintf(stderr, "bench_read: %s\n", err->text);
    return err_exit_code(err->code);
}

/* Records up to the end seen now; their bodies' bytes are added up so that nothing is optimised away. */
static enum err_code read_shard(struct log *log, const char *topic, uint32_t shard, uint64_t *records, uint64_t *bytes,
                                struct err *err)
{
    struct filter from;
    int64_t begin, end;
    struct ledger_reader *reader = NULL;
    filter_init(&from, shard);
    if (log_range(log, topic, shard, 10000, &begin, &end, err) || ledger_reader_open(log, topic, &from, &reader, err))
        return err->code;
    enum err_code code = OK;
    while (!code && (ledger_reader_filter(reader)->next_offset < end || !ledger_reader_between(reader))) {
        struct ledger_record record;
        bool got = false;
        code = ledger_reader_next(reader, &record, &got, err);
        if (code || !got) {
            ledger_reader_wait(reader, WAIT_MS);
            continue;
        }
        *records += record.source != LEDGER_SOURCE_NONE;
        *bytes += record.body.n + record.tenant_seq % 2;
    }
    ledger_reader_destroy(&reader);
    return code;
}

int main(int argc, char **argv)
{
    bool kafka = argc == 5 && strcmp(argv[1], "--kafka") == 0;
    if (!kafka && argc != 2) {
        fprintf(stderr, "usage: bench_read DIR | bench_read --kafka BOOTSTRAP PREFIX SHARDS\n");
        return 2;
    }
    struct err err = {0};
    struct log *log = NULL;
    char topic[LOG_TOPIC_BYTES_MAX + 1], folder[1024];
    struct log_kafka_config config = {.bootstrap = kafka ? argv[2] : NULL, .client_id = "bench-read"};
    (void)snprintf(topic, sizeof topic, "%ssales.ledger", kafka ? argv[3] : "");
    (void)snprintf(folder, sizeof folder, "%s/log", argv[1]);
    uint32_t shards = kafka ? (uint32_t)strtoul(argv[4], NULL, 10) : 1;
    if (kafka ? log_kafka_open(&config, &log, &err) : log_file_open(folder, clock_system(), false, &log, &err))
        return fail(&err);
    uint64_t records = 0, bytes = 0;
    double before = cpu_seconds();
    for (uint32_t shard = 0; shard < shards; shard++)
        if (read_shard(log, topic, shard, &records, &bytes, &err))
            return fail(&err);
    printf("{\"records\":%llu,\"bytes\":%llu,\"cpu_seconds\":%.3f}\n", (unsigned long long)records,
           (unsigned long long)bytes, cpu_seconds() - before);
    (void)fflush(stdout);
    _exit(0);
}
