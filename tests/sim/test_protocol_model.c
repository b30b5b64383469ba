/* A model of the ledger protocol (design 4): random schedules of two sources and four writers over one partition of a
 * log that loses, delays and repeats appends. The writers are the real writer and filter; one of them is an older build
 * that judges some records otherwise. A judge that shares nothing with them but the filter reads the log at the end:
 * every raw record is disposed of exactly once, every good event is accepted exactly once, time never goes back.
 *
 * The judge also reads with another rule, "drop source numbers already seen" in place of first_seq and hash: it must
 * find that this rule loses or repeats records, or the model proves nothing.
 *
 * PACELINE_SEED=n runs that schedule alone, PACELINE_SCHEDULES=n that many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/writer.h"

enum {
    SCHEDULES = 20000,
    SCHEDULES_SANITIZED = 3000,
    STEPS = 90,
    WRITERS = 4,
    OLD_WRITER = 3,
    SOURCES = 2,
    RAW_MAX = 64,
    LOG_MAX = 2048,
    FLIGHT_MAX = 64,
    IDS = 12,
    PATIENCE_TURNS = 12, /* an append that is not read back by then counts as failed */
    SETTLE_TURNS = 200
};

static const int64_t start_ms = 1772000000000;

/* --- the world --- */

struct raw {
    struct log_record log;
    char text[256];
    int id;    /* of its event; -1: it is no event */
    int other; /* body variant of that id */
};

struct stored {
    char *bytes;
    size_t n;
    int64_t append_ms;
};

/* An append on its way; those of one writer may overtake each other only by being late. */
struct flight {
    char *bytes;
    size_t n;
    unsigned writer;
    unsigned late; /* turns it still takes */
};

struct seat {
    struct writer *writer; /* NULL: down */
    struct filter filter;
    struct buf saved; /* a snapshot it may start from */
    int paused;       /* a zombie: works on without reading */
    bool failed;      /* told that an append failed: starts anew at its next turn */
    unsigned waited;  /* turns with something under way and nothing read back */
    uint64_t waited_seq;
};

struct world {
    uint64_t random;
    uint64_t seed;
    int64_t now_ms;
    struct raw raw[SOURCES][RAW_MAX];
    unsigned raw_count[SOURCES];
    struct stored log[LOG_MAX];
    unsigned log_count;
    struct flight flights[FLIGHT_MAX];
    unsigned flight_count;
    struct seat seats[WRITERS];
    struct block_reader reader;
    bool quiet; /* the faults are over */
    uint64_t next_writer_id;
    unsigned opens, voids;
};

static struct event_codec *codec;
static const enum ledger_source source_of[SOURCES] = {LEDGER_SOURCE_VISITS, LEDGER_SOURCE_LEADS};

