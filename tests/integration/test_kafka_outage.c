/* test_kafka_outage.c -- a broker that stops answering or dies under flow: nothing hangs, everything arrives. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <unistd.h>

#include "local.h"
#include "log/log.h"

#define PORT "29505"
enum { DEADLINE_MS = 60000, CALL_MS_MAX = 5000, BEFORE = 500, DURING = 500, AFTER = 500, TOTAL = 1500 };

static struct log *kafka;
static struct err err;

static int64_t now_ms(void) { return clock_system()->monotonic_ms(clock_system()); }

struct flow {
    struct log_producer *producer;
    struct log_consumer *consumer;
    int sent, next; /* next: the number that is expected to be read */
    int64_t longest_call_ms;
};

static void timed(struct flow *flow, int64_t since)
{
    int64_t took = now_ms() - since;
    if (took > flow->longest_call_ms)
        flow->longest_call_ms = took;
}

static void send_one(struct flow *flow, const char *topic)
{
    char text[16];
    snprintf(text, sizeof text, "%d", flow->sent);
    int64_t since = now_ms();
    enum err_code code = log_append(flow->producer, topic, 0, SLICE("k"), slice_of(text), SLICE(""), &err);
    timed(flow, since);
    assert_int_equal(code, OK);
    flow->sent++;
}

/* Reads what is here; the numbers come in order, without loss. */
static void read_some(struct flow *flow, int wait_ms)
{
    struct log_record r[64];
    size_t got;
    int64_t since = now_ms();
    enum err_code code = log_poll(flow->consumer, 0, r, 64, &got, &err);
    timed(flow, since);
    if (code && err_class(code) != ERR_CLASS_RETRY)
        fail_msg("%s: %s", err_name(code), err.text);
    for (size_t i = 0; i < got; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", flow->next++);
        assert_true(slice_is(r[i].value, text));
    }
    since = now_ms();
    log_end_refresh(flow->consumer);
    log_wait(flow->consumer, wait_ms);
    log_producer_poll(flow->producer, 0, NULL);
    timed(flow, since);
}

static void flow_through(const char *topic, const char *stop, const char *go, int outage_ms)
{
    struct log_topic_spec spec = {.topic = topic, .partitions = 1, .retention_ms = -1};
    if (log_topic_ensure(kafka, &spec, &err))
        fail_msg("%s", err.text);
    struct flow flow = {0};
    struct log_source source = {topic, 0, 0};
    assert_int_equal(log_producer_open(kafka, &flow.producer, &err), OK);
    assert_int_equal(log_consumer_open(kafka, NULL, &source, 1, &flow.consumer, &err), OK);
    int64_t deadline = now_ms() + DEADLINE_MS;
    while (flow.next < BEFORE) {
        assert_true(now_ms() < deadline);
        if (flow.sent < BEFORE)
            send_one(&flow, topic);
        read_some(&flow, 10);
    }
    assert_true(local_run("kafka.sh", stop));
    int64_t until = now_ms() + outage_ms;
    while (now_ms() < until) {
        if (flow.sent < BEFORE + DURING)
            send_one(&flow, topic);
        read_some(&flow, 10);
    }
    assert_true(local_run("kafka.sh", go));
    int64_t back = now_ms();
    while (flow.next < TOTAL) {
        assert_true(now_ms() < deadline);
        if (flow.sent < TOTAL)
            send_one(&flow, topic);
        read_some(&flow, 10);
    }
    print_message("%s: all there %lld ms behind its return, longest call %lld ms\n", topic,
                  (long long)(now_ms() - back), (long long)flow.longest_call_ms);
    assert_in_range(flow.longest_call_ms, 0, CALL_MS_MAX);
    assert_int_equal(log_producer_flush(flow.producer, DEADLINE_MS, &err), OK);
    struct log_progress progress;
    log_producer_poll(flow.producer, 0, &progress);
    assert_int_equal(progress.acked, TOTAL);
    assert_int_equal(progress.failed, 0);
    log_consumer_destroy(&flow.consumer);
    log_producer_destroy(&flow.producer);
}

static void a_broker_stopped_under_flow_is_survived(void **state)
{
    (void)state;
    flow_through("stopped", "stop", "start", 5000);
}

static void a_broker_killed_under_flow_is_survived(void **state)
{
    (void)state;
    flow_through("killed", "kill", "start", 5000);
}

static void a_broker_frozen_under_flow_is_survived(void **state)
{
    (void)state;
    flow_through("frozen", "freeze", "thaw", 8000);
}

