/* The team as the mock knows it: people, invitations, sessions, the second factor, the audit log. */
const NOW = Date.now();
const ago = (seconds) => new Date(NOW - seconds * 1000).toISOString();
const id = (n) => `0192f3a0-0000-7000-8000-${String(n).padStart(12, "0")}`;
const page = (items) => ({ items, next_cursor: null });
const LINK = "https://127.0.0.1:8443/invite/kq3v9Xh2nQ7ZtL0aYcRbW5mJ8sUeDf1oGiPxTzNvEwA";

const member = (n, name, role, rest) => ({
    user_id: id(n), name, email: `${name.split(" ")[0].toLowerCase()}@example.org`, role, state: "active", totp: false, groups: n > 30 && n < 34 ? ["Vision"] : [], last_seen_at: ago(n * 700), created_at: ago(n * 9e4), ...rest,
});
const members = [
    member(2, "Ada Lovelace", "owner", { totp: true, last_seen_at: ago(20) }), member(31, "Grace Hopper", "admin", { totp: true }),
    member(32, "Alan Turing", "editor", {}), member(33, "Katherine Johnson", "viewer", { last_seen_at: null }),
    member(34, "Charles Babbage", "editor", { state: "deactivated" }),
];
const invitation = (n, email, role, state) => ({ id: id(n), email, role, state, invited_by: "Ada Lovelace", created_at: ago(n * 60), expires_at: ago(state === "expired" ? 900 : -2e5) });
let invitations = [
    invitation(41, "mary@example.org", "editor", "pending"), invitation(42, "grace@example.org", "admin", "accepted"),
    invitation(43, "joan@example.org", "viewer", "expired"), invitation(44, "mallory@example.org", "viewer", "revoked"),
];
let sessions = [
    { id: id(51), device: "Firefox on Linux", remote: "10.20.0.14", created_at: ago(3e5), last_used_at: ago(30), expires_at: ago(-9e5), current: true },
    { id: id(52), device: "Safari on iOS", remote: "10.20.4.201", created_at: ago(8e5), last_used_at: ago(7000), expires_at: ago(-9e5), current: false },
    { id: id(53), device: "Chrome on Windows", remote: "192.0.2.77", created_at: ago(2e6), last_used_at: ago(2e5), expires_at: ago(-9e5), current: false },
];
const CODES = Array.from({ length: 10 }, (_u, i) => `${(i * 7919 + 46656).toString(36)}-${(i * 104729 + 1679616).toString(36)}`);
const ACTIONS = ["session.create", "token.create", "member.update", "job.cancel", "invitation.create", "training.create", "audit.export"];
const events = Array.from({ length: 400 }, (_u, i) => ({
    seq: 400 - i, at: ago(i * 340), actor_kind: i % 9 === 4 ? "nobody" : "user", actor_name: i % 9 === 4 ? "" : members[i % 3].name,
    action: ACTIONS[i % ACTIONS.length], object: `/api/v1/members/${id(31 + (i % 4))}`, refusal: i % 11 === 3 ? "FORBIDDEN" : null, remote: "10.20.0.14", request_id: `01JD0000MOCK${1000 + i}`,
}));

/* Squares, enough to be looked at; nothing scans it. */
function pretendQr() {
    const cells = Array.from({ length: 29 * 29 }, (_u, i) => [i % 29, Math.floor(i / 29)]).filter(([x, y]) => (x * 7 + y * 13 + x * y) % 5 < 2);
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"><path fill="#fff" d="M0 0h29v29H0z"/><path d="${cells.map(([x, y]) => `M${x} ${y}h1v1h-1z`).join("")}"/></svg>`;
}

function auditOf(query) {
    const has = (text, key) => text.toLowerCase().includes((query.get(key) ?? "").toLowerCase());
    return events.filter((event) => has(event.actor_name, "actor") && event.action.startsWith(query.get("action") ?? "") && has(event.object, "object") && (!query.get("refused") || event.refusal));
}

