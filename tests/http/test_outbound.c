/* Where outgoing requests go, against a name server of our own: getaddrinfo() of this program
 * answers what a test wants, to our code and to libcurl. */
#include "http/outbound.h"

#include "base/cleanup.h"
#include "config/config.h"
#include "tests/support/cmocka_all.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWERS = 4, KNOCK_MS = 300 };

/* Each question takes the next answer; the last one stays. */
static struct {
    const char *answers[ANSWERS];
    int asked;
} names;

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *restrict name, const char *restrict port,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret) {
    getaddrinfo_fn *real = (getaddrinfo_fn *)(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
    if (!name || strcmp(name, "flips.example") != 0)
        return real(name, port, hints, ret);
    int last = 0;
    while (last + 1 < ANSWERS && names.answers[last + 1])
        last++;
    const char *answer = names.answers[names.asked < last ? names.asked : last];
    names.asked++;
    return real(answer, port, hints, ret);
}

/* A listener on loopback that counts who knocks. */
struct door {
    int fd, port;
};

static struct door door_open(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    struct door door = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(door.fd >= 0);
    assert_int_equal(bind(door.fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(door.fd, 8), 0);
    assert_int_equal(getsockname(door.fd, (struct sockaddr *)&at, &size), 0);
    door.port = ntohs(at.sin_port);
    return door;
}

static int knocks(const struct door *door) {
    struct pollfd waiting = {.fd = door->fd, .events = POLLIN};
    int count = 0;
    while (poll(&waiting, 1, KNOCK_MS) == 1) {
        close(accept(door->fd, NULL, NULL));
        count++;
    }
    return count;
}

static void *accept_one(void *arg) {
    const struct door *door = arg;
    close(accept(door->fd, NULL, NULL));
    return NULL;
}

static enum err ask(const struct config *config, const char *url, char message[512]) {
    struct app app = {.config = config};
    struct outbound_reply reply;
    struct ctx cx;
    ctx_init(&cx, &app);
    enum err err = outbound_send(&cx, &(struct outbound_request){.url = url, .json = "{}"}, &reply);
    memcpy(message, cx.err.message, sizeof(cx.err.message));
    ctx_done(&cx);
    return err;
}

static const char *url_of(struct arena *arena, const char *host, const struct door *door) {
    return arena_printf(arena, "https://%s:%d/hook", host, door->port);
}

/* The name is public when it is looked at, and ours when it is used. 198.51.100.0/24 is nobody's:
 * it stands for a public network here. */
static void test_outbound__asks_for_a_name_once(void **state) {
    (void)state;
    const struct config config = {.allowed_private_networks = "198.51.100.0/24"};
    struct arena *arena = arena_new();
    struct door door = door_open();
    char message[512];
    memset(&names, 0, sizeof(names));
    names.answers[0] = "198.51.100.7";
    names.answers[1] = "127.0.0.1";
    assert_int_equal(ask(&config, url_of(arena, "flips.example", &door), message), ERR_UNAVAILABLE);
    assert_int_equal(names.asked, 1);
    assert_int_equal(knocks(&door), 0);
    close(door.fd);
    arena_free(arena);
}

static void test_outbound__refuses_names_of_private_addresses(void **state) {
    static const char *const ADDRESSES[] = {"127.0.0.1", "10.0.0.1",         "169.254.169.254",
                                            "::1",       "::ffff:127.0.0.1", "fd00::1",
                                            "0.0.0.0",   "64:ff9b::7f00:1"};
    (void)state;
    const struct config config = {0};
    struct arena *arena = arena_new();
    struct door door = door_open();
    char message[512];
    for (size_t i = 0; i < sizeof(ADDRESSES) / sizeof(ADDRESSES[0]); i++) {
        memset(&names, 0, sizeof(names));
        names.answers[0] = ADDRESSES[i];
        assert_int_equal(ask(&config, url_of(arena, "flips.example", &door), message),
                         ERR_UNPROCESSABLE);
        assert_non_null(strstr(message, "private network"));
    }
    assert_int_equal(knocks(&door), 0);
    close(door.fd);
    arena_free(arena);
}

/* The same path with an address that is allowed: somebody does knock. */
static void test_outbound__connects_where_it_may(void **state) {
    (void)state;
    const struct config config = {.allowed_private_networks = "127.0.0.0/8"};
    struct arena *arena = arena_new();
    struct door door = door_open();
    pthread_t thread;
    char message[512];
    memset(&names, 0, sizeof(names));
    names.answers[0] = "127.0.0.1";
    assert_int_equal(pthread_create(&thread, NULL, accept_one, &door), 0);
    assert_int_equal(ask(&config, url_of(arena, "flips.example", &door), message), ERR_UNAVAILABLE);
    pthread_join(thread, NULL);
    assert_int_equal(names.asked, 1);
    close(door.fd);
    arena_free(arena);
}

static void test_check__needs_no_name_server(void **state) {
    (void)state;
    const struct config config = {.allowed_private_networks = "10.0.0.0/8"};
    struct app app = {.config = &config};
    struct ctx cx;
    memset(&names, 0, sizeof(names));
    ctx_init(&cx, &app);
    assert_int_equal(outbound_check(&cx, "https://flips.example/x?y=z"), OK);
    assert_int_equal(outbound_check(&cx, "https://10.1.2.3:8443/x"), OK);
    assert_int_equal(outbound_check(&cx, "https://127.0.0.1/"), ERR_UNPROCESSABLE);
    assert_int_equal(outbound_check(&cx, "https://0x7f.1/"), ERR_UNPROCESSABLE);
    assert_int_equal(outbound_check(&cx, "https://a@flips.example/"), ERR_UNPROCESSABLE);
    assert_int_equal(outbound_check(&cx, "https://flips.example:22/"), ERR_UNPROCESSABLE);
    assert_int_equal(outbound_check(&cx, "http://flips.example/"), ERR_UNPROCESSABLE);
    assert_int_equal(names.asked, 0);
    ctx_done(&cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outbound__asks_for_a_name_once),
        cmocka_unit_test(test_outbound__refuses_names_of_private_addresses),
        cmocka_unit_test(test_outbound__connects_where_it_may),
        cmocka_unit_test(test_check__needs_no_name_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
