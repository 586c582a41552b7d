// A real OpenID Connect provider on loopback for tests/oidc/run.py: oidc-provider over TLS, with
// people who sign in without a page. POST /control sets who signs in next ("person"; who "types" is
// asked for an address on a page), or makes the provider change its key ("rotate").
//
//     node provider.mjs PORT KEY CERTIFICATE REDIRECT_URI

import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import Provider from "oidc-provider";

const [port, key, certificate, redirectUri] = process.argv.slice(2);
const people = new Map();
let current = null;
let generation = 0;
let provider = create("RS256");

function signingKey(alg) {
    const pair =
        alg === "RS256"
            ? generateKeyPairSync("rsa", { modulusLength: 2048 })
            : generateKeyPairSync("ec", { namedCurve: "P-256" });
    generation += 1;
    return { ...pair.privateKey.export({ format: "jwk" }), use: "sig", alg, kid: `key-${generation}` };
}

function account(id) {
    return { accountId: id, claims: () => ({ sub: id, ...people.get(id) }) };
}

function create(alg) {
    const made = new Provider(`https://localhost:${port}`, {
        clients: [
            {
                client_id: "slipway",
                client_secret: "a secret / of + the client",
                redirect_uris: [redirectUri],
                id_token_signed_response_alg: alg,
            },
        ],
        jwks: { keys: [signingKey(alg)] },
        claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
        scopes: ["openid", "email", "profile", "groups"],
        cookies: { keys: ["only for tests"] },
        features: { devInteractions: { enabled: false } },
        interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
        findAccount: (_, id) => account(id),
        pkce: { required: () => true },
    });
    return made;
}

async function grantAll(details) {
    const grant = new provider.Grant({ accountId: details.session.accountId, clientId: "slipway" });
    grant.addOIDCScope("openid email profile groups");
    return { consent: { grantId: await grant.save() } };
}

async function read(request) {
    let body = "";
    for await (const chunk of request) body += chunk;
    return body;
}

const PAGE = `<!doctype html><title>Acme ID</title><form method="post">
<label>Address <input name="email"></label><button>Continue</button></form>`;

// Who signs in; undefined while the page asks.
async function whoComes(request, response) {
    if (!current.types) return current;
    const email = request.method === "POST" ? new URLSearchParams(await read(request)).get("email") : "";
    const person = [...people.values()].find((known) => known.email === email);
    if (!person) response.setHeader("Content-Type", "text/html").end(PAGE);
    return person;
}

async function interact(request, response) {
    const details = await provider.interactionDetails(request, response);
    const login = details.prompt.name === "login";
    const person = login ? await whoComes(request, response) : null;
    if (login && !person) return;
    const result = login ? { login: { accountId: person.sub } } : await grantAll(details);
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

async function control(request, response) {
    const { person, rotate } = JSON.parse(await read(request));
    if (rotate) provider = create(rotate);
    if (person) {
        current = person;
        people.set(person.sub, person);
    }
    response.end("{}");
}

const options = { key: readFileSync(key), cert: readFileSync(certificate) };
createServer(options, (request, response) => {
    if (request.url === "/control") control(request, response);
    else if (request.url.startsWith("/interaction/")) interact(request, response);
    else provider.callback()(request, response);
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
