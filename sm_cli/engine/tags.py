"""Tags of executions: names and values that whoever starts one gives it, to find it by them later.

The limits are those that AWS sets for tags of its resources, so that what is a tag here is one there.
"""

from __future__ import annotations

from collections.abc import Mapping

from sm_cli.errors import UsageError

#: AWS's limits: characters of a name and of a value, tags of one resource.
_NAME_LIMIT, _VALUE_LIMIT, _MOST = 128, 256, 50
#: Beside letters, digits and spaces of any script.
_SIGNS = frozenset("_.:/=+-@")


def check_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags, sorted by name. Raises UsageError for what AWS would refuse."""
    if len(tags) > _MOST:
        raise UsageError(f"there may be at most {_MOST} tags, not {len(tags)}")
    for name, value in tags.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise UsageError(f"name and value of a tag are text, not {name!r}: {value!r}")
        if not 1 <= len(name) <= _NAME_LIMIT:
            raise UsageError(f"the name of a tag has 1 to {_NAME_LIMIT} characters, not {len(name)}")
        if len(value) > _VALUE_LIMIT:
            raise UsageError(f"the value of a tag has at most {_VALUE_LIMIT} characters; that of {name!r} {len(value)}")
        if name.lower().startswith("aws:"):
            raise UsageError(f"the tag {name!r} begins with aws:, as only AWS's own tags may")
        for what, text in (("name", name), ("value", value)):
            bad = sorted({c for c in text if not (c.isalnum() or c in _SIGNS or c == " ")})
            if bad:
                raise UsageError(f"the {what} of the tag {name!r} holds {', '.join(map(repr, bad))}, which it may not")
    return dict(sorted(tags.items()))
