"""The loop a PyTorch user writes: the same network, data, batch size, optimiser and number of steps as
the train runner's job, data resident as a float tensor, one index_select a batch. Prints JSON."""
import json
import struct
import sys
import time

import torch
from torch import nn

CLASSES = 10


def safetensors(path):
    """Tensors of the three dtypes a data set has."""
    with open(path, "rb") as f:
        raw = bytearray(f.read())
    size = struct.unpack_from("<Q", raw)[0]
    header = json.loads(bytes(raw[8:8 + size]))
    types = {"U8": torch.uint8, "I32": torch.int32, "F32": torch.float32}
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        flat = torch.frombuffer(raw, dtype=torch.uint8, count=end - begin, offset=begin).clone()
        tensors[name] = flat.view(types[entry["dtype"]]).view(entry["shape"])
    return tensors


def layer(spec, shape):
    """A torch.nn module of one layer and the shape it gives."""
    kind = spec["type"]
    if kind == "linear":
        out = CLASSES if spec["out"] == "classes" else spec["out"]
        return nn.Linear(shape[0], out), [out]
    if kind == "conv2d":
        side = shape[1] - spec["kernel"] + 1
        return nn.Conv2d(shape[0], spec["out"], spec["kernel"]), [spec["out"], side, side]
    if kind == "maxpool2d":
        side = shape[1] // spec["kernel"]
        return nn.MaxPool2d(spec["kernel"]), [shape[0], side, side]
    if kind == "flatten":
        return nn.Flatten(), [torch.Size(shape).numel()]
    if kind == "relu":
        return nn.ReLU(), shape
    raise ValueError(kind)


def network(layers, shape):
    modules = []
    for spec in layers:
        module, shape = layer(spec, shape)
        modules.append(module)
    return nn.Sequential(*modules)


def main(job, threads, epochs):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    with open(f"{job}/job.json") as f:
        spec = json.load(f)["spec"]
    data = safetensors(f"{job}/inputs/0")
    x = data["x"].float() / 255
    train, test = data["split"] == 0, data["split"] == 2
    mean, std = x[train].mean(), x[train].std()
    x = (x - mean) / std
    y = data["y"].long()
    xt, yt, xe, ye = x[train], y[train], x[test], y[test]
    net = network(spec["model"]["layers"], list(x.shape[1:]))
    batch = spec["batch_size"]
    steps = -(-len(xt) // batch) * epochs
    lr = spec["optimizer"]["lr"]
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    loss_of = nn.CrossEntropyLoss()
    seconds, samples = 0.0, 0
    for _ in range(epochs):
        order = torch.randperm(len(xt))
        start = time.perf_counter()
        for first in range(0, len(xt), batch):
            index = order[first:first + batch]
            xb, yb = xt.index_select(0, index), yt.index_select(0, index)
            optimizer.zero_grad(set_to_none=True)
            loss_of(net(xb), yb).backward()
            optimizer.step()
            schedule.step()
            samples += len(index)
        seconds += time.perf_counter() - start
    net.eval()
    with torch.inference_mode():
        right = sum(int((net(xe[i:i + 1000]).argmax(1) == ye[i:i + 1000]).sum())
                    for i in range(0, len(xe), 1000))
    print(json.dumps({"torch": torch.__version__, "samples_per_s": samples / seconds,
                      "steps_per_s": steps / seconds, "accuracy": right / max(len(xe), 1)}))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