const SCOPES = ["project.read", "dataset.read", "run.read", "job.read", "model.read", "dataset.write", "run.write", "job.write", "model.write", "team.read", "team.admin"];
const GRANTS = { owner: 11, admin: 11, editor: 10, viewer: 5, none: 0 };
const groups = [
    { id: id(61), name: "Vision", description: "Whoever works on pictures", members: 3, created_at: ago(8e5) },
    { id: id(62), name: "Reviewers", description: "", members: 1, created_at: ago(4e5) },
];
const services = [
    { id: id(71), name: "nightly training", role: "editor", state: "active", tokens: 2, created_at: ago(9e5), created_by: "Ada Lovelace" },
    { id: id(72), name: "dashboard", role: "viewer", state: "deactivated", tokens: 0, created_at: ago(3e6), created_by: "Grace Hopper" },
];
const grants = [{ project: "digits", subject_kind: "group", subject_id: id(61), subject_name: "Vision", role: "editor", created_at: ago(900) }];
const permission = (kind, subject, name, project, role, because) =>
    ({ subject_kind: kind, subject_id: subject, subject_name: name, project, role, because, permissions: SCOPES.slice(0, GRANTS[role]) });
const permissionsIn = (project) => [
    ...members.map((item) => permission("user", item.user_id, item.name, project, item.role, item.state === "active" ? `${item.role} of the team` : "deactivated in the team")),
    ...services.map((item) => permission("service", item.id, item.name, project, item.role, `${item.role} of the team`)),
];
const providers = [{
    id: id(81), name: "Company account", issuer: "https://login.example.org/realms/lab", client_id: "slipway", has_secret: true, group_claim: "groups", group_roles: [{ group: "ml-admins", role: "admin" }, { group: "ml", role: "editor" }],
    default_role: "viewer", sso_only: false, enabled: true, redirect_uri: "https://127.0.0.1:8443/api/v1/sso/callback",
}];
const quotas = [
    { name: "storage_bytes", limit: 5e11, used: 3.84e11 }, { name: "runs", limit: null, used: 1409 }, { name: "queued_jobs", limit: 20, used: 20 },
    { name: "tokens", limit: 50, used: 7 }, { name: "requests_per_minute", limit: 6000, used: 212 }, { name: "members", limit: 25, used: 5 },
];

const hook = (n, name, url, rest) => ({
    id: id(n), project_id: id(1), name, description: "", url, events: ["model_version.created", "model_version_alias.created"], has_secret: true, status: "active", disabled_reason: "",
    failing_since: null, failures: 0, created_by: "ada@example.org", created_at: ago(8e5), updated_at: ago(8e5), last_state: "delivered", last_at: ago(400), ...rest,
});
const hooks = [
    hook(91, "ci", "https://ci.example.org/hooks/slipway", { description: "Starts the serving repository's job" }),
    hook(92, "chat", "https://chat.example.org/in/x7Qk2", { failing_since: ago(9000), failures: 6, last_state: "waiting", last_at: ago(90) }),
    hook(93, "old-board", "https://board.example.org/in", { status: "disabled", disabled_reason: "nothing but failures for a day; the last: it answered 502", last_state: "failed", last_at: ago(2e5) }),
];
const attempt = (seconds, status, error) => ({ at: ago(seconds), status, duration_ms: 34, error });
const delivery = (n, event, state, log) => ({
    id: id(n), event, state, attempts: log.length, log, next_attempt_at: state === "waiting" ? ago(-75) : null, created_at: ago(n * 4), finished_at: null,
    body: JSON.stringify({ entity: event.split(".")[0], action: event.split(".")[1], timestamp: ago(n * 4), data: { name: "digits", version: "3" } }),
});
const told = [
    delivery(95, "model_version.created", "waiting", [attempt(300, 503, "it answered 503"), attempt(290, null, "could not ask \"chat.example.org\": Timeout was reached")]),
    delivery(96, "model_version_alias.created", "delivered", [attempt(380, 200, null)]),
    delivery(97, "model_version.created", "failed", [attempt(390, 404, "it answered 404")]),
];

