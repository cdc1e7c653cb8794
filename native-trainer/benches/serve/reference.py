"""The server that ours is measured beside: FastAPI, uvicorn and open_clip, as one would write it.

Photos are decoded in FastAPI's threads, beside the model; the model takes one at a time with all threads of PyTorch, or
of onnxruntime with `--onnx`, which on a CPU is faster than several at once. The classifier is made once. Prints its
address.
"""

import argparse
import io
import json
import socket
import threading
from pathlib import Path

import open_clip
import torch
import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image


def onnx_encoder(path, threads):
    """pixel_values [B, 3, S, S] -> unit features [B, E], by a file of `export.py`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda pixel_values: torch.from_numpy(session.run(None, {"pixel_values": pixel_values.numpy()})[0])


class Classifier:
    """`encode` takes the place of the model's image tower."""

    def __init__(self, model, class_names, templates, encode=None):
        self.model, self.transform = open_clip.create_model_from_pretrained(f"local-dir:{model}")
        self.model.eval()
        self.encode = encode or (lambda pixel_values: self.model.encode_image(pixel_values, normalize=True))
        self.class_names = class_names
        tokenizer = open_clip.SimpleTokenizer()
        with torch.inference_mode():
            self.weights = open_clip.build_zero_shot_classifier(self.model, tokenizer, class_names, templates)
        self.turn = threading.Lock()

    def answer(self, body, top_k):
        pixel_values = self.transform(Image.open(io.BytesIO(body))).unsqueeze(0)
        with torch.inference_mode(), self.turn:
            logits = 100 * self.encode(pixel_values) @ self.weights
        probabilities = logits.softmax(dim=-1)[0]
        best = probabilities.topk(min(top_k, len(self.class_names)))
        predictions = [
            {"label": self.class_names[index], "probability": probability, "logit": logits[0, index].item()}
            for probability, index in zip(best.values.tolist(), best.indices.tolist())
        ]
        return {"predictions": predictions}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a checkpoint's folder")
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--templates", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--onnx", type=Path, help="the image tower, for onnxruntime")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    labels, templates = (json.loads(path.read_text()) for path in (arguments.labels, arguments.templates))
    encode = onnx_encoder(arguments.onnx, arguments.threads) if arguments.onnx else None
    classifier = Classifier(arguments.model, labels, templates, encode)
    app = FastAPI()

    @app.post("/v1/classify")
    async def classify(request: Request, top_k: int = 5):
        return await run_in_threadpool(classifier.answer, await request.body(), top_k)

    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
