#!/usr/bin/env python3
"""Ten thousand guesses at one account from two hundred addresses: at most ten are tried, the rest are
told when to come back, and whoever is signed in already notices nothing.

    guessing.py BUILD
"""

import http.client
import json
import pathlib
import ssl
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from stack import EMAIL, PASSWORD, Stack  # noqa: E402

ADDRESSES, GUESSES_EACH, TRIED_AT_MOST = 200, 50, 10


def guess(stack, address, statuses, without_hint):
    trusting = ssl.create_default_context(cafile=str(stack.ca))
    connection = None
    for number in range(GUESSES_EACH):
        if connection is None:
            connection = http.client.HTTPSConnection("localhost", stack.port, context=trusting,
                                                     timeout=30, source_address=(address, 0))
        connection.request("POST", "/api/v1/session",
                           json.dumps({"email": EMAIL, "password": f"guess number {number} of {address}"}),
                           {"Content-Type": "application/json", "Origin": stack.url,
                            "X-Slipway-Request": "1"})
        reply = connection.getresponse()
        reply.read()
        statuses[reply.status] = statuses.get(reply.status, 0) + 1
        if reply.status in (429, 503) and not reply.getheader("Retry-After"):
            without_hint.append(reply.status)
        if reply.will_close:
            connection.close()
            connection = None


def attack(stack):
    """Eight attackers at a time; each goes through its share of the addresses."""
    statuses, without_hint, failures = {}, [], []

    def attacker(first):
        for n in range(first, ADDRESSES, 8):
            try:
                guess(stack, f"127.0.{1 + n // 100}.{1 + n % 100}", statuses, without_hint)
            except (OSError, http.client.HTTPException) as e:
                failures.append(repr(e))

    threads = [threading.Thread(target=attacker, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses, without_hint, failures


def main():
    passed = failed = 0

    def check(truth, sentence):
        nonlocal passed, failed
        passed, failed = passed + bool(truth), failed + (not truth)
        if not truth:
            print(f"FAILED: {sentence}")

    with Stack(build=sys.argv[1], worker=False) as stack:
        victim = stack.new_client()
        statuses, without_hint, failures = attack(stack)
        print(f"{sum(statuses.values())} guesses from {ADDRESSES} addresses: {statuses}")
        check(not failures, f"every guess is answered: {failures[:3]}")
        check(sum(statuses.values()) == ADDRESSES * GUESSES_EACH, "every guess is counted")
        check(set(statuses) <= {401, 429, 503}, f"nobody gets in: {statuses}")
        check(0 < statuses.get(401, 0) <= TRIED_AT_MOST, f"{statuses.get(401)} guesses were tried")
        check(not without_hint, "each refusal says when to come back")
        check(victim.request("GET", "/api/v1/session")[0].status == 200, "an open session goes on")
        reply, _ = victim.request("POST", "/api/v1/session", {"email": EMAIL, "password": PASSWORD},
                                  {"Origin": stack.url, "X-Slipway-Request": "1"})
        check(reply.status == 429, "the account rests for everybody who is not signed in")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
