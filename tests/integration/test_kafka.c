/* test_kafka.c -- the log and the election on a real broker. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include "elect/elect.h"
#include "local.h"
#include "log/log.h"

#define PORT "29501"
enum { DEADLINE_MS = 30000 };

static struct log *kafka;
static struct err err;
static const struct log_kafka_config config = {.bootstrap = "127.0.0.1:" PORT, .client_id = "test", .extra = NULL};

static int64_t now_ms(void) { return clock_system()->monotonic_ms(clock_system()); }

static void topic(const char *name, uint32_t partitions)
{
    struct log_topic_spec spec = {.topic = name, .partitions = partitions, .retention_ms = -1};
    if (log_topic_ensure(kafka, &spec, &err))
        fail_msg("%s", err.text);
}

static void write_numbers(const char *name, uint32_t partition, int first, int count)
{
    struct log_producer *producer;
    assert_int_equal(log_producer_open(kafka, &producer, &err), OK);
    for (int i = first; i < first + count; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        while (log_append(producer, name, partition, SLICE("acme"), slice_of(text), SLICE(""), &err) == ERR_LATER)
            log_producer_poll(producer, 10, NULL);
    }
    if (log_producer_flush(producer, DEADLINE_MS, &err))
        fail_msg("%s", err.text);
    struct log_progress progress;
    log_producer_poll(producer, 0, &progress);
    assert_int_equal(progress.acked, count);
    log_producer_destroy(&producer);
}

static struct log_consumer *reader(const struct log_source *sources, size_t count)
{
    struct log_consumer *consumer;
    if (log_consumer_open(kafka, "readers", sources, count, &consumer, &err))
        fail_msg("%s", err.text);
    return consumer;
}

/* One poll that yields something, or the code that ended it. */
static enum err_code take(struct log_consumer *consumer, size_t source, struct log_record *r, size_t max, size_t *got)
{
    int64_t deadline = now_ms() + DEADLINE_MS;
    do {
        enum err_code code = log_poll(consumer, source, r, max, got, &err);
        if (code || *got)
            return code;
        log_wait(consumer, 100);
    } while (now_ms() < deadline);
    return ERR_TIMEOUT;
}

static void numbers_come(struct log_consumer *consumer, size_t source, int first, int count)
{
    struct log_record r[100];
    size_t got;
    for (int seen = 0; seen < count;) {
        enum err_code code = take(consumer, source, r, 100, &got);
        if (code)
            fail_msg("%s: %s", err_name(code), err.text);
        for (size_t i = 0; i < got; i++, seen++) {
            char text[16];
            snprintf(text, sizeof text, "%d", first + seen);
            assert_true(slice_is(r[i].value, text));
        }
    }
}

static void records_come_back_with_their_parts(void **state)
{
    (void)state;
    topic("parts", 1);
    struct log_producer *producer;
    assert_int_equal(log_producer_open(kafka, &producer, &err), OK);
    int64_t before = clock_system()->now_ms(clock_system());
    assert_int_equal(log_append(producer, "parts", 0, (struct slice){0}, SLICE("one"), SLICE("a.csv:7"), &err), OK);
    assert_int_equal(log_append(producer, "parts", 0, SLICE("acme"), (struct slice){0}, SLICE(""), &err), OK);
    assert_int_equal(log_producer_flush(producer, DEADLINE_MS, &err), OK);
    struct log_source source = {"parts", 0, 0};
    struct log_consumer *consumer = reader(&source, 1);
    struct log_record r[2];
    size_t got;
    for (size_t seen = 0; seen < 2; seen += got) {
        assert_int_equal(take(consumer, 0, r, 1, &got), OK);
        if (seen == 0) {
            assert_null(r[0].key.p);
            assert_true(slice_is(r[0].value, "one") && slice_is(r[0].origin, "a.csv:7"));
            assert_in_range(r[0].append_ms, before - 1000, before + DEADLINE_MS);
        } else {
            assert_true(slice_is(r[0].key, "acme") && r[0].value.n == 0 && r[0].origin.n == 0);
            assert_int_equal(r[0].offset, 1);
        }
    }
    log_consumer_destroy(&consumer);
    log_producer_destroy(&producer);
}

