/* kafka_topics.c -- topics on Kafka: created as we need them, and what exists is checked against what we rely on.
 *
 * The ledger rests on append times and on nothing being compacted or expired too soon; a topic that says otherwise is
 * refused with the command that mends it, because every later symptom would be harder to read. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/log_kafka.h"

enum {
    ADMIN_TIMEOUT_MS = 30000,
    METADATA_TIMEOUT_MS = 10000,
    APPEAR_TRIES_MAX = 250,
    APPEAR_NAP_MS = 20,
    LEADER_AGAIN_MS = 50
};
enum { MESSAGE_BYTES_MIN = LOG_VALUE_BYTES_MAX };
#define MESSAGE_BYTES_TEXT "2228224" /* LOG_VALUE_BYTES_MAX, key, headers and frame */

enum err_code kafka_partition_count(rd_kafka_t *asker, const char *name, int timeout_ms, uint32_t *count,
                                    struct err *err)
{
    *count = 0;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(asker, name, NULL);
    if (!topic)
        return kafka_err(err, rd_kafka_last_error(), name, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(asker, 0, topic, &metadata, timeout_ms);
    rd_kafka_topic_destroy(topic);
    if (error)
        return err_set(err, kafka_code(error), "Kafka: no answer about topic %s: %s; check the address and the network",
                       name, rd_kafka_err2str(error));
    rd_kafka_resp_err_t about = metadata->topic_cnt ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (about == RD_KAFKA_RESP_ERR_NO_ERROR || about == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        *count = (uint32_t)metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    if (about == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return kafka_err(err, about, name, NULL);
    return OK;
}

/* --- the admin API: one question, one answer --- */

typedef void admin_ask(rd_kafka_t *asker, void *what, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue);

static enum err_code admin(rd_kafka_t *asker, rd_kafka_admin_op_t op, admin_ask *ask, void *what,
                           rd_kafka_event_t **answer, struct err *err)
{
    char text[256];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(asker, op);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_TIMEOUT_MS, text, sizeof text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(asker);
    ask(asker, what, options, queue);
    *answer = rd_kafka_queue_poll(queue, ADMIN_TIMEOUT_MS + 1000);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    if (!*answer)
        return err_set(err, ERR_UNAVAILABLE, "Kafka: no answer to an administrative request within %d ms",
                       ADMIN_TIMEOUT_MS);
    rd_kafka_resp_err_t error = rd_kafka_event_error(*answer);
    enum err_code code = OK;
    if (error) {
        code = kafka_err(err, error, "administrative request", rd_kafka_event_error_string(*answer));
        rd_kafka_event_destroy(*answer);
    }
    return code;
}

/* --- creating --- */

static void ask_create(rd_kafka_t *asker, void *what, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue)
{
    rd_kafka_NewTopic_t *topic = what;
    rd_kafka_CreateTopics(asker, &topic, 1, options, queue);
}

static enum err_code create_answer(const struct log_topic_spec *spec, rd_kafka_event_t *answer, struct err *err)
{
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), &count);
    rd_kafka_resp_err_t error = count ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
    enum err_code code = OK;
    if (error && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        kafka_err(err, error, "cannot create the topic", count ? rd_kafka_topic_result_error_string(results[0]) : NULL);
        code = err_wrap(err, "%s", spec->topic);
    }
    rd_kafka_event_destroy(answer);
    return code;
}

static enum err_code create(rd_kafka_t *asker, const struct log_topic_spec *spec, uint32_t replicas, struct err *err)
{
    char text[256], retention[32];
    int replication = replicas ? (int)replicas : -1;
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(spec->topic, (int)spec->partitions, replication, text, sizeof text);
    if (!topic)
        return err_set(err, ERR_CONFIG, "topic %s: %s", spec->topic, text);
    (void)snprintf(retention, sizeof retention, "%lld", (long long)spec->retention_ms);
    (void)rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", "LogAppendTime");
    (void)rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    (void)rd_kafka_NewTopic_set_config(topic, "max.message.bytes", MESSAGE_BYTES_TEXT);
    if (spec->retention_ms)
        (void)rd_kafka_NewTopic_set_config(topic, "retention.ms", retention);
    rd_kafka_event_t *answer;
    enum err_code code = admin(asker, RD_KAFKA_ADMIN_OP_CREATETOPICS, ask_create, topic, &answer, err);
    rd_kafka_NewTopic_destroy(topic);
    return code ? code : create_answer(spec, answer, err);
}

/* Created is not yet known to every broker. */
static enum err_code appear(rd_kafka_t *asker, const struct log_topic_spec *spec, uint32_t *count, struct err *err)
{
    for (int i = 0; i < APPEAR_TRIES_MAX; i++) {
        enum err_code code = kafka_partition_count(asker, spec->topic, METADATA_TIMEOUT_MS, count, err);
        if (code || *count)
            return code;
        (void)poll(NULL, 0, APPEAR_NAP_MS);
    }
    return err_set(err, ERR_UNAVAILABLE, "topic %s was created but does not appear", spec->topic);
}

/* --- checking --- */

struct topic_facts {
    char timestamp_type[32], cleanup_policy[64];
    int64_t message_bytes, retention_ms;
};

static void facts_take(struct topic_facts *facts, const char *name, const char *value)
{
    if (strcmp(name, "message.timestamp.type") == 0)
        (void)snprintf(facts->timestamp_type, sizeof facts->timestamp_type, "%s", value);
    else if (strcmp(name, "cleanup.policy") == 0)
        (void)snprintf(facts->cleanup_policy, sizeof facts->cleanup_policy, "%s", value);
    else if (strcmp(name, "max.message.bytes") == 0)
        facts->message_bytes = strtoll(value, NULL, 10);
    else if (strcmp(name, "retention.ms") == 0)
        facts->retention_ms = strtoll(value, NULL, 10);
}

static void ask_describe(rd_kafka_t *asker, void *what, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue)
{
    rd_kafka_ConfigResource_t *resource = what;
    rd_kafka_DescribeConfigs(asker, &resource, 1, options, queue);
}

static enum err_code describe(rd_kafka_t *asker, const char *name, struct topic_facts *facts, struct err *err)
{
    *facts = (struct topic_facts){0};
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_event_t *answer;
    enum err_code code = admin(asker, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, ask_describe, resource, &answer, err);
    rd_kafka_ConfigResource_destroy(resource);
    if (code)
        return code;
    size_t count, entries_count = 0;
    const rd_kafka_ConfigResource_t **found =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(answer), &count);
    rd_kafka_resp_err_t error = count ? rd_kafka_ConfigResource_error(found[0]) : RD_KAFKA_RESP_ERR__FAIL;
    if (error)
        code = kafka_err(err, error, "cannot read the settings of a topic", name);
    const rd_kafka_ConfigEntry_t **entries = error ? NULL : rd_kafka_ConfigResource_configs(found[0], &entries_count);
    for (size_t i = 0; i < entries_count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        facts_take(facts, rd_kafka_ConfigEntry_name(entries[i]), value ? value : "");
    }
    rd_kafka_event_destroy(answer);
    return code;
}

