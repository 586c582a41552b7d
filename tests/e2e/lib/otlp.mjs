/* Spans as an OpenTelemetry exporter sends them: just as much of protocol buffers as that takes. */
import assert from "node:assert/strict";

function varint(value) {
    const bytes = [];
    for (let rest = BigInt(value); ; rest >>= 7n) {
        if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
        bytes.push(Number(rest & 127n) | 128);
    }
}

const bytes = (number, body) => Buffer.concat([varint((number << 3) | 2), varint(body.length), body]);
const text = (number, value) => bytes(number, Buffer.from(value));

function fixed64(number, value) {
    const body = Buffer.alloc(8);
    body.writeBigUInt64LE(BigInt(value));
    return Buffer.concat([varint((number << 3) | 1), body]);
}

const attribute = (number, [key, value]) => bytes(number, Buffer.concat([text(1, key), bytes(2, text(1, value))]));
const idOf = (n) => Buffer.from(n.toString(16).padStart(16, "0"), "hex");

/** A number that becomes 32 hex digits, as the client's trace_id tells them behind "tr-". */
export const traceId = (n) => n.toString(16).padStart(32, "0");

function span({ trace, id, parent, name, type = "CHAIN", inputs, outputs, attributes = {}, event, status = 1, message = "", from, to }) {
    const pairs = Object.entries({ "mlflow.spanType": JSON.stringify(type), ...(inputs === undefined ? {} : { "mlflow.spanInputs": JSON.stringify(inputs) }), ...(outputs === undefined ? {} : { "mlflow.spanOutputs": JSON.stringify(outputs) }), ...attributes });
    const happened = event ? [bytes(11, Buffer.concat([fixed64(1, from), text(2, event.name), ...Object.entries(event.attributes).map((pair) => attribute(3, pair))]))] : [];
    return Buffer.concat([
        bytes(1, Buffer.from(traceId(trace), "hex")), bytes(2, idOf(id)), ...(parent ? [bytes(4, idOf(parent))] : []), text(5, name), fixed64(7, from), fixed64(8, to),
        ...pairs.map((pair) => attribute(9, pair)), ...happened, bytes(15, Buffer.concat([text(2, message), varint(3 << 3), varint(status)])),
    ]);
}

/** Sends spans to an experiment, by its number. */
export async function sendSpans(page, project, experiment, spans) {
    const data = bytes(1, bytes(2, Buffer.concat(spans.map((one) => bytes(2, span(one))))));
    const headers = { "X-Slipway-Request": "1", Origin: new URL(page.url()).origin, "Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": String(experiment) };
    const reply = await page.request.post(`/p/${project}/v1/traces`, { data, headers });
    assert.ok(reply.ok(), `OTLP: ${reply.status()} ${await reply.text()}`);
}
