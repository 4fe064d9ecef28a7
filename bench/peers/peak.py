"""Measures the machine's rate of f32 matrix products as PyTorch reaches it.

    python peak.py --threads 2

The best of several sizes and tries. `run.py` takes the larger of this and of our own measurement
for the machine's peak, so that a low one of ours cannot flatter our share of it. Prints one line
of JSON.
"""

import argparse
import json
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seconds", type=float, default=2.0, help="for each size")
options = parser.parse_args()
torch.set_num_threads(options.threads)

best = 0.0
for size in (1024, 2048, 3072):
    a, b, c = torch.rand(size, size), torch.rand(size, size), torch.empty(size, size)
    end = time.perf_counter() + options.seconds
    while (start := time.perf_counter()) < end:
        torch.mm(a, b, out=c)
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
print(json.dumps(dict(threads=options.threads, torch=torch.__version__, f32_flops_per_second=best)))