static enum err_code wrong(const struct log_kafka *log, const char *topic, const char *name, const char *is,
                           const char *should, struct err *err)
{
    return err_set(err, ERR_CONFIG,
                   "topic %s has %s=%s, %s is needed; mend it with: kafka-configs.sh --bootstrap-server %.200s --alter "
                   "--entity-type topics --entity-name %s --add-config %s=%s",
                   topic, name, is, should, log->settings.bootstrap, topic, name, should);
}

static enum err_code facts_check(const struct log_kafka *log, const struct log_topic_spec *spec,
                                 const struct topic_facts *facts, struct err *err)
{
    char is[32], should[32];
    if (strcmp(facts->timestamp_type, "LogAppendTime") != 0)
        return wrong(log, spec->topic, "message.timestamp.type", facts->timestamp_type, "LogAppendTime", err);
    if (strcmp(facts->cleanup_policy, "delete") != 0)
        return wrong(log, spec->topic, "cleanup.policy", facts->cleanup_policy, "delete", err);
    (void)snprintf(is, sizeof is, "%lld", (long long)facts->message_bytes);
    if (facts->message_bytes < MESSAGE_BYTES_MIN)
        return wrong(log, spec->topic, "max.message.bytes", is, MESSAGE_BYTES_TEXT, err);
    (void)snprintf(is, sizeof is, "%lld", (long long)facts->retention_ms);
    (void)snprintf(should, sizeof should, "%lld", (long long)spec->retention_ms);
    bool kept_for_ever = facts->retention_ms < 0;
    bool too_short =
        spec->retention_ms && !kept_for_ever && (spec->retention_ms < 0 || facts->retention_ms < spec->retention_ms);
    return too_short ? wrong(log, spec->topic, "retention.ms", is, should, err) : OK;
}

