/* A receiver in place of the network: it remembers what came, and answers what the test wants. */
#pragma once

#include "tests/support/domains.h"

#include "http/outbound.h"

struct receiver {
    int count;
    int answers[8]; /* of each request in turn, then 200; 0 = nobody is there */
    int64_t retry_after_s;
    char url[200], id[64], signature[80], body[2000]; /* of the last request */
};
extern struct receiver receiver;

void receiver_start(void); /* nothing came yet, and everything will be answered with 200 */
void receiver_stop(void);
/* Of a group of tests, and of each: it has the project for itself. */
int receiver_setup(void **state);
int receiver_teardown(void **state);
int receiver_forget(void **state);
/* The JSON of the last body. */
json_t *receiver_json(struct domains *d);
/* Sends what is due, one by one; how many there were. */
int send_all(struct domains *d);
/* What waits becomes due. */
void let_time_pass(struct domains *d);
