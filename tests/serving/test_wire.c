/* The runner's wire: frames over a socket pair, with a runner that keeps to the form and ones that
 * do not. */
#include "base/arena.h"
#include "base/clock.h"
#include "serving/wire.h"
#include "tests/support/cmocka_all.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The other end: what it is to answer, and what it was asked. */
struct peer {
    int fd;
    const char *answer;
    size_t answer_size;
    size_t chunk; /* bytes a write; 0 = all at once */
    bool is_mute; /* reads the request and says nothing until it is closed */
    char seen[512];
    size_t body_size;
    pthread_t thread;
};

static bool read_all(int fd, void *to, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)to + done, size - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool read_request(struct peer *peer) {
    uint32_t size;
    char scrap[65536];
    if (!read_all(peer->fd, &size, 4) || size >= sizeof(peer->seen) ||
        !read_all(peer->fd, peer->seen, size) || !read_all(peer->fd, &size, 4))
        return false;
    peer->body_size = size;
    for (size_t left = size; left > 0;) {
        size_t part = left < sizeof(scrap) ? left : sizeof(scrap);
        if (!read_all(peer->fd, scrap, part))
            return false;
        left -= part;
    }
    return true;
}

static void *run_peer(void *arg) {
    struct peer *peer = arg;
    char byte;
    if (read_request(peer) && !peer->is_mute)
        for (size_t done = 0; done < peer->answer_size;) {
            size_t part = peer->answer_size - done;
            if (peer->chunk && part > peer->chunk)
                part = peer->chunk;
            if (send(peer->fd, peer->answer + done, part, MSG_NOSIGNAL) < 0)
                break;
            done += part;
        }
    if (peer->is_mute)
        (void)!read(peer->fd, &byte, 1);
    close(peer->fd);
    return NULL;
}

static size_t frame(char *to, size_t header_size, const char *header, size_t body_size,
                    const char *body) {
    uint32_t size = (uint32_t)header_size;
    char *at = to;
    memcpy(at, &size, 4);
    at = mempcpy(at + 4, header, strlen(header));
    size = (uint32_t)body_size;
    memcpy(at, &size, 4);
    at = mempcpy(at + 4, body, strlen(body));
    return (size_t)(at - to);
}

struct exchange {
    struct arena *arena;
    struct peer peer;
    struct wire_request request;
    struct wire_reply reply;
    int64_t timeout_us;
};

static enum wire_result run(struct exchange *x) {
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    x->peer.fd = fds[1];
    assert_int_equal(pthread_create(&x->peer.thread, NULL, run_peer, &x->peer), 0);
    int64_t timeout_us = x->timeout_us ? x->timeout_us : 5000000;
    enum wire_result result =
        wire_exchange(fds[0], x->arena, &x->request, clock_mono_us() + timeout_us, &x->reply);
    close(fds[0]);
    pthread_join(x->peer.thread, NULL);
    return result;
}

static struct exchange exchange_new(void) {
    return (struct exchange){
        .arena = arena_new(),
        .request = {
            .content = "json", .json_length = -1, .id = "r1", .body = "{}", .body_size = 2}};
}

static const char GOOD[] =
    "{\"status\":200,\"content_type\":\"application/json\",\"compute_us\":7}";

static void test_exchange__sends_the_body_and_reads_the_answer(void **state) {
    (void)state;
    char bytes[256];
    struct exchange x = exchange_new();
    x.peer.answer = bytes;
    x.peer.answer_size = frame(bytes, strlen(GOOD), GOOD, 5, "hello");
    assert_int_equal(run(&x), WIRE_OK);
    assert_int_equal(x.reply.status, 200);
    assert_int_equal(x.reply.json_length, -1);
    assert_int_equal(x.reply.body_size, 5);
    assert_memory_equal(x.reply.body, "hello", 5);
    assert_non_null(strstr(x.peer.seen, "\"op\":\"infer\""));
    assert_non_null(strstr(x.peer.seen, "\"content\":\"json\""));
    assert_null(strstr(x.peer.seen, "json_length"));
    assert_int_equal(x.peer.body_size, 2);
    arena_free(x.arena);
}

