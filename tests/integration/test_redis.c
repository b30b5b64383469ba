/* test_redis.c -- the view on a real Redis: the contract, and everything that happens to a Redis. */
#define _GNU_SOURCE
#include "unit/view/contract.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "local.h"

enum { TIMEOUT_MS = 500, CALL_MS_MAX = 3000 };

static char folder[512], socket_path[108];

static int64_t now_ms(void) { return clock_system()->monotonic_ms(clock_system()); }

/* Runs one command beside the view's connection; the integer of its answer, or -1. */
static long long redis_do(const char *command)
{
    redisContext *context = redisConnectUnix(socket_path);
    assert_non_null(context);
    redisReply *reply = redisCommand(context, command);
    long long n = reply && reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
    if (!reply || reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", command, reply ? reply->str : context->errstr);
    freeReplyObject(reply);
    redisFree(context);
    return n;
}

static bool redis_run(const char *verb) { return local_run("redis.sh", verb); }

static int setup(void **state)
{
    struct view_bench *b = calloc(1, sizeof *b);
    *state = b;
    if (!redis_run("start"))
        return -1;
    redis_do("FLUSHALL");
    redis_do("CONFIG SET maxmemory 0");
    redis_do("CONFIG SET maxmemory-policy noeviction");
    return view_redis_open(socket_path, "", TIMEOUT_MS, &b->view, &b->err) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct view_bench *b = *state;
    view_destroy(&b->view);
    free(b);
    return 0;
}

static struct view *another(struct view_bench *b, const char *address)
{
    struct view *view;
    assert_int_equal(view_redis_open(address, "", TIMEOUT_MS, &view, &b->err), OK);
    return view;
}

static void with_one_cell(struct view_bench *b, struct view_head *head)
{
    const struct view_cell cell[] = {CELL("r", "a", "1")};
    *head = head_at(1, 1);
    assert_int_equal(commit(b, &absent, head, cell, 1), OK);
}

/* --- rivals --- */

static void of_two_writers_with_one_head_one_wins(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, two = head_at(1, 2), three = head_at(1, 3), head;
    with_one_cell(b, &one);
    struct view_bench rival = {another(b, socket_path), {0}};
    const struct view_cell mine[] = {CELL("r", "a", "mine")}, theirs[] = {CELL("r", "a", "theirs")};
    assert_int_equal(commit(&rival, &one, &two, theirs, 1), OK);
    assert_int_equal(commit(b, &one, &three, mine, 1), ERR_MOVED);
    assert_string_equal(ROWS(b, &head, "r"), "0:a=theirs\n");
    assert_int_equal(commit(b, &two, &three, mine, 1), OK);
    view_destroy(&rival.view);
}

static void writers_that_race_never_both_win(void **state)
{
    enum { CHILDREN = 4, STEPS = 300 };
    struct view_bench *b = *state;
    struct view_head one;
    with_one_cell(b, &one);
    pid_t children[CHILDREN];
    for (int c = 0; c < CHILDREN; c++) {
        if ((children[c] = fork()))
            continue;
        struct view_bench own = {another(b, socket_path), {0}};
        for (int won = 0; won < STEPS;) {
            struct view_head from, to;
            if (view_head_get(own.view, acme, &from, &own.err))
                _exit(1);
            to = from;
            to.seq++;
            char value[32];
            snprintf(value, sizeof value, "%llu", (unsigned long long)to.seq);
            struct view_cell cell = {SLICE("r"), SLICE("a"), slice_of(value)};
            enum err_code code = view_commit(own.view, acme, &from, &to, &cell, 1, &own.err);
            if (code && code != ERR_MOVED)
                _exit(2);
            won += code == OK;
        }
        _exit(0);
    }
    for (int c = 0; c < CHILDREN; c++) {
        int status;
        waitpid(children[c], &status, 0);
        assert_int_equal(status, 0);
    }
    struct view_head head;
    char last[64];
    snprintf(last, sizeof last, "0:a=%d\n", 1 + CHILDREN * STEPS);
    assert_string_equal(ROWS(b, &head, "r"), last);
    assert_int_equal(head.seq, 1 + CHILDREN * STEPS);
}

static void two_fillers_of_one_generation_never_mix(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, two = head_at(2, 2), head;
    with_one_cell(b, &one);
    struct view_bench rival = {another(b, socket_path), {0}};
    const struct view_cell mine[] = {CELL("mine", "a", "1")}, theirs[] = {CELL("theirs", "a", "1")};
    assert_int_equal(view_fill(b->view, acme, 2, mine, 1, &b->err), OK);
    assert_int_equal(view_fill(rival.view, acme, 2, theirs, 1, &rival.err), OK);
    assert_int_equal(commit(b, &one, &two, NULL, 0), ERR_MOVED);
    assert_int_equal(commit(&rival, &one, &two, NULL, 0), OK);
    assert_string_equal(ROWS(b, &head, "mine", "theirs"), "1:a=1\n");
    view_destroy(&rival.view);
}

static void a_dropped_generation_cannot_be_flipped_to(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, two = head_at(2, 2);
    with_one_cell(b, &one);
    struct view_bench rival = {another(b, socket_path), {0}};
    const struct view_cell mine[] = {CELL("mine", "a", "1")};
    bool more;
    assert_int_equal(view_fill(b->view, acme, 2, mine, 1, &b->err), OK);
    assert_int_equal(view_drop(rival.view, acme, 2, &more, &rival.err), OK);
    assert_int_equal(commit(b, &one, &two, NULL, 0), ERR_MOVED);
    view_destroy(&rival.view);
}

static void a_filling_that_was_given_up_leaves_nothing(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, three = head_at(3, 2), head;
    with_one_cell(b, &one);
    long long keys = redis_do("DBSIZE");
    const struct view_cell cells[] = {CELL("x", "a", "1"), CELL("y", "a", "1")};
    assert_int_equal(view_fill(b->view, acme, 2, cells, 2, &b->err), OK);
    assert_int_equal(view_fill(b->view, acme, 3, cells, 1, &b->err), OK);
    assert_int_equal(commit(b, &one, &three, NULL, 0), OK);
    assert_string_equal(ROWS(b, &head, "x", "y"), "0:a=1\n");
    assert_int_equal(redis_do("DBSIZE"), keys + 2); /* row x and the names of generation 3; generation 1 is kept */
}

/* --- what happens to a Redis --- */

static void a_restart_costs_one_error_and_no_truth(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, two = head_at(1, 2), head;
    with_one_cell(b, &one);
    assert_true(redis_run("kill") && redis_run("start"));
    assert_int_equal(commit(b, &one, &two, NULL, 0), ERR_UNAVAILABLE);
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), OK);
    assert_true(view_head_eq(&head, &one));
    assert_int_equal(commit(b, &one, &two, NULL, 0), OK);
}

