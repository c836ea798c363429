"""What docs/handlers.md says of secrets: which are masked, in which forms, and which are not."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from sm_cli.handlers.handler import Context, Success, run_handler
from sm_cli.handlers.http.invoke import http_invoke
from sm_cli.handlers.http.settings import read_settings
from tests.handlers.http_server import Answering, Site, serving

_KEY = 's3cret/"<&ü+ 0123456789'.replace(" ", "~")


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as made:
        yield made


def _answer(site: Site, body: str, headers: dict[str, str], status: int = 200, kind: str = "text/plain") -> str:
    """What the handler gives, result or cause, as text, when the server answers with this body."""

    def page(answering: Answering) -> None:
        answering.answer(status, body.encode(), Content_Type=kind)

    site.pages["/echo"] = page
    using = read_settings([site.host], {"shop": {"headers": headers}}, where="sm.toml", connections_where="sm.toml")
    parameters: dict[str, Any] = {
        "ApiEndpoint": f"http://{site.host}/echo", "Method": "GET", "InvocationConfig": {"ConnectionArn": "shop"},
    }  # fmt: skip
    outcome = run_handler(http_invoke(using), parameters, Context("ref", "name", "w", "Call", 1, "ref-1-1"))
    if not isinstance(outcome, Success):
        return outcome.cause
    result = outcome.result
    assert isinstance(result, dict)
    found = result["ResponseBody"]
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


_FORMS = {
    "as it is": lambda text: text,
    "URL-encoded": lambda text: quote(text, safe=""),
    "URL-encoded but for slashes": quote,
    "as a form": quote_plus,
    "with JSON's escapes": lambda text: json.dumps(text)[1:-1],
    "with JSON's escapes and UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "with HTML's escapes": html.escape,
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", _FORMS.values(), ids=_FORMS)
@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("part", ["whole", "piece"])
def test_each_form_is_masked(site: Site, monkeypatch: pytest.MonkeyPatch, form: Any, status: int, part: str) -> None:
    value = f"Bearer {_KEY}"
    monkeypatch.setenv("SHOP", value)
    sent = form(value if part == "whole" else _KEY)
    told = _answer(site, f"you said '{sent}'!", {"X-Any": "env:SHOP"}, status)
    assert sent not in told
    assert told in ("you said '[hidden]'!", "you said 'Bearer [hidden]'!", "you said 'Bearer%20[hidden]'!")


@pytest.mark.parametrize("value", ["a=1; session=0123456789ab", 'Digest nonce="0123456789ab", x=1', "k, 0123456789ab"])
def test_pieces_of_a_header_are_masked(site: Site, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SHOP", value)
    assert _answer(site, "<0123456789ab>", {"X-Any": "env:SHOP"}) == "<[hidden]>"


@pytest.mark.parametrize("sent", ["customer-7:correct horse", "correct horse", "customer-7"])
def test_user_and_password_of_basic_are_masked(site: Site, monkeypatch: pytest.MonkeyPatch, sent: str) -> None:
    monkeypatch.setenv("SHOP", f"Basic {base64.b64encode(b'customer-7:correct horse').decode()}")
    assert _answer(site, f"<{sent}>", {"X-Any": "env:SHOP"}) == "<[hidden]>"


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "X-Api-Key", "X-Token", "Client-Secret", "X-Password"])
def test_values_in_the_configuration_are_masked_by_the_header_s_name(site: Site, name: str) -> None:
    assert _answer(site, "<0123456789ab>", {name: "0123456789ab"}) == "<[hidden]>"


def test_json_is_masked_in_keys_texts_and_numbers(site: Site) -> None:
    body = json.dumps({"0123456789": [123456789012, {"k": "a 123456789012"}]})
    told = _answer(site, body, {"X-Key": "123456789012", "X-Token": "0123456789"}, kind="application/json")
    assert json.loads(told) == {"[hidden]": ["[hidden]", {"k": "a [hidden]"}]}


@pytest.mark.parametrize(
    ("header", "value", "sent"),
    [
        ("X-Version", "0123456789ab", "0123456789ab"),  # no secret by its name
        ("X-Key", "0123456", "0123456"),  # shorter than 8 characters
        ("X-Key", "abcdefghijkl", "ABCDEFGHIJKL"),  # another case
        ("X-Key", "abcdefghijkl", "abcdefgh"),  # a part of a piece
    ],
)
def test_what_the_page_says_is_not_masked_is_not(site: Site, header: str, value: str, sent: str) -> None:
    assert _answer(site, f"<{sent}>", {header: value}) == f"<{sent}>"
