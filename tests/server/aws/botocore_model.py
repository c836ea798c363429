"""botocore's model of AWS Step Functions, and the part of it that the server has."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import Loader

_KEPT = ("type", "min", "max", "enum", "pattern", "required", "sensitive")


@cache
def whole() -> dict[str, Any]:
    """All of it."""
    model: dict[str, Any] = Loader().load_service_model("stepfunctions", "service-2")
    return model


def compact() -> dict[str, Any]:
    """What `sm_cli/server/aws/model.json` has: operations, and the shapes of what they are given."""
    model, shapes = whole(), {}

    def take(name: str) -> None:
        if name in shapes:
            return
        shape = model["shapes"][name]
        kept = shapes[name] = {key: shape[key] for key in _KEPT if key in shape}
        if shape["type"] == "structure":
            kept["members"] = {member: each["shape"] for member, each in shape["members"].items()}
        elif shape["type"] == "list":
            kept["member"] = shape["member"]["shape"]
        for inner in [*kept.get("members", {}).values(), *([kept["member"]] if "member" in kept else [])]:
            take(inner)

    operations: dict[str, Any] = {}
    for name, operation in model["operations"].items():
        errors = sorted(error["shape"] for error in operation.get("errors", ()))
        operations[name] = {"input": operation["input"]["shape"], "errors": errors}
        take(operation["input"]["shape"])
    return {"operations": operations, "shapes": shapes}


if __name__ == "__main__":
    import json
    from pathlib import Path

    import sm_cli.server.aws.shapes

    target = Path(sm_cli.server.aws.shapes.__file__).parent / "model.json"
    target.write_text(json.dumps(compact(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