static enum err_code partitions_wrong(const struct log_topic_spec *spec, uint32_t count, struct err *err)
{
    return err_set(
        err, ERR_CONFIG,
        "topic %s has %u partitions, %u are configured (shards): the number is fixed for the life of a ledger; "
        "set shards to %u, or use another topic prefix",
        spec->topic, count, spec->partitions, count);
}

enum err_code kafka_topic(struct log *base, const struct log_topic_spec *spec, bool make, struct err *err)
{
    struct log_kafka *log = (struct log_kafka *)base;
    rd_kafka_t *asker;
    uint32_t count = 0;
    enum err_code code = kafka_asker(log, &asker, err);
    if (!code)
        code = kafka_partition_count(asker, spec->topic, METADATA_TIMEOUT_MS, &count, err);
    if (!code && count == 0 && !make)
        return err_set(err, ERR_MISSING, "topic %s does not exist", spec->topic);
    if (!code && count == 0) {
        code = create(asker, spec, log->replication, err);
        if (!code)
            code = appear(asker, spec, &count, err);
    }
    if (!code && count != spec->partitions)
        code = partitions_wrong(spec, count, err);
    struct topic_facts facts;
    if (!code)
        code = describe(asker, spec->topic, &facts, err);
    return code ? code : facts_check(log, spec, &facts, err);
}

/* --- ends --- */

/* rd_kafka_query_watermark_offsets ignores its timeout in 2.0.2; this one keeps it. */
static rd_kafka_resp_err_t offset_once(rd_kafka_t *asker, const char *topic, uint32_t partition, int64_t which,
                                       int timeout_ms, int64_t *offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, (int32_t)partition)->offset = which;
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(asker, list, timeout_ms);
    if (!error)
        error = list->elems[0].err;
    *offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

/* A partition whose leader is being elected (a broker that has just come back) is asked again until the deadline. */
static bool leader_missing(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE || error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
}

static enum err_code offset_at(rd_kafka_t *asker, const char *topic, uint32_t partition, int64_t which, int timeout_ms,
                               int64_t *offset, struct err *err)
{
    struct clock *clock = clock_system();
    int64_t deadline_ms = clock->monotonic_ms(clock) + timeout_ms;
    rd_kafka_resp_err_t error;
    do {
        error = offset_once(asker, topic, partition, which, timeout_ms, offset);
        if (!leader_missing(error))
            break;
        rd_kafka_poll(asker, LEADER_AGAIN_MS);
    } while (clock->monotonic_ms(clock) < deadline_ms);
    return error ? kafka_err(err, error, "no answer about the end of a topic", topic) : OK;
}

enum err_code kafka_range(struct log *base, const char *topic, uint32_t partition, int timeout_ms, int64_t *begin,
                          int64_t *end, struct err *err)
{
    rd_kafka_t *asker;
    uint32_t count = 0;
    enum err_code code = kafka_asker((struct log_kafka *)base, &asker, err);
    if (!code)
        code = kafka_partition_count(asker, topic, timeout_ms, &count, err);
    if (!code && partition >= count)
        return err_set(err, ERR_MISSING, "%s[%u]: no such topic or partition", topic, partition);
    if (!code)
        code = offset_at(asker, topic, partition, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, begin, err);
    if (!code)
        code = offset_at(asker, topic, partition, RD_KAFKA_OFFSET_END, timeout_ms, end, err);
    return code;
}
