/* elect_kafka.c -- election by a Kafka consumer group: the partitions of one topic that the group gives us are our
 * shards.
 *
 * Static membership (group.instance.id), so that a process that is started again gets its shards back at once instead
 * of after a session timeout; the eager `range` assignor, because the cooperative one of librdkafka 2.0.2 can hang or
 * crash. The partitions are assigned at their end and paused: nothing of their data is ever fetched here. */
#include <stdlib.h>

#include "elect/elect_impl.h"
#include "log/kafka_client.h"

enum { EVENTS_PER_POLL_MAX = 64, CLOSE_WAIT_MS = 2000, CLOSE_SLICE_MS = 50 };

struct elect_kafka {
    struct elect base;
    rd_kafka_t *client;
    struct kafka_settings settings;
};

static void own(struct elect_kafka *elect, const rd_kafka_topic_partition_list_t *partitions)
{
    memset(elect->base.owned, 0, sizeof elect->base.owned);
    for (int i = 0; partitions && i < partitions->cnt; i++)
        if (partitions->elems[i].partition >= 0 && (uint32_t)partitions->elems[i].partition < elect->base.shards)
            elect->base.owned[partitions->elems[i].partition] = true;
}

static void rebalanced(rd_kafka_t *client, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *partitions,
                       void *context)
{
    if (what != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        own(context, NULL);
        rd_kafka_assign(client, NULL);
        return;
    }
    for (int i = 0; i < partitions->cnt; i++)
        partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
    rd_kafka_assign(client, partitions);
    rd_kafka_pause_partitions(client, partitions);
    own(context, partitions);
}

static void hook(rd_kafka_conf_t *conf, void *context)
{
    rd_kafka_conf_set_rebalance_cb(conf, rebalanced);
    rd_kafka_conf_set_opaque(conf, context);
}

static enum err_code event_code(struct elect_kafka *elect, const rd_kafka_message_t *message, struct err *err)
{
    char text[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(elect->client, text, sizeof text);
    if (!fatal)
        return message->err ? kafka_err(err, message->err, "election", rd_kafka_message_errstr(message)) : OK;
    own(elect, NULL);
    return err_set(err, ERR_CONFIG, "election: %s; does another process run with the same instance name?", text);
}

static enum err_code kafka_poll(struct elect *base, int timeout_ms, struct err *err)
{
    struct elect_kafka *elect = (struct elect_kafka *)base;
    enum err_code code = OK;
    for (int i = 0; i < EVENTS_PER_POLL_MAX && !code; i++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(elect->client, i == 0 ? timeout_ms : 0);
        if (!message)
            break;
        code = event_code(elect, message, err);
        rd_kafka_message_destroy(message);
    }
    return code;
}

/* Leaves the group (a static member stays in it until its session times out), but waits for nobody. */
static void leave(rd_kafka_t *client)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_error_t *refused = rd_kafka_consumer_close_queue(client, queue);
    for (int waited = 0; !refused && waited < CLOSE_WAIT_MS && !rd_kafka_consumer_closed(client);
         waited += CLOSE_SLICE_MS) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CLOSE_SLICE_MS);
        if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
            rd_kafka_assign(client, NULL);
        if (event)
            rd_kafka_event_destroy(event);
    }
    if (refused)
        rd_kafka_error_destroy(refused);
    rd_kafka_queue_destroy(queue);
}

static void kafka_destroy(struct elect *base)
{
    struct elect_kafka *elect = (struct elect_kafka *)base;
    if (elect->client) {
        leave(elect->client);
        kafka_client_destroy(elect->client);
    }
    kafka_settings_close(&elect->settings);
    free(elect);
}

static const struct elect_ops kafka_ops = {kafka_poll, kafka_destroy};

static enum err_code subscribe(rd_kafka_t *client, const char *topic, struct err *err)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return error ? kafka_err(err, error, "cannot join the election on", topic) : OK;
}

enum err_code elect_kafka_open(const struct log_kafka_config *kafka, const char *group, const char *topic,
                               const char *instance, uint32_t shards, struct elect **out, struct err *err)
{
    *out = NULL;
    enum err_code code = elect_check_shards(shards, err);
    if (code)
        return code;
    struct elect_kafka *elect = calloc(1, sizeof *elect);
    if (!elect)
        return err_set(err, ERR_MEMORY, "no memory for an election of %u shards", shards);
    elect->base.ops = &kafka_ops;
    elect->base.shards = shards;
    bool is_static = instance && instance[0];
    const struct kafka_setting own_settings[] = {
        {"group.id", group},
        {"partition.assignment.strategy", "range"},
        {"session.timeout.ms", "10000"},
        {"heartbeat.interval.ms", "1000"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {is_static ? "group.instance.id" : NULL, instance},
        {NULL, NULL},
    };
    code = kafka_settings_copy(&elect->settings, kafka, err);
    if (!code)
        code = kafka_client_new(&elect->settings, RD_KAFKA_CONSUMER, own_settings, hook, elect, &elect->client, err);
    if (!code) {
        (void)rd_kafka_poll_set_consumer(elect->client);
        code = subscribe(elect->client, topic, err);
    }
    if (code)
        kafka_destroy(&elect->base);
    else
        *out = &elect->base;
    return code;
}