static void test_exchange__answer_in_single_bytes(void **state) {
    (void)state;
    char bytes[256];
    struct exchange x = exchange_new();
    x.peer.answer = bytes;
    x.peer.answer_size = frame(bytes, strlen(GOOD), GOOD, 5, "hello");
    x.peer.chunk = 1;
    assert_int_equal(run(&x), WIRE_OK);
    assert_memory_equal(x.reply.body, "hello", 5);
    arena_free(x.arena);
}

static void test_exchange__large_bodies_do_not_jam(void **state) {
    (void)state;
    char bytes[256];
    struct exchange x = exchange_new();
    size_t size = (size_t)8 << 20;
    char *body = calloc(1, size);
    x.request.body = body;
    x.request.body_size = size;
    x.request.content = "binary";
    x.request.json_length = 10;
    x.peer.answer = bytes;
    x.peer.answer_size = frame(bytes, strlen(GOOD), GOOD, 0, "");
    assert_int_equal(run(&x), WIRE_OK);
    assert_int_equal(x.peer.body_size, size);
    assert_non_null(strstr(x.peer.seen, "\"json_length\":10"));
    free(body);
    arena_free(x.arena);
}

static void test_exchange__broken_answers(void **state) {
    (void)state;
    static const struct {
        size_t header_size;
        const char *header;
        size_t body_size;
        const char *body;
        enum wire_result expected;
    } CASES[] = {
        {100000, "", 0, "", WIRE_BROKEN},                      /* header beyond 64 KiB */
        {2, "{}", 0, "", WIRE_BROKEN},                         /* no status */
        {5, "[[[[[", 0, "", WIRE_BROKEN},                      /* no JSON */
        {14, "{\"status\":999}", 0, "", WIRE_BROKEN},          /* no such status */
        {14, "{\"status\":200}", 0x7fffffff, "", WIRE_BROKEN}, /* body beyond 64 MiB */
        {14, "{\"status\":200}", 50, "short", WIRE_BROKEN},    /* ends in the middle */
        {50, "{\"status\":", 0, "", WIRE_BROKEN},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        char bytes[256];
        struct exchange x = exchange_new();
        x.peer.answer = bytes;
        x.peer.answer_size =
            frame(bytes, CASES[i].header_size, CASES[i].header, CASES[i].body_size, CASES[i].body);
        assert_int_equal(run(&x), CASES[i].expected);
        arena_free(x.arena);
    }
}

static void test_exchange__end_before_an_answer_is_gone(void **state) {
    (void)state;
    struct exchange x = exchange_new();
    assert_int_equal(run(&x), WIRE_GONE); /* an answer of no bytes */
    arena_free(x.arena);
}

static void test_exchange__ends_at_the_deadline(void **state) {
    (void)state;
    struct exchange x = exchange_new();
    x.peer.is_mute = true;
    x.timeout_us = 50000;
    int64_t start_us = clock_mono_us();
    assert_int_equal(run(&x), WIRE_TIMEOUT);
    assert_true(clock_mono_us() - start_us < 2000000);
    arena_free(x.arena);
}

static void test_connect__without_a_listener(void **state) {
    (void)state;
    char path[300];
    assert_int_equal(wire_connect("/tmp/slipway-nobody-listens.sock"), -1);
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(wire_connect(path), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchange__sends_the_body_and_reads_the_answer),
        cmocka_unit_test(test_exchange__answer_in_single_bytes),
        cmocka_unit_test(test_exchange__large_bodies_do_not_jam),
        cmocka_unit_test(test_exchange__broken_answers),
        cmocka_unit_test(test_exchange__end_before_an_answer_is_gone),
        cmocka_unit_test(test_exchange__ends_at_the_deadline),
        cmocka_unit_test(test_connect__without_a_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