static void an_absent_redis_is_unavailable(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, head;
    with_one_cell(b, &one);
    assert_true(redis_run("stop"));
    for (int i = 0; i < 3; i++)
        assert_int_equal(view_head_get(b->view, acme, &head, &b->err), ERR_UNAVAILABLE);
    assert_true(redis_run("start"));
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), OK);
    assert_true(view_head_eq(&head, &one));
}

static void after_flushall_the_head_is_missing(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, two = head_at(1, 2), head;
    with_one_cell(b, &one);
    redis_do("FLUSHALL");
    assert_int_equal(commit(b, &one, &two, NULL, 0), ERR_MOVED);
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), OK);
    assert_false(head.present);
}

static void a_rolled_back_redis_refuses_the_next_commit(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, two = head_at(1, 2), three = head_at(1, 3), head;
    const struct view_cell newer[] = {CELL("r", "a", "2")};
    with_one_cell(b, &one);
    char copy[2048];
    assert_true(redis_run("stop"));
    snprintf(copy, sizeof copy, "rm -rf '%s/copy' && cp -r '%s/appendonlydir' '%s/copy'", folder, folder, folder);
    assert_int_equal(system(copy), 0);
    assert_true(redis_run("start"));
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), ERR_UNAVAILABLE);
    assert_int_equal(commit(b, &one, &two, newer, 1), OK);
    assert_true(redis_run("stop"));
    snprintf(copy, sizeof copy, "rm -rf '%s/appendonlydir' && mv '%s/copy' '%s/appendonlydir'", folder, folder, folder);
    assert_int_equal(system(copy), 0);
    assert_true(redis_run("start"));
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), ERR_UNAVAILABLE);
    assert_int_equal(commit(b, &two, &three, newer, 1), ERR_MOVED);
    assert_string_equal(ROWS(b, &head, "r"), "0:a=1\n");
    assert_true(view_head_eq(&head, &one));
}