static uint64_t draw(struct world *world)
{
    uint64_t z = (world->random += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static unsigned below(struct world *world, unsigned n) { return (unsigned)(draw(world) % n); }
static bool chance(struct world *world, unsigned percent) { return below(world, 100) < percent; }

static void write_event(struct raw *raw, unsigned source)
{
    const char *own = source == 0 ? "\"visit_id\":\"v1\",\"kind\":\"field\",\"phase\":\"checkin\",\"rep_id\":\"r%d\""
                                  : "\"lead_id\":\"l1\",\"action\":\"scored\",\"score\":%d";
    char tail[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(tail, sizeof tail, own, raw->other);
#pragma GCC diagnostic pop
    (void)snprintf(raw->text, sizeof raw->text,
                   "{\"type\":\"%s\",\"tenant\":\"t%d\",\"event_id\":\"e%d\",\"source\":\"s\",\"source_seq\":0,"
                   "\"occurred_at\":%lld,%s}",
                   source == 0 ? "visit" : "lead", raw->id % 2, raw->id, (long long)start_ms, tail);
}

/* A raw record: mostly an event, ids drawn from few so that they repeat, now and then with another body or broken. */
static void add_raw(struct world *world)
{
    unsigned source = below(world, SOURCES);
    if (world->raw_count[source] == RAW_MAX)
        return;
    struct raw *raw = &world->raw[source][world->raw_count[source]];
    raw->id = chance(world, 8) ? -1 : (int)below(world, IDS);
    raw->other = chance(world, 10);
    if (raw->id < 0)
        (void)snprintf(raw->text, sizeof raw->text, "{broken");
    else
        write_event(raw, source);
    raw->log = (struct log_record){.offset = world->raw_count[source]++,
                                   .append_ms = world->now_ms,
                                   .key = raw->id % 2 == 1 ? SLICE("t1") : SLICE("t0"),
                                   .value = slice_of(raw->text)};
}

/* --- the log --- */

static void land(struct world *world, const char *bytes, size_t n)
{
    assert_in_range(world->log_count, 0, LOG_MAX - 1);
    struct stored *stored = &world->log[world->log_count++];
    stored->bytes = malloc(n);
    assert_non_null(stored->bytes);
    memcpy(stored->bytes, bytes, n);
    stored->n = n;
    stored->append_ms = world->now_ms;
}

static void launch(struct world *world, unsigned writer, struct slice bytes, unsigned late)
{
    if (world->flight_count == FLIGHT_MAX)
        return; /* lost */
    struct flight *flight = &world->flights[world->flight_count++];
    *flight = (struct flight){malloc(bytes.n), bytes.n, writer, late};
    assert_non_null(flight->bytes);
    memcpy(flight->bytes, bytes.p, bytes.n);
}

/* An append by a writer: there, lost, late or repeated; and the writer may be told that it failed, true or not. */
static void append(struct world *world, unsigned w, struct slice bytes)
{
    bool faulty = !world->quiet && chance(world, 30);
    if (!faulty) {
        launch(world, w, bytes, 0);
        return;
    }
    switch (below(world, 4)) {
    case 0: /* lost, and told */
        world->seats[w].failed = chance(world, 50);
        break;
    case 1: /* late, told that it failed */
        launch(world, w, bytes, 1 + below(world, 30));
        world->seats[w].failed = chance(world, 50);
        break;
    case 2: /* there, told that it failed */
        launch(world, w, bytes, 0);
        world->seats[w].failed = true;
        break;
    default: /* twice: a retry of the client */
        launch(world, w, bytes, 0);
        launch(world, w, bytes, below(world, 10));
    }
}

static void fly(struct world *world)
{
    unsigned kept = 0, count = world->flight_count;
    for (unsigned i = 0; i < count; i++) {
        struct flight *flight = &world->flights[i];
        if (flight->late > 0) {
            flight->late--;
            world->flights[kept++] = *flight;
            continue;
        }
        land(world, flight->bytes, flight->n);
        free(flight->bytes);
    }
    world->flight_count = kept;
}

/* --- writers --- */

static void stop(struct seat *seat)
{
    writer_destroy(&seat->writer);
    seat->failed = false;
    seat->paused = 0;
    seat->waited = 0;
}

static void start(struct world *world, struct seat *seat)
{
    stop(seat);
    seat->writer = writer_new(codec, 0, 1);
    filter_init(&seat->filter, 0);
    if (seat->saved.n && chance(world, 70)) {
        struct err err;
        assert_int_equal(writer_load(seat->writer, buf_slice(&seat->saved), &err), OK);
        seat->filter = *writer_filter(seat->writer);
    }
}

/* Reads up to `most` log records through the real filter. */
static void read_log(struct world *world, struct seat *seat, unsigned most)
{
    while (most-- > 0 && seat->filter.next_offset < world->log_count) {
        int64_t offset = seat->filter.next_offset;
        const struct stored *stored = &world->log[offset];
        struct slice bytes = slice_make(stored->bytes, stored->n);
        enum filter_verdict verdict = filter_apply(&seat->filter, offset, bytes, &world->reader);
        assert_false(filter_stops(verdict));
        if (!filter_valid(verdict)) {
            world->voids++;
            continue;
        }
        struct ledger_block block = {verdict, offset, stored->append_ms, bytes, &seat->filter, &world->reader};
        struct err err = {0};
        if (writer_read(seat->writer, &block, &err) != OK)
            fail_msg("PACELINE_SEED=%llu: a writer cannot fold what the filter calls valid: %s",
                     (unsigned long long)world->seed, err.text);
        if (writer_phase(seat->writer) == WRITER_DROPPED)
            break;
    }
}

/* The older build reads some records otherwise: what is broken to it is rejected. */
static struct log_record as_seen(const struct raw *raw, unsigned w)
{
    struct log_record log = raw->log;
    if (w == OLD_WRITER && log.offset % 3 == 1)
        log.value.n--;
    return log;
}

static void send_block(struct world *world, unsigned w)
{
    struct writer *writer = world->seats[w].writer;
    if (!writer_building(writer) || !writer_room(writer))
        return;
    writer_seal(writer);
    append(world, w, writer_sealed(writer));
    writer_sent(writer, 0);
}

static void take_some(struct world *world, unsigned w, unsigned most)
{
    struct writer *writer = world->seats[w].writer;
    for (unsigned i = 0; i < most; i++) {
        unsigned s = below(world, SOURCES);
        int64_t next = writer_position(writer, source_of[s]) + 1;
        if (next >= world->raw_count[s])
            continue;
        struct log_record log = as_seen(&world->raw[s][next], w);
        if (writer_take(writer, source_of[s], &log) == WRITER_FULL)
            break;
    }
    if (chance(world, 25))
        (void)writer_tick(writer, world->now_ms);
    if (chance(world, 5))
        (void)writer_gap(writer, start_ms, world->now_ms);
}

static void lead(struct world *world, unsigned w)
{
    take_some(world, w, 1 + below(world, 6));
    send_block(world, w);
    if (chance(world, 30)) { /* a second one on its heels */
        take_some(world, w, 1 + below(world, 3));
        send_block(world, w);
    }
}

/* "Not back within 10 s" (design 4.7), in turns. */
static void wait_a_turn(struct seat *seat)
{
    bool waits = writer_phase(seat->writer) == WRITER_OPENING || writer_unconfirmed(seat->writer) > 0;
    bool moved = seat->waited_seq != seat->filter.seq;
    seat->waited_seq = seat->filter.seq;
    seat->waited = waits && !moved ? seat->waited + 1 : 0;
    seat->failed |= seat->waited > PATIENCE_TURNS;
}

static void turn(struct world *world, unsigned w)
{
    struct seat *seat = &world->seats[w];
    if (!seat->writer || seat->failed) {
        start(world, seat);
        return;
    }
    if (seat->paused > 0)
        seat->paused--; /* does not see what the others did, goes on writing */
    else
        read_log(world, seat, world->quiet ? LOG_MAX : 1 + below(world, 20));
    bool at_end = seat->filter.next_offset == world->log_count;
    wait_a_turn(seat);
    switch (writer_phase(seat->writer)) {
    case WRITER_FOLLOWING:
        if (writer_between(seat->writer) && chance(world, 20)) {
            buf_clear(&seat->saved);
            writer_save(seat->writer, &seat->saved);
        }
        if (at_end && (world->quiet || chance(world, 40))) {
            append(world, w, writer_open(seat->writer, ++world->next_writer_id));
            world->opens++;
        }
        break;
    case WRITER_OPENING:
        break;
    case WRITER_LEADING:
        lead(world, w);
        break;
    case WRITER_DROPPED:
        stop(seat);
        break;
    }
}

static void step(struct world *world)
{
    unsigned w = below(world, WRITERS);
    world->now_ms += below(world, 200);
    if (chance(world, 40))
        add_raw(world);
    if (chance(world, 3))
        stop(&world->seats[w]); /* kill -9: what it sent is still under way */
    if (chance(world, 5))
        world->seats[w].paused = 1 + (int)below(world, 12);
    turn(world, w);
    if (chance(world, 70))
        fly(world);
}

static bool disposed(const struct world *world, const struct writer *writer)
{
    for (unsigned s = 0; s < SOURCES; s++)
        if (writer_confirmed(writer)->sources[source_of[s]].position + 1 != world->raw_count[s])
            return false;
    return true;
}

/* No more faults: one writer takes over and disposes of everything. */
static void settle(struct world *world)
{
    world->quiet = true;
    for (unsigned w = 1; w < WRITERS; w++)
        stop(&world->seats[w]);
    for (unsigned i = 0; i < SETTLE_TURNS; i++) {
        world->now_ms += 100;
        fly(world);
        turn(world, 0);
        struct writer *writer = world->seats[0].writer;
        if (writer && writer_phase(writer) == WRITER_LEADING && disposed(world, writer)) {
            for (unsigned f = 0; f < world->flight_count; f++)
                world->flights[f].late = 0;
            fly(world); /* the last zombies land */
            return;
        }
        if (writer && writer_phase(writer) == WRITER_LEADING && !writer_sealed(writer).n)
            (void)writer_tick(writer, world->now_ms);
    }
    fail_msg("PACELINE_SEED=%llu: the last writer did not get through", (unsigned long long)world->seed);
}

/* --- the judge --- */

struct verdict {
    unsigned lost, twice, back, wrong;
};

struct judge {
    struct filter filter;
    int64_t position[SOURCES];
    uint64_t told[SOURCES]; /* accepted + rejected + duplicates spoken of */
    int64_t time_ms;
    uint64_t seq;
    unsigned accepted[SOURCES][IDS];
    struct verdict verdict;
};

static void judge_number(struct judge *judge, unsigned s, const struct ledger_record *record)
{
    int64_t number = (int64_t)record->number;
    if (number <= judge->position[s]) {
        judge->verdict.twice++;
        return;
    }
    if (number - judge->position[s] - 1 != (int64_t)record->dups_before)
        judge->verdict.lost++;
    judge->told[s] += record->dups_before + 1;
    judge->position[s] = number;
}

static void judge_tick(struct judge *judge, const struct ledger_record *record)
{
    struct ledger_totals totals;
    int64_t clock_ms;
    ledger_totals_init(&totals);
    assert_true(ledger_tick_read(record->body, &clock_ms, &totals));
    for (unsigned s = 0; s < SOURCES; s++) {
        const struct ledger_source_totals *told = &totals.sources[source_of[s]];
        if (told->position < judge->position[s])
            judge->verdict.twice++;
        else
            judge->position[s] = told->position;
        judge->told[s] = ledger_received(told);
        if ((int64_t)judge->told[s] != told->position + 1)
            judge->verdict.lost++;
    }
}

static void judge_record(struct world *world, struct judge *judge, const struct ledger_record *record)
{
    judge->verdict.back += record->time_ms < judge->time_ms;
    judge->time_ms = record->time_ms;
    if (record->kind == LEDGER_TICK)
        judge_tick(judge, record);
    for (unsigned s = 0; s < SOURCES; s++) {
        if (record->source != source_of[s])
            continue;
        judge_number(judge, s, record);
        const struct raw *raw = &world->raw[s][record->number];
        if (record->kind == LEDGER_EVENT) {
            judge->verdict.wrong += raw->id < 0;
            if (raw->id >= 0)
                judge->accepted[s][raw->id]++;
        }
    }
}

/* The rule that must fail: any block that reads as one, less the records whose source number was seen. */
static bool by_number(const struct judge *judge, const struct ledger_record *record)
{
    for (unsigned s = 0; s < SOURCES; s++)
        if (record->source == source_of[s] && (int64_t)record->number <= judge->position[s])
            return false;
    return true;
}

static void judge_log(struct world *world, bool numbers_only, struct judge *judge)
{
    *judge = (struct judge){.position = {-1, -1}};
    filter_init(&judge->filter, 0);
    for (unsigned i = 0; i < world->log_count; i++) {
        struct slice bytes = slice_make(world->log[i].bytes, world->log[i].n);
        enum filter_verdict verdict = filter_apply(&judge->filter, i, bytes, &world->reader);
        bool valid = numbers_only ? block_open(&world->reader, bytes, NULL) == OK : verdict == FILTER_VALID;
        struct ledger_record record;
        bool bad = false;
        while (valid && block_next(&world->reader, &record, &bad))
            if (numbers_only ? record.kind != LEDGER_TICK && by_number(judge, &record) : true)
                judge_record(world, judge, &record);
        assert_false(bad);
    }
    for (unsigned s = 0; s < SOURCES; s++)
        judge->verdict.lost += !numbers_only && judge->told[s] != world->raw_count[s];
}

/* An id with at least one good raw record of which no rejecting old build stood in the way is in the ledger once. */
static void judge_ids(struct world *world, struct judge *judge)
{
    for (unsigned s = 0; s < SOURCES; s++)
        for (int id = 0; id < IDS; id++) {
            unsigned sure = 0;
            for (unsigned i = 0; i < world->raw_count[s]; i++)
                sure += world->raw[s][i].id == id && i % 3 != 1;
            judge->verdict.twice += judge->accepted[s][id] > 1;
            judge->verdict.lost += sure > 0 && judge->accepted[s][id] == 0;
        }
}

static void close_world(struct world *world)
{
    for (unsigned i = 0; i < world->log_count; i++)
        free(world->log[i].bytes);
    for (unsigned i = 0; i < world->flight_count; i++)
        free(world->flights[i].bytes);
    for (unsigned w = 0; w < WRITERS; w++) {
        writer_destroy(&world->seats[w].writer);
        buf_close(&world->seats[w].saved);
    }
}

struct sums {
    unsigned schedules, opens, voids, blocks, caught;
    uint64_t records;
};

static void run(struct world *world, uint64_t seed, struct sums *sums)
{
    struct judge judge;
    memset(world, 0, offsetof(struct world, reader));
    world->quiet = false;
    world->next_writer_id = 0;
    world->opens = world->voids = 0;
    world->seed = seed;
    world->random = seed * 0x2545f4914f6cdd1d + 1;
    world->now_ms = start_ms;
    for (unsigned i = 0; i < STEPS; i++)
        step(world);
    settle(world);
    judge_log(world, false, &judge);
    judge_ids(world, &judge);
    const struct verdict *v = &judge.verdict;
    if (v->lost || v->twice || v->back || v->wrong)
        fail_msg("PACELINE_SEED=%llu: %u lost, %u twice, time back %u, wrong %u", (unsigned long long)seed, v->lost,
                 v->twice, v->back, v->wrong);
    sums->records += judge.filter.seq;
    judge_log(world, true, &judge);
    sums->caught += judge.verdict.lost || judge.verdict.twice;
    sums->schedules++;
    sums->opens += world->opens;
    sums->voids += world->voids;
    sums->blocks += world->log_count;
    close_world(world);
}

static unsigned schedules(void)
{
#ifdef __SANITIZE_ADDRESS__
    unsigned count = SCHEDULES_SANITIZED;
#else
    unsigned count = SCHEDULES;
#endif
    const char *wanted = getenv("PACELINE_SCHEDULES");
    return wanted ? (unsigned)strtoul(wanted, NULL, 10) : count;
}

static void every_record_is_disposed_of_once_whatever_the_schedule(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct sums sums = {0};
    const char *seed = getenv("PACELINE_SEED");
    (void)state;
    assert_non_null(world);
    unsigned count = seed ? 1 : schedules();
    for (unsigned i = 0; i < count; i++)
        run(world, seed ? strtoull(seed, NULL, 10) : i + 1, &sums);
    print_message(
        "%u schedules, %llu records, %u blocks in the log, %u opens, %u void reads; numbers-only rule wrong in %u\n",
        sums.schedules, (unsigned long long)sums.records, sums.blocks, sums.opens, sums.voids, sums.caught);
    free(world);
    if (seed)
        return;
    assert_true(sums.opens > 2 * count); /* the schedules do what they are for */
    assert_true(sums.voids > count);
    assert_true(sums.caught > count / 20); /* "drop source numbers already seen" fails, and often */
}

int main(void)
{
    struct err err;
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_record_is_disposed_of_once_whatever_the_schedule)};
    codec = event_codec_new(&err);
    if (!codec) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    event_codec_destroy(&codec);
    return failed;
}
