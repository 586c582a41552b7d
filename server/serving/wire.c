/* wire.c: see wire.h. Sockets do not block: every wait is a poll() that ends at the deadline, so a
 * runner that trickles its answer byte by byte cannot hold a request longer than one that is mute.
 */
#include "serving/wire.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/jsontext.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static bool wait_for(int fd, short events, int64_t deadline_us) {
    for (;;) {
        int64_t left_us = deadline_us - clock_mono_us();
        if (left_us <= 0)
            return false;
        int left_ms = left_us > 60000000 ? 60000 : (int)(left_us / 1000) + 1;
        int ready = poll(&(struct pollfd){.fd = fd, .events = events}, 1, left_ms);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true; /* an error shows itself at the next call */
    }
}

static enum wire_result send_all(int fd, struct iovec *parts, size_t count, int64_t deadline_us) {
    while (count > 0) {
        ssize_t n = sendmsg(fd, &(struct msghdr){.msg_iov = parts, .msg_iovlen = count},
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return WIRE_GONE;
        if (n < 0 && !wait_for(fd, POLLOUT, deadline_us))
            return WIRE_TIMEOUT;
        size_t sent = n > 0 ? (size_t)n : 0;
        while (count > 0 && sent >= parts->iov_len) {
            sent -= parts->iov_len;
            parts++;
            count--;
        }
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + sent;
            parts->iov_len -= sent;
        }
    }
    return WIRE_OK;
}

/* gone: what an end of the stream before the first byte means. */
static enum wire_result receive_all(int fd, void *to, size_t size, int64_t deadline_us,
                                    enum wire_result gone) {
    for (size_t done = 0; done < size;) {
        ssize_t n = recv(fd, (char *)to + done, size - done, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return done == 0 ? gone : WIRE_BROKEN;
        if (n < 0 && !wait_for(fd, POLLIN, deadline_us))
            return WIRE_TIMEOUT;
        done += n > 0 ? (size_t)n : 0;
    }
    return WIRE_OK;
}

static void put_u32(unsigned char *to, size_t value) {
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static size_t get_u32(const unsigned char *from) {
    return (size_t)from[0] | (size_t)from[1] << 8 | (size_t)from[2] << 16 | (size_t)from[3] << 24;
}

static enum wire_result request_send(int fd, const struct wire_request *request,
                                     int64_t deadline_us) {
    auto_json *header =
        json_pack("{s:s, s:s, s:s}", "op", "infer", "content", request->content, "id", request->id);
    if (request->json_length >= 0)
        json_object_set_new(header, "json_length", json_integer(request->json_length));
    auto_free char *text = json_dumps(header, JSON_COMPACT);
    unsigned char header_size[4], body_size[4];
    put_u32(header_size, strlen(text));
    put_u32(body_size, request->body_size);
    struct iovec parts[] = {{header_size, 4},
                            {text, strlen(text)},
                            {body_size, 4},
                            {(void *)(uintptr_t)request->body, request->body_size}};
    return send_all(fd, parts, 4, deadline_us);
}

/* A length and as many bytes; one more byte is there for a terminator. */
static enum wire_result part_receive(int fd, struct arena *arena, size_t max, int64_t deadline_us,
                                     enum wire_result gone, char **ret, size_t *ret_size) {
    unsigned char size_bytes[4];
    enum wire_result result = receive_all(fd, size_bytes, 4, deadline_us, gone);
    if (result != WIRE_OK)
        return result;
    *ret_size = get_u32(size_bytes);
    if (*ret_size > max)
        return WIRE_BROKEN;
    *ret = arena_alloc(arena, *ret_size + 1);
    return receive_all(fd, *ret, *ret_size, deadline_us, WIRE_BROKEN);
}

static enum wire_result header_read(struct arena *arena, const char *text, size_t size,
                                    struct wire_reply *ret) {
    struct err_info err;
    json_t *header;
    if (json_parse(text, size, WIRE_MAX_HEADER, &header, &err) != OK)
        return WIRE_BROKEN;
    arena_defer(arena, (void (*)(void *))json_decref, header);
    json_int_t status = json_integer_value(json_object_get(header, "status"));
    const char *type = json_string_value(json_object_get(header, "content_type"));
    json_t *length = json_object_get(header, "json_length");
    json_t *compute = json_object_get(header, "compute_us");
    if (status < 200 || status > 599)
        return WIRE_BROKEN;
    ret->status = (int)status;
    ret->content_type = type ? type : "application/json";
    ret->json_length = json_is_integer(length) ? json_integer_value(length) : -1;
    ret->compute_us = json_is_integer(compute) ? json_integer_value(compute) : -1;
    return WIRE_OK;
}

enum wire_result wire_exchange(int fd, struct arena *arena, const struct wire_request *request,
                               int64_t deadline_us, struct wire_reply *ret) {
    enum wire_result result = request_send(fd, request, deadline_us);
    char *header, *body;
    size_t header_size, body_size;
    if (result == WIRE_OK)
        result =
            part_receive(fd, arena, WIRE_MAX_HEADER, deadline_us, WIRE_GONE, &header, &header_size);
    if (result == WIRE_OK)
        result = header_read(arena, header, header_size, ret);
    if (result == WIRE_OK)
        result =
            part_receive(fd, arena, WIRE_MAX_BODY, deadline_us, WIRE_BROKEN, &body, &body_size);
    if (result == WIRE_OK) {
        ret->body = body;
        ret->body_size = body_size;
    }
    return result;
}

int wire_connect(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return -1;
    return take_fd(fd);
}