static void every_source_is_pulled_apart_in_its_own_order(void **state)
{
    (void)state;
    topic("apart", 2);
    write_numbers("apart", 0, 0, 5000);
    write_numbers("apart", 1, 70000, 300);
    struct log_source sources[] = {{"apart", 0, 10}, {"apart", 1, 0}};
    struct log_consumer *consumer = reader(sources, 2);
    numbers_come(consumer, 1, 70000, 300);
    numbers_come(consumer, 0, 10, 4990);
    log_consumer_destroy(&consumer);
}

static void a_value_of_the_limit_passes(void **state)
{
    (void)state;
    topic("big", 1);
    char *big = calloc(1, LOG_VALUE_BYTES_MAX);
    struct log_producer *producer;
    assert_int_equal(log_producer_open(kafka, &producer, &err), OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            log_append(producer, "big", 0, SLICE("k"), slice_make(big, LOG_VALUE_BYTES_MAX), SLICE(""), &err), OK);
    assert_int_equal(log_producer_flush(producer, DEADLINE_MS, &err), OK);
    struct log_source source = {"big", 0, 0};
    struct log_consumer *consumer = reader(&source, 1);
    struct log_record r[1];
    size_t got;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(take(consumer, 0, r, 1, &got), OK);
        assert_int_equal(r[0].value.n, LOG_VALUE_BYTES_MAX);
    }
    log_consumer_destroy(&consumer);
    log_producer_destroy(&producer);
    free(big);
}

static int64_t end_asked_after(struct log_consumer *consumer, size_t source, int64_t from_ms)
{
    int64_t end = -1, asked_ms = -1;
    int64_t deadline = now_ms() + DEADLINE_MS;
    log_end_refresh(consumer);
    while (!log_end(consumer, source, &end, &asked_ms) || asked_ms < from_ms) {
        assert_true(now_ms() < deadline);
        log_wait(consumer, 10);
        log_end_refresh(consumer);
    }
    return end;
}

static void the_end_of_a_source_is_learnt_in_the_background(void **state)
{
    (void)state;
    topic("ends", 1);
    write_numbers("ends", 0, 0, 7);
    struct log_source source = {"ends", 0, 0};
    struct log_consumer *consumer = reader(&source, 1);
    assert_int_equal(end_asked_after(consumer, 0, now_ms()), 7);
    write_numbers("ends", 0, 7, 1);
    assert_int_equal(end_asked_after(consumer, 0, now_ms()), 8);
    int64_t begin, end;
    assert_int_equal(log_range(kafka, "ends", 0, 5000, &begin, &end, &err), OK);
    assert_int_equal(begin, 0);
    assert_int_equal(end, 8);
    assert_int_equal(log_range(kafka, "ends", 1, 5000, &begin, &end, &err), ERR_MISSING);
    assert_int_equal(log_range(kafka, "no-such-topic", 0, 5000, &begin, &end, &err), ERR_MISSING);
    log_consumer_destroy(&consumer);
}

/* A transaction's marker takes an offset that nobody is handed: a reader behind the last record is at the end. */
static void a_reader_behind_a_transaction_is_at_the_end(void **state)
{
    (void)state;
    topic("transaction", 1);
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", config.bootstrap, text, sizeof text);
    rd_kafka_conf_set(conf, "transactional.id", "t", text, sizeof text);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(client);
    assert_null(rd_kafka_init_transactions(client, DEADLINE_MS));
    assert_null(rd_kafka_begin_transaction(client));
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, "transaction", NULL);
    assert_int_equal(rd_kafka_produce(handle, 0, RD_KAFKA_MSG_F_COPY, "0", 1, NULL, 0, NULL), 0);
    assert_null(rd_kafka_commit_transaction(client, DEADLINE_MS));
    rd_kafka_topic_destroy(handle);
    rd_kafka_destroy(client);
    struct log_source source = {"transaction", 0, 0};
    struct log_consumer *consumer = reader(&source, 1);
    numbers_come(consumer, 0, 0, 1);
    struct log_record r[1];
    size_t got;
    int64_t deadline = now_ms() + DEADLINE_MS;
    while (end_asked_after(consumer, 0, now_ms()) != 1) {
        assert_true(now_ms() < deadline);
        assert_int_equal(log_poll(consumer, 0, r, 1, &got, &err), OK);
    }
    log_consumer_destroy(&consumer);
}

