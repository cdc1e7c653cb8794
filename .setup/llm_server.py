"""llm_server.py MODEL.gguf THREADS: serves a model with llama.cpp on a free port of 127.0.0.1, and prints its address.

Several threads wait for each other in turn where cores are busy: one is faster there.

It speaks OpenAI's chat completions at ADDRESS/v1, with JSON schemas as grammars. It runs until it is terminated.
"""

import signal
import sys

import xllamacpp

N_PARALLEL = 2
CONTEXT_TOKENS = 4096

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames = ["127.0.0.1"]
params.port = 0
params.n_parallel = N_PARALLEL
params.n_ctx = CONTEXT_TOKENS * N_PARALLEL
params.n_gpu_layers = 0
params.cpuparams.n_threads = int(sys.argv[2])
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
signal.pause()
