#!/usr/bin/env python3
"""Single sign-on against a real provider, from the connection test to the key that changes.

    run.py BUILD        installs package.json; ends 77 where that cannot be done

At the end browser.mjs walks the same path in Chromium, through the pages, where there is one.
"""

import http.cookiejar
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from stack import EMAIL, PASSWORD as OWNERS_PASSWORD, ROOT, ApiError, Stack, free_port  # noqa: E402

SECRET = "a secret / of + the client"
PASSWORD = "a password of somebody else"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """Keeps cookies and follows redirects by hand."""

    def __init__(self, stack):
        self.stack, self.jar = stack, http.cookiejar.CookieJar()
        tls = ssl.create_default_context(cafile=str(stack.ca))
        self.opener = urllib.request.build_opener(
            NoRedirect, urllib.request.HTTPSHandler(context=tls),
            urllib.request.HTTPCookieProcessor(self.jar))

    def send(self, method, url, body=None):
        request = urllib.request.Request(
            url, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin",
                     "X-Slipway-Request": "1"} if method != "GET" else {})
        try:
            with self.opener.open(request, timeout=30) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.headers, refusal.read()

    def api(self, method, path, body=None):
        status, _, data = self.send(method, self.stack.url + path, body)
        return status, json.loads(data) if data else None

    def location(self, url):
        status, headers, data = self.send("GET", url)
        assert status in (302, 303), (url, status, data)
        return urllib.parse.urljoin(url, headers["Location"])

    def start(self, provider, return_to="/runs?page=2"):
        query = urllib.parse.urlencode({"return_to": return_to})
        return self.location(f"{self.stack.url}/api/v1/sso/{provider}/start?{query}")

    def walk_to_callback(self, url):
        for _ in range(10):
            if url.startswith(f"{self.stack.url}/api/v1/sso/callback"):
                return url
            url = self.location(url)
        raise AssertionError(f"no way back: {url}")

    def sign_in(self, provider, **start):
        """The path that the browser ends at."""
        callback = self.walk_to_callback(self.start(provider, **start))
        return self.location(callback).removeprefix(self.stack.url)