static void an_offset_that_is_not_kept_is_a_gap_and_stays_one(void **state)
{
    (void)state;
    topic("gap", 1);
    write_numbers("gap", 0, 0, 3);
    struct log_source source = {"gap", 0, 17};
    struct log_consumer *consumer = reader(&source, 1);
    struct log_record r[1];
    size_t got;
    assert_int_equal(take(consumer, 0, r, 1, &got), ERR_GAP);
    assert_int_equal(log_poll(consumer, 0, r, 1, &got, &err), ERR_GAP);
    log_consumer_destroy(&consumer);
}

static void a_reader_of_no_topic_says_so(void **state)
{
    (void)state;
    topic("one", 1);
    struct log_source nowhere = {"nowhere", 0, 0}, second = {"one", 1, 0};
    struct log_consumer *consumer = NULL;
    assert_int_equal(log_consumer_open(kafka, NULL, &nowhere, 1, &consumer, &err), ERR_MISSING);
    assert_int_equal(log_consumer_open(kafka, NULL, &second, 1, &consumer, &err), ERR_MISSING);
    assert_null(consumer);
}

static void hints_of_positions_do_no_harm(void **state)
{
    (void)state;
    topic("hints", 1);
    write_numbers("hints", 0, 0, 3);
    struct log_source source = {"hints", 0, 0};
    struct log_consumer *consumer = reader(&source, 1);
    log_commit(consumer, 0, 2);
    numbers_come(consumer, 0, 0, 3);
    log_consumer_destroy(&consumer);
}

/* --- topics with other settings --- */

static void foreign_topic(const char *name, int partitions, const char *key, const char *value)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", config.bootstrap, text, sizeof text);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    rd_kafka_NewTopic_t *new_topic = rd_kafka_NewTopic_new(name, partitions, 1, text, sizeof text);
    static const char *const good[][2] = {{"message.timestamp.type", "LogAppendTime"},
                                          {"cleanup.policy", "delete"},
                                          {"max.message.bytes", "4000000"},
                                          {"retention.ms", "-1"}};
    for (size_t i = 0; i < 4; i++)
        rd_kafka_NewTopic_set_config(new_topic, good[i][0], strcmp(good[i][0], key) == 0 ? value : good[i][1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &new_topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, DEADLINE_MS);
    assert_non_null(event);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(new_topic);
    rd_kafka_destroy(client);
}

