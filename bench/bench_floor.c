/* bench_floor.c -- what does it cost to read these bytes at all? The fastest plain librdkafka loop over one topic:
 * assign, batch queue with timeout 0 behind an io event, key and value touched, nothing else.
 *
 *   bench_floor BOOTSTRAP TOPIC PARTITIONS      prints one JSON line: records, bytes, CPU seconds of the process */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BATCH = 4096, PARTITIONS_MAX = 4096, WAIT_MS = 1000 };

struct floor {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    int wake[2];
    int partitions, finished;
    uint64_t records, bytes, touched;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_floor: %s: %s\n", what, why);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK)
        die(name, text);
}

static void open_client(struct floor *floor, const char *bootstrap)
{
    static const char *const pairs[][2] = {{"group.id", "bench-floor"},
                                           {"enable.auto.commit", "false"},
                                           {"enable.partition.eof", "true"},
                                           {"auto.offset.reset", "error"},
                                           {"check.crcs", "true"},
                                           {"fetch.message.max.bytes", "1048576"},
                                           {"queued.min.messages", "1000000"},
                                           {"queued.max.messages.kbytes", "262144"}};
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", bootstrap);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        set(conf, pairs[i][0], pairs[i][1]);
    floor->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!floor->client)
        die("rd_kafka_new", text);
    (void)rd_kafka_poll_set_consumer(floor->client);
    floor->queue = rd_kafka_queue_get_consumer(floor->client);
    if (pipe(floor->wake) != 0)
        die("pipe", strerror(errno));
    rd_kafka_queue_io_event_enable(floor->queue, floor->wake[1], "1", 1);
}

static void assign(struct floor *floor, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(floor->partitions);
    for (int p = 0; p < floor->partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = 0;
    rd_kafka_resp_err_t failed = rd_kafka_assign(floor->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (failed)
        die("assign", rd_kafka_err2str(failed));
}

static void take(struct floor *floor, rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        floor->finished++;
    } else if (message->err) {
        die("consume", rd_kafka_message_errstr(message));
    } else {
        floor->records++;
        floor->bytes += message->len;
        floor->touched += ((const uint8_t *)message->payload)[message->len / 2] + message->key_len;
    }
    rd_kafka_message_destroy(message);
}

static void read_all(struct floor *floor)
{
    static rd_kafka_message_t *batch[BATCH];
    while (floor->finished < floor->partitions) {
        ssize_t n = rd_kafka_consume_batch_queue(floor->queue, 0, batch, BATCH);
        for (ssize_t i = 0; i < n; i++)
            take(floor, batch[i]);
        if (n > 0)
            continue;
        struct pollfd wait = {floor->wake[0], POLLIN, 0};
        char drained[64];
        if (poll(&wait, 1, WAIT_MS) > 0 && read(floor->wake[0], drained, sizeof drained) < 0)
            die("read", strerror(errno));
    }
}

static double cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bench_floor BOOTSTRAP TOPIC PARTITIONS\n");
        return 2;
    }
    struct floor floor = {.partitions = atoi(argv[3])};
    if (floor.partitions < 1 || floor.partitions > PARTITIONS_MAX)
        die("PARTITIONS", "1 to 4096");
    open_client(&floor, argv[1]);
    assign(&floor, argv[2]);
    read_all(&floor);
    printf("{\"records\":%llu,\"bytes\":%llu,\"cpu_seconds\":%.3f,\"check\":%llu}\n", (unsigned long long)floor.records,
           (unsigned long long)floor.bytes, cpu_seconds(), (unsigned long long)floor.touched);
    (void)fflush(stdout);
    _exit(0); /* a consumer's destroy can hang when its topic is gone (librdkafka 4724) */
}