class Oidc:
    """The provider's process, and who signs in there."""

    def __init__(self, stack):
        self.port = free_port()
        self.issuer = f"https://localhost:{self.port}"
        self.redirect_uri = f"{stack.url}/api/v1/sso/callback"
        self.browser = Browser(stack)
        self.process = subprocess.Popen(
            ["node", HERE / "provider.mjs", str(self.port), stack.dir / "keys/tls.key", stack.ca,
             self.redirect_uri], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert "ready" in self.process.stdout.readline()

    def person(self, sub, email, groups=(), verified=True, types=False):
        self.browser.send("POST", f"{self.issuer}/control", {"person": {
            "sub": sub, "email": email, "email_verified": verified, "name": sub.title(),
            "groups": list(groups), "types": types}})

    def rotate(self, alg):
        self.browser.send("POST", f"{self.issuer}/control", {"rotate": alg})

    def close(self):
        self.process.terminate()
        self.process.wait()


def owner(stack):
    """A connection of its own: the sign-ins in between take longer than an idle one is kept."""
    return stack.new_client()


def session_of(browser):
    status, session = browser.api("GET", "/api/v1/session")
    assert status == 200, (status, session)
    return session


def create_provider(stack, oidc):
    provider = owner(stack).api("POST", "/api/v1/providers", {
        "name": "Acme ID", "issuer": oidc.issuer, "client_id": "slipway", "client_secret": SECRET,
        "group_roles": [{"group": "staff", "role": "viewer"}, {"group": "ml", "role": "editor"}]})
    assert provider["redirect_uri"] == oidc.redirect_uri and provider["has_secret"], provider
    return provider["id"]


def test_connection(stack, oidc, provider):
    path = f"/api/v1/providers/{provider}"
    answer = owner(stack).api("POST", f"{path}/test")
    assert answer["ok"] and [s["name"] for s in answer["steps"]] == ["discovery", "keys", "client"]
    for change, step in (({"client_secret": "wrong"}, "client"),
                         ({"issuer": oidc.issuer + "/"}, "discovery"),
                         ({"issuer": "https://127.0.0.1:1"}, "discovery")):
        owner(stack).api("PATCH", path, change)
        answer = owner(stack).api("POST", f"{path}/test")
        assert not answer["ok"] and answer["steps"][-1]["name"] == step, answer
        assert answer["steps"][-1]["detail"], answer
    owner(stack).api("PATCH", path, {"client_secret": SECRET, "issuer": oidc.issuer})
    assert any(p["id"] == provider for p in owner(stack).api("GET", "/api/v1/providers")["items"])
    assert owner(stack).api("GET", path)["issuer"] == oidc.issuer
    assert SECRET not in stack.psql("select string_agg(p::text, ' ') from identity_providers p")


def test_private_addresses(stack, provider):
    path = f"/api/v1/providers/{provider}"
    issuer = owner(stack).api("GET", path)["issuer"]
    for address in ("https://10.0.0.1", "https://169.254.169.254", "https://192.168.1.1:8443"):
        owner(stack).api("PATCH", path, {"issuer": address})
        detail = owner(stack).api("POST", f"{path}/test")["steps"][-1]["detail"]
        assert "private network" in detail, detail
    owner(stack).api("PATCH", path, {"issuer": issuer})


def test_first_sign_in_makes_the_user(stack, oidc, provider):
    oidc.person("ann", "Ann@Example.test", ["ml", "staff"])
    browser = Browser(stack)
    assert browser.sign_in(provider) == "/runs?page=2"
    session = session_of(browser)
    assert session["user"]["email"] == "ann@example.test" and session["role"] == "editor", session
    assert Browser(stack).sign_in(provider, return_to="//evil.test/") == "/"
    assert stack.psql("select count(*) from identities") == "1"


def test_groups_decide_at_each_sign_in(stack, oidc, provider):
    browser = Browser(stack)
    oidc.person("ann", "ann@example.test", ["staff"])
    browser.sign_in(provider)
    assert session_of(browser)["role"] == "viewer"
    oidc.person("ann", "ann@example.test", ["others"])
    assert Browser(stack).sign_in(provider) == "/sign-in?sso=no_access"


def test_who_stays_out(stack, oidc, provider):
    oidc.person("bob", "bob@example.test", ["ml"], verified=False)
    assert Browser(stack).sign_in(provider) == "/sign-in?sso=no_access"
    stack._command("user", "create", "--email", "carl@example.test", "--name", "Carl", "--team",
                   "rivals", "--password-stdin", input=PASSWORD + "\n")
    oidc.person("carl", "carl@example.test", ["ml"])
    assert Browser(stack).sign_in(provider) == "/sign-in?sso=no_access"
    oidc.person("ann", "ann@example.test", ["ml"])
    ann = stack.psql("select id from users where email = 'ann@example.test'")
    owner(stack).api("PATCH", f"/api/v1/members/{ann}", {"state": "deactivated"})
    assert Browser(stack).sign_in(provider) == "/sign-in?sso=no_access"
    owner(stack).api("PATCH", f"/api/v1/members/{ann}", {"state": "active"})


def test_answers_that_were_meddled_with(stack, oidc, provider):
    oidc.person("ann", "ann@example.test", ["ml"])
    for member in ("nonce", "code_challenge"):
        browser = Browser(stack)
        url = re.sub(rf"([?&]{member}=)[^&]{{43}}", r"\g<1>" + "A" * 43, browser.start(provider))
        assert browser.location(browser.walk_to_callback(url)).endswith("/sign-in?sso=refused")
    browser = Browser(stack)
    callback = browser.walk_to_callback(browser.start(provider))
    assert Browser(stack).location(callback).endswith("/sign-in?sso=refused")  # another browser's
    cookies = list(browser.jar)
    assert browser.location(callback).endswith("/runs?page=2")
    for cookie in cookies:
        browser.jar.set_cookie(cookie)
    assert browser.location(callback).endswith("/sign-in?sso=refused")  # once is enough


def test_key_that_changes(stack, oidc, provider):
    oidc.person("ann", "ann@example.test", ["ml"])
    for alg in ("ES256", "RS256"):
        oidc.rotate(alg)
        time.sleep(5.1)  # the set of keys is fetched anew every five seconds at most
        assert Browser(stack).sign_in(provider) == "/runs?page=2", alg


def test_session_stays_in_its_team(stack, oidc, provider):
    browser = Browser(stack)
    browser.sign_in(provider)
    rivals = stack.psql("select id from teams where slug = 'rivals'")
    for method, path, body in (
            ("POST", "/api/v1/session/team", {"team_id": rivals}),
            ("PUT", "/api/v1/me/password", {"current": PASSWORD, "password": PASSWORD + "!"}),
            ("POST", "/api/v1/me/totp", None)):
        assert browser.api(method, path, body)[0] == 403, path


def test_passwords_are_for_owners_where_sso_is_all(stack, provider):
    stack._command("user", "create", "--email", "dora@example.test", "--name", "Dora", "--team",
                   "acme", "--role", "viewer", "--password-stdin", input=PASSWORD + "\n")
    login = {"email": "dora@example.test", "password": PASSWORD}
    assert Browser(stack).api("POST", "/api/v1/session", login)[0] == 200
    owner(stack).api("PATCH", f"/api/v1/providers/{provider}", {"sso_only": True})
    assert Browser(stack).api("POST", "/api/v1/session", login)[0] == 403
    stack._login()  # the owner's way in stays
    choices = Browser(stack).api("GET", "/api/v1/sign-in")[1]
    assert choices["providers"] == [{"id": provider, "name": "Acme ID"}], choices


def test_session_ends_with_the_provider(stack, oidc, provider):
    oidc.person("ann", "ann@example.test", ["ml"])
    browser = Browser(stack)
    browser.sign_in(provider)
    assert browser.api("GET", "/api/v1/session")[0] == 200
    owner(stack).api("DELETE", f"/api/v1/providers/{provider}")
    time.sleep(5.1)
    assert browser.api("GET", "/api/v1/session")[0] == 401
    try:
        owner(stack).api("GET", f"/api/v1/providers/{provider}")
        raise AssertionError("it is still there")
    except ApiError as refusal:
        assert refusal.status == 404


def test_in_chromium(stack, oidc):
    """The provider again, and a person of whom nothing is known yet."""
    create_provider(stack, oidc)
    oidc.person("eve", "eve@example.test", ["ml"], types=True)
    owner(stack).api("POST", "/api/v1/projects", {"slug": "harbour", "name": "Harbour"})
    env = {**os.environ, "SLIPWAY_URL": stack.url, "SLIPWAY_EMAIL": EMAIL,
           "SLIPWAY_PASSWORD": OWNERS_PASSWORD, "SLIPWAY_ISSUER": oidc.issuer}
    subprocess.run(["node", HERE / "browser.mjs"], env=env, check=True, timeout=120)


def is_installed(folder, package):
    return (folder / "node_modules" / package).exists() or subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=folder).returncode == 0