export const ACCESS_ROUTES = [
    ["GET", "/projects/:project/webhooks", ([slug]) => page(slug === "empty" ? [] : hooks)],
    ["POST", "/projects/:project/webhooks", (_p, _u, body) => hooks[hooks.unshift(hook(94, body.name, body.url, { events: body.events })) && 0]],
    ["PATCH", "/projects/:project/webhooks/:hook", ([, wanted], _u, body) => Object.assign(hooks.find((item) => item.id === wanted), body)],
    ["POST", "/projects/:project/webhooks/:hook/test", () => ({ ok: true, status: 200, answer: "queued", error: null, duration_ms: 41 })],
    ["GET", "/projects/:project/webhooks/:hook/deliveries", () => page(told)],
    ["POST", "/projects/:project/webhooks/:hook/deliveries/:delivery/redeliver", ([, , wanted]) => Object.assign(told.find((item) => item.id === wanted), { state: "waiting" })],
    ["GET", "/groups", () => page(groups)],
    ["POST", "/groups", (_p, _u, body) => groups[groups.push({ id: id(63), members: 0, created_at: ago(0), ...body }) - 1]],
    ["GET", "/groups/:group/members", () => page(members.slice(1, 3).map((item) => ({ id: item.user_id, name: item.name, email: item.email })))],
    ["GET", "/service-accounts", () => page(services)],
    ["GET", "/service-accounts/:account/tokens", () => page([{ id: id(75), name: "cluster", prefix: "slp_s_4kq2", scopes: ["ingest"], projects: ["digits"], owner: "nightly training", created_at: ago(9e5), expires_at: null, last_used_at: ago(60) }])],
    ["GET", "/permissions", (_p, url) => page(permissionsIn(url.searchParams.get("project")))],
    ["GET", "/projects/:project/roles", () => page(grants)],
    ["GET", "/quotas", () => ({ items: quotas })],
    ["PUT", "/quotas", (_p, _u, body) => {
        quotas.find((item) => item.name === body.name).limit = body.limit;
        return { items: quotas };
    }],
    ["GET", "/sign-in", () => ({ providers: providers.map(({ id: provider, name }) => ({ id: provider, name })), password: true })],
    ["GET", "/providers", () => page(providers)],
    ["PATCH", "/providers/:provider", (_p, _u, body) => Object.assign(providers[0], body)],
    ["POST", "/providers/:provider/test", () => ({ ok: false, steps: [
        { name: "discovery", ok: true, detail: "the issuer answers with a configuration of its own name" },
        { name: "keys", ok: false, detail: "https://login.example.org/realms/lab/certs answered 503: try again when the provider is up" },
    ] })],
    ["GET", "/setup", (_p, _u, _b, r) => ({ needed: r.req.headers.referer?.endsWith("/setup") ?? false })],
    ["GET", "/invite/:token", ([token]) => (token === "gone" ? undefined : { team: "Vision lab", email: "mary@example.org", role: "editor", has_account: token === "known" })],
    ["GET", "/members", () => page(members)],
    ["PATCH", "/members/:user", ([user], _u, body) => Object.assign(members.find((item) => item.user_id === user), body)],
    ["POST", "/members/:user/reset", () => ({ link: LINK.replace("invite", "reset") })],
    ["GET", "/invitations", () => page(invitations)],
    ["POST", "/invitations", (_p, _u, body) => {
        const made = { ...invitation(45, body.email, body.role, "pending"), link: LINK };
        invitations = [made, ...invitations];
        return made;
    }],
    ["DELETE", "/invitations/:id", ([wanted]) => Object.assign(invitations.find((item) => item.id === wanted), { state: "revoked" })],
    ["GET", "/sessions", () => page(sessions)],
    ["POST", "/sessions/end-others", () => (sessions = sessions.filter((item) => item.current))],
    ["DELETE", "/sessions/:id", ([wanted]) => (sessions = sessions.filter((item) => item.id !== wanted))],
    ["POST", "/me/totp", () => ({ secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", uri: "otpauth://totp/Slipway:ada@example.org", qr_svg: pretendQr() })],
    ["POST", "/me/totp/confirm", () => {
        members[0].totp = true;
        return { codes: CODES };
    }],
    ["POST", "/me/recovery-codes", () => ({ codes: CODES })],
    ["DELETE", "/me/totp", () => Object.assign(members[0], { totp: false })],
    ["GET", "/audit", (_p, url) => page(auditOf(url.searchParams))],
    ["GET", "/audit/verify", () => ({ ok: true, events: events.length, first_bad_seq: null, message: "" })],
];