static void out_of_memory_refuses_a_commit_as_a_whole(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, two = head_at(1, 2), head;
    with_one_cell(b, &one);
    size_t size = 512 * 1024;
    char *big = malloc(size);
    memset(big, 'x', size);
    struct view_cell cells[20];
    static char rows[20][8];
    for (int i = 0; i < 20; i++) {
        snprintf(rows[i], sizeof rows[i], "r%d", i);
        cells[i] = (struct view_cell){slice_of(rows[i]), SLICE("f"), slice_make(big, size)};
    }
    redis_do("CONFIG SET maxmemory 3mb");
    assert_int_equal(commit(b, &one, &two, cells, 20), ERR_UNAVAILABLE);
    redis_do("CONFIG SET maxmemory 0");
    assert_string_equal(ROWS(b, &head, "r0", "r7", "r19", "r"), "3:a=1\n");
    assert_true(view_head_eq(&head, &one));
    assert_int_equal(commit(b, &one, &two, cells, 20), OK);
    free(big);
}

static void a_policy_that_evicts_is_refused_with_the_command_that_mends_it(void **state)
{
    struct view_bench *b = *state;
    struct view_head head;
    redis_do("CONFIG SET maxmemory-policy allkeys-lru");
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), ERR_CONFIG);
    assert_non_null(strstr(b->err.text, "CONFIG SET maxmemory-policy noeviction"));
    redis_do("CONFIG SET maxmemory-policy noeviction");
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), OK);
}

static void a_frozen_redis_times_out_and_no_reply_is_mixed_up(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, two = head_at(1, 2), head;
    with_one_cell(b, &one);
    assert_true(redis_run("freeze"));
    int64_t since = now_ms();
    assert_int_equal(commit(b, &one, &two, NULL, 0), ERR_UNAVAILABLE);
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), ERR_UNAVAILABLE);
    assert_in_range(now_ms() - since, 0, CALL_MS_MAX);
    assert_true(redis_run("thaw"));
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), OK);
    assert_true(view_head_eq(&head, &one));
    assert_string_equal(ROWS(b, &head, "r"), "0:a=1\n");
}

static void foreign_keys_in_our_place_stop_with_a_reason(void **state)
{
    struct view_bench *b = *state;
    struct view_head one, two = head_at(1, 2), head;
    with_one_cell(b, &one);
    redis_do("DEL pl:{acme}:funnel:1:r");
    redis_do("SET pl:{acme}:funnel:1:r foreign");
    const struct view_cell cell[] = {CELL("r", "a", "2")};
    assert_int_equal(commit(b, &one, &two, cell, 1), ERR_CONFIG);
    assert_int_equal(view_head_get(b->view, acme, &head, &b->err), OK);
    assert_false(head.present); /* nobody takes half a step for current */
}