def provider_is_installed():
    return shutil.which("npm") is not None and is_installed(HERE, "oidc-provider")


def why_no_browser():
    """What the walk in Chromium lacks; None if it can be done. Builds the UI where it is missing."""
    web = ROOT / "web"
    if not os.access(os.environ.get("CHROMIUM", "/usr/bin/chromium"), os.X_OK):
        return "Chromium is not installed"
    if not is_installed(ROOT / "tests/e2e", "playwright-core"):
        return "the npm package playwright-core cannot be installed here"
    if not (web / "dist/index.html").exists() and not (
            is_installed(web, "vite") and
            subprocess.run(["npm", "run", "--silent", "build"], cwd=web).returncode == 0):
        return "the UI cannot be built here"
    return None


def main():
    if not provider_is_installed():
        print("the npm package oidc-provider cannot be installed here")
        return 77
    lacking = why_no_browser()
    static = "web/dist" if lacking is None else None
    with Stack(build=sys.argv[1], worker=False, static=static) as stack:
        stack.stop("slipwayd")
        with stack.config.open("a") as config:
            config.write(f"allowed_private_networks = 127.0.0.0/8, ::1/128\n"
                         f"outbound_ca_file = {stack.ca}\n")
        stack.start_server()
        oidc = Oidc(stack)
        try:
            provider = create_provider(stack, oidc)
            test_connection(stack, oidc, provider)
            test_private_addresses(stack, provider)
            test_first_sign_in_makes_the_user(stack, oidc, provider)
            test_groups_decide_at_each_sign_in(stack, oidc, provider)
            test_who_stays_out(stack, oidc, provider)
            test_answers_that_were_meddled_with(stack, oidc, provider)
            test_key_that_changes(stack, oidc, provider)
            test_session_stays_in_its_team(stack, oidc, provider)
            test_passwords_are_for_owners_where_sso_is_all(stack, provider)
            test_session_ends_with_the_provider(stack, oidc, provider)
            if lacking is None:
                test_in_chromium(stack, oidc)
        except BaseException:
            print(stack.log("slipwayd", 20), file=sys.stderr)
            raise
        finally:
            oidc.close()
    if lacking is not None:
        print(f"SKIPPED: single sign-on in Chromium: {lacking}")
    print("single sign-on: all as it should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