static void questions_to_a_broker_that_is_away_end_in_time(void **state)
{
    (void)state;
    struct log_topic_spec spec = {.topic = "away", .partitions = 1, .retention_ms = -1};
    assert_int_equal(log_topic_ensure(kafka, &spec, &err), OK);
    struct log_source source = {"away", 0, 0};
    struct log_consumer *consumer;
    struct log_producer *producer;
    assert_int_equal(log_producer_open(kafka, &producer, &err), OK);
    assert_int_equal(log_consumer_open(kafka, NULL, &source, 1, &consumer, &err), OK);
    assert_int_equal(log_append(producer, "away", 0, SLICE("k"), SLICE("v"), SLICE(""), &err), OK);
    assert_int_equal(log_producer_flush(producer, DEADLINE_MS, &err), OK);
    assert_true(local_run("kafka.sh", "freeze"));
    int64_t begin, end, since = now_ms();
    assert_int_equal(err_class(log_range(kafka, "away", 0, 1000, &begin, &end, &err)), ERR_CLASS_RETRY);
    assert_in_range(now_ms() - since, 0, CALL_MS_MAX);
    assert_int_equal(log_append(producer, "away", 0, SLICE("k"), SLICE("v"), SLICE(""), &err), OK);
    since = now_ms();
    assert_int_equal(log_producer_flush(producer, 500, &err), ERR_TIMEOUT);
    log_end_refresh(consumer);
    log_producer_destroy(&producer);
    log_consumer_destroy(&consumer);
    assert_in_range(now_ms() - since, 0, 4 * CALL_MS_MAX);
    assert_true(local_run("kafka.sh", "thaw"));
}

static void delete_topic(const char *name)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", "127.0.0.1:" PORT, text, sizeof text);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(client);
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DeleteTopics(client, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, DEADLINE_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy(topic);
    rd_kafka_destroy(client);
}

/* The library of Debian 12 can hang for ever when a consumed topic was deleted; our destroy may not. */
static void a_deleted_topic_is_told_and_its_reader_ends(void **state)
{
    (void)state;
    struct log_topic_spec spec = {.topic = "deleted", .partitions = 1, .retention_ms = -1};
    assert_int_equal(log_topic_ensure(kafka, &spec, &err), OK);
    struct log_source source = {"deleted", 0, 0};
    struct log_consumer *consumer;
    struct log_producer *producer;
    assert_int_equal(log_producer_open(kafka, &producer, &err), OK);
    assert_int_equal(log_append(producer, "deleted", 0, SLICE("k"), SLICE("v"), SLICE(""), &err), OK);
    assert_int_equal(log_producer_flush(producer, DEADLINE_MS, &err), OK);
    assert_int_equal(log_consumer_open(kafka, NULL, &source, 1, &consumer, &err), OK);
    struct log_record r[1];
    size_t got;
    int64_t deadline = now_ms() + DEADLINE_MS;
    while (log_poll(consumer, 0, r, 1, &got, &err) == OK && got == 0 && now_ms() < deadline)
        log_wait(consumer, 100);
    assert_int_equal(got, 1);
    delete_topic("deleted");
    enum err_code code = OK;
    while (code != ERR_MISSING && code != ERR_GAP) {
        assert_true(now_ms() < deadline);
        code = log_poll(consumer, 0, r, 1, &got, &err);
        log_end_refresh(consumer);
        log_wait(consumer, 100);
    }
    print_message("deleted: %s: %s\n", err_name(code), err.text);
    int64_t since = now_ms();
    log_consumer_destroy(&consumer);
    log_producer_destroy(&producer);
    assert_in_range(now_ms() - since, 0, 4 * CALL_MS_MAX);
}

int main(void)
{
    static const struct log_kafka_config config = {.bootstrap = "127.0.0.1:" PORT, .client_id = "test", .extra = NULL};
    if (!local_kafka_start("kafka_outage", PORT))
        return local_skip("no Kafka here: see run/kafka.sh-*.out (needs java, mvn, kcat)");
    if (log_kafka_open(&config, &kafka, &err)) {
        printf("%s\n", err.text);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broker_stopped_under_flow_is_survived),
        cmocka_unit_test(a_broker_killed_under_flow_is_survived),
        cmocka_unit_test(a_broker_frozen_under_flow_is_survived),
        cmocka_unit_test(questions_to_a_broker_that_is_away_end_in_time),
        cmocka_unit_test(a_deleted_topic_is_told_and_its_reader_ends),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    log_destroy(&kafka);
    (void)local_run("kafka.sh", "stop");
    return failed;
}
