"""The record of every access to a person, written in the transaction that opens it: who, when, why, which fields."""

from collections.abc import Sequence

from sqlalchemy import Connection, text


def record(connection: Connection, act: str, person: int | None, fields: Sequence[str]) -> None:
    """Record what the session's actor does, for its purpose; where this fails, the transaction does."""
    connection.execute(
        text(
            "INSERT INTO reg.access_records (actor, purpose, act, person_id, fields) VALUES"
            " (current_setting('menpai.actor'), current_setting('menpai.purpose'), :act, :person, :fields)"
        ),
        {"act": act, "person": person, "fields": list(fields)},
    )


def record_batch(
    connection: Connection, act: str, batch: int, fields: Sequence[str], person: int | None = None
) -> None:
    """Record what the session's actor does with rows of a roster; where this fails, the transaction does."""
    connection.execute(
        text(
            "INSERT INTO reg.access_records (actor, purpose, act, person_id, batch_id, fields) VALUES"
            " (current_setting('menpai.actor'), current_setting('menpai.purpose'), :act, :person, :batch, :fields)"
        ),
        {"act": act, "person": person, "batch": batch, "fields": list(fields)},
    )
