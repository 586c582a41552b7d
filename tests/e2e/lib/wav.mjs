/* A quarter of a second of silence: one channel, 16 bits, 8 kHz. */
const RATE = 8000;
const HEADER = 44;
const BYTES = RATE / 2;

export function wav() {
    const body = Buffer.alloc(HEADER + BYTES);
    body.write("RIFF", 0);
    body.writeUInt32LE(HEADER - 8 + BYTES, 4);
    body.write("WAVEfmt ", 8);
    body.writeUInt32LE(16, 16);
    body.writeUInt16LE(1, 20);
    body.writeUInt16LE(1, 22);
    body.writeUInt32LE(RATE, 24);
    body.writeUInt32LE(RATE * 2, 28);
    body.writeUInt16LE(2, 32);
    body.writeUInt16LE(16, 34);
    body.write("data", 36);
    body.writeUInt32LE(BYTES, 40);
    return body;
}
