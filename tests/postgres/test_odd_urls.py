"""Names, URLs and questions that a careless or hostile person gives: one sentence, and never a password."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from sm_cli.errors import ConfigurationError, DatabaseAway, DatabaseError, UsageError
from sm_cli.store.open import open_store, schema_number, upkeep_of
from sm_cli.store.postgres.errors import explain_error
from sm_cli.store.postgres.url import parse_url
from tests.postgres.server import schema, server, with_option
from tests.store.asking import asked
from tests.store.samples import apply, execution


@pytest.mark.parametrize("name", ["lateral", "default"])
def test_a_schema_may_have_a_name_that_sql_reserves(name: str) -> None:
    store = open_store(with_option(server(), f"schema={name}"))
    try:
        apply(store, new_executions=[execution(1)])
        assert asked(store).execution(1) == execution(1)
        assert len(store.token_key()) == 32
        upkeep = upkeep_of(store)
        assert upkeep is not None
        assert upkeep.count_rows()["executions"] == 1
    finally:
        store.close()
        with psycopg.connect(server(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:geheim@host/db?foo=bar",
        "postgresql://me:ge%00heim@host/db",
        "postgresql://me:geheim@host/d%00b",
        "postgresql://me:geheim@host/db?schema=pg_temp",
        "postgresql://me:geheim@host/db?pool=geheim",
        "postgresql://me:geheim@[::1/db",
        "postgresql://me:ge/heim@host/db",
        "postgresql://me:ge?heim@host/db",
        "postgresql://me:ge?ge=1@host/db",
        "postgresql://me:ge#heim@host/db",
        "postgresql://me:ge@heim@host/db",
        "postgresql://me:geheim@host/db#sm",
        "postgresql://me:geheim@host:port/db",
        "postgresql://me:geheim@a:1,b:65536/db",
        "postgresql://me:geheim@host:1/db?sslmode=perhaps",
        "postgresql://me:geheim@host:1/db?connect_timeout=soon",
        "postgresql://me:geheim@/db?port=first",
        "postgresql://me:geheim@/db?service=not_there",
        "postgresql:me:geheim@host/db",
        "postgresql:/me:geheim@host/db",
        "Postgres://me:geheim@host/db",
        "jdbc:postgresql://host/db?user=me&password=geheim",
        "host=host user=me password=geheim",
    ],
)
def test_a_url_that_cannot_be_used_is_one_sentence_without_the_password(url: str) -> None:
    for use in (open_store, schema_number):
        with pytest.raises(ConfigurationError) as told:
            use(url)
        assert "geheim" not in str(told.value).replace("pool=geheim", "")
        assert "heim@" not in str(told.value)
        assert "me:" not in str(told.value)
        assert told.value.exit_code == 7


def test_sentences_say_which_server_it_is_when_an_option_names_it() -> None:
    place = parse_url("postgresql://me:geheim@/db?host=/run/pg&sslmode=disable&port=5433&schema=x").place
    assert place == "postgresql:///db?host=/run/pg&port=5433&schema=x"
    assert parse_url("postgresql://me:geheim@[::1]:5433,other/db").place == "postgresql://[::1]:5433,other/db"


def test_texts_are_unicode_whatever_the_url_says() -> None:
    with schema() as url, closing(open_store(with_option(url, "client_encoding=LATIN1"))) as store:
        apply(store, new_executions=[replace(execution(1), name="Grüße €😀")])
        first = asked(store).execution(1)
        assert first is not None
        assert first.name == "Grüße €😀"


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_keep_every_character_is_refused(encoding: str) -> None:
    name = sql.Identifier(f"t_{encoding}_{uuid.uuid4().hex[:8]}".lower())
    with psycopg.connect(server(), autocommit=True) as connection:
        made = sql.SQL("CREATE DATABASE {} ENCODING {} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        connection.execute(made.format(name, encoding))
        try:
            url = with_option(server(), f"dbname={name.as_string(None)}".replace('"', ""))
            for use in (open_store, schema_number):
                with pytest.raises(DatabaseError, match=f"keeps texts as {encoding}.*sm needs UTF8"):
                    use(url)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {}").format(name))


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ('connection failed: FATAL:  role "me" does not exist', DatabaseError, "refuses to let this user in"),
        ('FATAL:  password authentication failed for user "me"', DatabaseError, "refuses to let this user in"),
        ('FATAL:  no pg_hba.conf entry for host "h"', DatabaseError, "refuses to let this user in"),
        ('FATAL:  database "x" does not exist', DatabaseError, "there is no database at"),
        ("FATAL:  the database system is starting up", DatabaseAway, "cannot be reached"),
        ("FATAL:  sorry, too many clients already", DatabaseAway, "has no connection left: sorry, too many clients"),
        ('FATAL:  too many connections for role "me"', DatabaseAway, "has no connection left: too many connections"),
        ("fe_sendauth: no password supplied", DatabaseError, "refuses to let this user in: no password supplied"),
        (
            'connection failed: connection to server at "h", port 1 failed: Connection refused\n\tIs it running?',
            DatabaseAway,
            "postgresql://host/x cannot be reached: Connection refused",
        ),
    ],
)
def test_who_is_not_let_in_is_told_so_and_who_may_come_later_too(
    text: str, kind: type[DatabaseError], says: str
) -> None:
    told = explain_error(psycopg.OperationalError(text), "postgresql://host/x")
    assert type(told) is kind
    assert says in told.message
    assert "\n" not in told.message
    assert "connection to server" not in told.message
    assert told.hint is not None


def test_a_server_without_that_user_or_database_says_so() -> None:
    url = parse_url(server())
    for conninfo in (
        url.conninfo.replace("postgres@", "no_such_role@"),
        url.conninfo.replace("/postgres", "/no_such_db"),
    ):
        if conninfo == url.conninfo:
            continue  # the server that is named has other names
        with pytest.raises(DatabaseError) as told:
            open_store(conninfo)
        assert not isinstance(told.value, DatabaseAway)


def test_a_question_that_is_no_text_is_refused() -> None:
    with schema() as url, closing(open_store(url)) as store:
        upkeep = upkeep_of(store)
        assert upkeep is not None
        with pytest.raises(UsageError, match="is not text that UTF-8 can hold"):
            list(upkeep.select_rows("SELECT '\udcff'"))
