/* See outbound.h. What is asked is an address that somebody typed, so it is treated as hostile:
 *  1. https alone, no redirects, no proxy of the environment, no credentials in the URL, a name of
 *     plain letters (what libcurl would turn into another name, or an address, is refused), and
 *     port 443 or one above 1023: what listens below speaks something else;
 *  2. the name is resolved once, here; every address it has must be public, or in a network that
 *     the operator listed in allowed_private_networks;
 *  3. the connection is pinned to those addresses, so that a second answer of the name server, with
 *     another address, is never asked for; and no socket is opened to any other address, whatever
 *     libcurl makes of the name;
 *  4. 10 s and 512 KiB at most. */

#include "http/outbound.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "db/db.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 5000,
    TOTAL_MS = 10000,
    BODY_MAX = 512 * 1024,
    ADDRESSES_MAX = 16,
    HOST_MAX = 253
};

/* --- addresses --- */

struct network {
    unsigned char bytes[16]; /* an IPv4 address is in the last four, behind ::ffff: */
    int bits;
};

static bool address_parse(const char *text, struct network *ret) {
    memset(ret, 0, sizeof(*ret));
    ret->bits = 128;
    if (inet_pton(AF_INET6, text, ret->bytes) == 1)
        return true;
    memset(ret->bytes + 10, 0xff, 2);
    return inet_pton(AF_INET, text, ret->bytes + 12) == 1;
}

static bool network_parse(const char *text, size_t length, struct network *ret) {
    char copy[64];
    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    char *slash = strchr(copy, '/');
    if (slash)
        *slash = '\0';
    if (!address_parse(copy, ret))
        return false;
    int width = strchr(copy, ':') ? 128 : 32;
    int bits = slash ? atoi(slash + 1) : width;
    if (bits < 0 || bits > width)
        return false;
    ret->bits = 128 - width + bits;
    return true;
}

