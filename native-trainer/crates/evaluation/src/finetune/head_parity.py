"""Makes head_parity.json: classifiers over given features, trained by PyTorch in f64, and scikit-learn's optimum.

    python -m pip install torch scikit-learn
    python head_parity.py

Nothing of it is from `head.rs`: standardization and class weights are scikit-learn's, loss and AdamW are PyTorch's.
"""

import json
import re
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

N_FEATURES, N_CLASSES = 5, 3
torch.set_default_dtype(torch.float64)


def rows(labels, random):
    """Unit rows whose classes overlap, of a few digits, so that the file is short and exact."""
    middles = np.array([[2, 0, 0, 1, 0], [0, 2, 0, 0, -1], [0, 0, 2, 1, 1]])
    values = middles[labels] + 2.2 * random.standard_normal((len(labels), N_FEATURES))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return np.round(values, 5)


def adamw(train, validation, test, class_weights, options):
    """All rows at once, until the loss of the validation has not improved for `patience` epochs."""
    scaler = StandardScaler().fit(train[0])
    tensors = [torch.tensor(scaler.transform(part[0])) for part in (train, validation, test)]
    labels = [torch.tensor(part[1]) for part in (train, validation)]
    loss_of = torch.nn.CrossEntropyLoss(torch.tensor(class_weights))
    head = torch.nn.Linear(N_FEATURES, N_CLASSES)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    groups = [
        {"params": [head.weight], "weight_decay": options["weight_decay"]},
        {"params": [head.bias], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=options["learning_rate"])
    losses, best = [], None
    for epoch in range(options["epochs"]):
        loss = loss_of(head(tensors[0]), labels[0])
        with torch.no_grad():
            losses.append([loss.item(), loss_of(head(tensors[1]), labels[1]).item()])
            if best is None or losses[-1][1] < losses[best[0]][1]:
                best = epoch, head(tensors[2]).softmax(-1).tolist()
            elif epoch - best[0] >= options["patience"]:
                break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"losses": losses, "best_epoch": best[0], "test_probabilities": best[1]}


def optimum(train, test, is_balanced):
    """The head without decay that no training betters."""
    scaler = StandardScaler().fit(train[0])
    fitted = LogisticRegression(
        C=np.inf, class_weight="balanced" if is_balanced else None, solver="newton-cg", tol=1e-12, max_iter=1000
    ).fit(scaler.transform(train[0]), train[1])
    return fitted.predict_proba(scaler.transform(test[0])).tolist()


def main():
    random = np.random.default_rng(19)
    parts = {}
    for name, counts in {"train": [24, 14, 10], "validation": [6, 5, 4], "test": [4, 4, 4]}.items():
        labels = np.repeat(np.arange(N_CLASSES), counts)
        parts[name] = rows(labels, random), labels
    train, validation, test = parts.values()
    balanced = compute_class_weight("balanced", classes=np.arange(N_CLASSES), y=train[1]).tolist()
    cases = []
    for name, is_balanced, options in [
        ("balanced, ends early", True, {"epochs": 200, "learning_rate": 0.05, "weight_decay": 0.1, "patience": 4}),
        ("plain, all epochs", False, {"epochs": 25, "learning_rate": 0.01, "weight_decay": 0.01, "patience": 30}),
        ("no decay", True, {"epochs": 40, "learning_rate": 0.1, "weight_decay": 0.0, "patience": 40}),
    ]:
        weights = balanced if is_balanced else [1.0] * N_CLASSES
        result = adamw(train, validation, test, weights, options)
        cases.append({"name": name, "is_balanced": is_balanced, "options": options} | result)
    written = {
        "parts": {name: {"features": part[0].tolist(), "labels": part[1].tolist()} for name, part in parts.items()},
        "balanced_weights": balanced,
        "cases": cases,
        "optimum": [
            {"is_balanced": is_balanced, "test_probabilities": optimum(train, test, is_balanced)}
            for is_balanced in (False, True)
        ],
    }
    text = json.dumps(written, indent=1)
    text = re.sub(r"\[\s+([^\[\]]+?)\s+\]", lambda match: "[" + re.sub(r"\s+", " ", match[1]) + "]", text)
    Path(__file__).with_suffix(".json").write_text(text + "\n")


main()