static void a_writer_killed_around_its_commit_leaves_all_or_nothing(void **state)
{
    static const struct {
        const char *point;
        int landed; /* -1: either */
    } kills[] = {{"view.before_commit", 0}, {"view.commit_sent", -1}, {"view.after_commit", 1}};
    struct view_bench *b = *state;
    for (size_t i = 0; i < 3; i++) {
        struct view_head one, two = head_at(1, 2), head;
        const struct view_cell cell[] = {CELL("r", "a", "2")};
        redis_do("FLUSHALL");
        with_one_cell(b, &one);
        pid_t child = fork();
        if (child == 0) {
            char fault[64];
            snprintf(fault, sizeof fault, "%s:1", kills[i].point);
            setenv("PACELINE_FAULT", fault, 1);
            fault_init();
            struct view_bench own = {another(b, socket_path), {0}};
            commit(&own, &one, &two, cell, 1);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        assert_int_equal(WEXITSTATUS(status), FAULT_EXIT_CODE);
        const char *text = ROWS(b, &head, "r");
        bool landed = view_head_eq(&head, &two);
        assert_true(landed || view_head_eq(&head, &one));
        assert_string_equal(text, landed ? "0:a=2\n" : "0:a=1\n");
        if (kills[i].landed >= 0)
            assert_int_equal(landed, kills[i].landed);
    }
}

/* --- a proxy that cuts the reply of a commit --- */

struct proxy {
    int listener;
    char path[108];
    int cut_after; /* requests that are answered before the cut */
    bool hold;     /* instead of a cut: pass the request on, never the reply */
};

static void pass(int from, int to)
{
    char bytes[65536];
    ssize_t n = read(from, bytes, sizeof bytes);
    if (n > 0)
        (void)!write(to, bytes, (size_t)n);
}

static void *proxy_run(void *context)
{
    struct proxy *proxy = context;
    int client = accept(proxy->listener, NULL, NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, socket_path, strlen(socket_path));
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address))
        return NULL;
    for (int i = 0; i < proxy->cut_after; i++) {
        pass(client, server);
        pass(server, client);
    }
    pass(client, server); /* the commit: it reaches Redis, its reply nobody */
    char byte[65536];
    (void)!read(server, byte, sizeof byte);
    if (proxy->hold)
        (void)!read(client, byte, sizeof byte); /* until the view gives up */
    close(client);
    close(server);
    return NULL;
}

static void commit_through(struct view_bench *b, bool hold)
{
    struct view_head one, two = head_at(1, 2), head;
    const struct view_cell cell[] = {CELL("r", "a", "2")};
    with_one_cell(b, &one);
    struct proxy proxy = {.cut_after = 2, .hold = hold}; /* the policy's question, then WATCH and the reads */
    snprintf(proxy.path, sizeof proxy.path, "/tmp/paceline-proxy-%d", (int)getpid());
    unlink(proxy.path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, proxy.path, strlen(proxy.path));
    proxy.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(proxy.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(proxy.listener, 4), 0);
    pthread_t thread;
    pthread_create(&thread, NULL, proxy_run, &proxy);
    struct view *through = another(b, proxy.path);
    assert_int_equal(view_commit(through, acme, &one, &two, cell, 1, &b->err), ERR_UNAVAILABLE);
    pthread_join(thread, NULL);
    close(proxy.listener);
    unlink(proxy.path);
    view_destroy(&through);
    /* It was applied; whoever tries it again is refused, reads the head and knows. */
    assert_int_equal(commit(b, &one, &two, cell, 1), ERR_MOVED);
    assert_string_equal(ROWS(b, &head, "r"), "0:a=2\n");
    assert_true(view_head_eq(&head, &two));
}

static void a_commit_whose_reply_is_cut_off_is_known_by_its_head(void **state) { commit_through(*state, false); }
static void a_commit_whose_reply_never_comes_is_known_by_its_head(void **state) { commit_through(*state, true); }

/* --- size --- */