static bool network_has(const struct network *network, const struct network *address) {
    int whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->bytes, address->bytes, (size_t)whole) != 0)
        return false;
    int mask = 0xff00 >> rest & 0xff;
    return rest == 0 || ((network->bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

static bool list_has(const char *networks, const struct network *address) {
    for (const char *at = networks; at && *at; at += strcspn(at, ", ")) {
        struct network network;
        at += strspn(at, ", ");
        size_t length = strcspn(at, ", ");
        if (length && network_parse(at, length, &network) && network_has(&network, address))
            return true;
    }
    return false;
}

/* Of the IPv6 space only what is given out for the internet at large (2000::/3), less what carries
 * other addresses inside; of IPv4 everything but the special-purpose registry. */
static const char NOT_PUBLIC_V4[] =
    "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,"
    "192.0.2.0/24,192.88.99.0/24,192.168.0.0/16,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,"
    "224.0.0.0/3";
static const char NOT_PUBLIC_V6[] = "2001::/23,2001:db8::/32,2002::/16,3fff::/20";

static bool is_public(const struct network *address) {
    if (list_has("0.0.0.0/0", address))
        return !list_has(NOT_PUBLIC_V4, address);
    return list_has("2000::/3", address) && !list_has(NOT_PUBLIC_V6, address);
}

bool outbound_allows(const char *address, const char *networks) {
    struct network parsed;
    return address_parse(address, &parsed) && (is_public(&parsed) || list_has(networks, &parsed));
}

/* --- where to --- */

struct target {
    char *host, *port; /* libcurl's */
    const char *pin;   /* host:port:address,address */
};

static void cleanup_target(struct target *target) {
    curl_free(target->host);
    curl_free(target->port);
}
static void cleanup_url(CURLU **url) {
    curl_url_cleanup(*url);
}
static void cleanup_curl(CURL **curl) {
    curl_easy_cleanup(*curl);
}
static void cleanup_slist(struct curl_slist **list) {
    curl_slist_free_all(*list);
}
static void cleanup_addrinfo(struct addrinfo **found) {
    if (*found)
        freeaddrinfo(*found);
}

static bool is_plain_host(const char *host) {
    static const char NAME[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t length = strlen(host);
    if (*host == '[')
        return host[strspn(host + 1, "0123456789abcdefABCDEF:.") + 1] == ']' &&
               host[length - 1] == ']';
    return length > 0 && length <= HOST_MAX && strspn(host, NAME) == length;
}

static bool is_plain_port(const char *port) {
    int number = atoi(port);
    return number == 443 || number > 1023;
}

/* libcurl writes 127.1, 0x7f000001 and their like as the addresses they are. */
static enum err target_parse(struct ctx *cx, const char *text, struct target *ret) {
    __attribute__((cleanup(cleanup_url))) CURLU *url = curl_url();
    char *scheme = NULL, *user = NULL;
    bool good = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                strcmp(scheme, "https") == 0 &&
                curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_NO_USER &&
                curl_url_get(url, CURLUPART_HOST, &ret->host, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                is_plain_host(ret->host) && is_plain_port(ret->port);
    curl_free(scheme);
    curl_free(user);
    return good ? OK : fail(cx, ERR_UNPROCESSABLE, "\"%.200s\" is not an https address", text);
}

static enum err fail_private(struct ctx *cx, const struct target *target) {
    return fail(cx, ERR_UNPROCESSABLE,
                "\"%.200s\" is in a private network: the operator has to list it in "
                "allowed_private_networks",
                target->host);
}

/* The address that the URL itself says, without the brackets of IPv6; NULL for a name. */
static const char *literal_address(struct ctx *cx, const struct target *target) {
    struct network parsed;
    const char *host = target->host;
    if (*host == '[')
        host = arena_strndup(cx->arena, host + 1, strlen(host) - 2);
    return *target->host == '[' || address_parse(host, &parsed) ? host : NULL;
}

enum err outbound_check(struct ctx *cx, const char *url) {
    __attribute__((cleanup(cleanup_target))) struct target target = {0};
    TRY(target_parse(cx, url, &target));
    const char *address = literal_address(cx, &target);
    bool allowed = !address || outbound_allows(address, cx->app->config->allowed_private_networks);
    return allowed ? OK : fail_private(cx, &target);
}

static enum err target_resolve(struct ctx *cx, struct target *target) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    __attribute__((cleanup(cleanup_addrinfo))) struct addrinfo *found = NULL;
    const char *networks = cx->app->config->allowed_private_networks;
    const char *literal = literal_address(cx, target);
    const char *pin = arena_printf(cx->arena, "%s:%s:", target->host, target->port);
    int count = 0;
    if (getaddrinfo(literal ? literal : target->host, target->port, &hints, &found) != 0)
        return fail(cx, ERR_UNAVAILABLE, "could not find the address of \"%.200s\"", target->host);
    for (struct addrinfo *at = found; at && count < ADDRESSES_MAX; at = at->ai_next, count++) {
        char address[INET6_ADDRSTRLEN + 20];
        if (getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof(address), NULL, 0,
                        NI_NUMERICHOST) != 0 ||
            !outbound_allows(address, networks))
            return fail_private(cx, target);
        pin = arena_printf(cx->arena, "%s%s%s", pin, count ? "," : "", address);
    }
    target->pin = pin;
    return OK;
}

/* --- one request --- */

/* The last word on where a connection goes. */
static curl_socket_t open_socket(void *networks, curlsocktype purpose, struct curl_sockaddr *to) {
    char address[INET6_ADDRSTRLEN + 20];
    if (purpose != CURLSOCKTYPE_IPCXN ||
        getnameinfo(&to->addr, to->addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST) !=
            0 ||
        !outbound_allows(address, networks))
        return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

struct receipt {
    struct buf body;
    size_t cap;   /* bytes taken */
    bool is_full; /* there was more */
};

/* Ends the transfer when it is full. */
static size_t receive(char *data, size_t size, size_t count, void *arg) {
    struct receipt *receipt = arg;
    size_t room = receipt->cap - receipt->body.size, wanted = size * count;
    receipt->is_full = wanted > room;
    buf_append(&receipt->body, data, receipt->is_full ? room : wanted);
    return receipt->is_full ? 0 : wanted;
}

static void set_rules(CURL *curl, const struct config *config) {
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, config->allowed_private_networks);
    if (config->outbound_ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, config->outbound_ca_file);
}

static void release_receipt(struct receipt *receipt) {
    buf_done(&receipt->body);
}

/* excerpt 0 = the whole body is wanted. */
static enum err perform(struct ctx *cx, CURL *curl, const struct target *target, size_t excerpt,
                        struct outbound_reply *ret) {
    __attribute__((cleanup(release_receipt))) struct receipt receipt = {.cap = excerpt ? excerpt
                                                                                       : BODY_MAX};
    long status = 0;
    curl_off_t retry_after = 0;
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receipt);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK && !(excerpt && receipt.is_full))
        return fail(cx, ERR_UNAVAILABLE, "could not ask \"%.200s\": %s", target->host,
                    curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    *ret = (struct outbound_reply){
        .status = (int)status,
        .retry_after_s = retry_after,
        .body =
            arena_strndup(cx->arena, receipt.body.data ? receipt.body.data : "", receipt.body.size),
        .size = receipt.body.size};
    return OK;
}

/* NULL when there is no memory. */
static struct curl_slist *headers_of(struct ctx *cx, const struct outbound_request *request) {
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
    if (list && request->json)
        list = curl_slist_append(list, "Content-Type: application/json");
    if (list && request->authorization)
        list = curl_slist_append(
            list, arena_printf(cx->arena, "Authorization: %s", request->authorization));
    for (const char *const *header = request->headers; list && header && *header; header++)
        list = curl_slist_append(list, *header);
    return list;
}

static void init_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static enum err ask_network(struct ctx *cx, const struct outbound_request *request,
                            struct outbound_reply *ret) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    __attribute__((cleanup(cleanup_target))) struct target target = {0};
    const char *body = request->json ? request->json : request->form;
    pthread_once(&once, init_curl);
    TRY(target_parse(cx, request->url, &target));
    TRY(target_resolve(cx, &target));
    __attribute__((cleanup(cleanup_curl))) CURL *curl = curl_easy_init();
    __attribute__((cleanup(cleanup_slist))) struct curl_slist *pins =
        curl_slist_append(NULL, target.pin);
    __attribute__((cleanup(cleanup_slist))) struct curl_slist *headers = headers_of(cx, request);
    if (!curl || !pins || !headers)
        return fail(cx, ERR_UNAVAILABLE, "out of memory");
    set_rules(curl, cx->app->config);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, pins);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    return perform(cx, curl, &target, request->excerpt, ret);
}

static outbound_fn *ask = ask_network;

void outbound_replace(outbound_fn *fn) {
    ask = fn ? fn : ask_network;
}

enum err outbound_send(struct ctx *cx, const struct outbound_request *request,
                       struct outbound_reply *ret) {
    TRY(db_commit(cx));
    return ask(cx, request, ret);
}
