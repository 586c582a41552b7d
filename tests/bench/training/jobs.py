"""Digits as a train job directory: data.safetensors, manifest.json, job.json. Real MNIST digits from
IDX files when a folder with them is given, else blurred templates with noise that are learnt as
readily; either way the same bytes go to both programs."""
import gzip
import json
import pathlib
import random
import struct

CNN = [
    {"type": "conv2d", "out": 24, "kernel": 5}, {"type": "relu"}, {"type": "maxpool2d", "kernel": 2},
    {"type": "conv2d", "out": 32, "kernel": 3}, {"type": "relu"}, {"type": "maxpool2d", "kernel": 2},
    {"type": "flatten"}, {"type": "linear", "out": 256}, {"type": "relu"},
    {"type": "linear", "out": "classes"},
]
MLP = [
    {"type": "flatten"}, {"type": "linear", "out": 256}, {"type": "relu"},
    {"type": "linear", "out": "classes"},
]
LAYERS = {"mlp": MLP, "cnn": CNN}


def read_idx(folder, name, count):
    path = next(p for p in sorted(pathlib.Path(folder).iterdir()) if name in p.name)
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    head = 4 + 4 * raw[3]
    size = 784 if raw[3] == 3 else 1
    return raw[head:head + count * size]


def synthetic(count, seed):
    rng = random.Random(7)
    templates = [[rng.random() for _ in range(49)] for _ in range(10)]
    rng = random.Random(seed)
    pixels, labels = bytearray(), bytearray()
    for _ in range(count):
        label = rng.randrange(10)
        noise = rng.randbytes(784)
        cells = templates[label]
        pixels += bytes(int(160 * cells[i // 112 * 7 + i % 28 // 4] + noise[i] * 95 // 255)
                        for i in range(784))
        labels.append(label)
    return bytes(pixels), bytes(labels)


def digits(folder, train, test):
    if not folder:
        parts = [synthetic(train, 1), synthetic(test, 2)]
    else:
        parts = [(read_idx(folder, f"{s}-images", n), read_idx(folder, f"{s}-labels", n))
                 for s, n in (("train", train), ("t10k", test))]
    return parts[0][0] + parts[1][0], parts[0][1] + parts[1][1]


def write_tensors(path, pixels, labels, split):
    n = len(labels)
    tensors = [("y", "I32", [n], struct.pack(f"<{n}i", *labels)), ("split", "U8", [n], split),
               ("x", "U8", [n, 1, 28, 28], pixels)]
    header, at = {}, 0
    for name, dtype, shape, raw in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(raw)]}
        at += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(raw for *_, raw in tensors))


def write_job(folder, net, threads, epochs, data):
    folder = pathlib.Path(folder)
    (folder / "inputs").mkdir(parents=True, exist_ok=True)
    pixels, labels, split = data
    write_tensors(folder / "inputs/0", pixels, labels, split)
    manifest = {"format": 1, "kind": "image", "rows": len(labels), "shape": [1, 28, 28],
                "classes": [str(i) for i in range(10)], "target": None, "columns": []}
    (folder / "inputs/1").write_text(json.dumps(manifest))
    spec = {"model": {"layers": LAYERS[net], "loss": "cross_entropy"},
            "optimizer": {"type": "adamw", "lr": 0.002}, "schedule": {"type": "one_cycle"},
            "batch_size": 128, "epochs": epochs, "seed": 0, "device": "cpu", "checkpoint_seconds": 3600}
    job = {"id": "bench", "kind": "train", "attempt": 1, "spec": spec,
           "inputs": [{"name": "data.safetensors", "path": "inputs/0"},
                      {"name": "manifest.json", "path": "inputs/1"}],
           "limits": {"threads": threads}}
    (folder / "job.json").write_text(json.dumps(job))