static void wrong_settings_are_refused_with_the_command_that_mends_them(void **state)
{
    (void)state;
    static const char *const wrong[][3] = {
        {"wrong-time", "message.timestamp.type", "CreateTime"}, {"wrong-cleanup", "cleanup.policy", "compact"},
        {"wrong-both", "cleanup.policy", "compact,delete"},     {"wrong-size", "max.message.bytes", "1048588"},
        {"wrong-retention", "retention.ms", "3600000"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        foreign_topic(wrong[i][0], 2, wrong[i][1], wrong[i][2]);
        struct log_topic_spec spec = {.topic = wrong[i][0], .partitions = 2, .retention_ms = 86400000};
        assert_int_equal(log_topic_ensure(kafka, &spec, &err), ERR_CONFIG);
        char command[128];
        snprintf(command, sizeof command, "--entity-name %s --add-config %s=", wrong[i][0], wrong[i][1]);
        assert_non_null(strstr(err.text, command));
        assert_non_null(strstr(err.text, "kafka-configs.sh --bootstrap-server 127.0.0.1:" PORT));
    }
}

static void right_settings_of_a_foreign_topic_pass(void **state)
{
    (void)state;
    foreign_topic("right", 2, "", "");
    struct log_topic_spec spec = {.topic = "right", .partitions = 2, .retention_ms = 86400000};
    int64_t deadline = now_ms() + DEADLINE_MS;
    while (log_topic_check(kafka, &spec, &err) == ERR_MISSING) /* created is not yet known everywhere */
        assert_true(now_ms() < deadline);
    assert_int_equal(log_topic_check(kafka, &spec, &err), OK);
    spec.partitions = 3;
    assert_int_equal(log_topic_check(kafka, &spec, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "2 partitions"));
    spec.topic = "absent";
    assert_int_equal(log_topic_check(kafka, &spec, &err), ERR_MISSING);
}

static void an_unknown_option_is_told_at_the_start(void **state)
{
    (void)state;
    const char *const extra[] = {"no.such.option", "1", NULL};
    struct log_kafka_config wrong = {.bootstrap = config.bootstrap, .client_id = "test", .extra = extra};
    struct log *log = NULL;
    assert_int_equal(log_kafka_open(&wrong, &log, &err), ERR_CONFIG);
    assert_null(log);
    assert_non_null(strstr(err.text, "no.such.option"));
}

/* --- election --- */

static struct elect *member(const char *name)
{
    struct elect *elect;
    if (elect_kafka_open(&config, "electors", "election", name, 4, &elect, &err))
        fail_msg("%s", err.text);
    return elect;
}

static uint32_t owned(const struct elect *elect)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < 4; i++)
        count += elect_owns(elect, i);
    return count;
}

static void shards_are_shared_out_and_come_back_at_once(void **state)
{
    (void)state;
    topic("election", 4);
    write_numbers("election", 0, 0, 10);
    struct elect *a = member("a");
    int64_t deadline = now_ms() + DEADLINE_MS;
    while (owned(a) != 4) {
        assert_true(now_ms() < deadline);
        assert_int_equal(elect_poll(a, 50, &err), OK);
    }
    struct elect *b = member("b");
    while (owned(a) != 2 || owned(b) != 2) {
        assert_true(now_ms() < deadline);
        assert_int_equal(elect_poll(a, 50, &err), OK);
        assert_int_equal(elect_poll(b, 50, &err), OK);
    }
    for (uint32_t i = 0; i < 4; i++)
        assert_true(elect_owns(a, i) != elect_owns(b, i));
    assert_false(elect_owns(a, 4));
    /* A static member that ends and comes back has its shards again, without a rebalance of the others. */
    elect_destroy(&b);
    b = member("b");
    while (owned(b) != 2) {
        assert_true(now_ms() < deadline);
        assert_int_equal(elect_poll(b, 50, &err), OK);
    }
    assert_int_equal(elect_poll(a, 0, &err), OK);
    assert_int_equal(owned(a), 2);
    elect_destroy(&a);
    elect_destroy(&b);
}

static int start(void **state)
{
    (void)state;
    return log_kafka_open(&config, &kafka, &err) ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    log_destroy(&kafka);
    return 0;
}

int main(void)
{
    if (!local_kafka_start("kafka", PORT))
        return local_skip("no Kafka here: see run/kafka.sh-*.out (needs java, mvn, kcat)");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_with_their_parts),
        cmocka_unit_test(every_source_is_pulled_apart_in_its_own_order),
        cmocka_unit_test(a_value_of_the_limit_passes),
        cmocka_unit_test(the_end_of_a_source_is_learnt_in_the_background),
        cmocka_unit_test(a_reader_behind_a_transaction_is_at_the_end),
        cmocka_unit_test(an_offset_that_is_not_kept_is_a_gap_and_stays_one),
        cmocka_unit_test(a_reader_of_no_topic_says_so),
        cmocka_unit_test(hints_of_positions_do_no_harm),
        cmocka_unit_test(wrong_settings_are_refused_with_the_command_that_mends_them),
        cmocka_unit_test(right_settings_of_a_foreign_topic_pass),
        cmocka_unit_test(an_unknown_option_is_told_at_the_start),
        cmocka_unit_test(shards_are_shared_out_and_come_back_at_once),
    };
    int failed = cmocka_run_group_tests(tests, start, stop);
    (void)local_run("kafka.sh", "stop");
    return failed;
}