/* CPU time of the server so far. */
static long server_cpu_ms(void)
{
    char path[600], text[1024] = "";
    snprintf(path, sizeof path, "%s/pid", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    snprintf(path, sizeof path, "/proc/%ld/stat", strtol(text, NULL, 10));
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    unsigned long user, kernel;
    assert_int_equal(
        sscanf(strrchr(text, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel), 2);
    return (long)(user + kernel) * 1000 / sysconf(_SC_CLK_TCK);
}

static void installations_with_other_prefixes_do_not_meet(void **state)
{
    struct view_bench *b = *state;
    struct view *other;
    struct view_head head;
    assert_int_equal(view_redis_open(socket_path, "demo-2.", TIMEOUT_MS, &other, &b->err), OK);
    with_one_cell(b, &head);
    assert_int_equal(view_head_get(other, acme, &head, &b->err), OK);
    assert_false(head.present);
    const struct view_cell told = {.field = SLICE("seq"), .value = SLICE("7")};
    assert_int_equal(view_status_put(b->view, SLICE("funnel/0"), &told, 1, &b->err), OK);
    assert_int_equal(view_status_get(other, SLICE("funnel/0"), NULL, NULL, &b->err), ERR_MISSING);
    view_destroy(&other);
}

static void the_largest_commit_is_one_step(void **state)
{
    enum { ROUNDS = 100 };
    struct view_bench *b = *state;
    struct view_head from = absent;
    static char rows[VIEW_COMMIT_CELLS_MAX / 4][32], fields[4][32];
    static struct view_cell cells[VIEW_COMMIT_CELLS_MAX];
    for (int i = 0; i < 4; i++)
        snprintf(fields[i], sizeof fields[i], "contacted|all|d%d", 20000 + i);
    for (int i = 0; i < VIEW_COMMIT_CELLS_MAX; i++) {
        snprintf(rows[i / 4], sizeof rows[i / 4], "pipeline/node-%d", i / 4);
        cells[i] = (struct view_cell){slice_of(rows[i / 4]), slice_of(fields[i % 4]), SLICE("12 3 4 500000 -2")};
    }
    long cpu_ms = server_cpu_ms();
    int64_t since = now_ms();
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct view_head to = head_at(1, i + 1);
        assert_int_equal(commit(b, &from, &to, cells, VIEW_COMMIT_CELLS_MAX), OK);
        from = to;
    }
    print_message("%d cells: %lld us a commit, of it %ld us of Redis\n", VIEW_COMMIT_CELLS_MAX,
                  (long long)((now_ms() - since) * 1000 / ROUNDS), (server_cpu_ms() - cpu_ms) * 1000 / ROUNDS);
    redis_do("FLUSHALL");
}

int main(void)
{
    snprintf(folder, sizeof folder, "%s/redis", PACELINE_RUN_DIR);
    snprintf(socket_path, sizeof socket_path, "/tmp/paceline-redis-%d.sock", (int)getpid());
    setenv("REDIS_DIR", folder, 1);
    setenv("REDIS_SOCKET", socket_path, 1);
    if (!redis_run("start"))
        return local_skip("no Redis here: see run/redis.sh-start.out (needs redis-server)");
#define X(test) cmocka_unit_test_setup_teardown(test, setup, teardown),
    const struct CMUnitTest tests[] = {
        VIEW_CONTRACT(X) X(of_two_writers_with_one_head_one_wins) X(writers_that_race_never_both_win)
            X(two_fillers_of_one_generation_never_mix) X(a_dropped_generation_cannot_be_flipped_to)
                X(a_filling_that_was_given_up_leaves_nothing) X(a_restart_costs_one_error_and_no_truth)
                    X(an_absent_redis_is_unavailable) X(after_flushall_the_head_is_missing)
                        X(a_rolled_back_redis_refuses_the_next_commit) X(out_of_memory_refuses_a_commit_as_a_whole)
                            X(a_policy_that_evicts_is_refused_with_the_command_that_mends_it)
                                X(a_frozen_redis_times_out_and_no_reply_is_mixed_up)
                                    X(foreign_keys_in_our_place_stop_with_a_reason)
                                        X(a_writer_killed_around_its_commit_leaves_all_or_nothing)
                                            X(a_commit_whose_reply_is_cut_off_is_known_by_its_head)
                                                X(a_commit_whose_reply_never_comes_is_known_by_its_head)
                                                    X(installations_with_other_prefixes_do_not_meet)
                                                        X(the_largest_commit_is_one_step)};
#undef X
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)redis_run("stop");
    return failed;
}
